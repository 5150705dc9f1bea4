# SPDX-License-Identifier: Apache-2.0
"""Metadata of the Python package that other files hold: version, addresses, and README as an index shows it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
# "](target)" and "[name]: target" where the target is not an address already.
RELATIVE_LINK = re.compile(r"(!?)(\[[^\]]*\]\(|^\[[^\]]+\]: +)(?![a-z]+:)([^)\s]+)", re.MULTILINE)


def version() -> str:
    """The version, of which include/equiconv.h is the one source."""
    header = (ROOT / "include" / "equiconv.h").read_text(encoding="utf-8")
    parts = [re.search(rf"#define EQUICONV_VERSION_{part} (\d+)", header) for part in ("MAJOR", "MINOR", "PATCH")]
    return ".".join(part.group(1) for part in parts if part is not None)


def repository() -> str:
    """The project's address, of which CITATION.cff is the one source."""
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    found = re.search(r'^repository-code: "(.+)"$', citation, re.MULTILINE)
    if found is None:
        raise SystemExit('CITATION.cff has no line repository-code: "…"')
    return found.group(1)


def address(path: str, view: str = "blob") -> str:
    """Where the tag of this version has a file of the repository."""
    return f"{repository()}/{view}/{version()}/{path}"


def project_urls() -> dict[str, str]:
    """Addresses by their label on an index."""
    return {
        "Source": repository(),
        "Documentation": address("README.md") + "#documentation",
        "Changelog": address("CHANGELOG.md"),
        "Issues": repository() + "/issues",
    }


def _absolute(link: re.Match[str]) -> str:
    image, before, target = link.groups()
    path, _, anchor = target.partition("#")
    view = "raw" if image else "tree" if (ROOT / path).is_dir() else "blob"
    return image + before + address(path or "README.md", view) + (f"#{anchor}" if anchor else "")


def long_description() -> str:
    """README.md with absolute links, for places that have only its text."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    pieces, end = [], 0
    for fence in FENCE.finditer(text):
        pieces += [RELATIVE_LINK.sub(_absolute, text[end : fence.start()]), fence.group()]
        end = fence.end()
    return "".join([*pieces, RELATIVE_LINK.sub(_absolute, text[end:])])

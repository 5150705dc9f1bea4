# SPDX-License-Identifier: Apache-2.0
"""What pages of the project refer to is there, and their prose has one width."""

from __future__ import annotations

import re

import pytest
from paths import ROOT

WIDTH = 120
"""Columns of a line of prose, as of code; tables, links and code may be wider."""
BUILT = ("demo-output", "build", "dist")
RESULTS = "benchmarks/results/"
TEMPLATES = ("page.md",)
"""Of benchmarks/peers: it becomes a page of docs/measured, to which its links are relative."""

FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(rf"{FENCE.pattern}|^    .*?$|`[^`]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
BRACES = re.compile(r"\{([^}]*)\}")
FOLDERS = "|".join(sorted(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")))
QUOTED_PATH = re.compile(rf"`((?:{FOLDERS})/[^`\s]*)`")
QUOTED_FILE = re.compile(r"`([\w+/]+\.(?:swift|h|c))`")


def documents():
    """Every page of the project, without those of what is built or installed."""
    found = [path.relative_to(ROOT) for path in ROOT.rglob("*.md")]
    return sorted(ROOT / path for path in found if not path.parts[0].startswith((".", *BUILT)))


def identify(page):
    """The page's name in test ids."""
    return str(page.relative_to(ROOT))


def anchors(page):
    """The names under which headings can be linked to."""
    headings = HEADING.findall(CODE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def alternatives(path):
    """The paths that one with braces stands for: a/b and a/c for a/{b,c}."""
    braces = BRACES.search(path)
    if braces is None:
        return {path}
    before, after = path[: braces.start()], path[braces.end() :]
    return {each for part in braces[1].split(",") for each in alternatives(before + part + after)}


@pytest.mark.parametrize("page", [page for page in documents() if page.name not in TEMPLATES], ids=identify)
def test_links_lead_somewhere(page):
    for target, anchor in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path), f"{target}#{anchor}"


@pytest.mark.parametrize("page", documents(), ids=identify)
def test_prose_is_wrapped_at_one_width(page):
    text = FENCE.sub(lambda block: "\n" * block.group().count("\n"), page.read_text(encoding="utf-8"))
    for number, line in enumerate(text.splitlines(), start=1):
        is_prose = not line.startswith(("|", "    ", "!["))
        # A single word, such as the address of a link, cannot be wrapped.
        assert not is_prose or len(line) <= WIDTH or " " not in line.strip(), f"line {number} has {len(line)} columns"


@pytest.mark.parametrize("page", documents(), ids=identify)
def test_paths_in_back_ticks_exist(page):
    """Those that begin with a folder of the project, with {a,b} for several and * for any name."""
    quoted = QUOTED_PATH.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    paths = {path.rstrip("/") for each in quoted for path in alternatives(each) if not path.startswith(RESULTS)}
    assert [path for path in sorted(paths) if not any(ROOT.glob(path))] == []
    assert page.name != "CONTRIBUTING.md" or len(paths) > 50


@pytest.mark.parametrize("page", sorted(ROOT.glob("Sources/*/README.md")), ids=identify)
def test_files_that_a_room_lists_exist(page):
    names = QUOTED_FILE.findall(page.read_text(encoding="utf-8"))
    assert names
    assert [name for name in names if not (ROOT / name).exists() and not any(ROOT.glob(f"Sources/**/{name}"))] == []

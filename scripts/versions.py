# SPDX-License-Identifier: Apache-2.0
"""The version: include/equiconv.h has it, and other files that cannot read it there repeat it.

usage: versions.py VERSION

Writes a version into the header and into all of them, with a new entry in the changelog of the Debian packages.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

HEADER = "include/equiconv.h"
PARTS = ("MAJOR", "MINOR", "PATCH")
DEBIAN_CHANGELOG = "packaging/debian/changelog"


@dataclass(frozen=True)
class Copy:
    """A file that repeats the first `parts` numbers of the version, where `pattern` has its only group."""

    path: str
    pattern: str
    parts: int = 3

    def found(self, root: Path) -> list[str]:
        """The versions in the file; none if a source tree has no such file."""
        path = root / self.path
        return re.findall(self.pattern, path.read_text(encoding="utf-8"), re.MULTILINE) if path.is_file() else []

    def expected(self, version: str) -> str:
        """What it should be."""
        return ".".join(version.split(".")[: self.parts])

    def replace(self, root: Path, version: str) -> None:
        """Writes another version."""
        path, text, end = root / self.path, [], 0
        before = path.read_text(encoding="utf-8")
        for match in re.finditer(self.pattern, before, re.MULTILINE):
            text += [before[end : match.start(1)], self.expected(version)]
            end = match.end(1)
        path.write_text("".join([*text, before[end:]]), encoding="utf-8")


SWIFT_DEPENDENCY = r'\.package\(.*from: "([\d.]+)"\)'
FIND_PACKAGE = r"find_package\(Equiconv ([\d.]+) "
COPIES = (
    Copy("CITATION.cff", r'^version: "?([\d.]+)"?$'),
    Copy("docs/Swift.md", SWIFT_DEPENDENCY),
    Copy("docs/Install.md", SWIFT_DEPENDENCY),
    Copy("docs/C.md", FIND_PACKAGE, 2),
    Copy("examples/cpp/CMakeLists.txt", FIND_PACKAGE, 2),
    Copy("Tests/CTests/cmake/CMakeLists.txt", FIND_PACKAGE, 2),
    Copy("examples/rust/Cargo.toml", r'^version = "([\d.]+)"$'),
    Copy("packaging/conda/recipe.yaml", r'^  version: "([\d.]+)"$'),
    Copy(DEBIAN_CHANGELOG, r"\Aequiconv \(([\d.]+)\+ds-\d+\)"),
)


def version_of(root: Path) -> str:
    """The version in the header."""
    text = (root / HEADER).read_text(encoding="utf-8")
    return ".".join(re.findall(rf"^#define EQUICONV_VERSION_(?:{'|'.join(PARTS)}) (\d+)$", text, re.MULTILINE))


def version_problems(root: Path) -> list[str]:
    """Files that name another version than the header."""
    version = version_of(root)
    return [
        f"{copy.path} has version {found}, expected {copy.expected(version)} of {HEADER}"
        for copy in COPIES
        for found in copy.found(root)
        if found != copy.expected(version)
    ]


def set_version(root: Path, version: str, now: datetime) -> None:
    """Writes the version everywhere."""
    header = (root / HEADER).read_text(encoding="utf-8")
    for part, number in zip(PARTS, version.split("."), strict=True):
        header = re.sub(rf"^(#define EQUICONV_VERSION_{part}) \d+$", rf"\1 {number}", header, flags=re.MULTILINE)
    (root / HEADER).write_text(header, encoding="utf-8")
    for copy in COPIES:
        if copy.path != DEBIAN_CHANGELOG:
            copy.replace(root, version)
    changelog = (root / DEBIAN_CHANGELOG).read_text(encoding="utf-8")
    first, maintainer = changelog.split("\n\n")[0], re.findall(r"^ -- (.*>)  ", changelog, re.MULTILINE)[0]
    if f"({version}+" not in first:
        title = re.sub(r"\(.*?\)", f"({version}+ds-1)", first)
        entry = f"{title}\n\n  * New version.\n\n -- {maintainer}  {now.strftime('%a, %d %b %Y %H:%M:%S +0000')}\n\n"
        (root / DEBIAN_CHANGELOG).write_text(entry + changelog, encoding="utf-8")


def main() -> None:
    """Reads the command line."""
    if len(sys.argv) != 2 or re.fullmatch(r"\d+\.\d+\.\d+", sys.argv[1]) is None:
        raise SystemExit("usage: versions.py MAJOR.MINOR.PATCH")
    root = Path(__file__).resolve().parents[1]
    set_version(root, sys.argv[1], datetime.now(timezone.utc))
    for copy in COPIES:
        print(f"{copy.path}: {', '.join(copy.found(root)) or 'no version'}")


if __name__ == "__main__":
    main()

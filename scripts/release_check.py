# SPDX-License-Identifier: Apache-2.0
"""Says whether the commit that is checked out can be released, and what its interface changes.

usage: release_check.py DIST

One version everywhere, a dated section of the changelog, a clean clone, a free tag, distributions that pass their
checks and are within their budgets of size, and no break of the interface since the last tag that the version does not
announce. A line for each; exit status 1 if one fails.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import versions
from check_distributions import ENGINE, problems_of
from public_api import Differences, breaks_allowed, c_api, differences, python_api
from versions import version_of

VERSION = re.compile(r"\d+\.\d+\.\d+")
MB = 1_000_000
# What a release may have, in bytes: the wheel as it is downloaded, and the engine in it.
BUDGETS = {"wheel": 4 * MB, "engine": 7 * MB // 2}


@dataclass(frozen=True)
class Release:
    """A clone, and the folder of what was built from it."""

    root: Path
    dist: Path

    def git(self, *arguments: str) -> str:
        """What git answers; an error ends the program."""
        command = ["git", "-C", str(self.root), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def read(self, path: str) -> str:
        """A file of the clone."""
        return (self.root / path).read_text(encoding="utf-8")

    @property
    def version(self) -> str:
        """The version in the header."""
        return version_of(self.root)

    @property
    def tags(self) -> list[str]:
        """Versions that were released, the newest last."""
        tags = [tag for tag in self.git("tag", "--list").split() if VERSION.fullmatch(tag)]
        return sorted(tags, key=lambda tag: [int(part) for part in tag.split(".")])


def version_problems(release: Release) -> list[str]:
    """Files that name another version than the header."""
    return versions.version_problems(release.root)


def changelog_problems(release: Release) -> list[str]:
    """Whether the first section is that of the version, with a date and with text."""
    sections = re.split(r"^## ", release.read("CHANGELOG.md"), flags=re.MULTILINE)[1:]
    title, _, text = (sections or ["nothing\n"])[0].partition("\n")
    expected = rf"\[{re.escape(release.version)}\] - \d{{4}}-\d{{2}}-\d{{2}}"
    if re.fullmatch(expected, title) is None:
        return [f"CHANGELOG.md begins with {title!r}, expected '[{release.version}] - YEAR-MONTH-DAY'"]
    return [] if text.strip() else [f"CHANGELOG.md says nothing of version {release.version}"]


def clone_problems(release: Release) -> list[str]:
    """Whether everything is committed, and the tag of the version is free."""
    changes = release.git("status", "--porcelain").splitlines()
    problems = [f"not committed: {line.strip()}" for line in changes]
    if release.version in release.tags:
        problems.append(f"the tag {release.version} exists already")
    return problems


def distribution_problems(release: Release) -> list[str]:
    """Whether a wheel and the source distribution were made, and are as they should be."""
    wheels = sorted(release.dist.glob("equiconv-*.whl"))
    sources = sorted(release.dist.glob("equiconv-*.tar.gz"))
    problems = []
    if not wheels:
        problems.append(f"no wheel in {release.dist}: run make wheels")
    if len(sources) != 1:
        problems.append(f"{len(sources)} source distributions in {release.dist}, expected 1: run make wheels")
    return problems + [problem for path in (*wheels, *sources) for problem in problems_of(path)]


def budget_problems(release: Release) -> list[str]:
    """Wheels, or engines in them, that are larger than they may be."""
    problems = []
    for path in sorted(release.dist.glob("equiconv-*.whl")):
        sizes = {"wheel": [path.stat().st_size]}
        with zipfile.ZipFile(path) as wheel:
            sizes["engine"] = [entry.file_size for entry in wheel.infolist() if re.fullmatch(ENGINE, entry.filename)]
        for kind, budget in BUDGETS.items():
            for size in sizes[kind]:
                print(f"  {path.name}: {kind} {size / MB:.2f} MB of {budget / MB:.2f} MB")
                if size > budget:
                    problems.append(f"{path.name}: the {kind} has {size / MB:.2f} MB, expected {budget / MB:.2f} MB")
    return problems


def interface_of(root: Path) -> dict[str, str]:
    """The interfaces of a source tree for C and for Python."""
    headers = [root / "include" / "equiconv.h", *sorted((root / "include" / "equiconv").glob("*.h"))]
    text = "\n".join(path.read_text(encoding="utf-8") for path in headers if path.is_file())
    return {**c_api(text), **python_api(root / "python" / "equiconv")}


def interface_changes(release: Release) -> tuple[str, Differences] | None:
    """The last tag, and what changed since; None before the first release."""
    earlier = [tag for tag in release.tags if tag != release.version]
    if not earlier:
        return None
    command = ["git", "-C", str(release.root), "archive", "--format=tar", earlier[-1], "include", "python/equiconv"]
    archive = subprocess.run(command, check=True, capture_output=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        before = interface_of(Path(folder))
    return earlier[-1], differences(before, interface_of(release.root))


def interface_problems(release: Release) -> list[str]:
    """Prints what changed since the last tag; problems are changes that the version does not announce."""
    changes = interface_changes(release)
    if changes is None:
        print("  no earlier tag, so nothing to compare the interface with")
        return []
    tag, found = changes
    for kind, names in (("added", found.added), ("removed", found.removed), ("changed", found.changed)):
        for name in names:
            print(f"  {kind} since {tag}: {name}")
    if not found.is_breaking or breaks_allowed(tag, release.version):
        return []
    count = len(found.removed) + len(found.changed)
    return [f"{count} names were removed or changed, which version {release.version} after {tag} may not do"]


CHECKS: dict[str, Callable[[Release], list[str]]] = {
    "one version everywhere": version_problems,
    "a dated section of the changelog": changelog_problems,
    "a clean clone and a free tag": clone_problems,
    "wheels and source distribution": distribution_problems,
    "sizes within the budgets": budget_problems,
    "an interface that keeps its promises": interface_problems,
}


def main() -> None:
    """Reads the command line."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: release_check.py DIST")
    release = Release(Path(__file__).resolve().parents[1], Path(sys.argv[1]))
    print(f"equiconv {release.version}")
    has_failed = False
    for name, check in CHECKS.items():
        problems = check(release)
        has_failed = has_failed or bool(problems)
        print("\n".join([f"{'FAILED' if problems else 'passed'}: {name}", *(f"  {problem}" for problem in problems)]))
    raise SystemExit(1 if has_failed else 0)


if __name__ == "__main__":
    main()

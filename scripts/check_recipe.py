# SPDX-License-Identifier: Apache-2.0
"""Renders the conda recipe for each platform and compares it with the sources; builds and downloads nothing.

usage: check_recipe.py RECIPE

Prints a line for each package that the recipe makes. Exit status 1 if it cannot be rendered, or says other than the
sources: version, oldest Python and NumPy, files for tests.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import rattler_build

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "packaging"))
from equiconv_metadata import version  # noqa: E402

# Platforms, and the packages that are made for each: Linux alone has what the C library needs.
PLATFORMS = {"linux-64": 2, "linux-aarch64": 2, "osx-arm64": 0}
VARIANTS = {"c_compiler": ["gcc"], "c_stdlib": ["sysroot"], "c_stdlib_version": ["2.28"]}


def rendered(path: Path, platform: str) -> list[rattler_build.Stage1Recipe]:
    """The packages for a platform."""
    config = rattler_build.RenderConfig(platform=rattler_build.PlatformConfig(target_platform=platform))
    variants = rattler_build.VariantConfig(VARIANTS)
    return [each.recipe for each in rattler_build.Stage0Recipe.from_file(str(path)).render(variants, config)]


# What both say of Python and NumPy: in the recipe, for running, and in pyproject.toml.
OLDEST = {
    "python": (r"run:(?:\n.*)*?- python >=([\d.]+)", r'requires-python = ">=([\d.]+)"'),
    "numpy": (r"run:(?:\n.*)*?- numpy >=([\d.]+)", r'dependencies = \["numpy>=([\d.]+)"'),
}


def differences(recipe: str, project: str) -> list[str]:
    """What the text of the recipe says other than the project, a sentence each."""
    problems = []
    for name, patterns in OLDEST.items():
        ours, theirs = (re.findall(pattern, text) for pattern, text in zip(patterns, (recipe, project), strict=True))
        if not ours or set(ours) != set(theirs):
            problems.append(f"needs {name} {ours}, expected {theirs} of pyproject.toml")
    for name in re.findall(r"- (examples/\S+)$", recipe, re.MULTILINE):
        if not (ROOT / name).is_file():
            problems.append(f"tests with {name}, which is not there")
    return problems


def problems_of(path: Path) -> list[str]:
    """What is wrong with the recipe, a sentence each."""
    problems = []
    for platform, count in PLATFORMS.items():
        packages = [each.package for each in rendered(path, platform)]
        if len(packages) != count:
            problems.append(f"makes {len(packages)} packages for {platform}, expected {count}")
        for package in packages:
            print(f"{package.name} {package.version} for {platform}")
            if str(package.version) != version():
                problems.append(f"{package.name} for {platform} has version {package.version}, expected {version()}")
    texts = (file.read_text(encoding="utf-8") for file in (path, ROOT / "pyproject.toml"))
    return problems + differences(*texts)


def main() -> None:
    """Reads the command line."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: check_recipe.py RECIPE")
    path = Path(sys.argv[1])
    try:
        problems = problems_of(path)
    except rattler_build.RattlerBuildError as error:
        problems = [f"cannot be rendered ({error})"]
    if problems:
        raise SystemExit("\n".join(f"{path}: {problem}" for problem in problems))


if __name__ == "__main__":
    main()

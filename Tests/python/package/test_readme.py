# SPDX-License-Identifier: Apache-2.0
"""What the documentation shows is what runs: first examples equal files of examples/, the Python of docs/ is run.

Tests/CTests/run.sh compiles and runs examples/c, Tests/package/run.sh examples/swift.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest
from paths import ROOT

README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").rglob("*.md"))
EXAMPLES = {
    "README.md": ("python", "examples/python/readme.py"),
    "docs/Python.md": ("python", "examples/python/first.py"),
    "docs/C.md": ("c", "examples/c/readme.c"),
    "docs/Swift.md": ("swift", "examples/swift/first.swift"),
}
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, language):
    """The code of each block of a language, with as many empty lines before it as there are on the page."""
    text = page.read_text(encoding="utf-8")
    found = [match for match in FENCE.finditer(text) if match[1] == language]
    return [(text.count("\n", 0, match.start(2)), match[2]) for match in found]


def section(page, heading, language):
    """The first block of a language under a heading."""
    text = page.read_text(encoding="utf-8")
    start = text.index(f"\n{heading}\n")
    return next(match[2] for match in FENCE.finditer(text, start) if match[1] == language)


def without_license(path):
    """The text of a source file, from what follows its license line."""
    first, _, rest = path.read_text(encoding="utf-8").partition("\n")
    assert "SPDX-License-Identifier" in first
    return rest.lstrip("\n")


def identify(page):
    """The page's name in test ids."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", EXAMPLES)
def test_first_example_of_the_page_is_the_file_that_is_run(page):
    language, path = EXAMPLES[page]
    assert section(ROOT / page, "## First example", language) == without_license(ROOT / path)


def test_first_example_in_python_runs_by_itself(tmp_path):
    program = tmp_path / "first.py"
    program.write_text(section(README, "## First example", "python"), encoding="utf-8")
    command = [sys.executable, "-W", "error", str(program)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_readme_has_one_python_example():
    """Any other would not be run."""
    assert len(blocks(README, "python")) == 1


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=identify)
# Python 3.12 and later warn of every fork in a process with threads, as a data loader does, and JAX once imported.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning", "ignore:.*fork.*:RuntimeWarning")
def test_python_of_the_page_runs_from_top_to_bottom(page, threads):
    text = page.read_text(encoding="utf-8")
    for package, page_name, extra in (("h5py", "Distributed.md", "experiments"), ("zarr", "Slides.md", "slides")):
        if page.name == page_name:
            pytest.importorskip(package, reason=f'{page_name} is not run: pip install "equiconv[{extra}]"')
    if "scipy" in text:
        pytest.importorskip("scipy")
    if "threadpoolctl" in text:
        pytest.importorskip("threadpoolctl", "3.2")
    if page.name == "JAX.md":
        for package, extra in (("jax", "jax"), ("flax", "flax"), ("optax", "flax"), ("equinox", "equinox")):
            reason = f'JAX.md is skipped: {package} is not installed, pip install "equiconv[{extra}]"'
            pytest.importorskip(package, reason=reason)
    if "equiconv.torch" in "".join(code for _, code in blocks(page, "python")):
        pytest.importorskip("torch", reason=f'{page.name} is not run: pip install "equiconv[torch]"')
    names = {"__name__": "__main__"}
    for lines_before, code in blocks(page, "python"):
        exec(compile("\n" * lines_before + code, str(page), "exec"), names)


def test_pages_whose_python_is_run_say_so():
    says = [page.name for page in PAGES if "is run by the tests" in " ".join(page.read_text(encoding="utf-8").split())]
    runs = [page.name for page in PAGES if blocks(page, "python")]
    assert says == runs == [
        "Conventions.md", "Distributed.md", "Exactness.md", "JAX.md", "Migrating.md", "Models.md", "PyTorch.md",
        "Python.md", "Slides.md", "HowTo.md",
    ]  # fmt: skip


def test_c_of_the_page_is_strict_c11(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    source = tmp_path / "page.c"
    source.write_text("\n".join(code for _, code in blocks(ROOT / "docs" / "C.md", "c")), encoding="utf-8")
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "-I", str(ROOT / "include")]
    result = subprocess.run([compiler, *flags, str(source)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr

# SPDX-License-Identifier: Apache-2.0
"""What is uploaded: a wheel for all versions of CPython, the source distribution, and the script that checks both."""

from __future__ import annotations

import importlib
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from paths import ROOT

COMPILED = Path(importlib.import_module("equiconv._native").__file__).parent
PLATFORM = "manylinux_2_17_x86_64"


@pytest.fixture
def checks(monkeypatch):
    """The script scripts/check_distributions.py as a module."""
    for tool in ("readelf", "git"):
        if shutil.which(tool) is None:
            pytest.skip(f"there is no {tool}")
    monkeypatch.syspath_prepend(ROOT / "packaging")
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("check_distributions")


def is_installed():
    """Whether what these tests import is an installation, built by this setup.py, and no folder of the source tree."""
    try:
        return Path(metadata.distribution("equiconv").locate_file("equiconv")) == COMPILED
    except metadata.PackageNotFoundError:
        return False


def compiled_modules():
    if not is_installed():
        pytest.skip("the package is imported from a directory, not installed")
    return sorted(COMPILED.glob("*.so*"))


# ---- One build for all versions of CPython ------------------------------------------------------------------------


def test_extensions_are_for_all_versions_of_cpython():
    """Their names, which decide whether an interpreter tries them at all."""
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip("an interpreter without a global lock has no stable interface")
    extensions = {path.name for path in compiled_modules() if not path.name.startswith("lib")}
    assert extensions == {"_native.abi3.so", "_jax.abi3.so"}


def test_stable_interface_is_that_of_the_oldest_python():
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    major, minor = re.search(r"^OLDEST = \((\d+), (\d+)\)$", setup, re.MULTILINE).groups()
    assert f'requires-python = ">={major}.{minor}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


# ---- Wheels -------------------------------------------------------------------------------------------------------


def make_wheel(folder, checks, without=(), extra=()):
    """A wheel of the source tree and the compiled modules of the installation that is tested."""
    sources = {name: (ROOT / "python" / name).read_bytes() for name in checks.expected_sources()}
    binaries = {f"equiconv/{path.name}": path.read_bytes() for path in compiled_modules()}
    files = {**sources, **binaries, **dict(extra)}
    information = f"equiconv-{checks.version()}.dist-info"
    files = {name: content for name, content in files.items() if name not in without}
    names = [*files, f"{information}/METADATA", f"{information}/RECORD"]
    files[f"{information}/METADATA"] = b"Name: equiconv\n"
    files[f"{information}/RECORD"] = "".join(f"{name},,\n" for name in names).encode()
    path = folder / f"equiconv-{checks.version()}-cp310-abi3-{PLATFORM}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
    return path


def test_wheel_of_the_tree_is_accepted(checks, tmp_path):
    assert checks.problems_of(make_wheel(tmp_path, checks)) == []


def test_wheel_without_a_module_is_refused(checks, tmp_path):
    (problem,) = checks.problems_of(make_wheel(tmp_path, checks, without=["equiconv/_native.pyi"]))
    assert problem.endswith("lacks equiconv/_native.pyi")


def test_wheel_with_a_file_of_an_earlier_build_is_refused(checks, tmp_path):
    """An extension for one version of Python would be preferred to the one for all."""
    stale = [("equiconv/_native.cpython-311-x86_64-linux-gnu.so", (COMPILED / "_native.abi3.so").read_bytes())]
    problems = checks.problems_of(make_wheel(tmp_path, checks, extra=stale))
    assert len(problems) == 1
    assert "expected 2 that match" in problems[0]


def test_wheel_with_a_stray_file_is_refused(checks, tmp_path):
    (problem,) = checks.problems_of(make_wheel(tmp_path, checks, extra=[("equiconv/notes.txt", b"")]))
    assert problem.endswith("has equiconv/notes.txt, which is no part of the package")


def test_wheel_for_one_linux_distribution_is_refused(checks, tmp_path):
    path = make_wheel(tmp_path, checks)
    path = path.rename(path.with_name(path.name.replace(PLATFORM, "linux_x86_64")))
    (problem,) = checks.problems_of(path)
    assert "expected a manylinux wheel" in problem


def test_wheel_that_is_too_large_is_refused(checks, tmp_path, monkeypatch):
    monkeypatch.setitem(checks.SIZE_LIMITS, "wheel", 1000)
    (problem,) = checks.problems_of(make_wheel(tmp_path, checks))
    assert "expected at most 0.00 MiB" in problem


def test_each_fault_of_a_binary_is_named(checks, tmp_path):
    """A library that is compiled with none of the flags of this project."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    source, library = tmp_path / "bad.c", tmp_path / "bad.so"
    source.write_text("int equiconv_good; int stray(void) { return 1; }\n", encoding="utf-8")
    flags = ["-g", "-Wl,-z,norelro", "-Wl,-z,lazy", "-Wl,-z,execstack", "-Wl,-rpath,/usr/lib"]
    subprocess.run(["cc", "-shared", "-fPIC", *flags, "-o", str(library), str(source)], check=True, capture_output=True)
    problems = checks.binary_problems(library, r"equiconv_\w+")
    for fault in ("exports stray", "read-only after relocation", "execute its stack", "not stripped", "run path"):
        assert [problem for problem in problems if fault in problem], fault
    assert len(problems) == 5


def test_function_of_a_later_glibc_is_named(checks, tmp_path, monkeypatch):
    if shutil.which("cc") is None or platform.libc_ver()[0] != "glibc":
        pytest.skip("there is no C compiler, or no glibc")
    source, library = tmp_path / "puts.c", tmp_path / "puts.so"
    source.write_text('#include <stdio.h>\nint equiconv_text(void) { return puts("text"); }\n', encoding="utf-8")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    assert [name for name in checks.too_new(library) if name.startswith("puts ")] == []
    monkeypatch.setattr(checks, "OLDEST_GLIBC", "2.2")
    assert [name for name in checks.too_new(library) if name.startswith("puts of glibc 2.")]


def test_wheel_for_a_later_glibc_is_refused(checks, tmp_path, monkeypatch):
    path = make_wheel(tmp_path, checks)
    path = path.rename(path.with_name(path.name.replace(PLATFORM, "manylinux_2_35_x86_64")))
    assert f"is for a later glibc than {checks.OLDEST_GLIBC}" in checks.problems_of(path)[0]
    monkeypatch.setattr(checks, "OLDEST_GLIBC", "2.17")
    assert checks.is_late("equiconv-1.0.0-cp310-abi3-manylinux_2_18_x86_64.whl")
    assert not checks.is_late("equiconv-1.0.0-cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl")
    assert not checks.is_late("equiconv-1.0.0-cp310-abi3-manylinux_2_5_x86_64.manylinux1_x86_64.whl")


# ---- The source distribution --------------------------------------------------------------------------------------


def make_sources(folder, checks, without=(), extra=()):
    root = f"equiconv-{checks.version()}"
    path = folder / f"{root}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in sorted(({*checks.files_of_clone(), "PKG-INFO"} - {*without}) | {*extra}):
            archive.addfile(tarfile.TarInfo(f"{root}/{name}"))
    return path


@pytest.fixture
def clone(checks):
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    return checks


def test_sources_of_the_clone_are_accepted(clone, tmp_path):
    assert clone.problems_of(make_sources(tmp_path, clone)) == []


def test_sources_that_miss_or_add_a_file_are_refused(clone, tmp_path):
    path = make_sources(tmp_path, clone, without=["Package.swift"], extra=["core"])
    lacking, stray = clone.problems_of(path)
    assert lacking.endswith("lacks Package.swift")
    assert stray.endswith("has core, which is not in the clone")


def test_sources_have_files_behind_links(clone):
    """Microkernels are compiled from one folder, to which each variant has a link."""
    assert "Sources/EquiconvMicrokernelsAVX2/Shared/MultiplyTile.swift" in clone.files_of_clone()


def test_check_without_files_is_an_error():
    command = [sys.executable, str(ROOT / "scripts" / "check_distributions.py")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "expected files" in answer.stderr

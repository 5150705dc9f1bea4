# SPDX-License-Identifier: Apache-2.0
"""The Debian packages say what the sources say: version, exported functions, files, dependencies."""

from __future__ import annotations

import fnmatch
import importlib
import re
import shutil
import subprocess

import pytest
from paths import ROOT

DEBIAN = ROOT / "packaging" / "debian"


@pytest.fixture
def description(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "packaging")
    return importlib.import_module("equiconv_metadata")


def read(name):
    return (DEBIAN / name).read_text(encoding="utf-8")


def declared_functions():
    """Those of the C headers."""
    headers = [ROOT / "include" / "equiconv.h", *(ROOT / "include" / "equiconv").glob("*.h")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in headers)
    return sorted(re.findall(r"^EQUICONV_API [^(]*?\b(equiconv_\w+)\(", text, re.MULTILINE))


def stanzas():
    """The packages of the control file, each as its fields."""
    found = []
    for stanza in read("control").strip().split("\n\n"):
        fields = re.findall(r"^([\w-]+):(.*(?:\n .*)*)", stanza, re.MULTILINE)
        found.append({name: value.strip() for name, value in fields})
    return found


def installed_files():
    """What `make install` installs, under /usr, as the recipe in packaging/c.mk names it."""
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    recipe = ["make", "-n", "-f", str(ROOT / "packaging" / "c.mk"), "-o", "c-library", "install"]
    places = ["PREFIX=/usr", "LIBDIR=/usr/lib/any", "SWIFT=false", "INSTALL=install"]
    steps = subprocess.run([*recipe, *places], capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"^(?:install -m \d+ .*|ln -sf \S+) (/usr/\S+)$", steps, re.MULTILINE)
    folders = [name for name in targets if not re.search(r"\.\w+$", name)]
    configs = re.search(r"^for file in (.*); do", steps, re.MULTILINE).group(1).split()
    return {*targets, *(f"/usr/lib/any/cmake/Equiconv/{name}" for name in configs)} - {*folders}, folders


def test_version_is_that_of_the_header(description):
    assert re.match(r"equiconv \((.*)\+ds-\d+\) ", read("changelog")).group(1) == description.version()


def test_symbols_are_the_functions_of_the_headers(description):
    lines = read("libequiconv0.symbols").splitlines()
    assert lines[0] == "libequiconv.so.0 libequiconv0 #MINVER#"
    rows = [re.fullmatch(r" (\w+)@Base ([\d.]+)", line) for line in lines if line.startswith(" ")]
    assert sorted(row[1] for row in rows) == declared_functions()
    numbers = tuple(int(part) for part in description.version().split("."))
    assert all(tuple(int(part) for part in row[2].split(".")) <= numbers for row in rows)


def test_package_of_the_library_has_the_number_of_its_soname(description):
    (number,) = {re.match(r"(\d+)\.", description.version())[1]}
    names = [stanza["Package"] for stanza in stanzas() if "Package" in stanza]
    assert names == [f"libequiconv{number}", "libequiconv-dev", "python3-equiconv"]


def test_every_installed_file_is_in_one_package():
    files, folders = installed_files()
    patterns = [line for name in ("libequiconv0", "libequiconv-dev") for line in read(f"{name}.install").split()]
    for name in sorted({*files, *folders}):
        path = name.removeprefix("/")
        owners = [each for each in patterns if fnmatch.fnmatch(path, each) or fnmatch.fnmatch(path, f"{each}/*")]
        assert len(owners) == 1, (name, owners)
    for each in patterns:
        assert [name for name in {*files, *folders} if fnmatch.fnmatch(name, f"/{each}*")], each


def test_files_that_packages_list_are_in_the_sources():
    lists = [path for kind in ("docs", "examples") for path in DEBIAN.glob(f"*.{kind}")]
    assert lists
    for path in lists:
        for pattern in path.read_text(encoding="utf-8").split():
            assert list(ROOT.glob(pattern)), f"{path.name}: {pattern}"


def test_files_that_are_left_out_are_in_the_sources():
    (names,) = re.findall(r"^Files-Excluded:\n((?: .*\n)+)", read("copyright"), re.MULTILINE)
    for name in names.split():
        assert (ROOT / name).is_file(), name


def test_oldest_python_is_that_of_the_package():
    oldest = re.search(
        r'^requires-python = ">=(.*)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert stanzas()[0]["X-Python3-Version"] == f">= {oldest[1]}"


def test_python_package_needs_its_own_version_of_the_library():
    """It compares both versions as it is imported."""
    (python,) = [stanza for stanza in stanzas() if stanza.get("Package") == "python3-equiconv"]
    assert "libequiconv0 (= ${binary:Version})" in python["Depends"]


def test_swift_is_needed_unless_a_profile_brings_it():
    oldest = re.search(
        r"^// swift-tools-version: (.*)$", (ROOT / "Package.swift").read_text(encoding="utf-8"), re.MULTILINE
    )
    profile = re.search(r"swiftlang \(>= (.*)\) <!(.*)>,$", stanzas()[0]["Build-Depends"], re.MULTILINE)
    assert profile[1] == oldest[1]
    assert f"DEB_BUILD_PROFILES={profile[2]}\n" in (ROOT / "scripts" / "debian-package.sh").read_text(encoding="utf-8")


def test_tests_of_the_packages_are_declared():
    declared = re.findall(r"^Tests: (.*)$", read("tests/control"), re.MULTILINE)
    assert sorted(declared) == sorted(path.name for path in (DEBIAN / "tests").iterdir() if path.name != "control")
    for name in declared:
        assert (DEBIAN / "tests" / name).stat().st_mode & 0o111, name

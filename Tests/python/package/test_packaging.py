# SPDX-License-Identifier: Apache-2.0
"""How the package is made: its metadata, the files of the project that say the same, editable installations."""

from __future__ import annotations

import hashlib
import importlib
import re
import shutil
import subprocess
import sys
import zipfile
from base64 import urlsafe_b64encode
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from paths import ROOT

COMPILED = Path(importlib.import_module("equiconv._native").__file__).parent
RELATIVE = re.compile(r"\]\((?![a-z]+:)[^)]*\)|^\[[^\]]+\]: +(?![a-z]+:)\S+", re.MULTILINE)
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


@pytest.fixture
def packaging(monkeypatch):
    """Imports a module of the folder packaging."""
    monkeypatch.syspath_prepend(ROOT / "packaging")
    return importlib.import_module


@pytest.fixture
def description(packaging):
    return packaging("equiconv_metadata")


def relative_links(text):
    return RELATIVE.findall(CODE.sub("", text))


def test_long_description_has_no_relative_link(description):
    assert len(relative_links((ROOT / "README.md").read_text(encoding="utf-8"))) > 10
    assert relative_links(description.long_description()) == []


def test_links_of_the_long_description_name_files_that_exist(description):
    base = f"{description.repository()}/"
    links = re.findall(
        rf"\]\({re.escape(base)}(blob|tree|raw)/{description.version()}/([^)#]+)", description.long_description()
    )
    assert len(links) > 10
    for view, path in links:
        assert (ROOT / path).is_dir() if view == "tree" else (ROOT / path).is_file(), path


def test_long_description_differs_from_readme_in_links_alone(description):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    prefix = rf"{re.escape(description.repository())}/(?:blob|tree|raw)/{description.version()}/"
    assert re.sub(prefix, "", description.long_description()) == readme


def test_installed_metadata(description):
    try:
        distribution = metadata.distribution("equiconv")
    except metadata.PackageNotFoundError:
        pytest.skip("the package is imported from a directory, not installed")
    if Path(distribution.locate_file("equiconv")) != COMPILED:
        pytest.skip("another copy of the package is installed than the one that is tested")
    installed = distribution.metadata
    assert relative_links(installed.get_payload() or installed["Description"]) == []
    assert installed["Description-Content-Type"] == "text/markdown"
    assert "Equiconv developers" in (installed["Author"] or "")
    assert dict(entry.split(", ", 1) for entry in installed.get_all("Project-URL")) == description.project_urls()
    assert "Programming Language :: Python :: 3.10" in installed.get_all("Classifier")


def test_address_of_the_project_is_written_once(description):
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a clone")
    command = ["git", "grep", "-lF", description.repository()]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    assert found == ["CITATION.cff"]


def test_classifiers_begin_with_the_oldest_python_that_is_allowed():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    minors = [int(minor) for minor in re.findall(r'"Programming Language :: Python :: 3\.(\d+)"', text)]
    assert minors == list(range(minors[0], minors[-1] + 1))
    assert f'requires-python = ">=3.{minors[0]}"' in text


def test_citation_names_license_authors_and_papers():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    for line in ("cff-version: 1.2.0", "type: software", "license: Apache-2.0", "  - name: Equiconv developers"):
        assert f"\n{line}\n" in text
    for title, year in (("B-Spline CNNs on Lie Groups", 2020), ("Group Equivariant Convolutional Networks", 2016)):
        assert re.search(rf"title: {title}\n(?: .*\n)*?    year: {year}\n", text)


# ---- Editable installations ---------------------------------------------------------------------------------------


@pytest.fixture
def editable(packaging, monkeypatch, tmp_path):
    """An editable wheel of the compiled modules that these tests use."""
    pytest.importorskip("setuptools", reason="the build backend needs setuptools")
    backend = packaging("equiconv_backend")

    def build_wheel(folder, settings, metadata_directory):
        with zipfile.ZipFile(Path(folder, "whole.whl"), "w") as wheel:
            for path in COMPILED.glob("*.so*"):
                wheel.write(path, f"equiconv/{path.name}")
            wheel.writestr("equiconv/__init__.py", "raise ImportError('a copy of the sources')")
            wheel.writestr("equiconv-0.dist-info/METADATA", "Name: equiconv\n")
            wheel.writestr("equiconv-0.dist-info/RECORD", "to be written anew")
        return "whole.whl"

    monkeypatch.setattr(backend, "build_wheel", build_wheel)
    return tmp_path / backend.build_editable(str(tmp_path))


def test_editable_wheel_lists_all_that_it_brings(editable):
    """What pip removes with the installation; all of the source tree stays as it is."""
    with zipfile.ZipFile(editable) as wheel:
        names = wheel.namelist()
        lines = [line.split(",") for line in wheel.read("equiconv-0.dist-info/RECORD").decode().splitlines()]
        assert sorted(line[0] for line in lines) == sorted(names)
        for name, digest, size in lines:
            if name.endswith("RECORD"):
                continue
            content = wheel.read(name)
            found = urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert (digest, int(size)) == (f"sha256={found}", len(content))
    assert not [name for name in names if name.startswith("equiconv/") and ".so" not in name]


def test_editable_installation_has_sources_of_the_tree_and_compiled_modules_of_the_wheel(editable, tmp_path):
    site = tmp_path / "site"
    with zipfile.ZipFile(editable) as wheel:
        wheel.extractall(site)
    numpy = str(Path(np.__file__).parents[1])
    program = f"""
import site, sys
site.addsitedir({str(site)!r})
sys.path.append({numpy!r})
import equiconv._jax, equiconv._native
print(equiconv.__file__, equiconv._native.__file__, sep="\\n")
"""
    answer = subprocess.run(
        [sys.executable, "-S", "-c", program], capture_output=True, text=True, check=False, env={}, cwd=tmp_path
    )
    assert answer.returncode == 0, answer.stderr
    package, native = map(Path, answer.stdout.split())
    assert package == ROOT / "python" / "equiconv" / "__init__.py"
    # Modules that were built in the source tree come first.
    if not list(package.parent.glob("_native.*.so")):
        assert native.parent == site / "equiconv"

# SPDX-License-Identifier: Apache-2.0
"""The package as a package: version, names, stubs, types and the examples in its documentation."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import equiconv as eq
import numpy as np
import pytest

PACKAGE = Path(eq.__file__).parent
ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py"))


def test_version_is_that_of_the_header_and_of_the_metadata():
    header = (ROOT / "include" / "equiconv.h").read_text(encoding="utf-8")
    parts = [re.search(rf"EQUICONV_VERSION_{part} (\d+)", header)[1] for part in ("MAJOR", "MINOR", "PATCH")]
    assert eq.__version__ == ".".join(parts)
    try:
        installed = metadata.version("equiconv")
    except metadata.PackageNotFoundError:
        pytest.skip("the package is imported from a directory, not installed")
    assert installed == eq.__version__


# Modules that users import by themselves, and which are attributes once a test has done so.
EXTRAS = {"experiments", "jax", "torch"}


def test_public_names():
    assert sorted(eq.__all__) == eq.__all__
    public = {name for name in vars(eq) if not name.startswith("_")} - EXTRAS
    assert public == set(eq.__all__) - {"__version__"}


def test_layers_have_one_signature():
    signatures = {
        str(inspect.signature(getattr(eq, f"{n}_conv"))) for n in ("isotropic", "lifting", "group", "projection")
    }
    assert len(signatures) == 1
    parameters = inspect.signature(eq.lifting_conv).parameters
    assert list(parameters) == [
        "x", "weight", "group", "bias", "stride", "padding", "dilation", "padding_mode", "algorithm",
        "basis", "interpolation", "group_basis", "quadrature", "out",
    ]  # fmt: skip
    defaults = {"stride": 1, "padding": 0, "dilation": 1, "padding_mode": "zeros", "algorithm": "auto", "out": None}
    for name, default in defaults.items():
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[name].default == default


@pytest.mark.parametrize("name", [name for name in eq.__all__ if name != "__version__"])
def test_public_names_are_documented(name):
    item = getattr(eq, name)
    assert inspect.getdoc(item)
    if inspect.isfunction(item):
        assert item.__module__.startswith("equiconv._")
        assert set(item.__annotations__) == {*inspect.signature(item).parameters, "return"}


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_the_documentation(module):
    module = importlib.import_module("equiconv" if module == "__init__" else f"equiconv.{module}")
    names = {**vars(eq), "numpy": np}
    result = doctest.testmod(module, extraglobs=names, optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


TYPES = ("Group", "Basis", "GroupBasis", "Weight")


def stub_functions(body):
    """Parameter names of each function and method of a stub; the last of overloads."""
    functions = {}
    for node in body:
        if isinstance(node, ast.FunctionDef):
            properties = [decorator.id for decorator in node.decorator_list if isinstance(decorator, ast.Name)]
            parameters = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
            functions[node.name] = None if "property" in properties else parameters
    return functions


def test_stub_names_what_the_extension_has():
    native = importlib.import_module("equiconv._native")
    tree = ast.parse((PACKAGE / "_native.pyi").read_text(encoding="utf-8"))
    functions = stub_functions(tree.body)
    constants = [
        node.target.id for node in tree.body if isinstance(node, ast.AnnAssign) and not node.target.id.startswith("_")
    ]
    assert {*functions, *constants, *TYPES} == {name for name in vars(native) if not name.startswith("_")}
    for name, parameters in functions.items():
        assert list(inspect.signature(getattr(native, name)).parameters) == parameters, name
    for name in constants:
        assert type(getattr(native, name)) is (str if name == "VERSION" else int)


@pytest.mark.parametrize("type_name", TYPES)
def test_stub_of_types_names_what_they_have(type_name):
    group = getattr(importlib.import_module("equiconv._native"), type_name)
    tree = ast.parse((PACKAGE / "_native.pyi").read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == type_name)
    functions = stub_functions(body)
    assert {name for name in vars(group) if not name.startswith("_")} | {"__new__"} == set(functions)
    for name, parameters in functions.items():
        if parameters is None:
            assert inspect.isgetsetdescriptor(vars(group)[name]), name
        elif name != "__new__":
            assert list(inspect.signature(getattr(group, name)).parameters) == parameters, name


def test_config_tells_what_is_installed(capsys):
    eq.show_config()
    text = capsys.readouterr().out
    for part in (eq.__version__, np.__version__, str(PACKAGE), "instruction set", "threads", "64 MiB for each"):
        assert part in text


def test_engine_is_beside_the_extension():
    """The installed package is self-contained: no library of Swift is loaded from elsewhere."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    loaded = {line.split()[-1] for line in maps if "/" in line}
    engines = {path for path in loaded if "libequiconv" in path}
    assert {str(Path(path).parent) for path in engines} == {str(PACKAGE)}
    assert not [path for path in loaded if "libswift" in path]


@pytest.mark.slow
def test_types_are_strict():
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", "/dev/null", str(ROOT / "python" / "equiconv")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout

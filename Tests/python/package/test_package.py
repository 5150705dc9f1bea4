# SPDX-License-Identifier: Apache-2.0
"""The package as a package: version, names, stubs, types and the examples in its documentation."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import equiconv as eq
import numpy as np
import pytest
from paths import ROOT

PACKAGE = Path(eq.__file__).parent
# Parts that need other packages, whose tests are in folders of their own.
FRONTS = {"dask", "experiments", "jax", "slides", "torch"}


def module_names() -> list[str]:
    """The modules of the package, as they are imported."""
    paths = (path.relative_to(PACKAGE.parent).with_suffix("").parts for path in sorted(PACKAGE.rglob("*.py")))
    return [".".join(parts).removesuffix(".__init__") for parts in paths if parts[1] not in FRONTS]


def test_version_is_that_of_the_header_and_of_the_metadata():
    header = (ROOT / "include" / "equiconv.h").read_text(encoding="utf-8")
    parts = [re.search(rf"EQUICONV_VERSION_{part} (\d+)", header)[1] for part in ("MAJOR", "MINOR", "PATCH")]
    assert eq.__version__ == ".".join(parts)
    try:
        installed = metadata.version("equiconv")
    except metadata.PackageNotFoundError:
        pytest.skip("the package is imported from a directory, not installed")
    assert installed == eq.__version__


def test_public_names():
    assert sorted(eq.__all__) == eq.__all__
    public = {
        name for name in vars(eq) if not name.startswith("_")
    } - FRONTS  # attributes once a test has imported them
    assert public == set(eq.__all__) - {"__version__"}


def test_layers_have_one_signature():
    signatures = {
        str(inspect.signature(getattr(eq, f"{n}_conv"))) for n in ("isotropic", "lifting", "group", "projection")
    }
    assert len(signatures) == 1
    parameters = inspect.signature(eq.lifting_conv).parameters
    assert list(parameters) == [
        "x", "weight", "group", "bias", "stride", "padding", "dilation", "padding_mode", "algorithm",
        "basis", "interpolation", "group_basis", "quadrature", "groups", "out",
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


@pytest.mark.parametrize("module", module_names())
def test_examples_in_the_documentation(module):
    module = importlib.import_module(module)
    names = {**vars(eq), "numpy": np}
    result = doctest.testmod(module, extraglobs=names, optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


TYPES = ("Group", "Subgroup", "Basis", "GroupBasis", "Layer", "Network", "Weight")


def stub_functions(body):
    """Parameter names of each function and method of a stub; the last of overloads."""
    functions = {}
    for node in body:
        if isinstance(node, ast.FunctionDef):
            properties = [decorator.id for decorator in node.decorator_list if isinstance(decorator, ast.Name)]
            rest = [node.args.vararg] if node.args.vararg else []
            parameters = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *rest)]
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
    assert {name for name in vars(group) if not name.startswith("_")} == {name for name in functions if name[0] != "_"}
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


# Where the compiled files lie: the package's folder, or another in an editable installation.
COMPILED = Path(importlib.import_module("equiconv._native").__file__).parent


def test_engine_is_beside_the_extension():
    """The installed package is self-contained: no library of Swift is loaded from elsewhere."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    loaded = {line.split()[-1] for line in maps if "/" in line}
    engines = {path for path in loaded if "libequiconv" in path}
    assert {str(Path(path).parent) for path in engines} == {str(COMPILED)}
    assert not [path for path in loaded if "libswift" in path]


BINARIES = sorted(COMPILED.glob("*.so*"))


def readelf(option, path):
    if shutil.which("readelf") is None:
        pytest.skip("there is no readelf: install binutils")
    return subprocess.run(["readelf", "-W", option, str(path)], check=True, capture_output=True, text=True).stdout


def test_binaries_are_the_extensions_and_the_engine():
    assert {path.name.split(".")[0] for path in BINARIES} == {"_jax", "_native", "libequiconv"}


@pytest.mark.parametrize("path", BINARIES, ids=lambda path: path.name)
def test_binaries_are_hardened(path):
    """Full RELRO, no executable stack, guards on stacks."""
    segments, dynamic = readelf("-l", path), readelf("-d", path)
    assert "GNU_RELRO" in segments
    assert re.search(r"\(FLAGS_1\).*\bNOW\b", dynamic)
    assert not re.search(r"GNU_STACK.* RWE ", segments)
    assert "__stack_chk_fail" in readelf("--dyn-syms", path)


@pytest.mark.parametrize("path", BINARIES, ids=lambda path: path.name)
def test_binaries_are_stripped(path):
    assert not re.search(r"\.symtab|\.debug_", readelf("-S", path))


@pytest.mark.parametrize("path", BINARIES, ids=lambda path: path.name)
def test_loader_looks_beside_the_binary_alone(path):
    """Whatever run path the interpreter was built with."""
    assert re.findall(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", readelf("-d", path)) == ["$ORIGIN"]


@pytest.mark.parametrize("path", BINARIES, ids=lambda path: path.name)
def test_binaries_name_no_path_of_their_build(path):
    """No source file by its absolute path, but those of the Swift runtime's own build."""
    content = path.read_bytes()
    assert str(ROOT).encode() not in content
    sources = set(re.findall(rb"/[\w.+-]+(?:/[\w.+-]+)+\.(?:c|h|cpp|swift)\b", content))
    assert not {source for source in sources if not source.startswith(b"/home/build-user/swift/")}


def test_engine_is_the_library_that_make_installs():
    """Of one recipe: it has a versioned name and is never unloaded."""
    engine = next(path for path in BINARIES if path.name.startswith("libequiconv"))
    dynamic = readelf("-d", engine)
    assert re.search(rf"\(SONAME\).*\[{re.escape(engine.name)}\]", dynamic)
    assert re.fullmatch(r"libequiconv\.so\.\d+", engine.name)
    assert re.search(r"\(FLAGS_1\).*\bNODELETE\b", dynamic)


@pytest.mark.slow
def test_types_are_strict():
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", "/dev/null", str(ROOT / "python" / "equiconv")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout

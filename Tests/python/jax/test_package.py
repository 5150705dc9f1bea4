# SPDX-License-Identifier: Apache-2.0
"""equiconv.jax as a package: names, signatures and the examples in its documentation."""

from __future__ import annotations

import doctest
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import equiconv as eq
import pytest
from jax_cases import NAMES, ej, jax

PACKAGE = Path(ej.__file__).parent
MODULES = sorted(".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in PACKAGE.rglob("*.py"))
RESIZING = {"adaptive_mean", "blur_pool", "max_blur_pool", "upsample"}
# Packages that need another one, and what it is.
FRAMEWORKS = {"nnx": "flax.nnx", "equinox": "equinox"}


def test_public_names():
    assert sorted(ej.__all__) == ej.__all__
    assert {name for name in vars(ej) if not name.startswith("_")} - set(FRAMEWORKS) == set(ej.__all__)
    assert set(ej.__all__) <= set(eq.__all__)


@pytest.mark.parametrize("name", ej.__all__)
def test_signatures_are_those_of_numpy_without_out(name):
    parameters = dict(inspect.signature(getattr(eq, name)).parameters)
    # Functions that resize space make their results.
    assert ("out" not in parameters) == (name in RESIZING)
    parameters.pop("out", None)
    found = dict(inspect.signature(getattr(ej, name)).parameters)
    # What computes it is a question of JAX's platforms.
    assert (backend := found.pop("backend", None)) is None or backend.default is None
    assert (backend is None) == (name == "act" or name in RESIZING)
    assert list(found) == list(parameters)
    for key, parameter in parameters.items():
        assert (found[key].kind, found[key].default) == (parameter.kind, parameter.default)
    assert name not in NAMES or list(found)[:4] == ["x", "weight", "group", "bias"]


@pytest.mark.parametrize("name", ej.__all__)
def test_public_names_are_documented(name):
    function = getattr(ej, name)
    assert ">>>" in inspect.getdoc(function)
    assert set(function.__annotations__) == {*inspect.signature(function).parameters, "return"}


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_the_documentation(module):
    names = {**vars(eq), **{name: getattr(ej, name) for name in ej.__all__}, "jax": jax}
    package = module.split(".")[0]
    if package in FRAMEWORKS:
        pytest.importorskip(FRAMEWORKS[package], reason=f"{FRAMEWORKS[package]} is not installed")
        names |= vars(importlib.import_module(f"equiconv.jax.{package}"))
    module = importlib.import_module(f"equiconv.jax.{module}".removesuffix(".__init__"))
    # What a module imports from elsewhere comes before the NumPy layers of the same names.
    assert doctest.testmod(module, extraglobs=names | vars(module)).failed == 0


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_public_names_of_modules_are_documented(framework):
    pytest.importorskip(FRAMEWORKS[framework], reason=f"{FRAMEWORKS[framework]} is not installed")
    module = importlib.import_module(f"equiconv.jax.{framework}")
    assert sorted(module.__all__) == module.__all__
    for name in module.__all__:
        assert ">>>" in inspect.getdoc(getattr(module, name))


def test_equiconv_does_not_import_jax():
    code = "import sys, equiconv; print([name for name in sys.modules if name.split('.')[0] in ('jax', 'jaxlib')])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_equiconv_jax_imports_no_framework():
    code = (
        "import sys, equiconv.jax; print([name for name in sys.modules if name.split('.')[0] in ('flax', 'equinox')])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"

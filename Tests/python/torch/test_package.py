# SPDX-License-Identifier: Apache-2.0
"""equiconv.torch as a package: names, signatures and the examples in its documentation."""

from __future__ import annotations

import doctest
import importlib
import inspect
from pathlib import Path

import equiconv as eq
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

PACKAGE = Path(et.__file__).parent
MODULES = sorted(".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in PACKAGE.rglob("*.py"))


def test_public_names():
    assert sorted(et.__all__) == et.__all__
    assert {name for name in vars(et) if not name.startswith("_")} == set(et.__all__)


@pytest.mark.parametrize("name", et.__all__)
def test_public_names_are_documented(name):
    text = inspect.getdoc(getattr(et, name))
    assert "Example:" in text


@pytest.mark.parametrize("name", ["GroupConv", "IsotropicConv", "LiftingConv", "ProjectionConv"])
def test_arguments_of_layers_are_described_where_help_looks(name):
    layer = getattr(et, name)
    described = inspect.getdoc(layer.__init__)
    assert all(argument in described for argument in inspect.signature(layer).parameters)


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_the_documentation(module):
    module = importlib.import_module(f"equiconv.torch.{module}".removesuffix(".__init__"))
    public = {name: getattr(et, name) for name in et.__all__}
    names = {**vars(eq), "torch": torch, "numpy": importlib.import_module("numpy"), **public}
    assert doctest.testmod(module, extraglobs=names | vars(module)).failed == 0

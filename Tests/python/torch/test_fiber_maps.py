"""Restriction, induction and partial projection as modules: the numbers of the NumPy functions."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch")
import equiconv.torch as et  # noqa: E402
from torch import nn  # noqa: E402

D4, C6 = eq.dihedral(4), eq.cyclic(6)
SUBGROUPS = [(D4, [0]), (D4, [4, 0]), (D4, [0, 2, 4, 6]), (D4, range(8)), (C6, [0, 3]), (C6, [4, 0, 2])]


def signal(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("group", "elements"), SUBGROUPS)
def test_modules_are_the_functions_of_numpy(group, elements):
    x = signal(2, 3, group.order, 4, 4)
    restricted = eq.restrict(x.numpy(), group, elements)
    shape = (2, 3 * group.order // len(elements), len(elements), 4, 4)
    assert np.array_equal(et.Restrict(group, elements)(x), restricted.reshape(shape))
    for mode in ("mean", "max"):
        module = et.PartialProjection(group, elements, mode)
        assert np.array_equal(module(x), eq.partial_projection(x.numpy(), group, elements, mode))
        assert torch.allclose(et.expand(module)(x), module(x), atol=1e-6)
    y = signal(2, 3, 4, 4) if len(elements) == group.order else signal(2, 3, group.order // len(elements), 4, 4)
    assert np.array_equal(et.Induce(group, elements)(y), eq.induce(y.numpy(), group, elements))


def test_modules_have_derivatives():
    x = torch.randn(1, 2, 8, 2, 2, dtype=torch.float64, requires_grad=True)
    for module in (et.Restrict(D4, [0, 4]), et.PartialProjection(D4, [0, 4]), et.PartialProjection(D4, [0, 4], "max")):
        assert torch.autograd.gradcheck(module, x)
    plane = torch.randn(1, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(et.Induce(D4, range(8)), plane)


def test_modules_have_no_state_and_are_steps_of_programs():
    network = nn.Sequential(et.Restrict(D4, [0, 4]), nn.ReLU())
    assert network.state_dict() == {}
    x = signal(1, 2, 8, 4, 4)
    assert torch.equal(torch.fx.symbolic_trace(network)(x), network(x))
    compiled = torch.compile(et.PartialProjection(D4, [0, 4]), backend="eager", fullgraph=True)
    assert torch.equal(compiled(x), et.PartialProjection(D4, [0, 4])(x))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: et.Restrict(3, [0]), TypeError, "group is 3"),
        (lambda: et.Restrict(D4, [0, 1]), ValueError, r"subgroup is \[0, 1\]"),
        (lambda: et.Restrict(eq.scaling([1.0, 2.0]), [0]), ValueError, "expected a group that has all products"),
        (lambda: et.Induce(D4, [9]), ValueError, r"stabilizer\[0\] is 9"),
        (lambda: et.PartialProjection(D4, [0, 4], "sum"), ValueError, "mode is 'sum'"),
        (lambda: et.Restrict(D4, [0])(signal(1, 2, 4, 3, 3)), ValueError, r"expected \(B, C, 8, spatial...\)"),
        (lambda: et.Induce(D4, [0, 4])(signal(1, 2, 8, 3, 3)), ValueError, r"expected \(B, C, 4, spatial...\)"),
        (lambda: et.Restrict(D4, [0])(3), TypeError, "x is 3"),
    ],
)
def test_wrong_calls_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()

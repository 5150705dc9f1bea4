# SPDX-License-Identifier: Apache-2.0
"""Means and maxima over the orbit of an input, and the error of ordinary networks."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

import torch_networks as networks  # noqa: E402 (torch may be missing)
from torch import nn  # noqa: E402

C4, D4 = eq.cyclic(4), eq.dihedral(4)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)


def numbers(x):
    """(B, N), of each image by itself, of integers: exact in any order."""
    weight = torch.arange(1.0, 1 + 5 * x[0].numel(), dtype=x.dtype).reshape(5, -1) % 7
    return (x.flatten(1)[:, None] * weight).sum(-1)


def maps(x):
    """(B, 2, spatial...), which commutes with nothing."""
    ramp = torch.arange(float(x[0, 0].numel()), dtype=x.dtype).reshape(x.shape[2:]) % 5
    return torch.cat([x[:, :1] * ramp, x[:, :1].roll(1, -1)], 1)


def integers(*shape):
    return torch.from_numpy(np.random.default_rng(1).integers(-8, 9, shape).astype(np.float64))


SHAPES = {
    "C4": (C4, (2, 3, 5, 5)),
    "D4": (D4, (2, 3, 4, 6)),
    "line": (eq.reflection(), (3, 2, 7)),
    "octahedral": (eq.octahedral(), (1, 2, 3, 4, 3)),
}


@pytest.mark.parametrize("mode", ["mean", "max"])
@pytest.mark.parametrize("name", SHAPES)
def test_outputs_are_those_of_the_definition(name, mode):
    group, shape = SHAPES[name]
    if "octa" in name or name == "D4":
        shape = (*shape[:2], *[shape[2]] * group.dimension)  # numbers of other shapes have other weights
    x = integers(*shape)
    turned = [torch.from_numpy(eq.act(x.numpy(), group, element)) for element in range(group.order)]
    rows = torch.stack([numbers(copy) for copy in turned])
    back = [eq.act(maps(copy).numpy(), group, int(group.inverses[e])) for e, copy in enumerate(turned)]
    planes = torch.from_numpy(np.stack(back))
    for f, values in ((numbers, rows), (maps, planes)):
        expected = values.mean(0) if mode == "mean" else values.amax(0)
        assert torch.allclose(et.invariant(f, group, mode)(x), expected, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("mode", ["mean", "max"])
@pytest.mark.parametrize("name", SHAPES)
def test_any_map_is_invariant_or_commutes_to_the_last_bit(name, mode):
    group, shape = SHAPES[name]
    x = integers(*shape)
    for f in (numbers, maps):
        assert eq.equivariance_error(f, x, group) > 0.1
        assert eq.equivariance_error(et.invariant(f, group, mode), x, group) == 0


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_networks_are_invariant_to_the_last_bit(mode):
    for network, shape in ((networks.ResNet18(), (2, 3, 33, 33)), (networks.UNet(), (1, 2, 8, 12))):
        network.eval()
        x = torch.randn(shape)
        assert eq.equivariance_error(network, x, D4) > 1e-3
        assert eq.equivariance_error(et.invariant(network, D4, mode), x, D4) == 0


def test_error_of_an_ordinary_network_is_that_of_the_definition():
    network = networks.ConvNet().eval()
    x = torch.randn(2, 1, 8, 8)
    with torch.no_grad():
        y = network(x)
        turned = [network(torch.rot90(x, k, (2, 3))) for k in range(4)]
    expected = max(float((other - y).abs().max()) for other in turned) / float(y.abs().max())
    assert eq.equivariance_error(network, x, C4) == pytest.approx(expected, rel=1e-6)
    assert eq.equivariance_error(lambda z: network(z), x, C4) == pytest.approx(expected, rel=1e-6)


def test_network_is_called_once_for_each_shape():
    calls = []

    def f(x):
        calls.append(tuple(x.shape))
        return x.mean((1, 2, 3))

    assert et.invariant(f, D4)(torch.ones(2, 1, 4, 4)).shape == (2,)
    assert calls == [(16, 1, 4, 4)]
    calls.clear()
    et.invariant(f, D4)(torch.ones(2, 1, 4, 6))
    assert sorted(calls) == [(8, 1, 4, 6), (8, 1, 6, 4)]


def test_gradients_reach_the_input_and_the_parameters():
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).double()
    mean = et.invariant(network, C4)
    assert dict(mean.named_parameters()).keys() == {"module.1.weight", "module.1.bias"}
    x = torch.randn(2, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(mean, (x,))
    mean(x).square().sum().backward()
    gradient = network[1].weight.grad
    # The mean over the orbit reads turned copies alike, and so does its gradient.
    plane = gradient.reshape(3, 1, 4, 4)
    assert torch.allclose(plane, torch.rot90(plane, 1, (2, 3)))


def test_lattice_elements_of_other_groups_are_a_choice():
    c8, x = eq.cyclic(8), integers(2, 1, 5, 5)
    with pytest.raises(ValueError, match=r"group is C8, of whose 8 elements 4 map the grid.*elements='lattice'"):
        et.invariant(numbers, c8)
    assert torch.equal(et.invariant(numbers, c8, elements="lattice")(x), et.invariant(numbers, C4)(x))


def test_outputs_of_other_axes_say_what_they_are():
    x = integers(2, 3, 4, 4)

    def sequence(z):
        return z.flatten(2)

    with pytest.raises(ValueError, match=r"module returned shape \(8, 3, 16\), expected .*output='numbers'"):
        et.invariant(sequence, C4)(x)
    as_numbers = et.invariant(sequence, C4, output="numbers")(x)
    assert as_numbers.shape == (2, 3, 16)

    def plane(z):
        return z[:, 0]

    as_map = et.invariant(plane, C4, output="map")
    assert torch.equal(as_map(x), x[:, 0])
    assert not torch.equal(et.invariant(maps, C4, output="numbers")(x), et.invariant(maps, C4)(x))


@pytest.mark.parametrize(
    ("f", "x", "error", "text"),
    [
        (numbers, torch.zeros(2, 4, 4), ValueError, r"x has shape \(2, 4, 4\), expected \(B, C, rows, columns\)"),
        (numbers, "image", TypeError, "x is .*image"),
        (lambda x: (x, x), torch.zeros(1, 1, 4, 4), TypeError, "module returned .*tuple.*expected a tensor"),
        (lambda x: x.argmax(), torch.zeros(1, 1, 4, 4), TypeError, "expected a tensor of real numbers"),
        (lambda x: x.sum(), torch.zeros(1, 1, 4, 4), ValueError, r"shape \(\) for a batch of 4, expected 4 on axis 0"),
        (lambda x: x[:1], torch.zeros(1, 1, 4, 4), ValueError, "for a batch of 4"),
    ],
)
def test_wrong_calls_are_refused(f, x, error, text):
    with pytest.raises(error, match=text):
        et.invariant(f, C4)(x)


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "text"),
    [
        (("network", C4), {}, TypeError, "module is 'network', expected a callable"),
        ((numbers, 4), {}, TypeError, "group is 4"),
        ((numbers, C4, "sum"), {}, ValueError, "mode is 'sum', expected 'mean' or 'max'"),
        ((numbers, C4), {"output": "plane"}, ValueError, "output is 'plane', expected 'auto', 'numbers' or 'map'"),
        ((numbers, C4), {"elements": 1}, TypeError, "elements is 1"),
    ],
)
def test_arguments_of_the_wrong_kind_are_refused(arguments, keywords, error, text):
    with pytest.raises(error, match=text):
        et.invariant(*arguments, **keywords)

# SPDX-License-Identifier: Apache-2.0
"""Transposed convolutions that hold their weights: calls, options, variance, and network files."""

from __future__ import annotations

import copy
import math
import pickle

import equiconv as eq
import numpy as np
import pytest
from equiconv._layer.initialization import fan_in
from equiconv._layer.layer import LAYERS, Kernel
from equiconv._layer.transposed_initialization import transposed_fan_in

C4, D4 = eq.cyclic(4), eq.dihedral(4)
PIXELS = Kernel(None, "bilinear", None, False)
ONE, TWO = ((1, 1), (1, 1)), ((2, 1), (2, 1))


def signal(rng, layer, channels, size=5, dtype=np.float32):
    group = layer.input_space.group
    fiber = () if group is None else (group.order,)
    return rng.normal(size=(2, channels, *fiber, *(size,) * layer.group.dimension)).astype(dtype)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_the_function_with_its_weights(rng, name):
    layer = eq.TransposedConv(3, 4, 4, D4, layer=name, stride=2, padding=1, rng=1)
    layer.bias[...] = rng.standard_normal(4)
    x = signal(rng, layer, 3)
    y = eq.transposed_conv(x, layer.weight, D4, layer.bias, layer=name, stride=2, padding=1)
    assert np.array_equal(layer(x), y)
    out = np.empty_like(y)
    assert layer(x, out=out) is out
    assert layer.output_space.holds(y.shape)
    assert y.shape[-2:] == (10, 10)
    reads_group = LAYERS[name].reads_group
    assert layer.weight.shape == (3, 4, 8, 4, 4) if reads_group else (3, 4, 4, 4)


def test_it_goes_back_from_what_its_layer_writes(rng):
    down = eq.GroupConv(3, 5, 3, C4, stride=2, padding=1, rng=0)
    up = eq.TransposedConv(5, 3, 3, C4, stride=2, padding=1, rng=0)
    x = signal(rng, down, 3, size=9)
    assert up(down(x)).shape == x.shape
    assert up.weight.shape == down.weight.shape
    network = eq.Sequential(down, eq.relu, up, eq.relu, eq.TransposedConv(3, 2, 3, C4, layer="lifting"))
    assert network(x).shape == (2, 2, 11, 11)
    with pytest.raises(ValueError, match="layer 1, TransposedConv, wants a signal on G for C4, got one on the plane"):
        eq.Sequential(eq.IsotropicConv(3, 5, 3, C4), up)


def test_options_are_attributes_that_are_checked():
    layer = eq.TransposedConv(2, 3, 3, eq.trivial(2), layer="isotropic", stride=(2, 3), output_padding=[1, 2], rng=0)
    assert (layer.layer_name, layer.output_padding, layer.in_channels, layer.out_channels) == (
        "isotropic",
        (1, 2),
        2,
        3,
    )
    layer.output_padding = 1
    assert layer(np.ones((1, 2, 4, 4), np.float32)).shape == (1, 3, 10, 13)
    with pytest.raises(ValueError, match="output_padding is 1, expected at most 0"):
        layer.stride = 1
    with pytest.raises(AttributeError, match="layer_name of TransposedConv cannot be set"):
        layer.layer_name = "group"
    eq.set_algorithm(layer, "direct")
    assert layer.algorithm == "direct"
    text = repr(layer)
    assert "layer='isotropic', stride=(2, 3)" in text
    assert "output_padding=1" in text
    with pytest.raises(ValueError, match="layer is 'dense', expected"):
        eq.TransposedConv(2, 3, 3, C4, layer="dense")
    with pytest.raises(ValueError, match="TransposedConv wants 2 channels"):
        layer(np.ones((1, 3, 4, 4), np.float32))


def test_copies_are_independent_and_load_replaces_the_numbers(rng):
    layer = eq.TransposedConv(2, 3, eq.bspline_basis(5), eq.cyclic(8), group_basis=eq.localized([0, 1]), rng=0)
    x = signal(rng, layer, 2)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert np.array_equal(other(x), layer(x))
        other.load({name: np.zeros(array.shape) for name, array in other.parameters().items()})
        assert not np.any(other(x))
        assert np.any(layer(x))


@pytest.mark.parametrize(("group", "extents"), [(C4, (3, 3)), (eq.octahedral(), (2, 2, 2)), (eq.trivial(1), (5,))])
def test_fan_in_counts_the_taps_that_meet_a_number(group, extents):
    """On lattice groups |H| k^d / stride^d for the adjoint of a group layer, k^d / (|H| stride^d) of a projection's."""
    for stride in (1, 2, 3):
        steps = ((stride, 1),) * group.dimension
        taps = math.prod(extents) / stride**group.dimension
        assert transposed_fan_in("group", group, PIXELS, extents, steps) == pytest.approx(taps * group.order)
        assert transposed_fan_in("projection", group, PIXELS, extents, steps) == pytest.approx(taps / group.order)


def test_fan_in_of_the_adjoint_of_a_lifting_layer_has_the_products_of_planes():
    """A weight is read at |H| planes: products within a plane are 1 in units of E[f^2], others 1/pi."""
    expected = 9 * (4 + 12 / math.pi)
    assert transposed_fan_in("lifting", C4, PIXELS, (3, 3), ONE) == pytest.approx(expected, rel=1e-12)
    # With a stride the corners, edges and the center are four classes, whose turned taps meet a number together where
    # they are an even distance apart: corners and edges of a square of 3 always, opposite edges alone.
    corners, edges, center = 4 * (4 + 12 / math.pi), 4 * (4 + 4 / math.pi), 4 + 12 / math.pi
    assert transposed_fan_in("lifting", C4, PIXELS, (3, 3), TWO) == pytest.approx((corners + edges + center) / 4)


def test_without_a_stride_the_adjoint_of_an_isotropic_layer_has_the_fan_in_of_the_layer():
    for kernel in (PIXELS, Kernel(eq.bspline_basis(5), "bilinear", None, False)):
        forward = fan_in("isotropic", D4, kernel, (5, 5))
        assert transposed_fan_in("isotropic", D4, kernel, (5, 5), ONE) == pytest.approx(forward, rel=1e-9)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [4, eq.bspline_basis(5)], ids=["pixels", "splines"])
@pytest.mark.parametrize("name", ["isotropic", "group", "projection"])
def test_the_variance_of_rectified_signals_is_kept(name, kernel, stride):
    """Eight layers give a signal its correlations. Networks of 48 channels differ by a third: ten of them by a tenth.

    The bounds are three of these. Without the stride in the deviation the moments would be a quarter.
    """
    rng = np.random.default_rng(0)
    make = eq.GroupConv if name == "group" else eq.IsotropicConv
    ratios = []
    for seed in range(10):
        options = {"padding": 2, "padding_mode": "circular", "bias": False, "rng": rng}
        layer = eq.TransposedConv(48, 48, kernel, C4, layer=name, stride=stride, rng=seed)
        x = signal(rng, layer, 48, size=12)
        for _ in range(8):
            x = np.maximum(make(48, 48, kernel, C4, **options)(x)[..., :12, :12], 0)
        y = layer(x)[..., 6:-6, 6:-6]
        ratios.append(np.mean(y.astype(float) ** 2) / np.mean(x.astype(float) ** 2) / 2)
    assert 0.7 < np.mean(ratios) < 1.4


def test_the_weights_have_the_deviation_of_the_closed_form():
    layer = eq.TransposedConv(16, 64, 4, D4, stride=2, rng=0)
    assert layer.weight.std() == pytest.approx(math.sqrt(2 * 4 / (16 * 8 * 16)), rel=0.01)
    assert np.all(layer.bias == 0)


@pytest.mark.parametrize("algorithm", ["auto", "direct"])
def test_network_files_compute_what_the_sequence_does(tmp_path, rng, algorithm):
    options = {"rng": 0, "algorithm": algorithm}
    network = eq.Sequential(
        eq.LiftingConv(1, 3, 3, D4, padding=1, **options), eq.relu,
        eq.GroupConv(3, 4, 3, D4, stride=2, padding=1, **options), eq.relu,
        eq.TransposedConv(4, 3, 3, D4, stride=2, padding=1, **options), eq.relu,
        eq.TransposedConv(3, 2, 4, D4, layer="lifting", stride=2, padding=1, bias=False, **options), eq.relu,
        eq.TransposedConv(2, 2, 3, D4, layer="projection", **options), eq.GroupPool(D4, "max"),
        eq.TransposedConv(2, 1, 3, eq.trivial(2), layer="isotropic", stride=(2, 3), output_padding=(0, 1), **options),
    )  # fmt: skip
    network.load({name: rng.normal(size=array.shape) for name, array in network.parameters().items()})
    x = rng.normal(size=(2, 1, 9, 9)).astype(np.float32)
    path = tmp_path / "network"
    network.save(path, x)
    y = network(x)
    np.testing.assert_allclose(eq.load_network(path)(x), y, rtol=0, atol=1e-5 * np.abs(y).max())

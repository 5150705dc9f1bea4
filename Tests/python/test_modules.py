# SPDX-License-Identifier: Apache-2.0
"""Layers that hold their weights are the functions, and networks check that spaces fit."""

from __future__ import annotations

import copy
import pickle

import equiconv as eq
import numpy as np
import pytest

C4, D4, C8 = eq.cyclic(4), eq.dihedral(4), eq.cyclic(8)
LAYERS = {
    "isotropic": (eq.IsotropicConv, eq.isotropic_conv, False),
    "lifting": (eq.LiftingConv, eq.lifting_conv, False),
    "group": (eq.GroupConv, eq.group_conv, True),
    "projection": (eq.ProjectionConv, eq.projection_conv, True),
}


def signal(rng, group, channels, on_group, dtype=np.float32, size=9):
    shape = (2, channels, *((group.order,) if on_group else ()), *(size,) * group.dimension)
    return rng.standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_the_function_with_its_weights(rng, name, dtype):
    make, function, on_group = LAYERS[name]
    layer = make(3, 4, 3, D4, stride=2, padding=1, dilation=2, padding_mode="circular", dtype=dtype, rng=1)
    layer.bias[...] = rng.standard_normal(4)
    x = signal(rng, D4, 3, on_group, dtype)
    options = {"stride": 2, "padding": 1, "dilation": 2, "padding_mode": "circular"}
    expected = function(x, layer.weight, D4, layer.bias, **options)
    assert np.array_equal(layer(x), expected)
    out = np.empty_like(expected)
    assert layer(x, out=out) is out
    assert np.array_equal(out, expected)


def test_a_layer_is_made_of_a_basis_and_functions_on_the_group(rng):
    basis, functions = eq.bspline_basis(5), eq.localised([0, 1])
    layer = eq.GroupConv(2, 3, basis, C8, group_basis=functions, bias=False, rng=0)
    assert layer.weight.shape == (3, 2, 2, 25)
    x = signal(rng, C8, 2, True)
    assert np.array_equal(layer(x), eq.group_conv(x, layer.weight, C8, basis=basis, group_basis=functions))


@pytest.mark.parametrize("group", [eq.trivial(1), eq.reflection(), eq.octahedral()])
def test_layers_of_any_dimension_take_extents_of_each_axis(rng, group):
    extents = (3, 3, 3)[: group.dimension]
    lifted = eq.LiftingConv(1, 2, extents, group, padding="same", rng=0)(signal(rng, group, 1, False, size=5))
    assert lifted.shape == (2, 2, group.order) + (5,) * group.dimension


def test_a_network_of_direct_layers_commutes_with_the_group_to_the_last_bit(rng):
    direct = {"padding": "same", "algorithm": "direct", "rng": rng}
    network = eq.Sequential(
        eq.LiftingConv(1, 4, 3, D4, **direct),
        lambda x: np.maximum(x, 0),
        eq.GroupConv(4, 4, 3, D4, **direct),
        eq.GroupPool(D4, "max"),
        eq.IsotropicConv(4, 2, 3, D4, padding="same", rng=rng),
    )
    assert eq.equivariance_error(eq.Sequential(*network[:4]), signal(rng, D4, 1, False), D4) == 0.0
    assert network(signal(rng, D4, 1, False)).shape == (2, 2, 9, 9)


def test_layers_of_one_seed_are_equal_and_copies_are_independent(rng):
    layer = eq.LiftingConv(2, 3, 3, C4, rng=5)
    assert np.array_equal(layer.weight, eq.LiftingConv(2, 3, 3, C4, rng=5).weight)
    x = signal(rng, C4, 2, False)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert np.array_equal(other(x), layer(x))
        other.weight[...] = 0
        assert np.any(layer.weight != 0)


def test_parameters_are_no_copies_and_named_as_by_torch():
    network = eq.Sequential(eq.LiftingConv(1, 2, 3, C4), np.tanh, eq.GroupConv(2, 2, 3, C4, bias=False))
    parameters = network.parameters()
    assert list(parameters) == ["0.weight", "0.bias", "2.weight"]
    assert parameters["2.weight"] is network[2].weight
    other = {name: np.full(array.shape, 2.0) for name, array in parameters.items()}
    network.load(other)
    assert all(np.all(array == 2) for array in network.parameters().values())
    with pytest.raises(
        ValueError, match=r"parameters are \['0.weight'\], expected \['0.bias', '0.weight', '2.weight'\]"
    ):
        network.load({"0.weight": other["0.weight"]})
    with pytest.raises(ValueError, match=r"parameter 0.bias has shape \(3,\), expected \(2,\)"):
        network.load(other | {"0.bias": np.zeros(3)})


def test_printing_says_shapes_spaces_and_group():
    layer = eq.GroupConv(16, 32, 5, D4, padding="same", algorithm="direct")
    assert repr(layer) == (
        "GroupConv(16, 32, 5 x 5, D4, padding='same', algorithm='direct'): G for D4 (B, 16, 8, rows, columns) -> "
        "G for D4 (B, 32, 8, rows, columns); weight (32, 16, 8, 5, 5), bias (32,)"
    )
    network = eq.Sequential(eq.LiftingConv(3, 16, 3, D4, bias=False), np.tanh, eq.GroupPool(D4, "max"))
    assert repr(network) == (
        "Sequential(\n"
        "  (0) LiftingConv(3, 16, 3 x 3, D4): the plane (B, 3, rows, columns) -> G for D4 (B, 16, 8, rows, columns); "
        "weight (16, 3, 3, 3), no bias\n"
        "  (1) tanh\n"
        "  (2) GroupPool(D4, 'max'): G for D4 (B, C, 8, rows, columns) -> the plane (B, C, rows, columns)\n"
        "): 432 parameters"
    )
    assert "the line (B, 1, width)" in repr(eq.LiftingConv(1, 1, 3, eq.reflection()))
    assert "space (B, 1, depth, rows, columns)" in repr(eq.LiftingConv(1, 1, 3, eq.octahedral()))


def test_a_network_refuses_spaces_that_do_not_fit():
    message = "layer 1, GroupConv, wants a signal on G for C4, got one on the plane from layer 0, IsotropicConv"
    with pytest.raises(ValueError, match=message):
        eq.Sequential(eq.IsotropicConv(1, 2, 3, C4), eq.GroupConv(2, 2, 3, C4))
    with pytest.raises(ValueError, match="wants a signal on G for C4, got one on G for D4 from layer 0, LiftingConv"):
        eq.Sequential(eq.LiftingConv(1, 2, 3, D4), np.tanh, eq.GroupPool(C4))
    with pytest.raises(ValueError, match="layer 2, GroupConv, wants 3 channels, got 2 from layer 0, LiftingConv"):
        eq.Sequential(eq.LiftingConv(1, 2, 3, C4), np.tanh, eq.GroupConv(3, 2, 3, C4))
    with pytest.raises(ValueError, match="layers is"):
        eq.Sequential()
    with pytest.raises(TypeError, match="layer 1 is 3"):
        eq.Sequential(np.tanh, 3)


def test_channels_are_followed_through_pools():
    with pytest.raises(ValueError, match="layer 2, LiftingConv, wants 3 channels, got 2 from layer 1, GroupPool"):
        eq.Sequential(eq.LiftingConv(1, 2, 3, C4), eq.GroupPool(C4), eq.LiftingConv(3, 2, 3, C4))


def test_a_layer_refuses_signals_of_another_space(rng):
    layer = eq.GroupConv(3, 4, 3, C4)
    with pytest.raises(ValueError, match=r"GroupConv wants a signal on G for C4 \(B, 3, 4, .*got one on the plane"):
        layer(signal(rng, C4, 3, False))
    with pytest.raises(ValueError, match="got one on G for a group of 8 elements"):
        layer(signal(rng, D4, 3, True))
    with pytest.raises(ValueError, match=r"GroupConv wants 3 channels .*, got 2"):
        layer(signal(rng, C4, 2, True))
    with pytest.raises(TypeError, match="weight has dtype float32"):
        layer(signal(rng, C4, 3, True, np.float64))
    with pytest.raises(ValueError, match="GroupPool wants a signal on G for C4"):
        eq.GroupPool(C4)(signal(rng, C4, 3, False))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((0, 1, 3, C4), {}, ValueError, "in_channels is 0"),
        ((1, "1", 3, C4), {}, TypeError, "out_channels is '1'"),
        ((1, 1, "3", C4), {}, TypeError, "kernel is '3'.*KernelBasis"),
        ((1, 1, (3, 3, 3), C4), {}, ValueError, r"kernel is \(3, 3, 3\)"),
        ((1, 1, eq.bspline_basis(3, dimension=3), C4), {}, ValueError, "of dimension 3, expected 2"),
        ((1, 1, 3, 4), {}, TypeError, "group is 4"),
        ((1, 1, 3, C4), {"stride": 0}, ValueError, "stride is 0"),
        ((1, 1, 3, C4), {"algorithm": "quick"}, ValueError, "algorithm is 'quick'"),
        ((1, 1, 3, C4), {"dtype": np.float16}, TypeError, "dtype"),
        ((1, 1, 3, C4), {"group_basis": eq.localised([0])}, ValueError, "group_basis"),
    ],
)
def test_wrong_arguments_are_named(arguments, options, error, message):
    with pytest.raises(error, match=message):
        eq.LiftingConv(*arguments, **options)

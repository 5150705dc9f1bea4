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
    basis, functions = eq.bspline_basis(5), eq.localized([0, 1])
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
        ValueError, match=r"parameters are \['0.weight'\], expected \['0.weight', '0.bias', '2.weight'\]"
    ):
        network.load({"0.weight": other["0.weight"]})
    with pytest.raises(ValueError, match=r"parameter 0.bias has shape \(3,\), expected \(2,\)"):
        network.load(other | {"0.bias": np.zeros(3)})


BAD_BIASES = [
    (np.ones(2) * 1j, TypeError, "parameter 0.bias has dtype complex128, expected real numbers"),
    (np.array(["1", "2"]), TypeError, "parameter 0.bias has dtype <U1"),
    (np.array([None, 1], object), TypeError, "parameter 0.bias has dtype object"),
    (np.ma.masked_array([1.0, 2.0], [True, False]), TypeError, "parameter 0.bias is a masked array"),
    (np.array([True, False]), TypeError, "parameter 0.bias has dtype bool"),
    ([[1.0], [2.0, 3.0]], TypeError, "parameter 0.bias cannot be turned into an array"),
    (np.array([1e39, 0]), ValueError, r"parameter 0.bias has the number 1e\+39, expected .* float32 can hold"),
    (np.array([2**1000, 0], object), TypeError, "parameter 0.bias has dtype object"),
    (np.ones((2, 1)), ValueError, r"parameter 0.bias has shape \(2, 1\), expected \(2,\)"),
]


@pytest.mark.parametrize(("bias", "error", "message"), BAD_BIASES)
def test_load_changes_all_parameters_or_none(bias, error, message):
    network = eq.Sequential(eq.LiftingConv(1, 2, 3, C4, rng=0), np.tanh, eq.GroupConv(2, 2, 3, C4, rng=1))
    before = {name: array.copy() for name, array in network.parameters().items()}
    other = {name: array + 1 for name, array in before.items()}
    with pytest.raises(error, match=message):
        network.load(other | {"0.bias": bias})
    layer = network[0]
    with pytest.raises(error, match=message.replace("0.bias", "bias")):
        layer.load({"weight": other["0.weight"], "bias": bias})
    assert all(np.array_equal(array, before[name]) for name, array in network.parameters().items())


def test_load_takes_what_its_dtype_can_hold_and_copies_of_its_own():
    layer = eq.LiftingConv(1, 2, 3, C4, rng=0)
    layer.load({"weight": np.arange(18).reshape(2, 1, 3, 3), "bias": [np.inf, 1e-60]})
    assert layer.weight.dtype == np.float32
    assert layer.bias.tolist() == [np.inf, 0.0]
    # Views of the same array, each read before any is written.
    layer.load({"weight": layer.weight[::-1], "bias": layer.bias[::-1]})
    assert layer.weight[0, 0, 0, 0] == 9
    assert layer.bias.tolist() == [0.0, np.inf]
    layer.weight.setflags(write=False)
    with pytest.raises(ValueError, match="parameter weight is read-only"):
        layer.load({"bias": np.ones(2), "weight": np.ones((2, 1, 3, 3))})
    assert layer.bias.tolist() == [0.0, np.inf]
    with pytest.raises(TypeError, match=r"parameters is \[1\] \(list\), expected a mapping"):
        layer.load([1])


def test_set_algorithm_reaches_every_layer_or_none(rng):
    inner = eq.Sequential(eq.GroupConv(2, 2, 5, C4, rng=0), np.tanh)
    network = eq.Sequential(eq.LiftingConv(1, 2, 5, C4, padding="same"), inner, eq.GroupPool(C4))
    eq.set_algorithm(network, "direct")
    assert [network[0].algorithm, inner[0].algorithm] == ["direct", "direct"]
    assert eq.equivariance_error(network, signal(rng, C4, 1, False), C4) == 0.0
    eq.set_algorithm(inner[0], "auto")
    assert [network[0].algorithm, inner[0].algorithm] == ["direct", "auto"]
    for wrong, error, message in [
        ("quick", ValueError, "algorithm is 'quick', expected 'auto', 'direct'"),
        (0, TypeError, "algorithm is 0, expected"),
    ]:
        with pytest.raises(error, match=message):
            eq.set_algorithm(network, wrong)
    with pytest.raises(ValueError, match=r"network is GroupPool.*, expected one with a convolution"):
        eq.set_algorithm(eq.GroupPool(C4), "direct")
    with pytest.raises(
        TypeError, match=r"network is 3 \(int\), expected a layer, a Sequential, or a module of torch or Flax"
    ):
        eq.set_algorithm(3, "direct")
    assert network[0].algorithm == "direct"


@pytest.mark.parametrize(
    "basis",
    [
        eq.bspline_basis(5, centers=np.random.default_rng(0).normal(size=(50, 2))),
        eq.circular_harmonics(31, radii=list(range(15)), frequencies=[0, 3] + [4] * 13),
    ],
)
def test_layers_and_bases_print_on_one_short_line(basis):
    group = eq.similarity(8, [1 + i / 7 for i in range(50)])
    for text in (
        repr(eq.GroupConv(1, 1, basis, C4, group_basis=eq.localized(range(4)))),
        repr(eq.LiftingConv(1, 1, basis, C4, rng=0)),
        repr(eq.GroupPool(group)),
        repr(group),
        repr(basis),
        repr(eq.localized(range(1000))),
        repr(eq.group_bspline(3, centers=np.linspace(0, 6, 500), scale=0.1)),
        repr(eq.prepare(np.ones((64, 64, 3, 3)))),
        repr(eq.SignalSpace(2, group)),
    ):
        assert "\n" not in text
        assert len(text) < 360, text


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
        ((2**30, 2**30, 3, C4), {}, ValueError, r"out_channels is 1073741824 .* expected at most 2\^48 weights"),
        ((1, "1", 3, C4), {}, TypeError, "out_channels is '1'"),
        ((1, 1, "3", C4), {}, TypeError, "kernel is '3'.*KernelBasis"),
        ((1, 1, (3, 3, 3), C4), {}, ValueError, r"kernel is \(3, 3, 3\)"),
        ((1, 1, eq.bspline_basis(3, dimension=3), C4), {}, ValueError, "of dimension 3, expected 2"),
        ((1, 1, 3, 4), {}, TypeError, "group is 4"),
        ((1, 1, 3, C4), {"stride": 0}, ValueError, "stride is 0"),
        ((1, 1, 3, C4), {"algorithm": "quick"}, ValueError, "algorithm is 'quick'"),
        ((1, 1, 3, C4), {"dtype": np.float16}, TypeError, "dtype"),
        ((1, 1, 3, C4), {"group_basis": eq.localized([0])}, ValueError, "group_basis"),
    ],
)
def test_wrong_arguments_are_named(arguments, options, error, message):
    with pytest.raises(error, match=message):
        eq.LiftingConv(*arguments, **options)


def test_options_are_attributes_that_are_checked_when_they_are_set(rng):
    layer = eq.GroupConv(2, 3, 3, C4, padding=[1, 0], rng=0)
    assert (layer.stride, layer.padding, layer.kernel, layer.group) == (1, (1, 0), (3, 3), C4)
    layer.stride, layer.padding, layer.padding_mode = 2, 1, "circular"
    x = signal(rng, C4, 2, True)
    options = {"stride": 2, "padding": 1, "padding_mode": "circular"}
    assert np.array_equal(layer(x), eq.group_conv(x, layer.weight, C4, layer.bias, **options))
    assert "stride=2, padding=1, padding_mode='circular'" in repr(layer)
    with pytest.raises(ValueError, match="algorithm is 'quick', expected 'auto'"):
        layer.algorithm = "quick"
    with pytest.raises(ValueError, match="stride is 0, expected an integer from 1"):
        layer.stride = 0
    assert (layer.algorithm, layer.stride) == ("auto", 2)


@pytest.mark.parametrize("name", ["group", "in_channels", "out_channels", "extents", "basis", "kernel", "input_space"])
def test_what_decides_the_shape_of_weights_cannot_be_set(name):
    layer = eq.GroupConv(2, 3, 3, C4, rng=0)
    with pytest.raises(AttributeError, match=f"{name} of GroupConv cannot be set: make a new layer"):
        setattr(layer, name, getattr(layer, name))


def test_the_mode_of_a_pool_can_be_set_and_its_group_cannot(rng):
    pool = eq.GroupPool(C4)
    pool.mode = "max"
    x = signal(rng, C4, 2, True)
    assert np.array_equal(pool(x), eq.group_pool(x, "max"))
    with pytest.raises(ValueError, match="mode is 'median', expected 'mean' or 'max'"):
        pool.mode = "median"
    with pytest.raises(AttributeError, match="group of GroupPool cannot be set"):
        pool.group = D4

# SPDX-License-Identifier: Apache-2.0
"""Convolutions as modules of Flax and Equinox: numbers, weights, algorithms, and what signals they refuse."""

from __future__ import annotations

import math

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, C8, D4, assert_same_bits, draw, jax, quick_compiler
from jax_modules import LAYERS, READS_GROUP, framework, signal

__all__ = ["framework", "quick_compiler"]

OPTIONS = {
    "pixels": (3, C4, {"padding": "same"}),
    "strided, no bias": (3, D4, {"stride": 2, "padding": 1, "dilation": 2, "bias": False}),
    "basis": (eq.bspline_basis(5), C8, {"padding_mode": "circular", "padding": 2}),
    "group basis": (3, C8, {"group_basis": eq.localized([0, 1, 7]), "interpolation": "bicubic", "quadrature": True}),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("case", OPTIONS)
def test_layers_have_the_bits_of_numpy_modules_with_their_weights(rng, framework, name, case):
    kernel, group, keywords = OPTIONS[case]
    if "group_basis" in keywords and name not in READS_GROUP:
        pytest.skip("a basis on the group is for layers that read it")
    layer = framework.make(name, 3, 2, kernel, group, algorithm="direct", **keywords)
    weight, bias = framework.parameters(layer)
    bias = None if bias is None else draw(rng, bias.shape, np.float32)
    layer = framework.with_parameters(layer, weight, bias)
    expected = getattr(eq, name)(3, 2, kernel, group, algorithm="direct", **keywords)
    assert expected.weight.shape == weight.shape
    expected.load({"weight": weight} | ({} if bias is None else {"bias": bias}))
    x = signal(rng, name, group)
    assert_same_bits(layer(x), expected(x))
    assert layer.input_space == expected.input_space
    assert layer.output_space == expected.output_space


@pytest.mark.parametrize("name", LAYERS)
def test_weights_are_drawn_with_he_deviation(framework, name):
    """The sample deviation of n normal numbers is off by 1 / sqrt(2 n) of it, here 5 times that at most."""
    layer = framework.make(name, 24, 24, 5, D4, seed=1)
    weight, bias = framework.parameters(layer)
    reference = getattr(eq, name)(24, 24, 5, D4, rng=0)
    deviation = eq._layer.initialization.he_deviation(reference.layer_name, D4, 24, layer.options.made_of, (5, 5))
    assert np.std(np.asarray(weight)) == pytest.approx(deviation, rel=5 / math.sqrt(2 * weight.size))
    assert not np.any(bias)
    again, other = (framework.parameters(framework.make(name, 24, 24, 5, D4, seed=seed))[0] for seed in (1, 2))
    assert_same_bits(weight, again)
    assert not np.array_equal(weight, other)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("GroupConv", (2, 3, 7, 7), "GroupConv wants a signal on G for C4"),
        ("GroupConv", (2, 4, 4, 7, 7), "GroupConv wants 3 channels"),
        ("LiftingConv", (2, 3, 4, 7, 7), "LiftingConv wants a signal on the plane"),
    ],
)
def test_signals_on_another_space_are_refused(framework, name, shape, message):
    with pytest.raises(ValueError, match=message):
        framework.make(name, 3, 2, 3, C4)(np.zeros(shape, np.float32))


def test_warnings_of_strides_name_the_caller(framework):
    layer = framework.make("LiftingConv", 1, 2, 3, C4, stride=2)
    pool = framework.make("SpatialMaxPool", C4, 2)
    for call in (layer, pool):
        with pytest.warns(eq.EquivarianceWarning, match="stride 2 does not fit") as caught:
            call(np.zeros((1, 1, 8 if call is layer else 7, 9 if call is layer else 8), np.float32))
        assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize("is_compiled", [False, True])
def test_warnings_from_inside_a_network_name_the_line_that_calls_it(framework, is_compiled):
    """With frames of Flax or Equinox, and of JAX where it traces, between that line and the layer."""
    convolution = framework.make("LiftingConv", 1, 2, 3, C4, stride=2)
    network = framework.make("Sequential", convolution, jax.nn.relu, framework.make("SpatialMaxPool", C4, 2))

    def call(x):
        return network(x)

    x = np.zeros((1, 1, 8, 9), np.float32)
    with pytest.warns(eq.EquivarianceWarning, match="stride 2 does not fit") as caught:
        (jax.jit(call) if is_compiled else call)(x)
    lines = {(warning.filename, warning.lineno) for warning in caught}
    assert lines == {(__file__, call.__code__.co_firstlineno + 1)}


def test_set_algorithm_reaches_every_layer_of_a_flax_module_or_none(rng):
    nnx = pytest.importorskip("flax.nnx")
    import equiconv.jax.nnx as enn

    rngs = nnx.Rngs(0)
    layers = [enn.LiftingConv(1, 4, 5, C4, rngs=rngs), enn.GroupConv(4, 4, 5, C4, rngs=rngs)]
    made_direct = enn.LiftingConv(1, 4, 5, C4, algorithm="direct", rngs=nnx.Rngs(0))
    # A list of modules cannot be called.
    network = nnx.List([layers[0], nnx.Dict(inner=layers[1]), enn.GroupPool(C4)])
    run = nnx.jit(lambda network, x: network[1]["inner"](network[0](x)))
    x = signal(rng, "LiftingConv", C4, 16, channels=1)
    weights = [np.asarray(layer.weight[...]) for layer in layers]
    outputs = {}
    for algorithm in ("direct", "fourier", "direct"):
        assert eq.set_algorithm(network, algorithm) is None
        assert [layer.algorithm for layer in layers] == [algorithm, algorithm]
        y = x
        for name, weight in zip(("lifting_conv", "group_conv"), weights, strict=True):
            y = getattr(eq, name)(y, weight, C4, np.zeros(4, np.float32), algorithm=algorithm)
        assert_same_bits(run(network, x), y)
        outputs[algorithm] = y
    assert not np.array_equal(outputs["direct"], outputs["fourier"])
    # To Flax the layer equals one that was made with this algorithm: states and compiled programs of either fit the
    # other.
    assert nnx.graphdef(layers[0]) == nnx.graphdef(made_direct)
    for wrong, error in (("quick", ValueError), (0, TypeError)):
        with pytest.raises(error, match="algorithm is"):
            eq.set_algorithm(network, wrong)
    assert [layer.algorithm for layer in layers] == ["direct", "direct"]
    with pytest.raises(ValueError, match=r"network is .*, expected one with a convolution"):
        eq.set_algorithm(nnx.Linear(1, 1, rngs=rngs), "direct")


def test_with_algorithm_gives_another_model_of_equinox(rng):
    eqx = pytest.importorskip("equinox")
    import equiconv.jax.equinox as ee

    first, second = jax.random.split(jax.random.key(0))
    layers = [ee.LiftingConv(1, 4, 5, C4, key=first), ee.GroupConv(4, 4, 5, C4, key=second)]
    model = {"first": layers[0], "rest": ee.Sequential(jax.nn.relu, layers[1], ee.GroupPool(C4))}
    run = eqx.filter_jit(lambda model, x: model["rest"](model["first"](x)))
    x = signal(rng, "LiftingConv", C4, 16, channels=1)
    outputs = {}
    for algorithm in ("direct", "fourier", "direct"):
        changed = ee.with_algorithm(model, algorithm)
        y = eq.lifting_conv(x, np.asarray(layers[0].weight), C4, algorithm=algorithm)
        y = eq.group_conv(np.maximum(y, 0), np.asarray(layers[1].weight), C4, algorithm=algorithm)
        outputs[algorithm] = run(changed, x)
        assert_same_bits(outputs[algorithm], eq.group_pool(y))
        assert changed["first"].weight is layers[0].weight
    assert [layer.algorithm for layer in layers] == ["auto", "auto"]
    assert not np.array_equal(outputs["direct"], outputs["fourier"])
    made_direct = ee.LiftingConv(1, 4, 5, C4, algorithm="direct", key=first)
    assert jax.tree.structure(changed["first"]) == jax.tree.structure(made_direct)
    for wrong, error in (("quick", ValueError), (0, TypeError)):
        with pytest.raises(error, match="algorithm is"):
            ee.with_algorithm(model, wrong)
    with pytest.raises(ValueError, match=r"model is GroupPool.*, expected one with a convolution"):
        ee.with_algorithm(ee.GroupPool(C4), "direct")


def test_set_algorithm_refuses_equinox_and_names_what_does_it():
    pytest.importorskip("equinox")
    import equiconv.jax.equinox as ee

    layer = ee.LiftingConv(1, 1, 3, C4, key=jax.random.key(0))
    plain = eq.LiftingConv(1, 1, 3, C4)
    message = r"of Equinox, which does not change: use equiconv\.jax\.equinox\.with_algorithm\(network, algorithm\)"
    for network in (layer, eq.Sequential(plain, eq.GroupPool(C4), layer)):
        with pytest.raises(TypeError, match=message):
            eq.set_algorithm(network, "direct")
    assert [plain.algorithm, layer.algorithm] == ["auto", "auto"]

# SPDX-License-Identifier: Apache-2.0
"""bfloat16 and float16 in modules, pools and the action: within their rounding of the same numbers in float32."""

from __future__ import annotations

from functools import partial

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, C8, D4, assert_same_bits, draw, ej, jax, program_of, quick_compiler, x64
from jax_magnitudes import bank
from jax_modules import LAYERS, compiled, framework, signal
from torch_cases import HARMONICS

__all__ = ["framework", "quick_compiler", "x64"]

jnp = jax.numpy
pytestmark = pytest.mark.parametrize("dtype", [jnp.bfloat16, np.float16], ids=["bfloat16", "float16"])


def single(array):
    return np.asarray(array).astype(np.float32)


def assert_rounded(found, expected, dtype, roundings=1):
    """`found` is `expected`, a result in float32, after so many roundings of numbers up to its largest."""
    assert found.dtype == dtype
    assert found.shape == expected.shape
    unit = float(jnp.finfo(dtype).eps) / 2
    # Beside these, the one of the float32 that it is compared with.
    limit = (roundings * unit + np.finfo(np.float32).eps) * np.max(np.abs(expected))
    assert np.max(np.abs(single(found) - expected)) <= limit


@pytest.mark.parametrize("name", LAYERS)
def test_layers_have_parameters_of_half_precision(rng, framework, name, dtype):
    layer = framework.make(name, 3, 2, 3, C4, dtype=dtype, padding=1)
    weight, bias = framework.parameters(layer)
    assert (weight.dtype, bias.dtype) == (dtype, dtype)
    x = signal(rng, name, C4).astype(dtype)
    y = compiled(layer)(x)
    assert y.dtype == dtype
    function = getattr(eq, {"IsotropicConv": "isotropic_conv", "LiftingConv": "lifting_conv",
                            "GroupConv": "group_conv", "ProjectionConv": "projection_conv"}[name])  # fmt: skip
    expected = function(single(x), single(weight), C4, padding=1)
    # Of banks, whose error is at most that of all their numbers, and of results.
    size = np.max(np.abs(function(np.abs(single(x)), np.abs(single(weight)), C4, padding=1)))
    assert np.max(np.abs(single(y) - expected)) <= 3 * float(jnp.finfo(dtype).eps) / 2 * size


@pytest.mark.parametrize("name", ["C8", "D4"])
def test_a_bank_and_a_gradient_of_its_weights_are_rounded_once(rng, x64, name, dtype):
    """Matrices of bases would be rounded too if banks were made in half precision, and sums after each term."""
    group, keywords = {"C8": (C8, {"basis": HARMONICS}), "D4": (D4, {"output_stabilizer": range(8)})}[name]
    keywords = {"input_stabilizer": [0], "output_stabilizer": [0]} | keywords
    kernel = HARMONICS.shape if name == "C8" else (3, 3)
    weight = jnp.asarray(draw(rng, (3, 2, 8, *kernel)).astype(dtype))
    program = program_of(lambda x, w: ej.conv(x, w, group, **keywords), jnp.zeros((1, 2, 8, 5, 5), dtype), weight)
    form = program.spec, program.extents
    found, exact = (bank.expanded_bank(array, *form) for array in (weight, weight.astype(jnp.float64)))
    gradient = jnp.asarray(draw(rng, found.shape).astype(dtype))
    sums, exact_sums = (
        bank.contracted_bank(array, weight.shape, *form) for array in (gradient, gradient.astype(jnp.float64))
    )
    for one, expected in ((found, exact), (sums, exact_sums)):
        assert one.dtype == dtype
        limit = float(jnp.finfo(dtype).eps) / 2 * np.abs(expected) + 1e-5
        assert np.all(np.abs(np.asarray(one).astype(np.float64) - expected) <= limit)


def test_weights_of_half_precision_have_he_deviation(framework, dtype):
    layer = framework.make("GroupConv", 32, 32, 3, D4, dtype=dtype)
    weight, _ = framework.parameters(layer)
    reference, _ = framework.parameters(framework.make("GroupConv", 32, 32, 3, D4))
    assert np.std(single(weight)) == pytest.approx(np.std(np.asarray(reference)), rel=0.02)


def test_backends_are_attributes_of_modules(rng, framework, dtype):
    layer = framework.make("GroupConv", 3, 2, 3, C4, backend="xla")
    pool = framework.make("GroupPool", C4, backend="xla")
    assert (layer.backend, pool.backend, framework.make("GroupConv", 3, 2, 3, C4).backend) == ("xla", "xla", None)
    x = signal(rng, "GroupConv", C4)
    program = jax.jit(lambda x: pool(layer(x))).lower(x).as_text()
    assert "custom_call" not in program
    assert "stablehlo.convolution" in program
    engine = framework.make("GroupConv", 3, 2, 3, C4, backend="engine", dtype=dtype)
    with pytest.raises(TypeError, match="float32 or float64 for backend 'engine'"):
        engine(x.astype(dtype))


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_pools_over_the_group(rng, framework, mode, dtype):
    x = draw(rng, (2, 3, 4, 5, 5)).astype(dtype)
    assert_rounded(framework.make("GroupPool", C4, mode)(x), eq.group_pool(single(x), mode), dtype)


@pytest.mark.parametrize("name", ["SpatialMean", "SpatialAvgPool", "SpatialMaxPool"])
def test_pools_over_space_are_rounded_once_and_commute_to_the_last_bit(rng, framework, name, dtype):
    pool = framework.make(name, C4, *(() if name == "SpatialMean" else (2,)))
    x = draw(rng, (2, 3, 4, 6, 6)).astype(dtype)
    y = pool(x)
    assert_rounded(y, np.asarray(pool(single(x))), dtype)
    turned = pool(ej.act(x, C4, 1))
    expected = y[:, :, jnp.array([3, 0, 1, 2])] if name == "SpatialMean" else ej.act(y, C4, 1)
    assert_same_bits(turned, expected)
    gradient = jax.grad(lambda x: single_sum(pool(x)))(x)
    assert_rounded(gradient, np.asarray(jax.grad(lambda x: pool(x).sum())(single(x))), dtype, 2)


def single_sum(y):
    return y.astype(jnp.float32).sum()


@pytest.mark.parametrize("of_parameters", [None, np.float32])
@pytest.mark.parametrize("is_training", [True, False])
def test_batch_normalization_computes_in_float32(rng, framework, is_training, of_parameters, dtype):
    """With running numbers in float32, whatever the parameters: they take small steps."""
    x = draw(rng, (4, 3, 4, 5, 5)).astype(dtype) * np.asarray(3, dtype)
    parameters = [np.array(numbers, dtype) for numbers in ([1.5, -2, 0.5], [0.25, 1, -3])]
    found, wide = (
        framework.batch_norm(3, dtype=kind, parameters=[array.astype(kind) for array in parameters])
        for kind in (of_parameters or dtype, np.float32)
    )
    call, numbers = found
    call_wide, numbers_wide = wide
    y, expected = call(x, is_training), np.asarray(call_wide(single(x), is_training))
    assert_rounded(y, expected, dtype)
    for one, other in zip(numbers(), numbers_wide(), strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_dropout_keeps_half_precision(rng, framework, dtype):
    x = draw(rng, (4, 8, 4, 3, 3)).astype(dtype)
    drop = framework.dropout(0.5)
    y = drop(x, 1)
    assert y.dtype == dtype
    kept = np.any(single(y) != 0, axis=(2, 3, 4), keepdims=True)
    assert 0 < np.mean(kept) < 1
    assert np.array_equal(single(y), np.where(kept, 2 * single(x), 0))


@pytest.mark.parametrize("element", range(0, 8, 3))
def test_the_action_is_exact(rng, element, dtype):
    x = draw(rng, (2, 3, 8, 4, 5)).astype(dtype)
    assert np.array_equal(single(ej.act(x, D4, element)), eq.act(single(x), D4, element))


def test_a_network_of_half_precision_is_trained(rng, framework, dtype):
    """Its loss falls as that of float32 does."""
    x = draw(rng, (8, 1, 9, 9), np.float32)
    target = draw(rng, (8, 4), np.float32)
    lift, group = draw(rng, (4, 1, 3, 3), np.float32) * 0.5, draw(rng, (4, 4, 4, 3, 3), np.float32) * 0.2

    def loss(weights, x):
        y = jax.nn.relu(ej.lifting_conv(x, weights[0], C4))
        y = ej.group_pool(ej.group_conv(y, weights[1], C4)).astype(jnp.float32).mean((2, 3))
        return ((y - target) ** 2).mean()

    @partial(jax.jit, static_argnums=2)
    def train(weights, x, steps):
        for _ in range(steps):
            weights = jax.tree.map(lambda w, g: (w - 0.05 * g).astype(w.dtype), weights, jax.grad(loss)(weights, x))
        return loss(weights, x)

    losses = [[float(train((lift.astype(d), group.astype(d)), x.astype(d), n)) for n in (0, 5)] for d in (dtype, "f4")]
    (start, end), (start_wide, end_wide) = losses
    assert end_wide < start_wide
    assert start - end == pytest.approx(start_wide - end_wide, rel=0.05)

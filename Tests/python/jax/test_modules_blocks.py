# SPDX-License-Identifier: Apache-2.0
"""Residual and dense blocks as modules of Flax and Equinox: those of PyTorch, equivariant, and to train."""

from __future__ import annotations

import functools
import itertools

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, D4, assert_same_bits, draw, ej, jax, quick_compiler, x64
from jax_modules import framework

__all__ = ["framework", "quick_compiler", "x64"]

GROUPS = {
    "reflection": (eq.reflection(), (9,), (8,)),
    "C4": (C4, (5, 9), (4, 6)),
    "D4": (D4, (5, 5), (4, 4)),
    "octahedral": (eq.octahedral(), (3, 3, 3), (2, 2, 2)),
}
RESIDUAL = [
    {"stride": stride, "bottleneck": bottleneck, "preactivation": preactivation}
    for stride, bottleneck, preactivation in itertools.product((1, 2), (False, True), (False, True))
]

POOLED = [{"stride": 2, "downsample": "pool"}, {"stride": 2, "downsample": "blur", "preactivation": True}]


def signal(rng, group, channels, sizes):
    return draw(rng, (2, channels, group.order, *sizes), np.float32)


def assert_commutes(call, x, group):
    y = call(x)
    for element in range(group.order):
        assert_same_bits(call(ej.act(x, group, element)), ej.act(y, group, element))


@pytest.mark.parametrize("options", RESIDUAL, ids=str)
@pytest.mark.parametrize("name", GROUPS)
def test_residual_blocks_in_evaluation_commute_with_the_group_to_the_last_bit(rng, framework, name, options):
    group, sizes, _ = GROUPS[name]
    call = framework.in_use("ResidualBlock", 4, 8, group, algorithm="exact", **options)
    x = signal(rng, group, 4, sizes)
    call(x, True)
    y = call(x, False)
    assert y.shape == (2, 8, group.order, *((n - 1) // options["stride"] + 1 for n in sizes))
    assert_commutes(lambda x: call(x, False), x, group)


@pytest.mark.parametrize("name", ["C4", "D4"])
@pytest.mark.parametrize("downsample", ["pool", "blur"])
def test_residual_blocks_with_pools_commute_on_the_sizes_of_their_pools(rng, framework, downsample, name):
    group, odd, even = GROUPS[name]
    for sizes, bottleneck in ((even, False), (even, True)) if downsample == "pool" else ((even, True), (odd, False)):
        options = {"bottleneck": bottleneck, "downsample": downsample, "algorithm": "exact"}
        call = framework.in_use("ResidualBlock", 4, 8, group, 2, **options)
        x = signal(rng, group, 4, sizes)
        call(x, True)
        assert call(x, False).shape == (2, 8, group.order, *(-(-n // 2) for n in sizes))
        assert_commutes(lambda x, call=call: call(x, False), x, group)


@pytest.mark.parametrize("name", GROUPS)
def test_dense_blocks_and_transitions_in_evaluation_commute_with_the_group_to_the_last_bit(rng, framework, name):
    group, _, sizes = GROUPS[name]
    block = framework.in_use("DenseBlock", 3, 2, 2, group, bottleneck=True, algorithm="exact")
    transition = framework.in_use("DenseTransition", 7, 3, group, algorithm="exact")
    x = signal(rng, group, 3, sizes)
    transition(block(x, True), True)
    assert transition(block(x, False), False).shape == (2, 3, group.order, *(n // 2 for n in sizes))
    assert_commutes(lambda x: transition(block(x, False), False), x, group)


def test_blocks_with_exact_norms_commute_to_the_last_bit(rng, framework):
    norm = functools.partial(framework.modules.GroupNorm, 2, exact=True)
    block = framework.make("ResidualBlock", 4, 8, D4, 2, norm=norm, activation=jax.nn.silu, algorithm="exact")
    assert_commutes(jax.jit(lambda x: block(x)), signal(rng, D4, 4, (9, 5)), D4)
    assert block.conv1.bias is None
    assert framework.make("ResidualBlock", 4, 4, D4, norm=None).conv1.bias is not None


@pytest.mark.parametrize("options", [*RESIDUAL, *POOLED], ids=str)
def test_residual_blocks_are_those_of_torch(rng, framework, options):
    torch = pytest.importorskip("torch")
    import equiconv.torch as et

    norm = functools.partial(framework.modules.GroupNorm, 2)
    block = framework.make("ResidualBlock", 4, 8, C4, norm=norm, **options)
    reference = et.ResidualBlock(4, 8, C4, norm=functools.partial(et.GroupNorm, 2), **options)
    layers = {key.rpartition(".")[0] for key in reference.state_dict()}
    for name in layers:
        own = framework.parameters(getattr(block, name))
        for key, value in zip(("weight", "bias"), own, strict=True):
            if value is not None:
                parameter = getattr(getattr(reference, name), key)
                assert parameter.shape == value.shape
                parameter.data.copy_(torch.from_numpy(np.array(value)))
    x = signal(rng, C4, 4, (4, 4) if "downsample" in options else (5, 5))
    expected = reference(torch.from_numpy(x)).detach().numpy()
    # Three layers of sums of at most 288 products in single precision, each normalized.
    bound = 3 * 288 * np.finfo(np.float32).eps * np.abs(expected).max()
    np.testing.assert_allclose(block(x), expected, rtol=0, atol=bound)


def test_dense_blocks_join_the_channels_of_their_layers(rng, framework):
    block = framework.make("DenseBlock", 3, 2, 2, C4, norm=None)
    x = signal(rng, C4, 3, (5, 5))
    y = block(x)
    assert_same_bits(y[:, :3], x)
    first, second = framework.dense_layers(block)
    assert_same_bits(y[:, 3:5], first(x))
    assert_same_bits(y[:, 5:], second(y[:, :5]))
    assert (block.in_channels, block.out_channels) == (3, 7)
    assert block.input_space == block.output_space == first.conv1.input_space
    network = framework.make("Sequential", block, framework.make("DenseTransition", 7, 2, C4, norm=None))
    assert network(x[..., :4, :4]).shape == (2, 2, 4, 2, 2)
    with pytest.raises(ValueError, match="wants 6 channels, got 7"):
        framework.make("Sequential", block, framework.make("DenseTransition", 6, 2, C4, norm=None))


def test_gradients_are_those_of_differences(rng, framework, x64):
    norm = functools.partial(framework.modules.GroupNorm, 2)
    make = functools.partial(framework.make, "ResidualBlock", 2, 4, eq.reflection(), 2, dtype="float64")
    block = make(norm=norm, activation=jax.numpy.tanh)
    x, v = (draw(rng, (2, 2, 2, 5), np.float64) for _ in range(2))
    derivative = jax.jvp(block, (x,), (v,))[1]
    step = 1e-5
    difference = (block(x + step * v) - block(x - step * v)) / (2 * step)
    # The third derivative times the square of the step, and rounding divided by it.
    np.testing.assert_allclose(derivative, difference, rtol=0, atol=1e-7 * (1 + np.abs(derivative).max()))
    cotangent = draw(rng, derivative.shape, np.float64)
    (gradient,) = jax.vjp(block, x)[1](cotangent)
    assert abs(np.vdot(gradient, v) - np.vdot(cotangent, derivative)) <= 1e-11 * np.abs(cotangent).sum()


def test_sizes_that_do_not_fit_are_named(rng, framework):
    call = framework.in_use("ResidualBlock", 4, 8, C4, stride=2)
    with pytest.warns(eq.EquivarianceWarning, match="stride 2 does not fit size 8 .*Nearest sizes that fit: 7 or 9"):
        call(signal(rng, C4, 4, (8, 9)), False)


def test_blocks_of_equinox_with_a_state_say_so():
    eqx = pytest.importorskip("equinox")
    import equiconv.jax.equinox as ee

    block, state = eqx.nn.make_with_state(ee.ResidualBlock)(2, 4, C4, key=jax.random.key(0))
    x = np.ones((1, 2, 4, 3, 3), np.float32)
    with pytest.raises(TypeError, match=r"state is None, expected that of equinox\.nn\.make_with_state"):
        block(x)
    y, after = eqx.filter_jit(block)(x, state)
    assert y.shape == (1, 4, 4, 3, 3)
    before, later = (one.get(block.norm1.running)[0] for one in (state, after))
    assert not np.array_equal(before, later)
    assert list(ee.signature(block)) == ["conv1", "conv2", "shortcut"]
    plain = ee.ResidualBlock(2, 4, C4, norm=None, key=jax.random.key(0))
    assert not plain.is_stateful()


def test_networks_of_blocks_train_in_flax(rng):
    nnx = pytest.importorskip("flax.nnx")
    import equiconv.jax.nnx as enn

    rngs = nnx.Rngs(0)
    model = enn.Sequential(
        enn.LiftingConv(1, 4, 3, C4, rngs=rngs), enn.ResidualBlock(4, 8, C4, 2, rngs=rngs), enn.GroupPool(C4),
        enn.SpatialMean(C4),
    )  # fmt: skip
    x = draw(rng, (2, 1, 7, 7), np.float32)

    @nnx.jit
    def step(model):
        def loss(model):
            return ((model(x) - 1) ** 2).mean()

        value, gradients = nnx.value_and_grad(loss)(model)
        nnx.update(model, jax.tree.map(lambda p, g: p - 0.05 * g, nnx.state(model, nnx.Param), gradients))
        return value

    losses = [step(model) for _ in range(10)]
    assert losses[-1] < losses[0]
    assert list(enn.signature(model)) == ["layers.0", *(f"layers.1.{name}" for name in ("conv1", "conv2", "shortcut"))]


def test_wrong_calls_are_named(framework):
    for error, message, arguments, keywords in (
        (ValueError, "in_channels is 0", ("ResidualBlock", 0, 4, C4), {}),
        (ValueError, "kernel is 2 on axis 0, expected an odd extent", ("ResidualBlock", 4, 4, C4), {"kernel": 2}),
        (ValueError, "out_channels is 6, expected a multiple", ("ResidualBlock", 4, 6, C4), {"bottleneck": True}),
        (TypeError, "preactivation is 1", ("ResidualBlock", 4, 4, C4), {"preactivation": 1}),
        (ValueError, "downsample is 'max'", ("ResidualBlock", 4, 4, C4), {"downsample": "max"}),
        (TypeError, "norm is 4", ("ResidualBlock", 4, 4, C4), {"norm": 4}),
        (TypeError, "activation is None", ("DenseBlock", 4, 4, 1, C4), {"activation": None}),
        (ValueError, "layers is 0", ("DenseBlock", 4, 4, 0, C4), {}),
        (TypeError, "group is 4", ("DenseTransition", 4, 4, 4), {}),
        (TypeError, "dtype has dtype int8", ("DenseTransition", 4, 4, C4), {"dtype": "int8"}),
        (ValueError, "algorithm is 'fast'", ("DenseTransition", 4, 4, C4), {"algorithm": "fast"}),
    ):
        with pytest.raises(error, match=message):
            framework.make(*arguments, **keywords)

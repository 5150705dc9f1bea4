"""Norms of samples, and squeeze-and-excitation, in NumPy: by their definitions, and equivariant to the last bit."""

from __future__ import annotations

import math

import equiconv as eq
import numpy as np
import pytest

GROUPS = {
    "reflection": (eq.reflection(), (6,)),
    "C4": (eq.cyclic(4), (5, 5)),
    "D4": (eq.dihedral(4), (3, 4)),
    "octahedral": (eq.octahedral(), (2, 3, 2)),
}


def layers(group, dtype=np.float32):
    norms = (
        eq.GroupNorm(2, 4, 1e-3, dtype=dtype),
        eq.InstanceNorm(4, affine=True, dtype=dtype),
        eq.LayerNorm(4, group, dtype=dtype),
        eq.SqueezeExcite(4, 2, group, dtype=dtype),
    )
    random = np.random.default_rng(1)
    for norm in norms:
        norm.load({name: random.normal(size=array.shape) for name, array in norm.parameters().items()})
    return norms


def signal(group, sizes, on_group=True, dtype=np.float32):
    fiber = (group.order,) if on_group else ()
    return np.random.default_rng(0).normal(1, 2, size=(2, 4, *fiber, *sizes)).astype(dtype)


# In double precision a sum in another order shows.
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("on_group", [True, False])
@pytest.mark.parametrize("name", GROUPS)
def test_norms_commute_with_the_group_to_the_last_bit(name, on_group, dtype):
    group, sizes = GROUPS[name]
    x = signal(group, sizes, on_group, dtype)
    for layer in layers(group, dtype):
        y = layer(x)
        assert y.dtype == dtype
        assert y.shape == x.shape
        for element in range(group.order):
            assert np.array_equal(layer(eq.act(x, group, element)), eq.act(y, group, element))


def by_definition(x, taken_together, eps):
    """(x - mean) / sqrt(variance + eps) over the numbers that have one label."""
    y = np.empty(x.shape)
    for label in np.unique(taken_together):
        numbers = x[taken_together == label].astype(float)
        mean = math.fsum(numbers) / numbers.size
        variance = math.fsum((numbers - mean) ** 2) / numbers.size
        y[taken_together == label] = (numbers - mean) / math.sqrt(variance + eps)
    return y


def labels(x, norm, group):
    sample, channel = np.ogrid[: x.shape[0], : x.shape[1]]
    ones = (1,) * (x.ndim - 2)
    if isinstance(norm, eq.LayerNorm):
        places = np.arange(math.prod(x.shape[-group.dimension :])).reshape(x.shape[-group.dimension :])
        return np.broadcast_to(sample.reshape(-1, 1, *ones) * 10_000 + places, x.shape)
    part = channel // 2 if isinstance(norm, eq.GroupNorm) else channel
    return np.broadcast_to((sample * 10_000 + part).reshape(*x.shape[:2], *ones), x.shape)


@pytest.mark.parametrize("name", GROUPS)
def test_norms_are_their_definitions(name):
    group, sizes = GROUPS[name]
    x = signal(group, sizes, dtype=np.float64)
    for norm in layers(group, np.float64)[:3]:
        column = (-1,) + (1,) * (x.ndim - 2)
        standard = by_definition(x, labels(x, norm, group), norm.options.eps)
        expected = standard * norm.weight.reshape(column) + norm.bias.reshape(column)
        # A handful of operations, each rounded, and sums in which no number is larger than the sum of all.
        bound = 16 * np.finfo(float).eps * (np.abs(standard).max() + np.abs(x).max()) * np.abs(norm.weight).max()
        assert np.all(np.abs(norm(x) - expected) <= bound + 4 * np.finfo(float).eps * np.abs(expected))


def test_squeeze_and_excitation_is_its_definition():
    group, sizes = GROUPS["D4"]
    x = signal(group, sizes, dtype=np.float64)
    layer = layers(group, np.float64)[3]
    own = layer.parameters()
    assert [array.shape for array in own.values()] == [(2, 4), (2,), (4, 2), (4,)]
    hidden = np.maximum(x.mean((2, 3, 4)) @ own["fc1.weight"].T + own["fc1.bias"], 0)
    scale = 1 / (1 + np.exp(-(hidden @ own["fc2.weight"].T + own["fc2.bias"])))
    assert np.allclose(layer(x), x * scale[:, :, None, None, None], rtol=1e-13, atol=0)
    assert eq.SqueezeExcite(4, 100, group).options.squeezed == 1


def test_norms_without_a_map_have_no_parameters():
    assert eq.GroupNorm(2, 4, affine=False).parameters() == {} == eq.InstanceNorm(4).parameters()
    x = signal(*GROUPS["C4"])
    assert np.array_equal(eq.GroupNorm(4, 4, affine=False)(x), eq.InstanceNorm(4)(x))


def test_constant_signals_become_the_bias():
    x = np.full((1, 4, 4, 3, 3), 7.25, np.float32)
    for norm in layers(eq.cyclic(4))[:3]:
        assert np.array_equal(norm(x), np.broadcast_to(norm.bias[:, None, None, None], x.shape))


def test_networks_with_them_cannot_be_saved(tmp_path):
    group = eq.cyclic(4)
    for layer in layers(group):
        network = eq.Sequential(eq.LiftingConv(3, 4, 3, group), layer)
        with pytest.raises(TypeError, match=rf"layer 1 is {type(layer).__name__}.*expected for a file a layer"):
            network.save(tmp_path / "network", np.zeros((1, 3, 5, 5), np.float32))


C4 = eq.cyclic(4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: eq.GroupNorm(3, 4), ValueError, "num_channels is 4, expected a multiple of num_groups, 3"),
        (lambda: eq.GroupNorm(0, 4), ValueError, "num_groups is 0"),
        (lambda: eq.GroupNorm(2, 4, -1.0), ValueError, "eps is -1.0, expected a number that is not negative"),
        (lambda: eq.GroupNorm(2, 4, affine=1), TypeError, "affine is 1"),
        (lambda: eq.LayerNorm(4, 4), TypeError, "group is 4"),
        (lambda: eq.InstanceNorm("4"), TypeError, "num_features is '4'"),
        (lambda: eq.SqueezeExcite(4, 0, C4), ValueError, "reduction is 0"),
        (
            lambda: eq.GroupNorm(2, 4)(np.zeros((1, 3, 2, 2), np.float32)), ValueError,
            r"x has shape \(1, 3, 2, 2\), expected \(B, 4, \[\|H\|,\] spatial...\) .*GroupNorm\(2, 4",
        ),
        (
            lambda: eq.LayerNorm(4, C4)(np.zeros((1, 4, 2), np.float32)), ValueError,
            r"spatial...\) with 2 spatial axes of at least 1 for LayerNorm\(4, C4",
        ),
        (lambda: eq.InstanceNorm(4)(np.zeros((1, 4, 0), np.float32)), ValueError, "sizes of at least 1"),
        (lambda: eq.GroupNorm(2, 4)(np.zeros((1, 4, 2, 2))), TypeError, "x has dtype float64, expected float32"),
        (lambda: eq.SqueezeExcite(4, 2, C4)(np.zeros((1, 4, 2), np.float32)), ValueError, "SqueezeExcite"),
    ],
)  # fmt: skip
def test_wrong_calls_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()

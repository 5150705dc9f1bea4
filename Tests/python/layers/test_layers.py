# SPDX-License-Identifier: Apache-2.0
"""Every layer agrees with its definition."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
import reference
from cases import DTYPES, FORWARD, GROUPS, LAYERS, all_cases, identify, operands, rounding_bound


@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
@pytest.mark.parametrize(("layer", "name", "sampling"), all_cases(), ids=identify)
def test_layer_equals_its_definition(rng, layer, name, sampling, dtype):
    group = GROUPS[name]
    x, weight, bias = operands(rng, layer, group, sampling, dtype)
    y = FORWARD[layer](x, weight, group, bias, **sampling.keywords)
    expected = reference.layer(layer, x, weight, group.matrices, bias, **sampling.keywords)
    assert y.dtype == dtype
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=0, atol=rounding_bound(x, weight, group))


def has_binary_mean(case):
    """The mean over 12, 24 or 48 elements is not a binary fraction, so integers do not stay exact."""
    layer, name, _ = case
    return reference.WRITES_GROUP[layer] or GROUPS[name].order.bit_count() == 1


@pytest.mark.parametrize(("layer", "name", "sampling"), list(filter(has_binary_mean, all_cases())), ids=identify)
def test_layer_is_exact_on_integers(rng, layer, name, sampling):
    group = GROUPS[name]
    x, weight, bias = operands(rng, layer, group, sampling, np.float32, integers=True)
    y = FORWARD[layer](x, weight, group, bias, algorithm="direct", **sampling.keywords)
    expected = reference.layer(layer, x, weight, group.matrices, bias, **sampling.keywords)
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("channels", [1, 2, 7, 8, 9, 17])
@pytest.mark.parametrize("outputs", [1, 5, 8, 13])
def test_layer_is_exact_at_every_remainder_of_channels(rng, channels, outputs):
    group = eq.cyclic(4)
    x = rng.integers(-4, 5, size=(1, channels, 4, 6, 19)).astype(np.float32)
    weight = rng.integers(-4, 5, size=(outputs, channels, 4, 3, 3)).astype(np.float32)
    y = eq.group_conv(x, weight, group, padding=1, algorithm="direct")
    np.testing.assert_array_equal(y, reference.layer("group", x, weight, group.matrices, padding=1))


@pytest.mark.parametrize("layer", LAYERS)
def test_layer_is_linear_in_the_batch(rng, layer):
    group = eq.dihedral(4)
    fiber = (8,) if reference.READS_GROUP[layer] else ()
    x = rng.normal(size=(5, 3, *fiber, 9, 9))
    weight = rng.normal(size=(2, 3, *fiber, 3, 3))
    whole = FORWARD[layer](x, weight, group, algorithm="direct")
    for b in range(5):
        alone = FORWARD[layer](x[b : b + 1], weight, group, algorithm="direct")
        np.testing.assert_array_equal(whole[b : b + 1], alone)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
def test_empty_batch_gives_an_empty_result(layer, dtype):
    group = eq.cyclic(4)
    fiber = (4,) if reference.READS_GROUP[layer] else ()
    x, weight = np.empty((0, 3, *fiber, 8, 6), dtype), np.ones((5, 3, *fiber, 3, 3), dtype)
    y = FORWARD[layer](x, weight, group)
    fiber_out = (4,) if reference.WRITES_GROUP[layer] else ()
    assert y.shape == (0, 5, *fiber_out, 6, 4)
    assert y.dtype == dtype


def test_trivial_group_makes_all_layers_ordinary_convolution(rng):
    x, weight = rng.normal(size=(2, 3, 1, 9, 8)), rng.normal(size=(4, 3, 1, 3, 3))
    group, exact = eq.trivial(2), {"algorithm": "direct"}
    plane = eq.isotropic_conv(x[:, :, 0], weight[:, :, 0], group, **exact)
    np.testing.assert_array_equal(plane, eq.lifting_conv(x[:, :, 0], weight[:, :, 0], group, **exact)[:, :, 0])
    np.testing.assert_array_equal(plane, eq.group_conv(x, weight, group, **exact)[:, :, 0])
    np.testing.assert_array_equal(plane, eq.projection_conv(x, weight, group, **exact))


def test_projection_with_a_constant_delta_is_the_sum_over_the_fiber(rng):
    x = rng.integers(-9, 10, size=(2, 3, 8, 6, 5)).astype(np.float64)
    weight = np.zeros((3, 3, 8, 1, 1))
    weight[np.arange(3), np.arange(3)] = 1
    y = eq.projection_conv(x, weight, eq.dihedral(4), algorithm="direct")
    np.testing.assert_array_equal(y, x.sum(axis=2))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_stay_where_they_are(value):
    """By the direct algorithm; others spread them over a tile."""
    x = np.zeros((1, 1, 9, 9), np.float32)
    x[0, 0, 4, 4] = value
    y = eq.lifting_conv(x, np.ones((1, 1, 3, 3), np.float32), eq.cyclic(4), padding=1, algorithm="direct")
    finite = np.isfinite(y)
    assert not finite[..., 3:6, 3:6].any()
    assert finite.sum() == finite.size - 4 * 9

# SPDX-License-Identifier: Apache-2.0
"""Mean and maximum over H, and their gradients."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from cases import DTYPES, GROUPS, identify

SPATIAL = {1: (5,), 2: (3, 4), 3: (2, 3, 4)}


def signal(rng, group, dtype):
    return rng.normal(size=(2, 3, group.order, *SPATIAL[group.dimension])).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
@pytest.mark.parametrize("name", GROUPS)
def test_pool_equals_its_definition(rng, name, dtype):
    x = signal(rng, GROUPS[name], dtype)
    np.testing.assert_array_equal(eq.group_pool(x, "max"), x.max(axis=2))
    mean = eq.group_pool(x)
    assert mean.dtype == dtype
    np.testing.assert_allclose(mean, x.mean(axis=2, dtype=np.float64), rtol=0, atol=np.finfo(dtype).eps * 4)


@pytest.mark.parametrize("mode", ["mean", "max"])
@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
@pytest.mark.parametrize("name", GROUPS)
def test_pool_commutes_with_the_action_to_the_last_bit(rng, name, dtype, mode):
    group = GROUPS[name]
    assert eq.equivariance_error(lambda x: eq.group_pool(x, mode), signal(rng, group, dtype), group) == 0.0


def test_mean_commutes_with_every_permutation_of_the_fiber(rng):
    x = rng.normal(size=(1, 2, 24, 3, 3, 3)).astype(np.float32) * 10.0 ** rng.integers(-6, 6, size=(1, 2, 24, 1, 1, 1))
    x = x.astype(np.float32)
    expected = eq.group_pool(x)
    for _ in range(20):
        np.testing.assert_array_equal(eq.group_pool(x[:, :, rng.permutation(24)]), expected)


def test_maximum_over_a_nan_is_nan():
    x = np.zeros((1, 1, 4, 3))
    for h in range(4):
        x[...] = 0
        x[0, 0, h, 1] = np.nan
        np.testing.assert_array_equal(eq.group_pool(x, "max"), [[[0, np.nan, 0]]])


@pytest.mark.parametrize("mode", ["mean", "max"])
@pytest.mark.parametrize("name", ["reflection", "D4", "octahedral"])
def test_gradient_equals_finite_differences(rng, name, mode):
    x = signal(rng, GROUPS[name], np.float64)
    grad_out = rng.normal(size=eq.group_pool(x).shape)
    gradient = eq.group_pool_vjp(grad_out, x, mode)
    assert gradient.shape == x.shape
    step = 1e-7
    flat = x.reshape(-1)
    for i in rng.permutation(flat.size)[:60]:
        before = flat[i]
        values = []
        for sign in (1, -1):
            flat[i] = before + sign * step
            values.append(np.sum(grad_out * eq.group_pool(x, mode)))
        flat[i] = before
        assert (values[0] - values[1]) / (2 * step) == pytest.approx(gradient.reshape(-1)[i], abs=1e-6)


def test_gradient_of_the_maximum_is_shared_by_equal_values():
    x = np.array([1.0, 3.0, 3.0, 2.0]).reshape(1, 1, 4, 1)
    np.testing.assert_array_equal(eq.group_pool_vjp(np.full((1, 1, 1), 8.0), x, "max").ravel(), [0, 4, 4, 0])


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_gradient_conserves_the_sum(rng, mode):
    x = signal(rng, eq.dihedral(4), np.float64)
    grad_out = rng.normal(size=(2, 3, 3, 4))
    gradient = eq.group_pool_vjp(grad_out, x, mode)
    np.testing.assert_allclose(gradient.sum(axis=2), grad_out, rtol=1e-14)


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_empty_batch(mode):
    x = np.empty((0, 3, 4, 5, 5), np.float32)
    assert eq.group_pool(x, mode).shape == (0, 3, 5, 5)
    assert eq.group_pool_vjp(np.empty((0, 3, 5, 5), np.float32), x, mode).shape == x.shape


def test_out_is_written_and_returned(rng):
    x = signal(rng, eq.cyclic(4), np.float32)
    out = np.empty((2, 3, 3, 4), np.float32)
    assert eq.group_pool(x, "max", out=out) is out
    np.testing.assert_array_equal(out, x.max(axis=2))

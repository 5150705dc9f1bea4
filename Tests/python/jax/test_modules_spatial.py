# SPDX-License-Identifier: Apache-2.0
"""Pools and means over space as modules of Flax and Equinox."""

from __future__ import annotations

import math

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, D4, assert_same_bits, draw, ej, jax, quick_compiler, x64
from jax_modules import compiled, framework

__all__ = ["framework", "quick_compiler", "x64"]


@pytest.mark.parametrize("arguments", [(2,), (3, 2, 1), ((2, 3), (1, 2), (1, 0))], ids=str)
@pytest.mark.parametrize("name", ["SpatialMaxPool", "SpatialAvgPool"])
@pytest.mark.filterwarnings("ignore::equiconv.EquivarianceWarning")
def test_pools_are_those_of_torch(rng, framework, name, arguments):
    torch = pytest.importorskip("torch")
    import equiconv.torch as et

    x = draw(rng, (2, 3, 4, 7, 8), np.float32)
    tensor = torch.tensor(x, requires_grad=True)
    expected = getattr(et, name)(C4, *arguments)(tensor)
    y, vjp = jax.vjp(framework.make(name, C4, *arguments), x)
    cotangent = draw(rng, y.shape, np.float32)
    expected.backward(torch.tensor(cotangent))
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=0 if name == "SpatialMaxPool" else 3e-7, atol=1e-7)
    np.testing.assert_allclose(vjp(cotangent)[0], tensor.grad.numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["SpatialMaxPool", "SpatialAvgPool"])
@pytest.mark.parametrize("group", [eq.reflection(), D4, eq.octahedral()], ids=lambda group: group.name)
def test_pools_commute_with_the_action_to_the_last_bit(rng, framework, name, group):
    x = draw(rng, (1, 2, group.order, *(7,) * group.dimension), np.float32)
    pool = compiled(framework.make(name, group, 3, 2))
    for element in range(0, group.order, max(1, group.order // 8)):
        assert_same_bits(pool(ej.act(x, group, element)), ej.act(pool(x), group, element))


@pytest.mark.parametrize("name", ["SpatialMaxPool", "SpatialAvgPool"])
def test_windows_that_do_not_fit_are_refused(framework, name):
    with pytest.raises(ValueError, match="kernel is 5, expected at most 4: x has size 4 on axis 2"):
        framework.make(name, C4, 5)(np.zeros((1, 1, 4, 6), np.float32))


MEANS = {
    "normal": lambda rng, dtype: rng.normal(size=(2, 3, 33, 31)),
    "cancelling": lambda rng, dtype: rng.normal(size=(2, 3, 9, 9)) * 10.0 ** rng.integers(-6, 6, (2, 3, 9, 9)),
    "large": lambda rng, dtype: rng.uniform(-1, 1, (1, 2, 5, 5)) * (np.finfo(dtype).max / 32),
    "small": lambda rng, dtype: rng.normal(size=(1, 2, 5, 5)) * np.finfo(dtype).tiny * 64,
    "one pixel": lambda rng, dtype: rng.normal(size=(2, 3, 1, 1)),
    "zero": lambda rng, dtype: np.zeros((1, 2, 3, 3)),
}


@pytest.mark.parametrize("case", MEANS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_means_do_not_depend_on_the_order_of_pixels_and_are_exact_up_to_rounding(rng, x64, framework, case, dtype):
    x = MEANS[case](rng, dtype).astype(dtype)
    mean = compiled(framework.make("SpatialMean", C4))
    y = np.asarray(mean(x))
    flat = x.reshape(*x.shape[:2], -1)
    for _ in range(4):
        assert_same_bits(mean(rng.permuted(flat, axis=2).reshape(x.shape)), y)
    expected = np.array([[math.fsum(plane) / len(plane) for plane in image] for image in flat.tolist()])
    # Half a unit for the sum, one for the division, and what is dropped below the largest.
    bound = 1.5 * np.finfo(dtype).eps * np.abs(expected) + np.abs(flat).max(2) * 2.0 ** (
        -55 if dtype == np.float32 else -105
    )
    assert np.all(np.abs(y.astype(np.float64) - expected) <= bound + np.finfo(dtype).tiny)


def test_means_of_planes_with_nan_and_infinity_are_those_of_addition(framework):
    x = np.ones((1, 4, 3, 3), np.float32)
    x[0, 1, 1, 2], x[0, 2, 0, 0], x[0, 3, 0, 1], x[0, 3, 2, 2] = np.nan, np.inf, np.inf, -np.inf
    y = framework.make("SpatialMean", C4)(x)
    np.testing.assert_array_equal(y, [[1, np.nan, np.inf, np.nan]])


def test_the_gradient_of_a_mean_spreads_evenly(rng, x64, framework):
    x = draw(rng, (2, 3, 4, 5, 6))
    mean = framework.make("SpatialMean", C4)
    y, vjp = jax.vjp(mean, x)
    assert y.shape == (2, 3, 4)
    cotangent = draw(rng, y.shape)
    np.testing.assert_allclose(vjp(cotangent)[0], np.broadcast_to(cotangent[..., None, None] / 30, x.shape), rtol=1e-15)
    mapped = jax.vmap(jax.grad(lambda x: mean(x[None]).sum()))(x)
    np.testing.assert_allclose(mapped, np.full(x.shape, 1 / 30), rtol=1e-15)

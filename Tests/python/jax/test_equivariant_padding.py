# SPDX-License-Identifier: Apache-2.0
"""Padding "equivariant" in JAX: NumPy's numbers, in functions and in modules."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, jax, quick_compiler
from jax_modules import framework

__all__ = ["framework", "quick_compiler"]

ej = pytest.importorskip("equiconv.jax")
FITTED = {"padding": "equivariant"}


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("backend", ["engine", "xla"])
@pytest.mark.parametrize(("size", "kernel", "stride", "amount"), [(8, 4, 2, 1), (10, 3, 3, 1)])
def test_functions_have_numpys_numbers(backend, size, kernel, stride, amount):
    x, weight = draw(2, 2, 4, size, size), draw(3, 2, 4, kernel, kernel, seed=1)
    call = jax.jit(lambda x, weight: ej.group_conv(x, weight, C4, stride=stride, backend=backend, **FITTED))
    assert np.allclose(call(x, weight), eq.group_conv(x, weight, C4, stride=stride, padding=amount), atol=1e-4)
    up = jax.jit(lambda x, weight: ej.transposed_conv(x, weight, C4, stride=stride, backend=backend, **FITTED))
    expected = eq.transposed_conv(draw(2, 3, 4, 4, 4), weight, C4, stride=stride, **FITTED)
    assert np.allclose(up(draw(2, 3, 4, 4, 4), weight), expected, atol=1e-4)
    with pytest.raises(ValueError, match="none fits size 7"):
        ej.group_conv(draw(1, 2, 4, 7, 7), draw(3, 2, 4, 2, 2), C4, stride=2, backend=backend, **FITTED)


def test_modules_follow_the_sizes_of_each_signal(framework):
    layer = framework.make("GroupConv", 2, 3, 3, C4, stride=3, **FITTED)
    for size, expected in [(9, 3), (10, 4)]:
        assert layer(draw(1, 2, 4, size, size)).shape == (1, 3, 4, expected, expected)


@pytest.mark.parametrize("pool", ["SpatialMaxPool", "SpatialAvgPool"])
def test_pools_have_the_least_padding_that_fits(framework, pool):
    for size, kernel, stride, amount in [(8, 2, 2, 0), (9, 3, 2, 1), (10, 3, 3, 1)]:
        x = draw(1, 2, 4, size, size)
        y = framework.make(pool, C4, kernel, stride, **FITTED)(x)
        assert np.array_equal(y, framework.make(pool, C4, kernel, stride, padding=amount)(x))
        assert np.allclose(y, getattr(eq, pool)(C4, kernel, stride, **FITTED)(x), rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="Expected size 8 or 10 or kernel 1 or 3"):
        framework.make(pool, C4, 2, **FITTED)(draw(1, 2, 4, 9, 9))

# SPDX-License-Identifier: Apache-2.0
"""jax.vmap of equiconv.jax is a loop, whichever operands are mapped and wherever their axes are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from jax_cases import C4, D4, NAMES, assert_same_bits, draw, ej, jax, layer, operands, quick_compiler, x64

__all__ = ["quick_compiler", "x64"]

SIZE = 3
MAPPED = [axes for axes in itertools.product([False, True], repeat=3) if any(axes)]


def stacked(rng, array, is_mapped, axis=0):
    """The array, or different ones along a new axis."""
    return np.stack([array + i * draw(rng, array.shape) for i in range(SIZE)], axis) if is_mapped else array


def slices(arrays, axes):
    """The arguments of each call."""
    for i in range(SIZE):
        yield [a if axis is None else np.take(a, i, axis) for a, axis in zip(arrays, axes, strict=True)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mapped", MAPPED, ids=str)
def test_layers(rng, x64, name, mapped):
    places = (2, 1, 0)
    axes = tuple(place if is_mapped else None for place, is_mapped in zip(places, mapped, strict=True))
    arrays = [
        stacked(rng, array, is_mapped, place)
        for array, is_mapped, place in zip(operands(rng, name, C4, (5, 6), (3, 3)), mapped, places, strict=True)
    ]
    function = layer(name, C4)
    y = jax.jit(jax.vmap(function, axes))(*arrays)
    for i, arguments in enumerate(slices(arrays, axes)):
        assert_same_bits(y[i], function(*arguments))


@pytest.mark.parametrize("mapped", MAPPED, ids=str)
def test_gradients_of_each_call(rng, x64, mapped):
    """vmap(grad): with x mapped, the gradients of single samples."""
    arrays = [stacked(rng, a, m) for a, m in zip(operands(rng, "group_conv", C4, (5, 5), (3, 3)), mapped, strict=True)]
    axes = tuple(0 if is_mapped else None for is_mapped in mapped)
    gradient = jax.grad(lambda *o: jax.numpy.sin(layer("group_conv", C4)(*o)).sum(), (0, 1, 2))
    result = jax.jit(jax.vmap(gradient, axes))(*arrays)
    for i, arguments in enumerate(slices(arrays, axes)):
        for one, expected in zip(result, gradient(*arguments), strict=True):
            np.testing.assert_allclose(one[i], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("mapped", MAPPED, ids=str)
def test_gradients_of_mapped_calls(rng, x64, mapped):
    """grad(vmap): operands that all calls share have the sum of the gradients."""
    arrays = [stacked(rng, a, m) for a, m in zip(operands(rng, "group_conv", C4, (5, 5), (3, 3)), mapped, strict=True)]
    axes = tuple(0 if is_mapped else None for is_mapped in mapped)
    function = layer("group_conv", C4)

    def loss(*arrays):
        return jax.numpy.sin(jax.vmap(function, axes)(*arrays)).sum()

    def loop(*arrays):
        calls = [[a if axis is None else a[i] for a, axis in zip(arrays, axes, strict=True)] for i in range(SIZE)]
        return sum(jax.numpy.sin(function(*arguments)).sum() for arguments in calls)

    result = jax.jit(jax.grad(loss, (0, 1, 2)))(*arrays)
    for one, expected in zip(result, jax.grad(loop, (0, 1, 2))(*arrays), strict=True):
        np.testing.assert_allclose(one, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("mapped", MAPPED, ids=str)
def test_derivatives_of_mapped_calls(rng, x64, mapped):
    check_grads = pytest.importorskip("jax.test_util").check_grads
    small = operands(rng, "lifting_conv", C4, (4, 4), (2, 2), batch=1, channels=1, outputs=2)
    arrays = [stacked(rng, a, m) for a, m in zip(small, mapped, strict=True)]
    axes = tuple(0 if is_mapped else None for is_mapped in mapped)
    function = jax.jit(lambda *o: jax.numpy.sin(jax.vmap(layer("lifting_conv", C4), axes)(*o) / 8))
    check_grads(function, arrays, order=2, modes=("fwd", "rev"))


# Images of the batch, calls of their own, both, and with an operand that has no axis.
SOME = [(True, False, False), (False, True, False), (True, False, True), (True, True, True)]


@pytest.mark.parametrize("outer", SOME, ids=str)
@pytest.mark.parametrize("inner", SOME, ids=str)
def test_nested_maps(rng, x64, outer, inner):
    base = operands(rng, "lifting_conv", C4, (4, 5), (3, 3), batch=2, channels=2)
    inner_arrays = [stacked(rng, a, m) for a, m in zip(base, inner, strict=True)]
    # The outer axis comes last, so that it is moved.
    arrays = [stacked(rng, a, m, a.ndim) for a, m in zip(inner_arrays, outer, strict=True)]
    inner_axes = tuple(0 if m else None for m in inner)
    outer_axes = tuple(a.ndim - 1 if m else None for a, m in zip(arrays, outer, strict=True))
    function = layer("lifting_conv", C4)
    y = jax.vmap(jax.vmap(function, inner_axes), outer_axes)(*arrays)
    for i, some in enumerate(slices(arrays, outer_axes)):
        for j, arguments in enumerate(slices(some, inner_axes)):
            assert_same_bits(y[i, j], function(*arguments))


def test_hessian_of_every_sample(rng, x64):
    x, weight, _ = operands(rng, "lifting_conv", C4, (4, 4), (2, 2), batch=4, channels=1, outputs=1)

    def loss(weight, image):
        return (layer("lifting_conv", C4)(image[None], weight) ** 3).sum()

    hessians = jax.jit(jax.vmap(jax.hessian(loss), (None, 0)))(weight, x)
    total = jax.hessian(lambda weight: (layer("lifting_conv", C4)(x, weight) ** 3).sum())(weight)
    np.testing.assert_allclose(hessians.sum(0), total, rtol=1e-10)


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_pools_and_the_action(rng, x64, mode):
    x = draw(rng, (2, 2, 8, SIZE, 4, 4))

    def function(x):
        return ej.group_pool(ej.act(x, D4, 6), mode)

    y = jax.vmap(function, 3, 1)(x)
    gradient = jax.vmap(jax.grad(lambda x: jax.numpy.sin(function(x)).sum()), 3)(x)
    for i in range(SIZE):
        assert_same_bits(y[:, i], function(x[:, :, :, i]))
        one = jax.grad(lambda x: jax.numpy.sin(function(x)).sum())(x[:, :, :, i])
        np.testing.assert_allclose(gradient[i], one, rtol=1e-12)


def test_no_calls_at_all(rng):
    weights = np.zeros((0, 2, 3, 3, 3), np.float32)
    x = draw(rng, (2, 3, 5, 5), np.float32)
    assert jax.vmap(layer("lifting_conv", C4), (None, 0))(x, weights).shape == (0, 2, 2, 4, 3, 3)
    assert jax.vmap(layer("lifting_conv", C4), (0, None))(x[None][:0], weights[:0].sum(0)).shape[0] == 0

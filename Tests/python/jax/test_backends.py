# SPDX-License-Identifier: Apache-2.0
"""Layers by operations of XLA are those by the engine, up to rounding: all passes, derivatives and maps."""

from __future__ import annotations

import itertools
from functools import partial

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, C8, D4, draw, ej, jax, program_of, quick_compiler, x64
from jax_magnitudes import magnitudes_of, roundings_of
from torch_cases import CASES

__all__ = ["quick_compiler", "x64"]

jnp = jax.numpy
HALVES = (jnp.bfloat16, np.float16)


def function_of(case, backend):
    """(x, weight, bias) -> the layer of a case."""
    return lambda x, weight, bias: getattr(ej, case.function)(
        x, weight, case.group, bias, **case.keywords, backend=backend
    )


def passes_of(function, operands, gradient):
    """The output, and the gradients of the operands."""
    y, vjp = jax.vjp(function, *operands)
    return [y, *vjp(gradient)]


def assert_close(found, expected, limit=1e-12):
    """Errors are at most `limit` of the largest number of each array."""
    for a, b in zip(found, expected, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.shape == b.shape
        assert np.max(np.abs(a - b)) <= limit * np.max(np.abs(b))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_all_passes_are_those_of_the_engine(rng, x64, case):
    operands = case.operands(rng)
    engine, xla = (function_of(case, backend) for backend in ("engine", "xla"))
    gradient = draw(rng, jax.eval_shape(engine, *operands).shape)
    found = passes_of(xla, operands, gradient)
    assert_close(found, passes_of(engine, operands, gradient))
    without_bias = getattr(ej, case.function)(*operands[:2], case.group, **case.keywords, backend="xla")
    assert_close([without_bias + operands[2].reshape(-1, *(1,) * (found[0].ndim - 2))], found[:1])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_second_derivatives_are_those_of_the_engine(rng, x64, case):
    operands = case.operands(rng, batch=1)
    tangents = tuple(draw(rng, array.shape) for array in operands)

    def second(backend):
        function = function_of(case, backend)
        gradient = jax.grad(lambda *arrays: jnp.sin(function(*arrays)).sum(), (0, 1, 2))
        return jax.jit(lambda *arrays: jax.jvp(gradient, arrays, tangents)[1])(*operands)

    assert_close(second("xla"), second("engine"))


def test_derivatives_are_those_of_differences(rng, x64):
    check_grads = pytest.importorskip("jax.test_util").check_grads
    case = next(case for case in CASES if case.layer == "group" and case.name == "D4")
    function = jax.jit(lambda *arrays: jnp.sin(function_of(case, "xla")(*arrays) / 8))
    check_grads(function, case.operands(rng, batch=1), order=2, modes=("fwd", "rev"))


# ---- Rounding ----


def single_and_wide(rng, case, dtype):
    """The four arrays of a case in a dtype, its passes by XLA, the same in float64 by the engine, and bounds."""
    operands = [jnp.asarray(array.astype(dtype)) for array in case.operands(rng)]
    function = function_of(case, "xla")
    gradient = jnp.asarray(draw(rng, jax.eval_shape(function, *operands).shape, dtype))
    found = passes_of(function, operands, gradient)
    assert all(array.dtype == dtype for array in found)
    arrays = [np.asarray(array).astype(np.float64) for array in (*operands, gradient)]
    return program_of(function, *operands), arrays, found


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, *HALVES], ids=["float32", "bfloat16", "float16"])
def test_errors_are_those_of_rounding(rng, x64, monkeypatch, case, dtype):
    """In float32 of all sums. In half precision sums are in float32, and what is stored on the way is rounded."""
    program, arrays, found = single_and_wide(rng, case, dtype)
    expected = passes_of(function_of(case, "engine"), arrays[:3], arrays[3])
    limits = magnitudes_of(program, *arrays, monkeypatch)
    # A bank or the gradient of one, a result, and the sum of a result and a bias.
    stored = 3 * float(jnp.finfo(dtype).eps) / 2 if dtype != np.float32 else 0
    for one, right, limit, roundings in zip(found, expected, limits, roundings_of(program, 2), strict=True):
        bound = stored + roundings * np.finfo(np.float32).eps / 2
        assert np.all(np.abs(np.asarray(one).astype(np.float64) - np.asarray(right)) <= bound * limit)


@pytest.mark.parametrize("dtype", HALVES, ids=["bfloat16", "float16"])
def test_half_precision_needs_no_backend(rng, dtype):
    x, weight = (draw(rng, shape).astype(dtype) for shape in ((2, 3, 4, 6, 6), (2, 3, 4, 3, 3)))
    y = jax.jit(lambda x: ej.group_conv(x, weight, C4))(x)
    assert y.dtype == dtype
    assert np.array_equal(y, ej.group_conv(x, weight, C4, backend="xla"))


# ---- Any amount of padding, and signals without images ----


@pytest.mark.parametrize("padding", [1, 3, 4, 11])
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.filterwarnings("ignore::equiconv.EquivarianceWarning")
def test_circular_padding_goes_around_as_often_as_it_takes(rng, x64, padding, stride):
    x, weight = draw(rng, (2, 2, 4, 4, 3)), draw(rng, (2, 2, 4, 3, 3))
    keywords = {"padding": padding, "padding_mode": "circular", "stride": stride}
    engine, xla = (
        lambda x, weight, backend=backend: ej.group_conv(x, weight, C4, **keywords, backend=backend)
        for backend in ("engine", "xla")
    )
    gradient = draw(rng, jax.eval_shape(engine, x, weight).shape)
    assert_close(passes_of(xla, (x, weight), gradient), passes_of(engine, (x, weight), gradient))


def test_empty_batches_have_gradients_of_zero(rng):
    x, weight, bias = draw(rng, (0, 3, 4, 6, 6), np.float32), draw(rng, (2, 3, 4, 3, 3), np.float32), np.ones(2)
    operands = (x, weight, bias.astype(np.float32))
    function = partial(ej.group_conv, backend="xla")
    assert function(x, weight, C4).shape == (0, 2, 4, 4, 4)
    gradients = jax.grad(lambda x, w, b: function(x, w, C4, b).sum(), (0, 1, 2))(*operands)
    assert [gradient.shape for gradient in gradients] == [array.shape for array in operands]
    assert not any(np.any(gradient) for gradient in gradients)


# ---- Maps ----

MASKS = [mask for mask in itertools.product((False, True), repeat=3) if any(mask)]
MAPPED = {
    "group": (C4, {}, (2, 3, 4, 4, 5), (2, 3, 4, 3, 3)),
    "depthwise": (D4, {"groups": 2, "input_stabilizer": [0, 4], "output_stabilizer": [0, 2]}, (2, 2, 4, 4, 4),
                  (2, 1, 4, 3, 3)),
    "basis": (C8, {"basis": eq.circular_harmonics(3), "input_stabilizer": range(8), "output_stabilizer": [0],
                   "stride": 2, "padding": 1}, (2, 2, 5, 5), (2, 2, *eq.circular_harmonics(3).shape)),
}  # fmt: skip


@pytest.mark.parametrize("name", MAPPED)
@pytest.mark.parametrize("mask", MASKS, ids=str)
def test_mapped_operands_of_every_mask(rng, x64, name, mask):
    group, keywords, *shapes = MAPPED[name]
    stabilizers = {} if "input_stabilizer" in keywords else {"input_stabilizer": [0], "output_stabilizer": [0]}
    shapes = (*shapes, (2,))
    operands = [draw(rng, (3, *shape) if is_mapped else shape) for shape, is_mapped in zip(shapes, mask, strict=True)]
    axes = tuple(0 if is_mapped else None for is_mapped in mask)

    def mapped(backend):
        def layer(x, weight, bias):
            return ej.conv(x, weight, group, bias, **stabilizers, **keywords, backend=backend)

        return jax.vmap(layer, axes)

    gradient = draw(rng, jax.eval_shape(mapped("engine"), *operands).shape)
    found, expected = (passes_of(jax.jit(mapped(backend)), operands, gradient) for backend in ("xla", "engine"))
    assert_close(found, expected)
    # Of each sample: gradients of weights that are mapped as well.
    samples = [
        jax.vmap(jax.grad(lambda *arrays, one=one: jnp.sin(one(*arrays)).sum(), (0, 1, 2)), axes)(*operands)
        for one in (lambda x, w, b, k=k: ej.conv(x, w, group, b, **stabilizers, **keywords, backend=k)
                    for k in ("xla", "engine"))
    ]  # fmt: skip
    assert_close(*samples)


def test_no_calls_at_all(rng):
    weights, x = np.zeros((0, 2, 3, 3, 3), np.float32), draw(rng, (2, 3, 5, 5), np.float32)
    function = partial(ej.lifting_conv, group=C4, backend="xla")
    assert jax.vmap(function, (None, 0))(x, weights).shape == (0, 2, 2, 4, 3, 3)


# ---- Pools ----


@pytest.mark.parametrize("order", [1, 2, 5, 24])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, *HALVES], ids=str)
def test_the_mean_over_the_fiber_is_the_engines(rng, x64, order, dtype):
    x = draw(rng, (2, 3, order, 3, 4)).astype(dtype)
    y, vjp = jax.vjp(partial(ej.group_pool, backend="xla"), x)
    gradient = draw(rng, y.shape).astype(dtype)
    wide = eq.group_pool(x.astype(np.float64)).astype(dtype), np.asarray(gradient / np.asarray(order, dtype))
    eps = float(jnp.finfo(dtype).eps)
    assert y.dtype == dtype
    np.testing.assert_allclose(np.float64(y), np.float64(wide[0]), rtol=4 * eps, atol=4 * eps)
    spread = np.broadcast_to(np.expand_dims(wide[1], 2), x.shape)
    np.testing.assert_allclose(np.float64(vjp(gradient)[0]), np.float64(spread), rtol=eps)


@pytest.mark.parametrize("with_float64", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, *HALVES], ids=str)
def test_the_mean_over_the_fiber_does_not_depend_on_its_order(rng, with_float64, dtype):
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", with_float64)
    try:
        x = (draw(rng, (2, 3, 24, 5, 7)) * 10.0 ** rng.integers(-3, 4, (2, 3, 24, 5, 7))).astype(dtype)
        assert not np.array_equal(x.cumsum(2)[:, :, -1], x[:, :, ::-1].cumsum(2)[:, :, -1])
        pool = jax.jit(partial(ej.group_pool, backend="xla"))
        y = np.asarray(pool(x))
        for _ in range(5):
            turned = pool(x[:, :, rng.permutation(24)])
            assert np.array_equal(np.asarray(turned), y)
    finally:
        jax.config.update("jax_enable_x64", before)


def test_second_derivatives_and_maps_of_the_mean(rng, x64):
    x = draw(rng, (3, 2, 2, 5, 3, 3))
    results = []
    for backend in ("engine", "xla"):
        pool = jax.vmap(lambda x, backend=backend: ej.group_pool(x, backend=backend))
        hessian = jax.jvp(jax.grad(lambda x, pool=pool: jnp.sin(pool(x)).sum()), (x,), (jnp.cos(x),))
        results.append(hessian)
    assert_close(*results)


def test_a_mean_over_values_with_nan_is_nan():
    x = np.zeros((1, 1, 4, 2), np.float32)
    x[0, 0, 2, 1] = np.nan
    assert np.isnan(ej.group_pool(x, backend="xla")).tolist() == [[[False, True]]]

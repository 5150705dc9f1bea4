# SPDX-License-Identifier: Apache-2.0
"""The gradients are those of the layers: by finite differences and as adjoints."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from cases import (
    DTYPES,
    FORWARD,
    GROUPS,
    LAYERS,
    SMALL_GROUPS,
    VJP,
    Sampling,
    all_cases,
    identify,
    operands,
    output_like,
    rounding_bound,
)


def inner(a, b):
    return float(np.sum(a.astype(np.float64) * b))


@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
@pytest.mark.parametrize(("layer", "name", "sampling"), all_cases(), ids=identify)
def test_gradients_are_adjoints(rng, layer, name, sampling, dtype):
    """<g, K(x, w)> = <K*g, x> = <K'g, w>: the layer is linear in x and in w. And <g, b> = <sum g, b>."""
    group = GROUPS[name]
    x, weight, bias = operands(rng, layer, group, sampling, dtype)
    grad_out = output_like(rng, layer, group, sampling, x, weight)
    y = FORWARD[layer](x, weight, group, **sampling.keywords)
    grad_x, grad_weight, grad_bias = VJP[layer](grad_out, x, weight, group, **sampling.keywords)
    assert (grad_x.shape, grad_weight.shape, grad_bias.shape) == (x.shape, weight.shape, bias.shape)
    assert {grad_x.dtype, grad_weight.dtype, grad_bias.dtype} == {np.dtype(dtype)}
    bound = rounding_bound(x, weight, group) * np.abs(grad_out).sum() + np.finfo(dtype).eps * y.size
    value = inner(grad_out, y)
    assert abs(value - inner(grad_x, x)) <= bound
    assert abs(value - inner(grad_weight, weight)) <= bound
    np.testing.assert_allclose(
        grad_bias,
        np.moveaxis(grad_out, 1, 0).reshape(len(bias), -1).sum(axis=1, dtype=np.float64),
        rtol=np.finfo(dtype).eps,
        atol=1e-15 * grad_out.size,
    )


FINITE_DIFFERENCE_SAMPLINGS = {
    1: Sampling((7,), (3,), {"stride": 2, "padding": 1}),
    2: Sampling((4, 6), (2, 2), {"padding": 1, "dilation": 2}),
    3: Sampling((3, 2, 3), (3, 3, 3), {"padding": 1, "padding_mode": "circular"}),
}


@pytest.mark.parametrize("name", SMALL_GROUPS)
@pytest.mark.parametrize("layer", LAYERS)
def test_gradients_equal_finite_differences(rng, layer, name):
    """Every entry where there are few, forty random ones otherwise; the step is 1, since the layer is bilinear."""
    group = GROUPS[name]
    sampling = FINITE_DIFFERENCE_SAMPLINGS[group.dimension]
    x, weight, bias = operands(rng, layer, group, sampling, np.float64, batch=1, channels=2)
    grad_out = output_like(rng, layer, group, sampling, x, weight)
    gradients = VJP[layer](grad_out, x, weight, group, **sampling.keywords)

    def value():
        return inner(grad_out, FORWARD[layer](x, weight, group, bias, **sampling.keywords))

    for array, gradient in zip((x, weight, bias), gradients, strict=True):
        flat, expected = array.reshape(-1), gradient.reshape(-1)
        for i in rng.permutation(flat.size)[:40]:
            before = flat[i]
            flat[i] = before + 1
            above = value()
            flat[i] = before - 1
            difference = (above - value()) / 2
            flat[i] = before
            assert difference == pytest.approx(expected[i], rel=1e-9, abs=1e-10 * np.abs(grad_out).sum())


@pytest.mark.parametrize("layer", LAYERS)
def test_gradient_in_x_commutes_with_the_action(rng, layer):
    """The adjoint of an equivariant map is equivariant: K* L_g = L_g K*."""
    group = eq.dihedral(4)
    sampling = Sampling((9, 7), (3, 3), {"padding": 1, "stride": 2})
    x, weight, _ = operands(rng, layer, group, sampling, np.float64)
    grad_out = output_like(rng, layer, group, sampling, x, weight)
    grad_x = VJP[layer](grad_out, x, weight, group, **sampling.keywords)[0]
    for g in range(group.order):
        turned = VJP[layer](eq.act(grad_out, group, g), eq.act(x, group, g), weight, group, **sampling.keywords)[0]
        np.testing.assert_allclose(turned, eq.act(grad_x, group, g), rtol=0, atol=1e-12 * np.abs(grad_x).max())


@pytest.mark.parametrize("layer", LAYERS)
def test_unwanted_gradients_are_none_and_the_others_unchanged(rng, layer):
    group = eq.cyclic(4)
    sampling = Sampling((6, 5), (3, 3), {})
    x, weight, _ = operands(rng, layer, group, sampling, np.float32)
    grad_out = output_like(rng, layer, group, sampling, x, weight)
    everything = VJP[layer](grad_out, x, weight, group)
    for i, name in enumerate(("x", "weight", "bias")):
        only = VJP[layer](grad_out, x, weight, group, wanted=(name,))
        assert [j for j in range(3) if only[j] is not None] == [i]
        np.testing.assert_array_equal(only[i], everything[i])
    assert VJP[layer](grad_out, x, weight, group, wanted=()) == (None, None, None)


@pytest.mark.parametrize("layer", LAYERS)
def test_gradients_of_an_empty_batch_are_zero(layer):
    group = eq.cyclic(4)
    fiber = (4,) if layer in ("group", "projection") else ()
    x, weight = np.empty((0, 3, *fiber, 5, 5)), np.ones((2, 3, *fiber, 3, 3))
    y = FORWARD[layer](x, weight, group)
    grad_x, grad_weight, grad_bias = VJP[layer](y, x, weight, group)
    assert grad_x.shape == x.shape
    np.testing.assert_array_equal(grad_weight, np.zeros_like(weight))
    np.testing.assert_array_equal(grad_bias, np.zeros(2))


def test_gradients_of_arrays_that_are_not_contiguous(rng):
    group = eq.cyclic(4)
    x, weight = rng.normal(size=(2, 3, 8, 8)), rng.normal(size=(4, 3, 3, 3))
    grad_out = rng.normal(size=(2, 4, 4, 6, 6))
    expected = eq.lifting_conv_vjp(grad_out, x, weight, group)
    strided = [np.repeat(array, 2, axis=-1)[..., ::2] for array in (grad_out, x, weight)]
    for one, two in zip(expected, eq.lifting_conv_vjp(*strided, group), strict=True):
        np.testing.assert_array_equal(one, two)

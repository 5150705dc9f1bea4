# SPDX-License-Identifier: Apache-2.0
"""Upsampling, blurred pools and adaptive means as functions, in JAX: NumPy's numbers and gradients, turned bits."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from jax_cases import C4, jax, quick_compiler
from resizing_cases import FUNCTIONS, LAYERS, signal

__all__ = ["quick_compiler"]

ej = pytest.importorskip("equiconv.jax")


@pytest.mark.parametrize("layer", LAYERS)
def test_functions_have_numpys_numbers_and_gradients(layer):
    name, arguments, keywords = LAYERS[layer]
    x = signal(C4, 6)
    call = jax.jit(lambda x: getattr(ej, FUNCTIONS[name])(x, C4, *arguments, **keywords))
    y, pullback = jax.vjp(call, x)
    expected = getattr(eq, FUNCTIONS[name])(x, C4, *arguments, **keywords)
    assert np.allclose(y, expected, rtol=1e-5, atol=1e-4)
    gradient = np.random.default_rng(1).standard_normal(y.shape).astype(np.float32)
    slope = getattr(eq, FUNCTIONS[name] + "_vjp")(gradient, x, C4, *arguments, **keywords)
    assert np.allclose(pullback(gradient)[0], slope, rtol=0, atol=1e-5)
    for element in range(C4.order):
        assert np.array_equal(call(eq.act(x, C4, element)), eq.act(np.asarray(y), C4, element))


def test_wrong_calls_are_named():
    x = np.zeros((1, 1, 4, 6, 6), np.float32)
    with pytest.raises(ValueError, match="factor is 0"):
        ej.upsample(x, C4, 0)
    with pytest.raises(ValueError, match=r"x has shape .*for adaptive_mean on C4"):
        ej.adaptive_mean(x[0, 0, 0], C4, 2)
    with pytest.warns(eq.EquivarianceWarning, match="Nearest sizes that fit: 5 or 7"):
        ej.blur_pool(x, C4, 2, 3)

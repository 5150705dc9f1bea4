# SPDX-License-Identifier: Apache-2.0
"""Upsampling, blurred pools and adaptive means as functions, in NumPy: the layers' bits, and adjoints."""

from __future__ import annotations

import warnings

import equiconv as eq
import numpy as np
import pytest
from resizing_cases import FUNCTIONS, GROUPS, LAYERS, elements_of, signal

C4, LINE = eq.cyclic(4), eq.reflection()


def functions(layer):
    """The function of a layer and its gradient, of a signal, a group and more."""
    name, arguments, keywords = LAYERS[layer]
    call, vjp = (getattr(eq, FUNCTIONS[name] + suffix) for suffix in ("", "_vjp"))
    return (
        lambda x, group: call(x, group, *arguments, **keywords),
        lambda gradient, x, group: vjp(gradient, x, group, *arguments, **keywords),
    )


def normal(shape, dtype=np.float64, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("layer", LAYERS)
def test_functions_are_the_layers(layer):
    name, arguments, keywords = LAYERS[layer]
    call, _ = functions(layer)
    for group in GROUPS.values():
        x = signal(group, 6)
        assert np.array_equal(call(x, group), getattr(eq, name)(group, *arguments, **keywords)(x))


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if "max" not in layer])
@pytest.mark.parametrize("group", GROUPS)
def test_gradients_of_linear_functions_are_their_adjoints(group, layer):
    call, vjp = functions(layer)
    group = GROUPS[group]
    for size in (5, 6):
        x = signal(group, size, np.float64)
        gradient, v = normal(call(x, group).shape), normal(x.shape, seed=2)
        assert np.isclose(np.vdot(call(v, group), gradient), np.vdot(v, vjp(gradient, x, group)), rtol=1e-12)


@pytest.mark.parametrize("layer", ["max and blur", "odd max and blur"])
@pytest.mark.parametrize("group", [LINE, C4, eq.octahedral()], ids=str)
def test_gradients_behind_maxima_are_differences(group, layer):
    call, vjp = functions(layer)
    x = np.random.default_rng(0).permutation(np.prod(signal(group, 6).shape)).reshape(signal(group, 6).shape) * 1.0
    gradient, v = normal(call(x, group).shape), normal(x.shape, seed=2)
    step = 2.0**-10  # far below the distance between the numbers of x
    difference = np.vdot(call(x + step * v, group) - call(x - step * v, group), gradient) / (2 * step)
    assert np.isclose(difference, np.vdot(v, vjp(gradient, x, group)), rtol=1e-6)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("group", GROUPS)
def test_gradients_commute_with_every_element_of_the_lattice_to_the_last_bit(group, layer):
    call, vjp = functions(layer)
    group = GROUPS[group]
    is_large = group.order > 8
    for size in (5,) if is_large else (5, 6):
        x = signal(group, size)
        gradient = normal(call(x, group).shape, np.float32)
        slope = vjp(gradient, x, group)
        assert slope.dtype == np.float32
        for element in elements_of(group)[:: 5 if is_large else 1]:
            turned = vjp(eq.act(gradient, group, element), eq.act(x, group, element), group)
            assert np.array_equal(turned, eq.act(slope, group, element)), element


def test_a_maximum_shares_its_gradient_among_equal_values_of_the_signal_alone():
    x = np.zeros((1, 1, 4))
    slope = eq.max_blur_pool_vjp(np.ones((1, 1, 3)), x, LINE, 2, 1, 1)
    assert slope.tolist() == [[[0.5, 1.0, 1.0, 0.5]]]
    # Of a window that is padding in part, nothing is lost there, whatever the signal is.
    for value in (0.0, -np.inf, np.nan):
        slope = eq.max_blur_pool_vjp(np.ones((1, 1, 4)), np.full((1, 1, 4), value), LINE, 3, 1, 1)
        assert np.isclose(slope.sum(), 4)


def test_batches_may_be_empty_and_signals_on_the_plane():
    for layer in LAYERS:
        call, vjp = functions(layer)
        empty = np.zeros((0, 2, 4, 6, 6))
        assert vjp(call(empty, C4), empty, C4).shape == empty.shape
        x = normal((1, 2, 6, 6))
        assert vjp(call(x, C4), x, C4).shape == x.shape


def test_gradients_do_not_warn_of_strides_again():
    x = normal((1, 1, 6, 6))
    with pytest.warns(eq.EquivarianceWarning):
        y = eq.blur_pool(x, C4, 2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert eq.blur_pool_vjp(y, x, C4, 2, 3).shape == x.shape


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g, x: eq.upsample_vjp(g, x, C4, 2), ValueError, r"grad_out has shape .*expected \(1, 1, 12, 12\)"),
        (lambda g, x: eq.blur_pool_vjp(g, x, C4), ValueError, r"grad_out has shape .*expected \(1, 1, 3, 3\)"),
        (lambda g, x: eq.max_blur_pool_vjp(g, x, C4), ValueError, r"grad_out has shape .*expected \(1, 1, 3, 3\)"),
        (lambda g, x: eq.adaptive_mean_vjp(g, x, C4, 2), ValueError, r"grad_out has shape .*expected \(1, 1, 2, 2\)"),
        (lambda g, x: eq.upsample_vjp(g.astype(np.float32), x, C4, 2), TypeError, "grad_out has dtype float32"),
        (lambda g, x: eq.blur_pool_vjp(g, x, C4, taps=9, padding=0), ValueError, "taps is 9, expected at most 6"),
        (lambda g, x: eq.max_blur_pool(x, C4, 15), ValueError, "kernel is 15, expected at most 13 for size 6 of x"),
        (lambda g, x: eq.upsample_vjp(g, x[0], C4, 2), ValueError, "x has shape .*for upsample_vjp on C4"),
    ],
)
def test_wrong_calls_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(np.zeros((1, 1, 5, 5)), np.zeros((1, 1, 6, 6)))

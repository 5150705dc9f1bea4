# SPDX-License-Identifier: Apache-2.0
"""The expanded filter bank, in an ordinary correlation, is the layer."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from cases import DTYPES, FORWARD, GROUPS, LAYERS, SMALL_GROUPS, Sampling, identify, operands, rounding_bound

ndimage = pytest.importorskip("scipy.ndimage")
scipy_signal = pytest.importorskip("scipy.signal")

EXTENTS = {1: ((6,), (3,)), 2: ((5, 6), (3, 3)), 3: ((3, 4, 3), (3, 3, 3))}


def valid(plane, taps):
    return scipy_signal.correlate(plane, taps, mode="valid", method="direct")


def same(plane, taps):
    return ndimage.correlate(plane, taps, mode="constant")


def wrapped(plane, taps):
    return ndimage.correlate(plane, taps, mode="wrap")


def ordinary(x, bank, correlate):
    """An ordinary convolution layer made of SciPy's correlation of single planes."""
    return np.array([[sum(map(correlate, image, filters)) for filters in bank] for image in x])


@pytest.mark.parametrize(
    ("correlate", "keywords"),
    [(valid, {}), (same, {"padding": "same"}), (wrapped, {"padding": "same", "padding_mode": "circular"})],
    ids=["valid", "same", "circular"],
)
@pytest.mark.parametrize("name", [name for name in SMALL_GROUPS if name != "octahedral"])
@pytest.mark.parametrize("layer", LAYERS)
def test_expanded_bank_gives_the_layer_as_an_ordinary_correlation(rng, layer, name, correlate, keywords):
    group = GROUPS[name]
    sizes, kernel = EXTENTS[group.dimension]
    x, weight, _ = operands(rng, layer, group, Sampling(sizes, kernel, keywords), np.float64)
    y = FORWARD[layer](x, weight, group, **keywords)
    bank = eq.expand(weight, group, layer)
    flat_x = x.reshape(x.shape[0], -1, *sizes)
    expected = ordinary(flat_x, bank, correlate)
    np.testing.assert_allclose(y.reshape(expected.shape), expected, rtol=0, atol=rounding_bound(x, weight, group))


@pytest.mark.parametrize("layer", LAYERS)
def test_expanded_bank_of_the_cube_gives_the_layer(rng, layer):
    group = eq.octahedral()
    sizes, kernel = EXTENTS[3]
    x, weight, _ = operands(rng, layer, group, Sampling(sizes, kernel, {}), np.float64, batch=1, channels=1, outputs=1)
    y = FORWARD[layer](x, weight, group)
    expected = ordinary(x.reshape(1, -1, *sizes), eq.expand(weight, group, layer), valid)
    np.testing.assert_allclose(y.reshape(expected.shape), expected, rtol=0, atol=rounding_bound(x, weight, group))


@pytest.mark.parametrize("group", [eq.cyclic(8), eq.dihedral(6)], ids=str)
@pytest.mark.parametrize("basis", [None, eq.circular_harmonics(5), eq.bspline_basis(3)], ids=str)
@pytest.mark.parametrize("layer", LAYERS)
def test_expanded_bank_of_other_groups_and_bases_gives_the_layer(rng, layer, basis, group):
    fiber = (group.order,) if layer in ("group", "projection") else ()
    x = rng.normal(size=(1, 2, *fiber, 6, 7))
    weight = rng.normal(size=(2, 2, *fiber, *((3, 3) if basis is None else basis.shape)))
    keywords = {"basis": basis, "interpolation": "bicubic"}
    y = FORWARD[layer](x, weight, group, padding="same", **keywords)
    expected = ordinary(x.reshape(1, -1, 6, 7), eq.expand(weight, group, layer, **keywords), same)
    np.testing.assert_allclose(y.reshape(expected.shape), expected, rtol=0, atol=25 * rounding_bound(x, weight, group))


@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
@pytest.mark.parametrize("layer", LAYERS)
def test_shape_and_dtype_of_the_bank(layer, dtype):
    fiber = (8,) if layer in ("group", "projection") else ()
    bank = eq.expand(np.ones((5, 3, *fiber, 4, 4), dtype), eq.dihedral(4), layer)
    flat_in, flat_out = 3 * (8 if fiber else 1), 5 * (8 if layer in ("lifting", "group") else 1)
    assert bank.shape == (flat_out, flat_in, 4, 4)
    assert bank.dtype == dtype


def test_bank_holds_the_weights_themselves(rng):
    """No arithmetic in lifting and group layers: the turned kernels are copies, so the bank has the same numbers."""
    weight = rng.normal(size=(2, 3, 4, 5, 5)).astype(np.float32)
    bank = eq.expand(weight, eq.cyclic(4), "group").reshape(2, 4, 3, 4, 5, 5)
    np.testing.assert_array_equal(bank[:, 0], weight)
    for h in range(4):
        turned = np.rot90(weight, h, axes=(3, 4))[:, :, (np.arange(4) - h) % 4]
        np.testing.assert_array_equal(bank[:, h], turned)

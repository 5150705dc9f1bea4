# SPDX-License-Identifier: Apache-2.0
"""Resampled images follow their formula, and no pixel depends on the region that was asked for."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from equiconv.slides import ArraySource, open_source
from equiconv.slides._sources import resampling
from equiconv.slides._sources.resampling import Resampled, factor
from slide_files import check_regions, whole

FACTORS = [(1.0, 2.0), (3.0, 3.0), (1.37, 1.9), (2.6, 4.0), (0.7, 0.45), (7.3, 60.0), (200.0, 0.5)]
TYPES = [np.uint8, np.uint16, np.int32, np.float32, np.float64, bool, np.int64]


def image(dtype, extents=(61, 47)):
    rng = np.random.default_rng(3)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=(2, *extents)).astype(dtype)
    high = 2 if dtype is bool else np.iinfo(dtype).max
    return rng.integers(0, high, (2, *extents), np.int64, endpoint=dtype is not bool).astype(dtype)


def weights(n, s):
    """The matrix (outputs, n) of the formula in the docstring, in floating-point numbers, pixel by pixel."""
    outputs = max(1, int(n / s))
    matrix = np.zeros((outputs, n))
    for j in range(outputs):
        if s == int(s):
            matrix[j, int(j * s) : int(j * s + s)] = 1
        else:
            matrix[j] = np.maximum(0, 1 - np.abs(np.arange(n) - ((j + 0.5) * s - 0.5)) / max(s, 1))
    return matrix / matrix.sum(1, keepdims=True)


@pytest.mark.parametrize("factors", FACTORS)
@pytest.mark.parametrize("dtype", TYPES)
def test_regions_agree_to_the_last_bit(factors, dtype):
    source = Resampled(ArraySource(image(dtype), "CYX"), factors)
    check_regions(source, whole(source))
    check_regions(pickle.loads(pickle.dumps(source)), whole(source), count=3)


@pytest.mark.parametrize("factors", FACTORS)
def test_blocks_that_bound_the_memory_change_no_bit(factors, monkeypatch):
    source = Resampled(ArraySource(image(np.float32), "CYX"), factors)
    expected = whole(source)
    monkeypatch.setattr(resampling, "_BLOCK", 50)
    np.testing.assert_array_equal(whole(source), expected)


@pytest.mark.parametrize("factors", FACTORS)
def test_pixels_follow_the_formula(factors):
    pixels = image(np.float64)
    rows, columns = (weights(n, s) for n, s in zip(pixels.shape[1:], factors, strict=True))
    expected = np.einsum("yi,cij,xj->cyx", rows, pixels, columns)
    found = whole(Resampled(ArraySource(pixels, "CYX"), factors))
    # Weights are rounded to multiples of 2^-15: each by half of one, and the largest by the rest.
    taps = sum(np.count_nonzero(matrix, axis=1).max() for matrix in (rows, columns))
    np.testing.assert_allclose(found, expected, rtol=0, atol=taps * 2.0**-15 * np.abs(pixels).max())


@pytest.mark.parametrize("step", [2, 3, 4])
def test_whole_factors_are_means_of_squares_with_halves_upwards(step):
    pixels = image(np.uint8, (60, 48))
    squares = pixels.reshape(2, 60 // step, step, 48 // step, step).astype(int).sum((2, 4))
    expected = (2 * squares + step * step) // (2 * step * step)
    np.testing.assert_array_equal(whole(Resampled(ArraySource(pixels, "CYX"), (step, step))), expected)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("factors", FACTORS)
def test_constant_images_stay_as_they_are(dtype, factors):
    high = 1 if np.dtype(dtype).kind in "bf" else np.iinfo(dtype).max
    pixels = np.full((1, 50, 40), high, dtype)
    assert (whole(Resampled(ArraySource(pixels, "CYX"), factors)) == high).all()


def test_resolution_and_spacing_follow_the_factors():
    source = Resampled(ArraySource(image(np.uint8), "CYX", mpp=0.25), (2.0, 1.5))
    assert (source.mpp, source.spacing, source.extents) == ((0.5, 0.375), (2.0, 1.5), (30, 31))


def test_whole_numbers_within_one_percent_are_taken():
    assert factor(0.5, 0.2508) == 2
    assert factor(0.5, 0.503) == 1
    assert factor(0.5, 0.24) == pytest.approx(2.0833, abs=1e-4)
    source = open_source(ArraySource(image(np.uint8), "CYX", mpp=0.2508), mpp=0.5)
    assert source.mpp == (0.5016, 0.5016)


def test_finer_resolutions_are_asked_for():
    source = ArraySource(image(np.uint8), "CYX", mpp=0.5)
    with pytest.raises(ValueError, match=r"mpp is 0.25, finer than numpy array .* pass upsample=True"):
        open_source(source, mpp=0.25)
    assert open_source(source, mpp=0.25, upsample=True).extents == (122, 94)
    # Near enough to be the same.
    assert open_source(source, mpp=0.496).extents == (61, 47)


def test_a_resampled_source_can_be_resampled():
    source = ArraySource(image(np.uint8, (64, 64)), "CYX", mpp=0.5)
    twice = open_source(open_source(source, mpp=1.0), mpp=2.0)
    assert (twice.mpp, twice.spacing, twice.extents) == ((2.0, 2.0), (4.0, 4.0), (16, 16))
    assert twice.fingerprint != open_source(source, mpp=2.0).fingerprint

# SPDX-License-Identifier: Apache-2.0
"""Errors of the algorithms on tiles are small: a few points of the tables in docs/measured/Accuracy.md."""

import equiconv as eq
import numpy as np
import pytest


def errors(width, kernel, algorithm, dtype, run="forward"):
    """RMS and largest error relative to the RMS of float64's result, for a group convolution of C4."""
    group = eq.cyclic(4)
    rng = np.random.default_rng(width + kernel)
    x = rng.standard_normal((1, width // 4, 4, 32, 32)).astype(dtype)
    weight = rng.standard_normal((4, width // 4, 4, kernel, kernel)).astype(dtype)
    grad = rng.standard_normal((1, 4, 4, 32, 32)).astype(dtype)

    def result(kind, name):
        arrays = [array.astype(kind) for array in (x, weight, grad)]
        if run == "forward":
            return eq.group_conv(arrays[0], arrays[1], group, padding="same", algorithm=name)
        index = ("x", "weight").index(run)
        options = {"padding": "same", "algorithm": name, "wanted": (run,)}
        return eq.group_conv_vjp(arrays[2], arrays[0], arrays[1], group, **options)[index]

    exact = result(np.float64, "direct")
    difference = np.abs(result(dtype, algorithm) - exact)
    scale = np.sqrt(np.mean(exact**2))
    return np.sqrt(np.mean(difference**2)) / scale, difference.max() / scale


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("width", [16, 128, 512])
def test_auto_stays_within_its_bounds_up_to_width_512(width, kernel):
    for run in ("forward", "x", "weight"):
        rms, largest = errors(width, kernel, "auto", np.float32, run)
        assert rms <= 5e-6, run
        assert largest <= 5e-5, run


@pytest.mark.parametrize(("algorithm", "kernel"), [("winograd", 3), ("fourier", 3), ("fourier", 9), ("fourier", 11)])
def test_tiles_stay_within_the_bounds_of_auto(algorithm, kernel):
    rms, largest = errors(512, kernel, algorithm, np.float32)
    assert rms <= 5e-6
    assert largest <= 5e-5


@pytest.mark.parametrize("run", ["forward", "x", "weight"])
@pytest.mark.parametrize("kernel", [3, 9])
def test_fourier_tiles_in_float64_keep_its_digits(kernel, run):
    rms, largest = errors(256, kernel, "fourier", np.float64, run)
    assert rms <= 1e-14
    assert largest <= 1e-13


@pytest.mark.parametrize(("algorithm", "kernel"), [("winograd", 3), ("fourier", 5)])
def test_tiles_are_equivariant_within_rounding(algorithm, kernel):
    group = eq.dihedral(4)
    rng = np.random.default_rng(7)
    x = rng.standard_normal((1, 4, 8, 24, 24)).astype(np.float32)
    weight = rng.standard_normal((4, 4, 8, kernel, kernel)).astype(np.float32)
    error = eq.equivariance_error(
        lambda signal: eq.group_conv(signal, weight, group, padding="same", algorithm=algorithm), x, group
    )
    assert 0 < error <= 1e-5

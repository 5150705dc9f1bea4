# SPDX-License-Identifier: Apache-2.0
"""Dilations of the line: the factor 1/|det h| is what makes a lifting equivariant."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
from equiconv import theory


def test_lifting_with_the_determinant_commutes_with_dilations_exactly(rng):
    """Small integers: every sum is exact, so equality is to the last bit."""
    for _ in range(10):
        signal, kernel = rng.integers(-9, 10, size=13), rng.integers(-9, 10, size=6)
        assert theory.dilation_defect(signal, kernel, 4) == 0.0
    assert theory.dilation_defect(rng.normal(size=30), rng.normal(size=8), 5) < 1e-12


def test_without_the_determinant_the_response_to_a_dilated_signal_doubles(rng):
    signal, kernel = rng.integers(-9, 10, size=13), rng.integers(1, 10, size=6)
    assert theory.dilation_defect(signal, kernel, 4, normalized=False) == 1.0
    before = theory.dyadic_lifting(signal, kernel, 3, normalized=False)
    after = theory.dyadic_lifting(theory.dilate(signal), kernel, 4, normalized=False)
    np.testing.assert_array_equal(after[1:, ::2], 2 * before)


def test_dyadic_lifting_is_the_integral_of_its_definition(rng):
    """By the midpoint rule on quarter cells, exact for functions that are constant on cells."""
    signal, kernel = rng.integers(-9, 10, size=7), rng.integers(-9, 10, size=4)

    def at(values, first, x):
        cell = int(np.floor(x)) - first
        return int(values[cell]) if 0 <= cell < len(values) else 0

    y = theory.dyadic_lifting(signal, kernel, 3)
    for j, m in itertools.product(range(3), range(8)):
        points = [Fraction(2 * i + 1, 8) for i in range(4 * 7)]
        integral = sum(at(kernel, -2, (x - m) / 2**j) * at(signal, 0, x) for x in points) * Fraction(1, 4)
        assert y[j, m] == integral / 2**j

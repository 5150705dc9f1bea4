# SPDX-License-Identifier: Apache-2.0
"""Dilations of the line by powers of 2, where |det h| is not 1: exact on functions that are constant on unit cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks.arguments import boolean, integer
from ._arguments import finite_array

_LARGEST_SCALES = 16


def dilate(signal: ArrayLike) -> NDArray[np.float64]:
    """Dilation by 2 of a function that is constant on unit cells: ``(L_2 f)(x) = f(x / 2)``, exactly.

    ``f(x) = signal[i]`` for i <= x < i + 1, and 0 elsewhere. Then L_2 f is constant on unit cells too, with each
    value twice.

    Args:
        signal: the values of f, shape (n,).

    Returns:
        The values of L_2 f, shape (2 n,).

    Raises:
        TypeError, ValueError: not one axis of real, finite numbers.

    Example:
        >>> dilate([3.0, 1.0])
        array([3., 3., 1., 1.])
    """
    return np.repeat(_line("signal", signal), 2)


def dyadic_lifting(
    signal: ArrayLike, kernel: ArrayLike, scales: int, *, normalized: bool = True
) -> NDArray[np.float64]:
    """Lifting convolution from the line to G = R x| {2^j}, as an integral with measure dx, computed exactly.

    ``y[j, m] = 1/s * integral of k((x' - m) / s) f(x') dx'`` with s = 2^j = |det h|, at the points m = 0...n. Both f
    and k are constant on unit cells, so the integrand is constant on unit cells for every j, and the integral is a sum.

    Costs (n + 1) 2^scales r operations.

    Args:
        signal: the values of f on the cells [i, i + 1), shape (n,); f is 0 elsewhere.
        kernel: the values of k on the cells [i - r, i - r + 1), shape (2 r,); k is 0 elsewhere. The origin is a border
            of cells, so that dilations map borders to borders.
        scales: the number of j = 0, 1, ..., 1 to 16.
        normalized: False to leave out the factor 1/s.

    Returns:
        y, of shape (scales, n + 1).

    Raises:
        TypeError, ValueError: not one axis of real, finite numbers; a kernel of odd size; a number out of range.

    Source: E. J. Bekkers, B-Spline CNNs on Lie Groups, ICLR 2020, Theorem 1, for G = R x| R^+.

    Example:
        >>> dyadic_lifting([1.0, 3.0], [1.0, 1.0], 2)
        array([[1., 4., 3.],
               [2., 2., 2.]])
    """
    f, k = _line("signal", signal), _line("kernel", kernel)
    if len(k) % 2:
        raise ValueError(
            f"kernel has shape {k.shape}, expected an even size 2 r: r unit cells on both sides of the origin"
        )
    count, has_factor = integer("scales", scales, 1, _LARGEST_SCALES), boolean("normalized", normalized)
    y = np.empty((count, len(f) + 1))
    for j in range(count):
        dilated = np.repeat(k, 2**j)
        reach = len(dilated) // 2
        # The kernel around the point m begins at cell m - reach, which is entry m of the padded signal.
        sums = np.correlate(np.pad(f, reach), dilated, "valid")
        y[j] = sums / 2**j if has_factor else sums
    return y


def dilation_defect(signal: ArrayLike, kernel: ArrayLike, scales: int, *, normalized: bool = True) -> float:
    """How far `dyadic_lifting` K is from commuting with dilation by 2.

    On G, ``(L_2 y)(x, s) = y(x / 2, s / 2)``. So K L_2 f at the point 2 m and scale j + 1 must be K f at m and j; the
    result is the largest difference, relative to the largest value of K f there.

    With 1/|det h| it is 0 (to the last bit if the sums are exact, as those of small integers). Substituting x' = 2 u in
    the integral brings out dx' = 2 du; without the factor nothing cancels that 2: K L_2 f is twice what it should be,
    and the result is 1 for every signal and kernel.

    Args:
        signal: as `dyadic_lifting`.
        kernel: as `dyadic_lifting`.
        scales: the number of scales of K f to compare, 1 to 15.
        normalized: as `dyadic_lifting`.

    Raises:
        TypeError, ValueError: as `dyadic_lifting`.

    Example:
        >>> dilation_defect([1.0, 3.0], [1.0, -2.0], 3), dilation_defect([1.0, 3.0], [1.0, -2.0], 3, normalized=False)
        (0.0, 1.0)
    """
    count = integer("scales", scales, 1, _LARGEST_SCALES - 1)
    before = dyadic_lifting(signal, kernel, count, normalized=normalized)
    after = dyadic_lifting(dilate(signal), kernel, count + 1, normalized=normalized)
    scale = float(np.max(np.abs(before)))
    return float(np.max(np.abs(after[1:, ::2] - before))) / scale if scale > 0.0 else 0.0


def _line(name: str, value: ArrayLike) -> NDArray[np.float64]:
    array = finite_array(name, value)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}, expected one axis of at least one cell")
    return array

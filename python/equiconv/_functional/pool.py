# SPDX-License-Identifier: Apache-2.0
"""Pooling over the fiber H."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from .. import _native
from .._checks.arguments import choice
from .._checks.arrays import Array, check_not_empty, check_same_dtype, float_array, output

PoolMode: TypeAlias = Literal["mean", "max"]

_MODES = {"mean": _native.MEAN, "max": _native.MAX}


def group_pool(x: ArrayLike, mode: PoolMode = "mean", *, out: Array | None = None) -> Array:
    """Mean or maximum over H: from signals on the group to signals on the plane.

    ``y[c, x] = mean (or max) over h of f[c, h, x]``. Both commute with the action of the group to the last bit. A
    maximum over values with a NaN is NaN.

    Args:
        x: signal of shape (B, C, |H|, spatial...), float32 or float64.
        mode: ``"mean"`` or ``"max"``.
        out: array to write the result to: its shape and dtype, C-contiguous, no memory shared with `x`.

    Returns:
        Shape (B, C, spatial...), with the dtype of `x`; `out` if it was given.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, dtype or shape.

    Example:
        >>> group_pool(numpy.arange(8.0).reshape(1, 1, 4, 2), "max")
        array([[[6., 7.]]])
    """
    code = _MODES[choice("mode", mode, tuple(_MODES))]
    array = _signal(x)
    shape = array.shape[:2] + array.shape[3:]
    result = np.empty(shape, array.dtype) if out is None else output(out, shape, array.dtype, {"x": (x, array)})
    _native.pool(code, array, result)
    return result if out is None else out


def group_pool_vjp(grad_out: ArrayLike, x: ArrayLike, mode: PoolMode = "mean") -> Array:
    """Gradient of ``sum(grad_out * group_pool(x, mode))`` in `x`.

    The mean spreads `grad_out` evenly over H; the maximum gives it to the largest value, in equal parts if several
    are equal.

    Args:
        grad_out: shape (B, C, spatial...), that of the output, with the dtype of `x`.
        x: signal of shape (B, C, |H|, spatial...), float32 or float64.
        mode: as `group_pool` was called with.

    Returns:
        Shape (B, C, |H|, spatial...), with the dtype of `x`.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, dtype or shape.

    Example:
        >>> group_pool_vjp(numpy.ones((1, 1, 1)), numpy.zeros((1, 1, 4, 1))).ravel()
        array([0.25, 0.25, 0.25, 0.25])
    """
    code = _MODES[choice("mode", mode, tuple(_MODES))]
    array = _signal(x)
    gradient = float_array("grad_out", grad_out)
    check_same_dtype("grad_out", gradient, "x", array)
    shape = array.shape[:2] + array.shape[3:]
    if gradient.shape != shape:
        raise ValueError(f"grad_out has shape {gradient.shape}, expected {shape}, the shape of the output")
    result = np.empty(array.shape, array.dtype)
    _native.pool_vjp(code, gradient, array, result)
    return result


def _signal(x: ArrayLike) -> Array:
    array = float_array("x", x)
    if not 4 <= array.ndim <= 6:
        raise ValueError(f"x has shape {array.shape}, expected (B, C, |H|, spatial...) for group_pool: 4 to 6 axes")
    check_not_empty("x", array, first_axis=1)
    return array

# SPDX-License-Identifier: Apache-2.0
"""The action of the group on signals, and how far a map is from commuting with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _native
from ._arguments import Array, float_array, integer, output
from ._groups import PointGroup
from ._layers import check_signal, point_group


def act(x: ArrayLike, group: PointGroup, element: int, *, out: Array | None = None) -> Array:
    """The action of an element g of H on a signal, about the center of the array; exact.

    ``(L_g f)(x) = f(g^-1 x)`` on the plane, ``(L_g f)(h', x) = f(g^-1 h', g^-1 x)`` on the group. Where g exchanges
    axes of different size, the result has them exchanged.

    Args:
        x: signal of shape (B, C, spatial...) or (B, C, |H|, spatial...), told apart by the number of axes; float32
            or float64.
        group: H, a lattice group on d axes.
        element: the number of g, 0 to |H| - 1.
        out: array to write the result to: its shape and dtype, C-contiguous, no memory shared with `x`.

    Returns:
        A signal of the same kind, with the dtype of `x`; `out` if it was given.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, dtype or shape; an element that does not exist; a group
            that is not a lattice group.

    Example:
        >>> x = numpy.arange(4.0).reshape(1, 1, 2, 2)
        >>> bool(numpy.all(act(x, cyclic(4), 1) == numpy.rot90(x, axes=(2, 3))))
        True
    """
    checked_group = point_group(group)
    array = float_array("x", x)
    d = checked_group.dimension
    on_group = array.ndim == 3 + d
    if array.ndim not in (2 + d, 3 + d):
        raise ValueError(
            f"x has shape {array.shape}, expected (B, C, spatial...) or (B, C, |H|, spatial...) on a {d}-D group: "
            f"{2 + d} or {3 + d} axes"
        )
    check_signal("x", array, checked_group, on_group, "act")
    number = integer("element", element, 0, checked_group.order - 1)
    shape = array.shape
    if checked_group.is_lattice:
        shape = shape[:-d] + tuple(shape[axis - d] for axis in checked_group._array_axes(number))
    result = np.empty(shape, array.dtype) if out is None else output(out, shape, array.dtype, {"x": x})
    _native.act(checked_group, number, _native.GROUP_SIGNAL if on_group else _native.PLANE_SIGNAL, array, result)
    return result


def equivariance_error(f: Callable[[Any], ArrayLike], x: ArrayLike, group: PointGroup) -> float:
    """How far a map is from commuting with the action of a group, over all its elements.

    The largest over g in H of ``max |f(L_g x) - L_g f(x)| / max |f(x)|``. 0.0 means that all outputs are equal to the
    last bit. NaN if an output has a NaN; infinity if f(x) is zero and an f(L_g x) is not.

    Args:
        f: any callable from a signal to a signal, for example a network. Its output is told by the number of axes: a
            signal (B, C, spatial...) or (B, C, |H|, spatial...), or (B, C), which H leaves as it is.
        x: signal of shape (B, C, spatial...) or (B, C, |H|, spatial...), float32 or float64.
        group: H, a lattice group on d axes.

    Returns:
        The relative error.

    Raises:
        TypeError, ValueError: as `act`, for `x` or for what `f` returns; f(L_g x) has not the shape of L_g f(x).

    Example:
        >>> weight = numpy.ones((1, 1, 3, 3))
        >>> equivariance_error(lambda x: lifting_conv(x, weight, cyclic(4)), numpy.ones((1, 1, 8, 8)), cyclic(4))
        0.0
    """
    checked_group = point_group(group)
    if not callable(f):
        raise TypeError(f"f is {f!r}, expected a callable from a signal to a signal")
    signal = float_array("x", x)
    value = float_array("f(x)", f(signal))
    scale = float(np.max(np.abs(value), initial=0.0))
    errors = [_error(f, signal, value, checked_group, element) for element in range(checked_group.order)]
    largest = float(np.max(errors))
    if largest == 0.0:
        return 0.0
    return largest / scale if scale > 0.0 else largest * np.inf


def _error(f: Callable[[Any], ArrayLike], x: Array, value: Array, group: PointGroup, element: int) -> float:
    """``max |f(L_g x) - L_g f(x)|``."""
    expected = value if value.ndim == 2 else act(value, group, element)
    actual = float_array("f(L_g x)", f(act(x, group, element)))
    if actual.shape != expected.shape:
        raise ValueError(
            f"f(L_g x) has shape {actual.shape} for element {element} of {group.name}, expected {expected.shape}, "
            "the shape of L_g f(x)"
        )
    if np.array_equal(actual, expected):
        return 0.0
    return float(np.max(np.abs(actual - expected)))

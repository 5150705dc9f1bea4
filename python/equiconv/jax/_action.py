# SPDX-License-Identifier: Apache-2.0
"""The action of the group on signals."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from .._checks.arguments import integer
from .._groups.arguments import point_group
from .._groups.geometry import axis_action
from .._groups.point_group import PointGroup
from .._signals import action as signals
from .._signals.action import check_exact, signal_space
from ._primitives.operands import JaxArray, float_operand


def act(x: JaxArray, group: PointGroup, element: int, stabilizer: Sequence[int] | None = None) -> JaxArray:
    """The action of an element g of H on a signal, about the center of the array; exact.

    ``(L_g f)(x) = f(g^-1 x)`` on the plane, ``(L_g f)(p, x) = f(g^-1 p, g^-1 x)`` for points p of H or of H/K. Where g
    exchanges axes of different size, the result has them exchanged. Operations of JAX alone, so that it may be
    differentiated and mapped; `element` is a number, not an array.

    Args:
        x: signal of shape (B, C, spatial...) or (B, C, |H|, spatial...), which the number of axes decides; with a
            `stabilizer` K, of shape (B, C, |H|/|K|, spatial...), or (B, C, spatial...) if K is all of H; float32,
            float64, bfloat16 or float16.
        group: H, any group on d axes.
        element: the number of g, 0 to |H| - 1: one that maps the grid of pixels to itself.
        stabilizer: the elements of K in any order, for signals on H/K.

    Returns:
        A signal of the same kind, with the dtype of `x`.

    Raises:
        TypeError, ValueError: as `equiconv.act`.

    Example:
        >>> x = jax.numpy.arange(4.0).reshape(1, 1, 2, 2)
        >>> bool(jax.numpy.all(act(x, cyclic(4), 1) == jax.numpy.rot90(x, axes=(2, 3))))
        True
    """
    checked_group = point_group(group)
    array = float_operand("x", x)
    signal_space(array, checked_group, stabilizer)
    number = integer("element", element, 0, checked_group.order - 1)
    check_exact(checked_group, number)
    if array.ndim == 3 + checked_group.dimension:
        array = _turn_fiber(array, checked_group, number, stabilizer)
    return _turn_space(array, checked_group, number)


def _turn_fiber(x: JaxArray, group: PointGroup, element: int, stabilizer: Sequence[int] | None) -> JaxArray:
    """Reads point g^-1 p at p; 0 where a truncated set does not have it."""
    points = x.shape[2]
    # The engine turns a signal of one pixel whose values are the numbers of the points, from 1 on.
    numbers = np.arange(1.0, points + 1).reshape(1, 1, points, *(1,) * group.dimension)
    sources = signals.act(numbers, group, element, stabilizer).ravel().astype(int) - 1
    turned = x[:, :, np.maximum(sources, 0)]
    if np.all(sources >= 0):
        return turned
    present = (sources >= 0).reshape(points, *(1,) * group.dimension)
    return jnp.where(present, turned, jnp.zeros((), x.dtype))


def _turn_space(x: JaxArray, group: PointGroup, element: int) -> JaxArray:
    d = group.dimension
    first = x.ndim - d
    action = axis_action(group, element)
    turned = jnp.transpose(x, (*range(first), *(first + axis for axis in action.axes)))
    flips = [first + axis for axis, sign in enumerate(action.signs) if sign < 0]
    return jnp.flip(turned, flips) if flips else turned

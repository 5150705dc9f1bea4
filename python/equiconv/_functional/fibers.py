# SPDX-License-Identifier: Apache-2.0
"""Maps between signals on H, on its quotients and on its subgroups: numbers move, or are pooled over cosets.

All are linear but the maximum, and commute with the action to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .._checks.arrays import Array, float_array, output
from .._groups.arguments import point_group, stabilizer_of
from .._groups.cosets import left_cosets, right_cosets
from .._groups.point_group import PointGroup
from .._signals.shapes import check_signal
from .pool import PoolMode, group_pool


def restrict(x: ArrayLike, group: PointGroup, subgroup: Sequence[int]) -> Array:
    """A signal on H as signals on a subgroup L, one for each right coset L a of L.

    ``y[b, c, i, j] = x[b, c, l_j r_i]`` with the elements l_j of L ascending and r_i the smallest element of coset i,
    cosets numbered by first appearance. For l in L, acting by l on `x` is acting on each ``y[:, :, i]``, a signal on
    the group L (``PointGroup.from_matrices(group.matrices[sorted(subgroup)])``); ``y.reshape(B, -1, |L|, spatial...)``
    is a signal on L with more channels. Its gradient is the same numbers moved back.

    Args:
        x: signal of shape (B, C, |H|, spatial...), float32 or float64.
        group: H, a closed group.
        subgroup: the elements of L in any order.

    Returns:
        A new array of shape (B, C, |H| / |L|, |L|, spatial...), with the dtype of `x`.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, dtype or shape; `subgroup` is not a subgroup.

    Example:
        >>> restrict(numpy.arange(4.0).reshape(1, 1, 4, 1, 1), cyclic(4), [0, 2])[0, 0, :, :, 0, 0]
        array([[0., 2.],
               [1., 3.]])
    """
    checked_group = point_group(group)
    array = _signal(x, checked_group, checked_group.order, "restrict")
    return np.take(array, right_cosets(checked_group, subgroup), axis=2)


def partial_projection(
    x: ArrayLike, group: PointGroup, stabilizer: Sequence[int], mode: PoolMode = "mean", *, out: Array | None = None
) -> Array:
    """Mean or maximum of a signal on H over each left coset a K of a subgroup: a signal on H/K.

    ``y[a K] = mean (or max) over h in a K of x[h]``. From features of D_n, for example, ones modulo reflections with
    K = {e, flip}. With K = H it is `group_pool`. The mean does not depend on the order of its terms, to the last bit.

    Args:
        x: signal of shape (B, C, |H|, spatial...), float32 or float64.
        group: H.
        stabilizer: the elements of K in any order.
        mode: ``"mean"`` or ``"max"``.
        out: array to write the result to: its shape and dtype, C-contiguous, no memory shared with `x`.

    Returns:
        Shape (B, C, |H| / |K|, spatial...), or (B, C, spatial...) if K is all of H, with the dtype of `x`.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, dtype or shape; `stabilizer` is not a subgroup.

    Example:
        >>> partial_projection(numpy.arange(4.0).reshape(1, 1, 4, 1, 1), cyclic(4), [0, 2]).ravel()
        array([1., 2.])
    """
    checked_group = point_group(group)
    array = _signal(x, checked_group, checked_group.order, "partial_projection")
    subgroup = stabilizer_of("stabilizer", stabilizer, checked_group)
    if len(subgroup) == checked_group.order:
        return group_pool(array, mode, out=out)
    members = left_cosets(subgroup)
    batch, channels, spatial = array.shape[0], array.shape[1], array.shape[3:]
    gathered = np.take(array, members, axis=2).reshape(batch, channels * len(members), len(subgroup), *spatial)
    shape = (batch, channels, len(members), *spatial)
    pooled = group_pool(gathered, mode).reshape(shape)
    if out is None:
        return pooled
    return _written(out, pooled, x, array)


def induce(x: ArrayLike, group: PointGroup, stabilizer: Sequence[int]) -> Array:
    """A signal on H/K as one on H that is constant on the cosets of K: ``y[h] = x[h K]``.

    Args:
        x: signal of shape (B, C, |H| / |K|, spatial...), or (B, C, spatial...) if K is all of H; float32 or float64.
        group: H.
        stabilizer: the elements of K in any order.

    Returns:
        A new array of shape (B, C, |H|, spatial...), with the dtype of `x`.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, dtype or shape; `stabilizer` is not a subgroup.

    Example:
        >>> induce(numpy.array([1.0, 2.0]).reshape(1, 1, 2, 1, 1), cyclic(4), [0, 2]).ravel()
        array([1., 2., 1., 2.])
    """
    checked_group = point_group(group)
    subgroup = stabilizer_of("stabilizer", stabilizer, checked_group)
    order = checked_group.order
    if len(subgroup) == order:
        plane = _signal(x, checked_group, None, "induce")
        return np.repeat(plane[:, :, None], order, axis=2)
    array = _signal(x, checked_group, order // len(subgroup), "induce")
    return np.take(array, subgroup.get_left_cosets(), axis=2)


def _signal(x: object, group: PointGroup, points: int | None, user: str) -> Array:
    array = float_array("x", x)
    check_signal("x", array, group, points, user)
    return array


def _written(out: Array, value: Array, x: object, array: Array) -> Array:
    output(out, value.shape, value.dtype, {"x": (x, array)})[...] = value
    return out

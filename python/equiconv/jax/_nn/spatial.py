# SPDX-License-Identifier: Apache-2.0
"""Pooling over space that commutes with the group, as functions of arrays.

Means are sums of integers: the numbers of a plane are cut at fixed binary places below the largest, each piece is an
integer, and integers add up exactly. So bits depend neither on the order of pixels nor on how a compiler or several
devices take the additions together.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ..._functional.convolutions import Axes
from ..._groups.arguments import point_group
from ..._groups.point_group import PointGroup
from ..._nn.spatial_options import AdaptiveOptions, WindowOptions
from ..._nn.windows import (
    WindowPadding,
    adaptive_windows,
    check_spatial_axes,
    counts_of_windows,
    overhangs,
    warn_of_windows,
)
from .._primitives.operands import JaxArray, float_operand, is_half

# How far below the largest number of a plane its numbers are kept.
_KEPT_BITS = {np.dtype(np.float32): 60, np.dtype(np.float64): 110}


class Windows(WindowOptions):
    """Windows of the spatial axes, with their maxima and means."""

    def largest(self, user: str, x: object) -> JaxArray:
        """The maximum of each window."""
        array, _ = self._signal(user, x)
        return self._reduce(array, jax.lax.max, -np.inf)

    def mean(self, user: str, x: object) -> JaxArray:
        """The mean of each window; padding counts as zeros."""
        array, counts = self._signal(user, x)
        reduce = partial(self._reduce, operation=jax.lax.add, start=0)
        is_one = self.count_include_pad and not self.ceil_mode
        divisor = math.prod(self.kernel) if is_one else counts
        return exact_mean(array, reduce, divisor, tuple(range(-self.group.dimension, 0)))

    def _signal(self, user: str, x: object) -> tuple[JaxArray, NDArray[np.int64]]:
        """The array, after a warning where the stride does not fit its size, and what means of windows divide by."""
        array = float_operand("x", x)
        check_spatial_axes(user, array.shape, self.group)
        counts = self._counts(array.shape, self.count_include_pad)
        warn_of_windows(array, self.group, self.kernel, self.stride, self.amounts(array.shape))
        return array, counts

    def _counts(self, shape: tuple[int, ...], includes_padding: bool) -> NDArray[np.int64]:
        padding = self.amounts(shape)
        return counts_of_windows(shape, self.kernel, self.stride, padding, self.ceil_mode, includes_padding)

    def _reduce(self, x: JaxArray, operation: Callable[..., Any], start: Any) -> JaxArray:
        first, amounts = (1,) * (x.ndim - len(self.kernel)), self.amounts(x.shape)
        outputs = self._counts(x.shape, True).shape
        more = overhangs(x.shape[len(first) :], outputs, self.kernel, self.stride, amounts)
        pairs = [(amount, amount + extra) for amount, extra in zip(amounts, more, strict=True)]
        padding = (*((0, 0) for _ in first), *pairs)
        initial = np.asarray(start, x.dtype)
        return jax.lax.reduce_window(x, initial, operation, first + self.kernel, first + self.stride, padding)


class SpatialPool:
    """The base of modules that take the maximum of windows."""

    options: Windows

    def __init__(
        self, group: PointGroup, kernel: Axes, stride: Axes | None = None, padding: WindowPadding = 0,
        ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        """Pools (B, C, [|H|,] spatial...) to sizes (n + 2 padding - kernel) // stride + 1.

        Args:
            group: H, which sets the number of spatial axes, and which of them windows have to be symmetric on.
            kernel, stride, padding: an int, or one for each spatial axis; `stride` is `kernel` if not given, and
                `padding` may be ``"equivariant"``, as for `conv`.
            ceil_mode: whether the division rounds up: a last window may reach beyond the padding at the end.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.

        Calls warn with an EquivarianceWarning, while JAX traces, where ``(n + 2 padding - kernel) % stride`` is not 0
        on an axis that the group moves: the windows leave out a margin on one side, or reach beyond it. The message
        names sizes that fit.
        """
        self.options = Windows.checked(group, kernel, stride, padding, ceil_mode)


class SpatialMeanPool:
    """The base of modules that take the mean of windows."""

    options: Windows

    def __init__(
        self, group: PointGroup, kernel: Axes, stride: Axes | None = None, padding: WindowPadding = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        """Pools as `SpatialMaxPool`, with the mean.

        Args:
            group, kernel, stride, padding, ceil_mode: as of `SpatialMaxPool`.
            count_include_pad: whether means divide by all of a window, or by the pixels of the signal in it.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.
        """
        self.options = Windows.checked(group, kernel, stride, padding, ceil_mode, count_include_pad)


class SpaceMean:
    """The base of modules that take the mean over all of space."""

    group: PointGroup

    def __init__(self, group: PointGroup) -> None:
        """Takes (B, C, [|H|,] spatial...) to (B, C, [|H|]).

        What a network computes of it after `GroupPool` is invariant under a lattice group to the last bit, if the
        layers before it use ``algorithm="exact"``.

        Args:
            group: H, which sets the number of spatial axes.

        Raises:
            TypeError: `group` is no PointGroup.
        """
        self.group = point_group(group)


def spatial_mean(x: object, group: PointGroup) -> JaxArray:
    """The mean over all of space, (B, C, [|H|,] spatial...) -> (B, C, [|H|]). Raises ValueError for other axes.

    Numbers are cut at fixed binary places into integers, whose sums are exact; the rest, some 60 bits below the largest
    number of a plane and 110 in float64, is dropped. Source: Demmel and Nguyen, "Fast reproducible floating-point
    summation", ARITH 2013.
    """
    array, d = float_operand("x", x), group.dimension
    check_spatial_axes("SpatialMean", array.shape, group, may_be_empty=False)
    space = tuple(range(-d, 0))
    whole = partial(jnp.sum, axis=space, keepdims=True)
    mean = exact_mean(array, lambda values: whole(values, dtype=values.dtype), math.prod(array.shape[-d:]), space)
    return mean.reshape(array.shape[:-d])


def means_of_places(x: object, options: AdaptiveOptions, user: str) -> JaxArray:
    """The means of windows of space, whose sums are those of `spatial_mean`.

    Raises ValueError, naming `user`, for other axes.
    """
    array, d = float_operand("x", x), len(options.size)
    options.check(user, array.shape)
    sizes = zip(array.shape[-d:], options.size, strict=True)
    windows = [np.array(adaptive_windows(extent, count)) for extent, count in sizes]
    counts = functools.reduce(np.multiply.outer, [ends[:, 1] - ends[:, 0] for ends in windows])

    def sums(values: JaxArray) -> JaxArray:
        for axis, ends in enumerate(windows, -d):
            values = _sums_of_windows(values, axis, ends)
        return values

    return exact_mean(array, sums, counts, tuple(range(-d, 0)))


def _sums_of_windows(x: JaxArray, axis: int, ends: NDArray[np.int64]) -> JaxArray:
    """The sums from the first to the second of each row of `ends`, on an axis that is counted from the end."""
    places = ends[:, :1] + np.arange((ends[:, 1] - ends[:, 0]).max())
    is_inside = (places < ends[:, 1:]).reshape(*places.shape, *(1,) * (-axis - 1))
    numbers = x[(..., np.minimum(places, ends[:, 1:] - 1), *(slice(None),) * (-axis - 1))]
    return jnp.where(is_inside, numbers, 0).sum(axis, dtype=x.dtype)


def exact_mean(
    x: JaxArray, reduce: Callable[[JaxArray], JaxArray], count: int | NDArray[np.int64], space: tuple[int, ...]
) -> JaxArray:
    """reduce(x) / count for a linear `reduce`, sums of `count` numbers of a plane, with sums of integers.

    The derivative is that of the plain sum. Means of bfloat16 and float16 are those of the same numbers in float32.
    """
    if is_half(x.dtype):
        return exact_mean(x.astype(jnp.float32), reduce, count, space).astype(x.dtype)
    mean = jax.custom_jvp(partial(_mean_of_integers, reduce=reduce, count=count, space=space))
    mean.defjvp(lambda primals, tangents: (mean(*primals), reduce(tangents[0]) / count))
    return mean(x)


def _mean_of_integers(
    x: JaxArray, reduce: Callable[[JaxArray], JaxArray], count: int | NDArray[np.int64], space: tuple[int, ...]
) -> JaxArray:
    integer = jnp.int32 if x.dtype == jnp.float32 else jnp.int64
    # A sum of `count` pieces of so many bits is an integer still.
    most = int(np.max(count))
    bits = jnp.iinfo(integer).bits - 2 - max(1, math.ceil(math.log2(most)))
    if bits < 1:
        raise ValueError(f"x has {most} numbers in a sum, expected fewer for the mean of {x.dtype}")
    largest = jnp.max(jnp.abs(x), axis=space, keepdims=True)
    is_finite = jnp.isfinite(largest)
    exponent = jnp.where(is_finite & (largest > 0), jnp.frexp(largest)[1], 0)
    rest = _scaled(jnp.where(is_finite, x, 0), -exponent)
    total = jnp.zeros((), x.dtype)
    sums = []
    for _ in range(math.ceil(_KEPT_BITS[np.dtype(x.dtype)] / bits)):
        rest = rest * 2.0**bits
        piece = jnp.trunc(rest)
        rest = rest - piece
        sums.append(reduce(piece.astype(integer)))
    # From the smallest up, in halves that floating-point numbers hold, so that but the last addition is almost exact.
    half = jnp.iinfo(integer).bits // 2
    for place in reversed(range(len(sums))):
        high = sums[place] >> half
        low = sums[place] - (high << half)
        for part, shift in ((low, 0), (high, half)):
            total = total + part.astype(x.dtype) * 2.0 ** (shift - bits * (place + 1))
    exact = _scaled(total / count, exponent)
    return jnp.where(is_finite, exact, reduce(x) / count)


def _scaled(x: JaxArray, exponent: JaxArray) -> JaxArray:
    """Multiplies by 2^exponent, in two steps, since the power itself may be beyond the range of the type."""
    half = exponent // 2
    return x * _power_of_two(half, x.dtype) * _power_of_two(exponent - half, x.dtype)


def _power_of_two(exponent: JaxArray, dtype: Any) -> JaxArray:
    """2^exponent, made of its bits."""
    integer, bias, place = (jnp.int32, 127, 23) if dtype == jnp.float32 else (jnp.int64, 1023, 52)
    return jax.lax.bitcast_convert_type((exponent.astype(integer) + bias) << place, dtype)

# SPDX-License-Identifier: Apache-2.0
"""Pooling over space that commutes with the group, as functions of arrays.

Means are sums of integers: the numbers of a plane are cut at fixed binary places below the largest, each piece is an
integer, and integers add up exactly. So bits depend neither on the order of pixels nor on how a compiler or several
devices take the additions together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..._functional.convolutions import Axes
from ..._groups.arguments import point_group
from ..._groups.point_group import PointGroup
from ..._nn.windows import check_spatial_axes, checked_windows, warn_of_windows
from .._primitives.operands import JaxArray, float_operand, is_half

# How far below the largest number of a plane its numbers are kept.
_KEPT_BITS = {np.dtype(np.float32): 60, np.dtype(np.float64): 110}


@dataclass(frozen=True)
class WindowOptions:
    """Windows of the spatial axes, for all channels and elements alike."""

    group: PointGroup
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]

    @classmethod
    def checked(cls, group: object, kernel: object, stride: object, padding: object) -> WindowOptions:
        """Raises TypeError or ValueError for an argument of the wrong kind, or out of range."""
        return cls(*checked_windows(group, kernel, stride, padding))

    def largest(self, user: str, x: object) -> JaxArray:
        """The maximum of each window."""
        array = self._signal(user, x)
        return self._reduce(array, jax.lax.max, -np.inf)

    def mean(self, user: str, x: object) -> JaxArray:
        """The mean of each window; padding counts as zeros."""
        array = self._signal(user, x)
        reduce = partial(self._reduce, operation=jax.lax.add, start=0)
        return exact_mean(array, reduce, math.prod(self.kernel), tuple(range(-self.group.dimension, 0)))

    def _signal(self, user: str, x: object) -> JaxArray:
        """The array, after a warning where the stride does not fit its size."""
        array, d = float_operand("x", x), self.group.dimension
        check_spatial_axes(user, array.shape, self.group)
        for axis, size, extent, amount in zip(
            range(array.ndim - d, array.ndim), array.shape[-d:], self.kernel, self.padding, strict=True
        ):
            if size + 2 * amount < extent:
                raise ValueError(
                    f"kernel is {extent}, expected at most {size + 2 * amount}: x has size {size} on axis {axis}, with "
                    f"padding {amount}"
                )
        warn_of_windows(array, self.group, self.kernel, self.stride, self.padding)
        return array

    def _reduce(self, x: JaxArray, operation: Callable[..., Any], start: Any) -> JaxArray:
        first = (1,) * (x.ndim - len(self.kernel))
        padding = (*((0, 0) for _ in first), *((amount, amount) for amount in self.padding))
        initial = np.asarray(start, x.dtype)
        return jax.lax.reduce_window(x, initial, operation, first + self.kernel, first + self.stride, padding)


class SpatialPool:
    """The base of modules that pool over windows."""

    options: WindowOptions

    def __init__(self, group: PointGroup, kernel: Axes, stride: Axes | None = None, padding: Axes = 0) -> None:
        """Pools (B, C, [|H|,] spatial...) to sizes (n + 2 padding - kernel) // stride + 1.

        Args:
            group: H, which sets the number of spatial axes, and which of them windows have to be symmetric on.
            kernel, stride, padding: an int, or one for each spatial axis; `stride` is `kernel` if not given.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.

        Calls warn with an EquivarianceWarning, while JAX traces, where ``(n + 2 padding - kernel) % stride`` is not 0
        on an axis that the group moves: the windows leave out a margin on one side. The message names sizes that fit.
        """
        self.options = WindowOptions.checked(group, kernel, stride, padding)


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


def exact_mean(x: JaxArray, reduce: Callable[[JaxArray], JaxArray], count: int, space: tuple[int, ...]) -> JaxArray:
    """reduce(x) / count for a linear `reduce`, sums of `count` numbers of a plane, with sums of integers.

    The derivative is that of the plain sum. Means of bfloat16 and float16 are those of the same numbers in float32.
    """
    if is_half(x.dtype):
        return exact_mean(x.astype(jnp.float32), reduce, count, space).astype(x.dtype)
    mean = jax.custom_jvp(partial(_mean_of_integers, reduce=reduce, count=count, space=space))
    mean.defjvp(lambda primals, tangents: (mean(*primals), reduce(tangents[0]) / count))
    return mean(x)


def _mean_of_integers(
    x: JaxArray, reduce: Callable[[JaxArray], JaxArray], count: int, space: tuple[int, ...]
) -> JaxArray:
    integer = jnp.int32 if x.dtype == jnp.float32 else jnp.int64
    # A sum of `count` pieces of so many bits is an integer still.
    bits = jnp.iinfo(integer).bits - 2 - max(1, math.ceil(math.log2(count)))
    if bits < 1:
        raise ValueError(f"x has {count} numbers in a sum, expected fewer for the mean of {x.dtype}")
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

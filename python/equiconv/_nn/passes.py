# SPDX-License-Identifier: Apache-2.0
"""Linear maps of space that are the same along each axis, with bits that do not depend on how a group turns a signal.

A pass along an axis commutes with mirroring to the last bit if it adds up mirrored numbers in one order. Two passes
along different axes commute only up to rounding. So passes along axes that the group exchanges run in all orders, of
which the middle is taken, and that does not change when axes do.

The functions here index, add and multiply, and so take arrays of NumPy, PyTorch and JAX. Products that may round are
never the first term of a sum of two, so that a compiler that fuses them changes no bit of one side alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any, TypeAlias

Pass: TypeAlias = Callable[[Any], Any]
Extremum: TypeAlias = Callable[[Any, Any], Any]

# Binomial filters add so many numbers before they scale again: no sum overflows, and none loses bits.
_ADDED = 16


def along_axes(
    x: Any, passes: Sequence[Pass], orbits: Sequence[Sequence[int]], lowest: Extremum, highest: Extremum
) -> Any:
    """An array after a pass along each axis of space.

    Args:
        x: array of any framework.
        passes: linear maps, one for each spatial axis, that commute up to rounding.
        orbits: the axes in sets that the group exchanges, as `axis_orbits` gives them.
        lowest, highest: the minimum and maximum of two arrays, number by number.
    """
    for orbit in orbits:
        x = _in_all_orders(x, [passes[axis] for axis in orbit], lowest, highest)
    return x


def _in_all_orders(x: Any, passes: Sequence[Pass], lowest: Extremum, highest: Extremum) -> Any:
    """The middle between the lowest and the highest of what the passes give, over which of them is the last."""
    if len(passes) == 1:
        return passes[0](x)
    results = []
    for number, last in enumerate(passes):
        others = [*passes[:number], *passes[number + 1 :]]
        results.append(last(_in_all_orders(x, others, lowest, highest)))
    # Of two, any order will do.
    ends = results if len(results) == 2 else [reduce(lowest, results), reduce(highest, results)]
    return ends[0] * 0.5 + ends[1] * 0.5


def binomial(x: Any, axis: int, taps: int, stride: int) -> Any:
    """The binomial filter of some taps along an axis, at every `stride`-th place: means of neighbors, of means, ...

    Args:
        x: array of any framework.
        axis: from the end, negative.
        taps: 1 for no filter.
        stride: of the places.
    """
    at = partial(_at, axis)
    for left in range(taps - 1, 0, -1):
        if (taps - 1 - left) % _ADDED == 0:
            x = x * 0.5 ** min(_ADDED, left)
        count, step = x.shape[axis], stride if left == 1 else 1
        x = x[at(slice(0, count - 1, step))] + x[at(slice(1, count, step))]
    return x if taps > 1 else x[at(slice(None, None, stride))]


def neighbors(index: Any, size: int, factor: int, align_corners: bool) -> tuple[Any, Any, Any, int]:
    """Between which places the numbers of an enlarged axis lie, and where, as PyTorch's `interpolate` has it.

    Args:
        index: the integers below ``size * factor``, an array of NumPy or PyTorch.
        size: of the axis.
        factor: by which it is enlarged.
        align_corners: whether the first and last places stay first and last.

    Returns:
        The place below and the place above; an integer s and one u, so that the weights are (u - s) / 2u of the one
        and (u + s) / 2u of the other. The places are one where no interpolation is needed.
    """
    if align_corners:
        position, unit = index * (size - 1), max(size * factor - 1, 1)
    else:
        position, unit = 2 * index + 1 - factor, 2 * factor
    below, rest = position // unit, position % unit
    above = below + (rest > 0)
    return below.clip(0, size - 1), above.clip(0, size - 1), 2 * rest - unit, unit


def between(x: Any, axis: int, below: Any, above: Any, slope: Any) -> Any:
    """Numbers between those of two lists of places on an axis; ``slope`` is -1 at the one and 1 at the other.

    Args:
        x: array of any framework.
        axis: from the end, negative.
        below, above: the places.
        slope: one for each place, of the dtype of `x`.
    """
    half = x * 0.5
    return between_halves(half[_at(axis, below)], half[_at(axis, above)], slope.reshape(-1, *(1,) * (-axis - 1)))


def between_halves(one: Any, other: Any, slope: Any) -> Any:
    """A number between two, of which there are the halves, for a slope from -1 to 1."""
    # Mirrored, both the difference and the slope change their signs.
    return (one + other) + slope * (other - one)


def _at(axis: int, places: Any) -> tuple[Any, ...]:
    """The index of some places of an axis, which is counted from the end."""
    return (..., places, *(slice(None),) * (-axis - 1))

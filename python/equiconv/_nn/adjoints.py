# SPDX-License-Identifier: Apache-2.0
"""Adjoints of maps of space that are the same along each axis, with bits that do not depend on turns of a signal.

A map along an axis is a table: each output is the sum of a few pixels with their weights. Its adjoint adds each output,
with these weights, to those pixels. Sums of the mirrored table run in another order; half of both is symmetric. Axes
that the group exchanges are added along in all orders, as in `passes`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks.arrays import Array
from .held import sorted_mean
from .passes import along_axes, neighbors
from .spatial_options import AdaptiveOptions, BlurOptions, UpsampleOptions
from .windows import adaptive_windows


@dataclass(frozen=True)
class Taps:
    """A linear map along an axis.

    Attributes:
        size: of the axis that it reads.
        places: (taps, outputs): the pixels that each output reads, ascending in each row.
        weights: (taps, outputs): of these.
    """

    size: int
    places: NDArray[np.intp]
    weights: NDArray[np.float64]

    def spread(self, gradient: Array, axis: int) -> Array:
        """The adjoint along an axis, symmetric to the last bit."""
        forth = self._added(gradient, axis)
        back = np.flip(self._added(np.flip(gradient, axis), axis), axis)
        half: Array = forth * gradient.dtype.type(0.5) + back * gradient.dtype.type(0.5)
        return half

    def _added(self, gradient: Array, axis: int) -> Array:
        rows = np.ascontiguousarray(np.moveaxis(gradient, axis, 0))
        result = np.zeros((self.size, *rows.shape[1:]), gradient.dtype)
        column = (-1, *(1,) * (rows.ndim - 1))
        for places, weights in zip(self.places, self.weights, strict=True):
            # Of outputs that read one pixel in turn, the sums.
            firsts = np.flatnonzero(np.diff(places, prepend=-1))
            terms = rows * weights.astype(rows.dtype).reshape(column)
            result[places[firsts]] += np.add.reduceat(terms, firsts, axis=0)
        return np.moveaxis(result, 0, axis)


def spread(gradient: Array, taps: Sequence[Taps], orbits: Sequence[Sequence[int]]) -> Array:
    """The adjoint of maps along the last axes of a signal; `orbits` are those that the group exchanges."""
    passes = [partial(part.spread, axis=axis) for axis, part in enumerate(taps, -len(taps))]
    with np.errstate(all="ignore"):
        spread_out: Array = along_axes(gradient, passes, orbits, np.minimum, np.maximum)
    return spread_out


def taps_of_upsampling(own: UpsampleOptions, shape: Sequence[int]) -> list[Taps]:
    """Those of each axis of space, for a signal of a shape."""
    found = []
    for size, factor in zip(shape[-len(own.factor) :], own.factor, strict=True):
        index = np.arange(size * factor)
        if own.mode == "nearest":
            found.append(Taps(size, (index // factor)[None], np.ones((1, len(index)))))
            continue
        below, above, numbers, unit = neighbors(index, size, factor, own.align_corners)
        slopes = numbers / (2 * unit)
        found.append(Taps(size, np.stack([below, above]), np.stack([0.5 - slopes, 0.5 + slopes])))
    return found


def taps_of_blur(own: BlurOptions, shape: Sequence[int]) -> list[Taps]:
    """Those of the filter along each axis of space, for a signal of a shape, behind its maxima."""
    found = []
    counts, padding = own.fitted(shape)
    windows = zip(own.sizes_of_maxima(shape), own.outputs(shape), counts, padding, own.stride, strict=True)
    for read, outputs, count, amount, stride in windows:
        first = stride * np.arange(outputs) - amount
        places = first + np.arange(count)[:, None]
        weights = np.array([math.comb(count - 1, tap) for tap in range(count)], np.float64) * 0.5 ** (count - 1)
        is_inside = (places >= 0) & (places < read)
        kept = np.ones_like(is_inside) if own.padding_mode == "replicate" else is_inside
        found.append(Taps(read, places.clip(0, read - 1), weights[:, None] * kept))
    return found


def taps_of_means(own: AdaptiveOptions, shape: Sequence[int]) -> list[Taps]:
    """Those of each axis of space, for a signal of a shape."""
    found = []
    for size, count in zip(shape[-len(own.size) :], own.size, strict=True):
        begin, end = np.array(adaptive_windows(size, count)).T
        places = begin + np.arange((end - begin).max())[:, None]
        weights = np.where(places < end, 1 / (end - begin), 0.0)
        found.append(Taps(size, places.clip(0, size - 1), weights))
    return found


def adjoint_of_maxima(
    gradient: Array, x: Array, maxima: Array, kernel: tuple[int, ...], margins: tuple[int, ...]
) -> Array:
    """The gradient of a signal for that of its maxima over windows at every pixel, to the last bit symmetric.

    Args:
        gradient: of the maxima.
        x: the signal.
        maxima: its maxima; equal largest values have equal parts.
        kernel: of the windows.
        margins: padding of the signal.
    """
    d = len(kernel)
    pairs = [(0, 0)] * (x.ndim - d) + [(margin, margin) for margin in margins]
    padded, is_inside = np.pad(x, pairs), np.pad(np.ones(x.shape[-d:], bool), pairs[-d:])
    offsets = list(product(*map(range, kernel)))
    windows = [_window(offset, maxima.shape[-d:]) for offset in offsets]
    is_largest = [((padded[one] == maxima) | np.isnan(padded[one])) & is_inside[one] for one in windows]
    with np.errstate(all="ignore"):
        share = gradient / np.sum(is_largest, axis=0, dtype=x.dtype)
        parts = np.zeros((*padded.shape, len(offsets)), x.dtype)
        for number, (window, largest) in enumerate(zip(windows, is_largest, strict=True)):
            parts[(*window, number)] = np.where(largest, share, 0)
        # Of sorted numbers, in which turns change nothing.
        total = sorted_mean(parts, np.ones((), np.float64)).astype(x.dtype)
    return np.ascontiguousarray(total[_window(margins, x.shape[-d:])])


def _window(begins: Sequence[int], sizes: Sequence[int]) -> tuple[Any, ...]:
    """The index of so many pixels from the first ones on."""
    return (..., *(slice(begin, begin + size) for begin, size in zip(begins, sizes, strict=True)))

# SPDX-License-Identifier: Apache-2.0
"""Images at another resolution, defined pixel by pixel, so that no pixel depends on the region that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .source import Pixels, Place, Reader, Resolution, Source

NEAR = 0.01
"""Resolutions that differ by at most this part of each other count as the same."""
_UNIT = 2**15
_BLOCK = 2**22


def factor(target: float, base: float) -> float:
    """How many pixels of an image at `base` make one at `target` micrometers: a whole number where one is near."""
    ratio = target / base
    whole = max(1, round(ratio))
    return float(whole) if abs(ratio / whole - 1) <= NEAR else ratio


class Resampled(Reader):
    """A source at a coarser or finer resolution.

    With s = `factors` of an axis and n its pixels there are ``max(1, floor(n / s))`` pixels. Pixel j is at
    ``c = (j + 1/2) s - 1/2`` of the source. Along each axis

    - for a whole s, it is the mean of the s pixels from ``j s`` on;
    - otherwise, it is the mean of pixels i with weights ``max(0, 1 - |i - c| / max(s, 1))``, each rounded to a multiple
      of 2^-15 with their sum kept at 1; pixels beyond the image have no weight.

    Sums run in float64 over x, then over y, in the order of the pixels; for integers of up to 16 bits they are exact.
    Integers are rounded to the nearest, halves upwards. The weights depend on j alone and never on the region, so all
    regions agree to the last bit.

    Args:
        source: what is read. `close` closes it.
        factors: s for y and x.
    """

    def __init__(self, source: Source, factors: Resolution) -> None:
        self._source, self._factors = source, (float(factors[0]), float(factors[1]))
        extents = tuple(max(1, int(n / s)) for n, s in zip(source.extents, self._factors, strict=True))
        mpp = None
        if source.mpp is not None:
            mpp = (source.mpp[0] * self._factors[0], source.mpp[1] * self._factors[1])
        spacing = source.spacing[0] * self._factors[0], source.spacing[1] * self._factors[1]
        self._describe(
            extents=extents,
            channels=source.channels,
            dtype=source.dtype,
            mpp=mpp,
            name=source.name,
            spacing=spacing,
        )
        self.fingerprint = f"{source.fingerprint} by {self._factors[0]!r} x {self._factors[1]!r}"

    @property
    def source(self) -> Source:
        """What is resampled."""
        return self._source

    def _read(self, begin: Place, end: Place) -> Pixels:
        result: Pixels = np.empty((self.channels, end[0] - begin[0], end[1] - begin[1]), self.dtype)
        for first, last in self._blocks(begin, end):
            rows, columns = (slice(first[axis] - begin[axis], last[axis] - begin[axis]) for axis in range(2))
            result[:, rows, columns] = self._block(first, last)
        return result

    def _blocks(self, begin: Place, end: Place) -> Iterator[tuple[Place, Place]]:
        """Parts of a region that read at most `_BLOCK` pixels of the source, or one pixel each."""
        sizes = [last - first for first, last in zip(begin, end, strict=True)]
        if max(sizes) == 1 or sizes[0] * sizes[1] * self._factors[0] * self._factors[1] <= _BLOCK:
            yield begin, end
            return
        middle = (begin[0] + end[0]) // 2, (begin[1] + end[1]) // 2
        if sizes[0] >= sizes[1]:
            yield from self._blocks(begin, (middle[0], end[1]))
            yield from self._blocks((middle[0], begin[1]), end)
        else:
            yield from self._blocks(begin, (end[0], middle[1]))
            yield from self._blocks((begin[0], middle[1]), end)

    def _block(self, begin: Place, end: Place) -> Pixels:
        taps = [taps_of(*axis) for axis in zip(begin, end, self._factors, self._source.extents, strict=True)]
        lows = [int(index.min()) for index, _, _ in taps]
        highs = [int(index.max()) + 1 for index, _, _ in taps]
        pixels = self._source.read((lows[0], lows[1]), (highs[0], highs[1])).astype(np.float64)
        for axis in (1, 0):
            index, weight, _ = taps[axis]
            pixels = _weighted(pixels, axis + 1, index - lows[axis], weight)
        return _rounded(pixels / (taps[0][2] * taps[1][2]), self.dtype)

    def close(self) -> None:
        """Closes the source."""
        self._source.close()


def taps_of(begin: int, end: int, s: float, n: int) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """What the pixels ``begin...end - 1`` read along an axis of n pixels: indices and weights (pixels, taps), divisor.

    Weights are whole numbers whose sum is the divisor. See `Resampled` for the formula.
    """
    j = np.arange(begin, end, dtype=np.int64)
    if s == int(s):
        # An image of fewer than s pixels has one output, the mean of all of them.
        index = np.minimum(j[:, None] * int(s) + np.arange(min(int(s), n)), n - 1)
        return index, np.ones(index.shape), float(index.shape[1])
    reach = max(s, 1.0)
    center = (j + 0.5) * s - 0.5
    # Strictly within (c - reach, c + reach) there are at most ceil(2 reach) pixels.
    index = np.floor(center - reach).astype(np.int64)[:, None] + 1 + np.arange(int(np.ceil(2 * reach)))
    weight = np.maximum(0.0, 1.0 - np.abs(index - center[:, None]) / reach)
    weight[(index < 0) | (index >= n)] = 0
    # Added one after the other, so that the sum does not depend on how many rows there are.
    total = sum(weight.T, np.zeros(len(j)))
    weight = np.floor(weight * (_UNIT / total)[:, None] + 0.5)
    # What rounding lost goes to the largest weight.
    weight[np.arange(len(j)), weight.argmax(1)] += _UNIT - weight.sum(1)
    return np.clip(index, 0, n - 1), weight, float(_UNIT)


def _weighted(pixels: NDArray[np.float64], axis: int, index: NDArray[np.int64], weight: NDArray[np.float64]) -> Pixels:
    """Sums over the taps of an axis, tap after tap: the same operations for each pixel, whatever is beside it."""
    shape = [1, 1, 1]
    shape[axis] = len(index)
    result = pixels.take(index[:, 0], axis) * weight[:, 0].reshape(shape)
    for tap in range(1, index.shape[1]):
        result += pixels.take(index[:, tap], axis) * weight[:, tap].reshape(shape)
    return result


def _rounded(pixels: Pixels, dtype: np.dtype[Any]) -> Pixels:
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return pixels.astype(dtype)
    whole = np.floor(pixels + 0.5)
    if dtype.kind != "b" and dtype.itemsize == 8:
        # Beyond 2^53 float64 is not every integer, and its largest may be one above the dtype's.
        info = np.iinfo(dtype)
        inside = np.clip(whole, info.min, np.nextafter(float(info.max), 0))
        return np.where(whole >= float(info.max), info.max, inside.astype(dtype))
    return whole.astype(dtype)


def whole_factors(values: Sequence[float]) -> bool:
    """Whether all factors are 1, so that nothing is resampled."""
    return all(value == 1 for value in values)

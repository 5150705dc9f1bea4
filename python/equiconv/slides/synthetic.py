# SPDX-License-Identifier: Apache-2.0
"""Slides that are drawn, not scanned: of any size, with nuclei whose places are known, and as files for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks.arguments import axes, integer
from ._sources.arrays import resolution_of
from ._sources.pyramid import Level, Pyramid
from ._sources.source import Pixels, Place, Reader, Resolution, checked_region
from ._sources.tiff_writing import write_tiff as write_tiff

__all__ = ["SyntheticSlide", "write_tiff"]

_Floats = NDArray[np.float64]

_CELL = 16.0
"""Micrometers: there is at most one nucleus in each square of this side, and wholly within it."""
_RADII = 2.6, 4.4
_WHITE, _PINK, _PALE, _PURPLE = (243.0, 241.0, 244.0), (222.0, 150.0, 192.0), (240.0, 200.0, 222.0), (92.0, 58.0, 140.0)
_DOWNSAMPLE = 4
_BAND = 2**18
_COARSE, _MEAN_COVERAGE = 6.0, 0.13
"""Pixels of more micrometers than this do not show nuclei: each has their mean part."""


class SyntheticSlide(Reader):
    """A slide of pink tissue with purple nuclei on white, computed where it is read.

    A pixel depends on the seed, the slide's size and its own place, so regions agree to the last bit wherever they
    overlap, in every process. Nothing is stored: a slide of 100 000 x 100 000 pixels takes no memory. Its coarser
    levels, each of a quarter of the pixels along an axis, are drawn and not averaged. A read takes time proportional to
    its pixels, about 0.3 microseconds each.

    Args:
        extents: height and width in pixels.
        seed: 0...2^63 - 1; another one is another slide.
        mpp: micrometers per pixel, a number or one for y and one for x.

    Raises:
        TypeError, ValueError: wrong arguments.
    """

    def __init__(self, extents: tuple[int, int], seed: int = 0, mpp: float | Resolution = 0.5) -> None:
        height, width = axes("extents", extents, 2, 1)
        resolution = resolution_of("mpp", mpp)
        if resolution is None:
            raise TypeError("mpp is None, expected micrometers per pixel")
        self._arguments = ((height, width), integer("seed", seed, 0, 2**63 - 1), resolution)
        self._draw(0)

    def _draw(self, level: int) -> None:
        """Becomes a level of the slide."""
        (height, width), seed, resolution = self._arguments
        step, self._level = _DOWNSAMPLE**level, level
        self._describe(
            extents=(max(1, height // step), max(1, width // step)),
            channels=3,
            dtype=np.dtype(np.uint8),
            mpp=(resolution[0] * step, resolution[1] * step),
            name=f"synthetic slide {seed} of {height} x {width} pixels",
            spacing=(float(step), float(step)),
        )
        self.fingerprint = f"synthetic slide 1 {self._arguments} level {level}"
        # Parts of tissue are of a millimeter, or smaller on a slide that would have none of them.
        self._parts = min(1000.0, max(height * resolution[0], width * resolution[1]) / 4)
        self._pixel: Resolution = (resolution[0] * step, resolution[1] * step)

    @property
    def pyramid(self) -> Pyramid:
        """The levels of the slide, from which `open_source` takes one."""
        return _Levels(self)

    def at(self, level: int) -> SyntheticSlide:
        """A level of the slide, 0 for the finest."""
        other = SyntheticSlide(*self._arguments)
        other._draw(integer("level", level, 0, 15))
        return other

    def nuclei(self, begin: Place | None = None, end: Place | None = None) -> _Floats:
        """The centers of the nuclei in a region, which is the whole slide unless it is given.

        Returns:
            An array (n, 2) of places along y and x in pixels, where pixel i is from i to i + 1. A nucleus belongs to
            the region that has its center. The order is that of squares of 16 micrometers, row by row.

        Raises:
            TypeError, ValueError: no region of the slide.
        """
        first, last = checked_region(
            (0, 0) if begin is None else begin, self.extents if end is None else end, self.extents
        )
        cells = [_cells(a, b, size) for a, b, size in zip(first, last, self._pixel, strict=True)]
        drawn = self._nuclei(*cells)
        centers = np.stack([drawn["y"] / self._pixel[0], drawn["x"] / self._pixel[1]], -1)
        inside = drawn["present"] & np.all((centers >= first) & (centers < last), axis=-1)
        found: _Floats = centers[inside]
        return found

    def _read(self, begin: Place, end: Place) -> Pixels:
        result = np.empty((3, end[0] - begin[0], end[1] - begin[1]), np.uint8)
        # A dozen numbers are computed for each pixel: band by band they stay few.
        height = max(1, _BAND // result.shape[2])
        for row in range(begin[0], end[0], height):
            last = min(row + height, end[0])
            result[:, row - begin[0] : last - begin[0]] = self._drawn((row, begin[1]), (last, end[1]))
        return result

    def _drawn(self, begin: Place, end: Place) -> Pixels:
        y, x = (size * np.arange(a + 0.5, b) for a, b, size in zip(begin, end, self._pixel, strict=True))
        tissue = np.clip(self._tissue(y, x) * (self._parts / 12) + 0.5, 0, 1)
        eosin = 0.65 * self._texture(2, y, x, 60.0) + 0.35 * self._texture(3, y, x, 9.0)
        nucleus = self._coverage(y, x)
        chromatin = 0.75 + 0.5 * self._texture(4, y, x, 1.5)
        rows, columns = np.arange(begin[0], end[0]), np.arange(begin[1], end[1])
        grain = (self._uniform(5 + self._level, rows, columns) - 0.5) * 8
        result = np.empty((3, len(y), len(x)), np.uint8)
        for channel in range(3):
            color = _PALE[channel] + (_PINK[channel] - _PALE[channel]) * eosin
            color = _WHITE[channel] + (color - _WHITE[channel]) * tissue
            color += (_PURPLE[channel] * chromatin - color) * nucleus
            result[channel] = np.clip(np.floor(color + grain + 0.5), 0, 255)
        return result

    def _coverage(self, y: _Floats, x: _Floats) -> _Floats:
        """How much of each pixel is nucleus: an ellipse, with an edge of a pixel's width."""
        if max(self._pixel) > _COARSE:
            return np.where(self._tissue(y, x) > 0, _MEAN_COVERAGE, 0.0)
        places = [np.floor(axis / _CELL).astype(np.int64) for axis in (y, x)]
        cells = self._nuclei(*(np.arange(place[0], place[-1] + 1) for place in places))
        rows, columns = (place - place[0] for place in places)
        at = {name: values[rows][:, columns] for name, values in cells.items()}
        dy, dx = y[:, None] - at["y"], x - at["x"]
        along, across = dy * at["sine"] + dx * at["cosine"], dy * at["cosine"] - dx * at["sine"]
        distance = np.sqrt(along * along + across * across * at["stretch"])
        edge = (at["radius"] - distance) / max(self._pixel) + 0.5
        return np.where(at["present"], np.clip(edge, 0, 1), 0.0)

    def _nuclei(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> dict[str, Any]:
        """What is in the cells of these rows and columns of cells, in micrometers, each as (rows, columns)."""
        draws = [self._uniform(100 + number, rows, columns) for number in range(6)]
        radius = _RADII[0] + (_RADII[1] - _RADII[0]) * draws[0]
        margin = _RADII[1] + 0.5
        y = _CELL * rows[:, None] + margin + (_CELL - 2 * margin) * draws[1]
        x = _CELL * columns + margin + (_CELL - 2 * margin) * draws[2]
        # A direction is a point on a half circle, given rationally: no functions whose last bit libraries differ in.
        t = 2 * draws[3] - 1
        present = (draws[4] < 0.7) & (self._tissue_at(y, x) > 0)
        cosine, sine = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
        return {
            "y": y, "x": x, "radius": radius, "cosine": cosine, "sine": sine,
            "stretch": 1 + 1.5 * draws[5], "present": present,
        }  # fmt: skip

    def _tissue(self, y: _Floats, x: _Floats) -> _Floats:
        """Above 0 where there is tissue, at all places of rows y and columns x."""
        return self._noise(0, y, x, self._parts) + 0.4 * self._noise(1, y, x, self._parts / 5) - 0.7

    def _tissue_at(self, y: _Floats, x: _Floats) -> _Floats:
        """The same at single points."""
        return self._points(0, y, x, self._parts) + 0.4 * self._points(1, y, x, self._parts / 5) - 0.7

    def _texture(self, kind: int, y: _Floats, x: _Floats, spacing: float) -> _Floats:
        """`_noise`, or its mean where pixels are larger than what it shows."""
        if spacing < max(self._pixel):
            return np.full((len(y), len(x)), 0.5)
        return self._noise(kind, y, x, spacing)

    def _noise(self, kind: int, y: _Floats, x: _Floats, spacing: float) -> _Floats:
        """Smooth noise from 0 to 1 at rows y and columns x: random numbers on a lattice, interpolated."""
        (iy, wy), (ix, wx) = (_lattice(axis, spacing) for axis in (y, x))
        grid = self._uniform(1000 + kind, np.arange(iy[0], iy[-1] + 2), np.arange(ix[0], ix[-1] + 2))
        iy, ix, wy = iy - iy[0], ix - ix[0], wy[:, None]
        rows = grid[iy] * (1 - wy) + grid[iy + 1] * wy
        noise: _Floats = rows[:, ix] * (1 - wx) + rows[:, ix + 1] * wx
        return noise

    def _points(self, kind: int, y: _Floats, x: _Floats, spacing: float) -> _Floats:
        """`_noise` at single points, with the same operations in the same order."""
        (iy, wy), (ix, wx) = (_lattice(axis, spacing) for axis in (y, x))
        a, b = (self._hashed(1000 + kind, iy, ix + n) * (1 - wy) + self._hashed(1000 + kind, iy + 1, ix + n) * wy
                for n in (0, 1))  # fmt: skip
        points: _Floats = a * (1 - wx) + b * wx
        return points

    def _uniform(self, kind: int, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> _Floats:
        """Random numbers in [0, 1), one for each row and column."""
        return self._hashed(kind, rows[:, None], columns[None])

    def _hashed(self, kind: int, row: NDArray[np.int64], column: NDArray[np.int64]) -> _Floats:
        """Random numbers of places: the finalizer of SplitMix64 on each coordinate in turn."""
        key = np.array([self._arguments[1]], np.uint64)
        state = _mixed(key + np.uint64(kind * 0x9E3779B97F4A7C15 % 2**64))
        state = _mixed(row.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F) + state)
        state = _mixed(column.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + state)
        return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def __reduce__(self) -> tuple[Any, ...]:
        return _level_of, (self._arguments, self._level)


class _Levels(Pyramid):
    """The levels of a synthetic slide, down to the first of at most 512 pixels."""

    def __init__(self, slide: SyntheticSlide) -> None:
        self._slide, self.name, self._first = slide, slide.name, slide._level
        levels: list[Level] = []
        while not levels or max(levels[-1].extents) > 512:
            level = slide.at(self._first + len(levels))
            levels.append(Level(level.extents, level.mpp, level.spacing))
        self.levels = tuple(levels)

    def open(self, level: int) -> SyntheticSlide:
        """A level."""
        return self._slide.at(self._first + level)


def _level_of(arguments: tuple[Place, int, Resolution], level: int) -> SyntheticSlide:
    return SyntheticSlide(*arguments).at(level)


def _cells(begin: int, end: int, size: float) -> NDArray[np.int64]:
    """The cells of an axis that pixels have parts of."""
    return np.arange(int(begin * size // _CELL), int(end * size // _CELL) + 1)


def _lattice(places: _Floats, spacing: float) -> tuple[NDArray[np.int64], _Floats]:
    """The point of the lattice before each place, and the smooth weight of the next one."""
    scaled = places / spacing
    whole = np.floor(scaled)
    part = scaled - whole
    return whole.astype(np.int64), part * part * (3 - 2 * part)


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))

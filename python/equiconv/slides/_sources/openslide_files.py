# SPDX-License-Identifier: Apache-2.0
"""Slides that OpenSlide reads, or TiffSlide, which has the same interface."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .arrays import file_stamp
from .pyramid import Level, Pyramid, levels_of
from .source import Once, Pixels, Place, Reader, Resolution, SourceError, optional, region_error
from .tiff_files import Segments, tiles_of

_BLOCK = 1024


class OpenSlidePyramid(Pyramid):
    """The levels of a slide."""

    def __init__(self, path: str, module: str) -> None:
        self.name, self._module = path, module
        slide = _opened(path, module)
        try:
            properties = slide.properties
            sizes = [(int(height), int(width)) for width, height in slide.level_dimensions]
            self.levels = levels_of(sizes, _resolution(properties))
            self._downsamples = [float(value) for value in slide.level_downsamples]
            self._background = str(properties.get("openslide.background-color") or "FFFFFF")
        finally:
            slide.close()

    def open(self, level: int) -> SlideLevel:
        """A level of the slide, which is opened anew."""
        found = self.levels[level]
        return SlideLevel(self.name, self._module, level, found, self._downsamples[level], self._background)


class SlideLevel(Reader):
    """One level of a slide as RGB: what was not scanned has the file's background color, or white.

    A region of a level begins at a pixel of level 0. Where the pixels of a level do not begin at whole pixels of level
    0, OpenSlide interpolates, by an amount that depends on where the region begins. Such levels are therefore always
    read in the same blocks of 1024 x 1024 pixels, so that no pixel depends on the region that was asked for.

    OpenSlide conceals damage of JPEG data, and some of Deflate. Where the level is made of tiles of a TIFF file, as in
    those of Aperio, each tile is therefore checked before its first use, unless it is JPEG 2000. In other formats such
    damage is not noticed.
    """

    def __init__(
        self,
        path: str,
        module: str,
        number: int,
        level: Level,
        downsample: float,
        background: str,
    ) -> None:
        self._arguments = (os.path.abspath(path), module, number, level, downsample, background)
        self._path, self._module, self._level, self._downsample = path, module, number, downsample
        self._is_whole = downsample == int(downsample)
        self._color = np.array([int(background[at : at + 2], 16) for at in (0, 2, 4)], np.uint16)
        self._slide, self._tiles = Once(), Once()
        self._describe(
            extents=level.extents,
            channels=3,
            dtype=np.dtype(np.uint8),
            mpp=level.mpp,
            name=path,
            spacing=level.spacing,
        )
        self.fingerprint = f"{file_stamp(path)} {module} level {number} {level.extents}"

    def _read(self, begin: Place, end: Place) -> Pixels:
        if self._is_whole:
            return self._region(begin, end)
        result = np.empty((3, end[0] - begin[0], end[1] - begin[1]), np.uint8)
        for row in range(begin[0] // _BLOCK * _BLOCK, end[0], _BLOCK):
            for column in range(begin[1] // _BLOCK * _BLOCK, end[1], _BLOCK):
                last = min(row + _BLOCK, self.extents[0]), min(column + _BLOCK, self.extents[1])
                block = self._region((row, column), last)
                top, left = max(row, begin[0]), max(column, begin[1])
                bottom, right = min(last[0], end[0]), min(last[1], end[1])
                part = block[:, top - row : bottom - row, left - column : right - column]
                result[:, top - begin[0] : bottom - begin[0], left - begin[1] : right - begin[1]] = part
        return result

    def _check_tiles(self, begin: Place, end: Place) -> None:
        """Checks the tiles of a region."""
        tiles: Segments | bool = self._tiles.get(lambda: tiles_of(self._path, self.extents) or False)
        if isinstance(tiles, bool):
            return
        # Interpolation reads a pixel more on every side.
        more = 0 if self._is_whole else 1
        last = min(end[0] + more, self.extents[0]), min(end[1] + more, self.extents[1])
        for tile in tiles.within((max(begin[0] - more, 0), max(begin[1] - more, 0)), last):
            try:
                tiles.check(tile)
            except (ValueError, OSError) as error:
                raise region_error(self.name, begin, end, f"tile {tile.index} of its level: {error}") from error

    def _region(self, begin: Place, end: Place) -> Pixels:
        self._check_tiles(begin, end)
        slide = self._slide.get(lambda: _opened(self._path, self._module))
        row, column = (round(place * self._downsample) for place in begin)
        try:
            image = slide.read_region((column, row), self._level, (end[1] - begin[1], end[0] - begin[0]))
        except Exception:
            # A slide that failed once fails for ever: another read opens it anew.
            self._slide.take()
            raise
        return self._on_background(np.asarray(image))

    def _on_background(self, pixels: Pixels) -> Pixels:
        """RGBA with colors not multiplied by alpha, laid on the background: ``(a c + (255 - a) b) / 255``, rounded."""
        if pixels.shape[2] == 3:  # of TiffSlide, without alpha
            return pixels.transpose(2, 0, 1)
        color, alpha = pixels[..., :3].astype(np.uint16), pixels[..., 3:].astype(np.uint16)
        laid = (alpha * color + (255 - alpha) * self._color + 127) // 255
        return laid.astype(np.uint8).transpose(2, 0, 1)

    def close(self) -> None:
        """Closes the slide."""
        slide = self._slide.take()
        if slide is not None:
            slide.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return SlideLevel, self._arguments


def opens(path: str) -> bool:
    """Whether OpenSlide is installed and knows the file as a slide of a scanner; it also reads plain TIFFs, in part."""
    try:
        openslide = optional("openslide")
    except ModuleNotFoundError:
        return False
    return openslide.OpenSlide.detect_format(path) not in (None, "generic-tiff")


def _opened(path: str, module: str) -> Any:
    library = optional(module)
    kind = library.OpenSlide if module == "openslide" else library.TiffSlide
    try:
        return kind(path)
    except Exception as error:  # of the library's types, which need not be imported here
        raise SourceError(f"{path}: cannot be opened by {module}: {' '.join(str(error).split())}") from error


def _resolution(properties: Any) -> Resolution | None:
    values = [properties.get(f"{vendor}.mpp-{axis}") for vendor in ("openslide", "tiffslide") for axis in "yx"]
    pair = values[:2] if values[0] is not None else values[2:]
    try:
        y, x = (float(value) for value in pair)
    except (TypeError, ValueError):
        return None
    return (y, x) if y > 0 and x > 0 else None

# SPDX-License-Identifier: Apache-2.0
"""TIFF files, pyramidal or not, among them OME-TIFF, read segment by segment: no damage is filled in silently."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import file_stamp
from .jpeg_checks import check_jpeg
from .pyramid import Level, Pyramid, levels_of
from .source import Once, Pixels, Place, Reader, SourceError, optional, region_error
from .tiff_resolution import resolution_of_tiff

_JPEG = (6, 7)
_LOSSLESS = (1, 5, 8, 32773, 32946, 50000)
"""None, LZW, Deflate, PackBits, Deflate, Zstandard: their decoders notice data that are not whole."""
_CACHED = 2**25


class TiffPyramid(Pyramid):
    """The levels of the first image of a file."""

    def __init__(self, path: str, missing: str) -> None:
        self.name, self._missing = path, missing
        # A file that ends early may have lost levels or its description, of which tifffile only warns.
        with _warnings_as_errors(path, r"offset|corrupt"), _opened(path) as file:
            try:
                levels = file.series[0].levels
                for level in levels:
                    _check_axes(path, level)
                sizes = [(int(level.keyframe.imagelength), int(level.keyframe.imagewidth)) for level in levels]
                self.levels: tuple[Level, ...] = levels_of(sizes, resolution_of_tiff(file))
                self._kinds = [(len(level.pages) * level.keyframe.samplesperpixel, level.dtype) for level in levels]
            except SourceError:
                raise
            except Exception as error:  # of many types, by what is wrong with the tags
                raise SourceError(f"{path}: cannot be read as a TIFF file: {error}") from error

    def open(self, level: int) -> TiffLevel:
        """A level of the file, which is opened anew."""
        return TiffLevel(self.name, level, self.levels[level], *self._kinds[level], self._missing)


class TiffLevel(Reader):
    """One level of a TIFF file, with its samples as they are stored, JPEG colors as RGB.

    A segment, which is a tile or a strip, that is not in the file, ends early or does not decode is an error that names
    its number. Segments that were decoded last are kept, 32 MiB of them.
    """

    def __init__(self, path: str, number: int, level: Level, channels: int, dtype: np.dtype[Any], missing: str) -> None:
        self._arguments = (os.path.abspath(path), number, level, channels, dtype, missing)
        self._path, self._number, self._missing = path, number, missing
        self._describe(
            extents=level.extents,
            channels=channels,
            dtype=np.dtype(dtype),
            mpp=level.mpp,
            name=path,
            spacing=level.spacing,
        )
        self.fingerprint = f"{file_stamp(path)} tifffile level {number} {level.extents}"
        self._pages = Once()
        self._cache = _Cache(_CACHED)

    def _read(self, begin: Place, end: Place) -> Pixels:
        result = np.zeros((self.channels, end[0] - begin[0], end[1] - begin[1]), self.dtype)
        pages: Sequence[Segments] = self._pages.get(self._opened_pages)
        for number, page in enumerate(pages):
            for segment in page.within(begin, end):
                try:
                    pixels = self._cache.get((number, segment.index), lambda p=page, s=segment: p.decoded(s))
                except (ValueError, OSError) as error:
                    text = f"{page.kind} {segment.index} of level {self._number}: {error}"
                    raise region_error(self.name, begin, end, text) from error
                first = number * page.samples + segment.sample
                _copy(result[first : first + pixels.shape[0]], begin, pixels, segment.begin)
        return result

    def _opened_pages(self) -> list[Segments]:
        with _opened(self._path) as file:
            level = file.series[0].levels[self._number]
            if tuple(level.keyframe.shaped[2:4]) != self.extents:
                raise SourceError(f"{self.name}: level {self._number} has changed since the file was opened")
            return [Segments(self._path, page, self._missing == "fill") for page in level.pages]

    def close(self) -> None:
        """Forgets the places and pixels of segments; the file is open only while a region is read."""
        self._pages.take()
        self._cache.clear()

    def __reduce__(self) -> tuple[Any, ...]:
        return TiffLevel, self._arguments


@dataclass(frozen=True)
class Segment:
    """A tile or strip: its number in the page, where it begins, and its first sample."""

    index: int
    begin: Place
    sample: int


class Segments:
    """The tiles or strips of a page, and where the file has them.

    Args:
        path: the file, which is opened for each read.
        page: a page of tifffile.
        fill: whether a segment that the file leaves out is zeros; otherwise it is an error.
    """

    def __init__(self, path: str, page: Any, fill: bool) -> None:
        frame = page.keyframe
        self._path, self._fill = path, fill
        self._decode, self._tables, self._compression = frame.decode, frame.jpegtables, int(frame.compression)
        self._offsets, self._counts = tuple(page.dataoffsets), tuple(page.databytecounts)
        self.kind = "tile" if frame.is_tiled else "strip"
        self.samples = int(frame.samplesperpixel)
        self.extents = int(frame.imagelength), int(frame.imagewidth)
        rows, columns = (
            (frame.tilelength, frame.tilewidth) if frame.is_tiled else (frame.rowsperstrip, frame.imagewidth)
        )
        self._segment_size: Place = (min(int(rows), 2**31) if rows else self.extents[0], int(columns))
        self._separate = self.samples > 1 and int(frame.planarconfig) == 2
        self._dtype, self._checked = frame.dtype, set[int]()

    def within(self, begin: Place, end: Place) -> Iterator[Segment]:
        """The segments that have pixels of a region."""
        across = -(-self.extents[1] // self._segment_size[1])
        plane = across * -(-self.extents[0] // self._segment_size[0])
        for sample in range(self.samples if self._separate else 1):
            for row in range(begin[0] // self._segment_size[0], (end[0] - 1) // self._segment_size[0] + 1):
                for column in range(begin[1] // self._segment_size[1], (end[1] - 1) // self._segment_size[1] + 1):
                    place = row * self._segment_size[0], column * self._segment_size[1]
                    yield Segment(sample * plane + row * across + column, place, sample)

    def decoded(self, segment: Segment) -> Pixels:
        """The pixels of a segment as (samples, height, width). Raises ValueError or OSError that says what is wrong."""
        data = self.data(segment)
        count = 1 if self._separate else self.samples
        if data is None:
            height = min(self._segment_size[0], self.extents[0] - segment.begin[0])
            return np.zeros((count, height, self._segment_size[1]), self._dtype)
        self._check(segment, data)
        with _warnings_as_errors("it", ""):
            try:
                pixels, _, shape = self._decode(data, segment.index, jpegtables=self._tables, _fullsize=True)
            except (ValueError, OSError):
                raise
            except Exception as error:  # of many types, one for each codec
                raise ValueError(f"{type(error).__name__}: {error}") from error
        return np.asarray(pixels)[0, : shape[1], : shape[2]].transpose(2, 0, 1)

    def data(self, segment: Segment) -> bytes | None:
        """The bytes of a segment; None for one that the file leaves out and that is to be filled."""
        offset, count = self._offsets[segment.index], self._counts[segment.index]
        if offset == 0 or count == 0:
            if self._fill:
                return None
            raise ValueError("it is not in the file; to read such parts as 0, pass missing='fill' to open_source")
        with open(self._path, "rb") as file:
            file.seek(offset)
            data = file.read(count)
        if len(data) != count:
            raise ValueError(f"the file ends within it: it has {len(data)} of its {count} bytes")
        return data

    def check(self, segment: Segment) -> None:
        """Checks that the data of a segment are whole, once. Raises ValueError or OSError."""
        if segment.index in self._checked:
            return
        data = self.data(segment)
        if data is not None and self._compression in _LOSSLESS:
            self.decoded(segment)
        elif data is not None:
            self._check(segment, data)
        self._checked.add(segment.index)

    def _check(self, segment: Segment, data: bytes) -> None:
        if self._compression in _JPEG and segment.index not in self._checked:
            check_jpeg(data, self._tables)
            self._checked.add(segment.index)


class _Cache:
    """The values used last, up to a number of bytes."""

    def __init__(self, limit: int) -> None:
        self._limit, self._bytes, self._lock = limit, 0, threading.Lock()
        self._values: OrderedDict[Any, Pixels] = OrderedDict()

    def get(self, key: Any, make: Any) -> Pixels:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value: Pixels = make()
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self._bytes += value.nbytes
            while self._bytes > self._limit and len(self._values) > 1:
                self._bytes -= self._values.popitem(last=False)[1].nbytes
        return value

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self._bytes = 0


class _Warned(logging.Filter):
    """Turns what tifffile only warns of into errors of the thread that decodes."""

    active = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        texts: list[str] | None = getattr(self.active, "texts", None)
        if texts is None or record.levelno < logging.WARNING:
            return True
        texts.append(record.getMessage())
        return False


_WARNED = _Warned()


@contextmanager
def _warnings_as_errors(name: str, pattern: str) -> Iterator[None]:
    """Raises SourceError where tifffile warned of what matches: an incomplete segment, for example, it fills."""
    logging.getLogger("tifffile").addFilter(_WARNED)  # which adds it once
    texts = _WARNED.active.texts = list[str]()
    try:
        yield
    finally:
        _WARNED.active.texts = None
    found = [text for text in texts if re.search(pattern, text)]
    if found:
        raise SourceError(f"{name} is damaged: {'; '.join(found)}")


def tiles_of(path: str, extents: Place) -> Segments | None:
    """The tiles of the page of a size, to check what another library decodes; None if there is no such page.

    Tiles that the file leaves out are those that were not scanned.
    """
    try:
        with _opened(path) as file:
            for page in file.pages:
                if page.is_tiled and (page.imagelength, page.imagewidth) == extents:
                    return Segments(path, page, True)
    except (SourceError, ModuleNotFoundError):
        return None  # no TIFF file: nothing is known of its tiles
    return None


def _opened(path: str) -> Any:
    tifffile = optional("tifffile")
    try:
        return tifffile.TiffFile(path)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise SourceError(f"{path}: cannot be read as a TIFF file: {error}") from error


def _check_axes(path: str, level: Any) -> None:
    """Raises SourceError for images that are more than a plane of channels."""
    frame = level.keyframe
    others = [axis for axis, size in zip(level.axes, level.shape, strict=True) if axis not in "YXSC" and size != 1]
    planes = int(np.prod([size for axis, size in zip(level.axes, level.shape, strict=True) if axis not in "YXS"]))
    if others or planes != len(level.pages) or frame.imagedepth != 1:
        raise SourceError(f"{path}: has axes {level.axes} of extents {level.shape}, expected a plane of channels")
    if int(frame.photometric) == 3:
        raise SourceError(f"{path}: has colors of a palette, expected channels")


def _copy(target: Pixels, begin: Place, source: Pixels, place: Place) -> None:
    """Copies what a segment at `place` has of a region at `begin`."""
    lows = [max(a, b) for a, b in zip(begin, place, strict=True)]
    highs = [min(a + n, b + m) for a, n, b, m in zip(begin, target.shape[1:], place, source.shape[1:], strict=True)]
    to = tuple(slice(low - a, high - a) for low, high, a in zip(lows, highs, begin, strict=True))
    of = tuple(slice(low - b, high - b) for low, high, b in zip(lows, highs, place, strict=True))
    target[(slice(None), *to)] = source[(slice(None), *of)]

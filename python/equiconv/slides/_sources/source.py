# SPDX-License-Identifier: Apache-2.0
"""What every source of pixels has, and the checks that all share."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from importlib import import_module
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..._checks.arguments import integer, value_text

Pixels: TypeAlias = NDArray[Any]
Place: TypeAlias = tuple[int, int]
"""A row and a column."""
Resolution: TypeAlias = tuple[float, float]
"""Micrometers per pixel along rows' axis y and columns' axis x, in this order."""


class SourceError(OSError):
    """Pixels of a file cannot be read. The message names the file and, where one was being read, the region."""


@runtime_checkable
class Source(Protocol):
    """An image of any size that is read region by region.

    Reads may run in several threads at once. A source can be pickled: one of a file opens the file again where it
    arrives, and only a source of an array in memory carries its pixels along.
    """

    @property
    def extents(self) -> Place:
        """Height and width in pixels."""

    @property
    def channels(self) -> int:
        """The number of channels."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the pixels: of integers, floats or bools in this machine's byte order."""

    @property
    def mpp(self) -> Resolution | None:
        """Micrometers per pixel along y and x; None if unknown."""

    @property
    def spacing(self) -> Resolution:
        """Pixels of the finest level from one pixel to the next along y and x: 4, say, on a level of a quarter."""

    @property
    def name(self) -> str:
        """What messages call it: the path of a file, or what kind of array it is."""

    @property
    def fingerprint(self) -> str:
        """A text that differs when the pixels may differ; see the guide on what each kind of source compares."""

    def read(self, begin: Place, end: Place) -> Pixels:
        """The pixels of rows ``begin[0]...end[0] - 1`` and columns ``begin[1]...end[1] - 1``.

        Returns:
            An array (channels, height, width) of `dtype` in C order, the caller's own.

        Raises:
            ValueError: the region is empty or not within the image.
            SourceError: the file cannot be read there.
        """

    def close(self) -> None:
        """Closes the file, if there is one. A closed source is not read again."""


class Reader(ABC):
    """A source whose kind says how a region is read; regions and results are checked here.

    Attributes:
        extents, channels, dtype, mpp, spacing, name, fingerprint: as in `Source`.
    """

    extents: Place
    channels: int
    dtype: np.dtype[Any]
    mpp: Resolution | None
    spacing: Resolution
    name: str
    fingerprint: str

    def _describe(
        self,
        *,
        extents: tuple[int, ...],
        channels: int,
        dtype: np.dtype[Any],
        mpp: Resolution | None,
        name: str,
        spacing: Resolution = (1.0, 1.0),
    ) -> None:
        """Sets the attributes. Raises TypeError or ValueError for images that are none."""
        if dtype.kind not in "biuf":
            raise TypeError(f"source {name} has dtype {dtype}, expected integers, floats or bools")
        if min(*extents, channels) < 1:
            raise ValueError(
                f"source {name} has extents {extents} and {channels} channels, expected at least 1 of each"
            )
        self.extents = (int(extents[0]), int(extents[1]))
        self.channels, self.dtype, self.name = int(channels), dtype.newbyteorder("="), name
        self.spacing = float(spacing[0]), float(spacing[1])
        self.mpp = None if mpp is None else (float(mpp[0]), float(mpp[1]))

    @abstractmethod
    def _read(self, begin: Place, end: Place) -> Pixels:
        """The pixels of a checked region as (channels, height, width), of any layout."""

    def read(self, begin: Place, end: Place) -> Pixels:
        """The pixels of a region; see `Source.read`."""
        begin, end = checked_region(begin, end, self.extents)
        try:
            pixels = np.asarray(self._read(begin, end))
        except (SourceError, MemoryError):
            raise
        except Exception as error:  # whatever a library raises on a file that is damaged
            raise region_error(self.name, begin, end, error) from error
        shape = (self.channels, end[0] - begin[0], end[1] - begin[1])
        if pixels.shape != shape:
            raise region_error(self.name, begin, end, f"the file gave pixels of shape {pixels.shape}, not {shape}")
        return np.array(pixels, dtype=self.dtype, order="C", copy=not _is_own(pixels, self.dtype))

    def close(self) -> None:  # noqa: B027  what has no file has nothing to close
        """Closes the file, if there is one."""

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        height, width = self.extents
        mpp = "unknown resolution" if self.mpp is None else f"{self.mpp[0]:g} x {self.mpp[1]:g} micrometers per pixel"
        return f"<{type(self).__name__} {self.name}: {self.channels} x {height} x {width} {self.dtype}, {mpp}>"


def checked_region(begin: object, end: object, extents: Place) -> tuple[Place, Place]:
    """A region as ints. Raises TypeError, and ValueError unless it has pixels and all of them are in the image."""
    first, last = (_place("begin", begin), _place("end", end))
    for axis in range(2):
        if not 0 <= first[axis] < last[axis] <= extents[axis]:
            raise ValueError(
                f"begin is {first} and end is {last}, expected a region with pixels within the image's {extents}"
            )
    return first, last


def region_text(begin: Place, end: Place) -> str:
    """A region for messages: ``rows 0 to 255, columns 512 to 767``."""
    return f"rows {begin[0]} to {end[0] - 1}, columns {begin[1]} to {end[1] - 1}"


def region_error(name: str, begin: Place, end: Place, cause: object) -> SourceError:
    """The error of a region of a file that cannot be read."""
    reason = " ".join(str(cause).split()) or type(cause).__name__
    return SourceError(f"{name}: {region_text(begin, end)} cannot be read: {reason}")


def optional(module: str) -> Any:
    """A module of the extra. Raises ModuleNotFoundError that says how to install it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        package = module if module == "tiffslide" else '"equiconv[slides]"'
        raise ModuleNotFoundError(
            f"{module} is not installed, which reading this source needs: pip install {package}",
            name=error.name,
        ) from error


class Once:
    """Opens something at the first use, once for all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value: Any = None

    def get(self, make: Any) -> Any:
        """What `make` gave the first time."""
        with self._lock:
            if self._value is None:
                self._value = make()
            return self._value

    def take(self) -> Any:
        """What was opened, to close it; None if nothing was."""
        with self._lock:
            value, self._value = self._value, None
            return value


def _place(name: str, value: object) -> Place:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(f"{name} is {value_text(value)}, expected a row and a column")
    row, column = (integer(f"{name}[{axis}]", item, -(2**62), 2**62) for axis, item in enumerate(value))
    return row, column


def _is_own(pixels: Pixels, dtype: np.dtype[Any]) -> bool:
    """Whether nothing else can see these numbers change: whole, writeable, and as they are promised."""
    flags = pixels.flags
    return bool(flags.owndata and flags.c_contiguous and flags.writeable and pixels.dtype == dtype)

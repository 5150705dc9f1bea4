# SPDX-License-Identifier: Apache-2.0
"""Arrays as sources: of NumPy, in memory or mapped, of Zarr, HDF5 and Dask."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from ..._checks.arguments import is_a, real, value_text
from ..._checks.frameworks import is_of
from .source import Once, Pixels, Place, Reader, Resolution, optional

_LETTERS = {"H": "Y", "W": "X", "S": "C"}
_COUNTS = (1, 3, 4)


def layout_of(shape: tuple[int, ...], axes: str | None, name: str) -> str:
    """The axes of an array, a letter each: Y and X, at most one C, and others of extent 1.

    Args:
        shape: the array's.
        axes: what the user says, H, W and S standing for Y, X and C; None to tell by the shape: two axes are YX, and of
            three the one of extent 1, 3 or 4 is C.
        name: what messages call the array.

    Raises:
        TypeError, ValueError: `axes` does not fit, or the shape does not tell.
    """
    if axes is None:
        return _guessed(shape, name)
    if not isinstance(axes, str):
        raise TypeError(f"axes is {value_text(axes)}, expected a text such as 'YX', 'YXC' or 'CYX'")
    letters = "".join(_LETTERS.get(letter, letter) for letter in axes.upper())
    if len(letters) != len(shape) or len(set(letters)) != len(letters) or not {"Y", "X"} <= set(letters):
        raise ValueError(f"axes is {axes!r}, expected one letter for each axis of {name}'s shape {shape}, with Y and X")
    for letter, size in zip(letters, shape, strict=True):
        if letter not in "YXC" and size != 1:
            raise ValueError(
                f"axes is {axes!r}, but {name} has {size} entries along {letter}, expected 1: take one first"
            )
    return letters


def _guessed(shape: tuple[int, ...], name: str) -> str:
    if len(shape) == 2:
        return "YX"
    if len(shape) == 3:
        first, last = shape[0] in _COUNTS, shape[2] in _COUNTS
        if first != last:
            return "CYX" if first else "YXC"
    raise ValueError(
        f"axes is None, but {name} has shape {shape}, which does not tell its axes: pass axes, such as 'YXC' or 'CYX'"
    )


class ArraySource(Reader):
    """An array as a source.

    Args:
        array: a NumPy array or memmap, a Zarr array, an HDF5 dataset or a Dask array.
        axes: a letter for each axis, such as 'YXC'; None to tell by the shape. See `open_source`.
        mpp: micrometers per pixel, a number or one for y and one for x; None if unknown.
        name: what messages call it.

    Raises:
        TypeError: no such array, or numbers that are no pixels.
        ValueError: axes that do not fit, or an image without pixels.
    """

    def __init__(
        self, array: Any, axes: str | None = None, mpp: float | Resolution | None = None, name: str | None = None
    ) -> None:
        if not all(hasattr(array, member) for member in ("shape", "dtype", "__getitem__")):
            raise TypeError(f"source is {value_text(array)} ({type(array).__name__}), expected an array or a path")
        if is_of(array, "numpy.ma", "MaskedArray"):
            raise TypeError("source is a masked array, whose mask would be lost: use source.filled(...)")
        named = name or f"{type(array).__module__.partition('.')[0]} array"
        shape = tuple(int(size) for size in array.shape)
        self._axes = layout_of(shape, axes, named)
        sizes = dict(zip(self._axes, shape, strict=True))
        self._describe(
            extents=(sizes["Y"], sizes["X"]),
            channels=sizes.get("C", 1),
            dtype=np.dtype(array.dtype),
            mpp=resolution_of("mpp", mpp),
            name=named,
        )
        self._array, self._digest = array, Once()

    @property
    def fingerprint(self) -> str:  # type: ignore[override]
        """Shape and dtype with the file behind a mapped array or dataset, a Dask array's name, or else all numbers."""
        text: str = self._digest.get(lambda: f"{self._axes} {self.extents} {self.dtype.str} {_identity(self._array)}")
        return text

    def _read(self, begin: Place, end: Place) -> Pixels:
        ranges = {"Y": slice(begin[0], end[0]), "X": slice(begin[1], end[1]), "C": slice(None)}
        part = self._array[tuple(ranges.get(letter, 0) for letter in self._axes)]
        letters = [letter for letter in self._axes if letter in "YXC"]
        return planar(computed(part), letters)

    def __getstate__(self) -> dict[str, Any]:
        state = {key: value for key, value in self.__dict__.items() if key not in ("_digest", "_array")}
        return {**state, "_opened": _reopened(self._array)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        make, arguments = state.pop("_opened")
        self.__dict__.update(state)
        self._array, self._digest = make(*arguments), Once()


def resolution_of(name: str, value: object) -> Resolution | None:
    """A resolution as a pair. Raises TypeError, and ValueError unless it is finite and positive."""
    if value is None:
        return None
    pair = value if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2:
        raise ValueError(f"{name} is {value_text(value)}, expected a number or one for y and one for x")
    y, x = (real(name, item) for item in pair)
    if not (0 < y < np.inf and 0 < x < np.inf):
        raise ValueError(f"{name} is {value_text(value)}, expected micrometers per pixel, above 0")
    return y, x


def computed(part: Any) -> Pixels:
    """The numbers of a part of an array; a part of a Dask array is computed in this thread."""
    if is_of(part, "dask.array", "Array"):
        part = part.compute(scheduler="synchronous")
    return np.asarray(part)


def planar(pixels: Pixels, letters: list[str]) -> Pixels:
    """An array with the axes of `letters`, Y, X and perhaps C, as (channels, height, width); a view."""
    if "C" not in letters:
        pixels, letters = pixels[None], ["C", *letters]
    return pixels.transpose([letters.index(letter) for letter in "CYX"])


def file_stamp(path: str) -> str:
    """Size and time of change of a file, with the name of its last part."""
    status = os.stat(path)
    return f"{os.path.basename(path)} {status.st_size} {status.st_mtime_ns}"


def _identity(array: Any) -> str:
    if _is_whole_memmap(array):
        return f"{file_stamp(array.filename)} from {array.offset}"
    if is_of(array, "h5py", "Dataset"):
        return f"{file_stamp(array.file.filename)} {array.name}"
    if is_of(array, "dask.array", "Array"):
        return str(array.name)
    if is_of(array, "zarr", "Array"):
        return f"{array.store_path} {hashlib.sha256(repr(array.metadata.to_dict()).encode()).hexdigest()}"
    return hashlib.sha256(np.ascontiguousarray(array).view(np.uint8).data).hexdigest()


def _is_whole_memmap(array: Any) -> bool:
    """Whether an array is all that one call mapped: parts of it keep the name and offset of the whole."""
    return is_a(array, np.memmap) and not is_a(array.base, np.ndarray) and array.filename is not None


def _reopened(array: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """How another process gets the array: a call with arguments."""
    if _is_whole_memmap(array):
        order = "C" if array.flags.c_contiguous else "F"
        return np.memmap, (os.path.abspath(array.filename), array.dtype, "r", array.offset, array.shape, order)
    if is_of(array, "h5py", "Dataset"):
        return hdf5_dataset, (os.path.abspath(array.file.filename), array.name)
    return _itself, (np.asarray(array) if is_a(array, np.memmap) else array,)


def _itself(array: Any) -> Any:
    return array


def hdf5_dataset(path: str, name: str) -> Any:
    """A dataset of an HDF5 file; the file is open as long as the dataset is."""
    return optional("h5py").File(path, "r")[name]

# SPDX-License-Identifier: Apache-2.0
"""Maps of scores that are read block by block: arrays, memory maps, Zarr arrays, datasets of HDF5."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..._checks.arguments import integer, items, value_text
from ..._checks.arrays import as_array
from .points import Floats

__all__ = ["ScoreMap", "open_map"]

# Rows and columns of a block, where the array has no chunks: 8 MiB of float64.
_BLOCK = 1024
# Chunks are joined to blocks of about as many: smaller ones cost more than what they compute.
_LEAST_BLOCK = 512


@dataclass(frozen=True)
class ScoreMap:
    """An array with scores of classes, which need not be in memory.

    Attributes:
        array: (rows, columns) or (classes, rows, columns), with `shape`, `dtype` and slices.
        channels: the classes to read, by index; of an array (rows, columns) only 0.
        block: rows and columns to read at a time.
        about: what its file says of it.
    """

    array: Any
    channels: tuple[int, ...]
    block: tuple[int, int]
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def extents(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.array.shape[-2:]
        return int(rows), int(columns)

    def read(self, rows: slice, columns: slice) -> Floats:
        """The scores (channels, rows, columns) of a block as float64, which changes no float32; minus infinity for NaN.

        Raises:
            ValueError: a score is plus infinity.
        """
        if self.array.ndim == 2:
            values = np.asarray(self.array[rows, columns])[None]
        elif _chunks(self.array)[0] == 1:
            values = np.stack([np.asarray(self.array[channel, rows, columns]) for channel in self.channels])
        else:
            values = np.asarray(self.array[:, rows, columns])[list(self.channels)]
        scores = values.astype(np.float64)
        scores[np.isnan(scores)] = -np.inf
        if np.isposinf(scores).any():
            raise ValueError(f"scores has inf in rows {rows.start} to {rows.stop - 1}, expected numbers, or NaN")
        return scores


def open_map(scores: object, channels: object = None, block: object = None) -> ScoreMap:
    """An array, or what `predict` wrote: the path of a Zarr group, or the group.

    Args:
        scores: (rows, columns) or (classes, rows, columns) of real numbers, or such a path or group.
        channels: indices of classes, or None for all.
        block: rows and columns to read at a time; None for the array's chunks, or about 1024.

    Raises:
        ModuleNotFoundError: a path needs zarr.
        TypeError, ValueError: what is there is no such map.
    """
    about: Mapping[str, Any] = {}
    if isinstance(scores, str | os.PathLike) or _is_group(scores):
        scores, about = _from_group(scores)
    if not all(hasattr(scores, member) for member in ("shape", "dtype", "__getitem__", "ndim")):
        scores = as_array("scores", scores)
    array: Any = scores
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise ValueError(f"scores has shape {tuple(array.shape)}, expected (rows, columns) or (classes, rows, columns)")
    if np.dtype(array.dtype).kind not in "iuf":
        raise TypeError(f"scores has dtype {array.dtype}, expected real numbers")
    count = 1 if array.ndim == 2 else array.shape[0]
    return ScoreMap(array, _channels(channels, count), _block(block, array), about)


def _channels(value: object, count: int) -> tuple[int, ...]:
    if value is None:
        return tuple(range(count))
    chosen = items("channels", value, "indices of classes")
    found = tuple(integer(f"channels[{place}]", item, 0, count - 1) for place, item in enumerate(chosen))
    if not found or len(set(found)) < len(found):
        raise ValueError(f"channels is {value_text(value)}, expected one or more indices, each once")
    return found


def _chunks(array: Any) -> tuple[int, ...]:
    """Extents of what is stored or computed in one piece; 1 channel and blocks where nothing says."""
    chunks = getattr(array, "chunks", None)
    if isinstance(chunks, Sequence) and len(chunks) == array.ndim and all(isinstance(item, int) for item in chunks):
        return tuple(chunks)
    return (1, _BLOCK, _BLOCK)[-array.ndim :]


def _block(value: object, array: Any) -> tuple[int, int]:
    if value is None:
        rows, columns = (extent * max(1, _LEAST_BLOCK // extent) for extent in _chunks(array)[-2:])
        return rows, columns
    both = items("block", value, "rows and columns") if isinstance(value, Sequence) else [value] * 2
    if len(both) != 2:
        raise ValueError(f"block is {value_text(value)}, expected rows and columns")
    return integer("block", both[0], 1, 2**31 - 1), integer("block", both[1], 1, 2**31 - 1)


def _is_group(value: object) -> bool:
    return type(value).__module__.partition(".")[0] == "zarr" and type(value).__name__ == "Group"


def _from_group(source: Any) -> tuple[Any, Mapping[str, Any]]:
    """The array of full resolution of an image in OME-NGFF 0.5, and what `predict` wrote about it."""
    group = source if _is_group(source) else _opened(source)
    attributes = dict(group.attrs)
    try:
        path = attributes["ome"]["multiscales"][0]["datasets"][0]["path"]
        array = group[path]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"scores is {source}, a Zarr group without an image of OME-NGFF 0.5 ({error!r})") from error
    about = attributes.get("equiconv", {})
    return array, about if isinstance(about, Mapping) else {}


def _opened(path: Any) -> Any:
    try:
        import zarr
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'maps of scores in files need zarr, not installed: pip install "equiconv[slides]"', name="zarr"
        ) from error
    try:
        return zarr.open_group(os.fspath(path), mode="r")
    except Exception as error:  # what stores and codecs raise is not documented
        raise ValueError(f"scores is {os.fspath(path)!r}, expected a Zarr group that predict wrote: {error}") from error

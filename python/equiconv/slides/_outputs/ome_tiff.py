# SPDX-License-Identifier: Apache-2.0
"""Pyramidal OME-TIFF files of a folder of Zarr."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

import numpy as np

from ..._checks.arrays import Array
from .._tiles.plan import PlannedOutput
from .metadata import Placement, labels_of
from .optional import package

_MULTIPLE = 16
"""Of the sides of tiles, as TIFF wants them."""
_RUN = "equiconv-run "


def write_ome_tiff(path: Path, folder: Path, output: PlannedOutput, place: Placement, run: Mapping[str, Any]) -> None:
    """Writes an image (c, y, x) with its levels as SubIFDs. Holds a tile at a time; equal folders give equal bytes.

    Args:
        path: of the file.
        folder: of Zarr, with arrays "0", "1" and so on.
        output, place: what it is, and where.
        run: what was asked for, which the description of the image has.
    """
    tifffile, zarr = package("tifffile", "An output .ome.tif"), package("zarr", "An output .ome.tif")
    group = zarr.open_group(store=str(folder), mode="r")
    levels = [group[str(number)] for number in range(len(list(group.array_keys())))]
    tile = tuple(-(-size // _MULTIPLE) * _MULTIPLE for size in output.chunk)
    options = {"dtype": levels[0].dtype, "tile": tile, "photometric": "minisblack", "compression": "adobe_deflate"}
    with tifffile.TiffWriter(path, bigtiff=True, ome=True) as file:
        for number, level in enumerate(levels):
            own: dict[str, Any] = {"subfiletype": 1} if number else {"subifds": len(levels) - 1}
            file.write(
                _tiles(level, tile),
                shape=level.shape,
                metadata=None if number else _metadata(output, place, run),
                resolution=_resolution(place, number),
                **({"resolutionunit": "CENTIMETER"} if place.mpp is not None else {}),
                **options,
                **own,
            )


def _tiles(level: Any, tile: tuple[int, ...]) -> Iterator[Array]:
    """Channel by channel, row by row; those at the ends are filled with NaN."""
    channels, rows, columns = level.shape
    for channel in range(channels):
        for top in range(0, rows, tile[0]):
            for left in range(0, columns, tile[1]):
                part = level[channel, top : top + tile[0], left : left + tile[1]]
                whole = np.full(tile, np.nan, level.dtype)
                whole[: part.shape[0], : part.shape[1]] = part
                yield whole


def _metadata(output: PlannedOutput, place: Placement, run: Mapping[str, Any]) -> dict[str, Any]:
    text = _RUN + json.dumps(run, sort_keys=True)
    found: dict[str, Any] = {
        "axes": "CYX",
        "Name": output.name,
        "Description": text,
        "UUID": str(uuid5(NAMESPACE_URL, text)),
        "Channel": {"Name": list(labels_of(output))},
    }
    if place.mpp is not None:
        sizes = place.scale(0)
        found |= {"PhysicalSizeY": sizes[0], "PhysicalSizeYUnit": "µm", "PhysicalSizeX": sizes[1]}
        found |= {"PhysicalSizeXUnit": "µm"}
    return found


def _resolution(place: Placement, level: int) -> tuple[float, float] | None:
    """Places in a centimeter, x before y."""
    if place.mpp is None:
        return None
    y, x = place.scale(level)
    return 1e4 / x, 1e4 / y


class TiffArray:
    """Level 0 of a file (C, H, W), which is open only while it is read.

    Args:
        path: of the file.

    Attributes:
        shape, dtype: of the array.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with package("tifffile", "An output .ome.tif").TiffFile(path) as file:
            level = file.series[0]
            self.shape: tuple[int, ...] = tuple(level.shape) if level.axes == "CYX" else (1, *level.shape)
            self.dtype: np.dtype[Any] = level.dtype

    def __getitem__(self, key: Any) -> Array:
        """Numbers, as NumPy's indices choose them."""
        tifffile, zarr = package("tifffile", "An output .ome.tif"), package("zarr", "An output .ome.tif")
        with tifffile.imread(self._path, aszarr=True, series=0, level=0) as store:
            array = zarr.open(store, mode="r")
            found: Array = np.asarray(array[key] if array.ndim == len(self.shape) else array[:][None][key])
            return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """All of it."""
        return self[:].astype(dtype or self.dtype, copy=False)


def read_run(path: Path) -> Mapping[str, Any] | None:
    """What a file says that was asked for; None for one that does not."""
    tifffile = package("tifffile", "An output .ome.tif")
    try:
        with tifffile.TiffFile(path) as file:
            root = ElementTree.fromstring(file.ome_metadata or "<none/>")
        texts = [element.text or "" for element in root.iter() if element.tag.endswith("Description")]
        run: Mapping[str, Any] = next(json.loads(text[len(_RUN) :]) for text in texts if text.startswith(_RUN))
        return run
    except (StopIteration, ValueError, ElementTree.ParseError, tifffile.TiffFileError):
        return None

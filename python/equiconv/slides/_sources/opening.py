# SPDX-License-Identifier: Apache-2.0
"""`open_source`: which reader opens what."""

from __future__ import annotations

import os
from typing import Any

from ..._checks.arguments import boolean, choice, is_a, value_text
from ..._checks.frameworks import is_of
from ..._network.file import path_text
from .arrays import ArraySource, resolution_of
from .files import PillowSource, open_hdf5, open_npy
from .openslide_files import OpenSlidePyramid, opens
from .pyramid import OneLevel, Pyramid, at_level, at_resolution
from .source import Source
from .tiff_files import TiffPyramid
from .zarr_files import ZarrSource, open_zarr

_READERS = ("npy", "zarr", "hdf5", "pillow", "openslide", "tifffile", "tiffslide")
_PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".webp")


def open_source(
    source: Any,
    mpp: float | tuple[float, float] | None = None,
    level: int | None = None,
    reader: str | None = None,
    *,
    axes: str | None = None,
    missing: str = "error",
    upsample: bool = False,
) -> Source:
    """Opens an image of any size, to be read region by region.

    With `mpp`, the coarsest level of the file that is not coarser is read. Where its pixels differ from what was asked
    by more than 1 %, it is resampled, by whole factors where one comes within 1 %; `mpp` of the result is exactly what
    its pixels have. Each pixel is defined by its place alone, so that regions agree to the last bit.

    Args:
        source: a path; an array of NumPy, Zarr, HDF5 or Dask; or a source, which is returned, resampled where `mpp`
            asks for it. A path of a dataset in an HDF5 file is written ``file.h5::/group/dataset``.
        mpp: micrometers per pixel, a number or one for y and one for x; None for the finest level as it is.
        level: a level of the file as it is, 0 for the finest.
        reader: "npy", "zarr", "hdf5", "pillow", "openslide", "tifffile" or "tiffslide"; None to tell by the path:
            OpenSlide for slides of scanners that it knows, tifffile for other TIFF files.
        axes: a letter for each axis of an array, Y, X and C, such as "YXC", and others of extent 1. None to tell by
            names in the file, or by the shape: two axes are YX, and of three the one of extent 1, 3 or 4 is C.
        missing: what a chunk of a Zarr array or a tile of a TIFF file means that is not in the file: "error", or
            "fill" for the fill value.
        upsample: whether `mpp` may be finer than the file, and is interpolated.

    Raises:
        TypeError, ValueError: arguments that do not fit each other or the image, `mpp` for a file that does not say its
            resolution among them.
        FileNotFoundError: no such path.
        SourceError: a file that cannot be read.
        ModuleNotFoundError: a package that reads it is not installed.
    """
    choice("missing", missing, ("error", "fill"))
    upsample = boolean("upsample", upsample)
    resolution = resolution_of("mpp", mpp)
    if resolution is not None and level is not None:
        raise ValueError(f"mpp is {value_text(mpp)} and level is {value_text(level)}, expected at most one of them")
    pyramid = open_pyramid(source, reader, axes=axes, missing=missing)
    if resolution is not None:
        return at_resolution(pyramid, resolution, upsample)
    return at_level(pyramid, 0 if level is None else level)


def open_pyramid(source: Any, reader: str | None = None, *, axes: str | None = None, missing: str = "error") -> Pyramid:
    """All levels of an image; arguments and errors are those of `open_source`."""
    if reader is not None:
        choice("reader", reader, _READERS)
    if is_a(source, str, bytes) or hasattr(source, "__fspath__"):
        return _file(path_text("source", source), reader, axes, missing)
    if reader is not None:
        raise ValueError(f"reader is {reader!r}, but source is no path: {value_text(source)}")
    if is_of(source, "zarr", "Array"):
        return OneLevel(ZarrSource(source, axes, None, missing))
    if isinstance(source, Source):
        if axes is not None:
            raise ValueError(f"axes is {axes!r}, but source is one already, with channels, rows and columns")
        levels = getattr(source, "pyramid", None)
        return levels if isinstance(levels, Pyramid) else OneLevel(source)
    return OneLevel(ArraySource(source, axes))


def _file(path: str, reader: str | None, axes: str | None, missing: str) -> Pyramid:
    path, _, dataset = path.partition("::")
    if not os.path.exists(path):
        raise FileNotFoundError(2, "No such file", path)
    chosen = reader or _reader_of(path, bool(dataset))
    if dataset and chosen != "hdf5":
        raise ValueError(f"source is {path}::{dataset}, but only HDF5 files have datasets, not those of {chosen}")
    if chosen == "zarr":
        return open_zarr(path, axes, missing)
    if chosen == "npy":
        return OneLevel(open_npy(path, axes))
    if chosen == "hdf5":
        return OneLevel(open_hdf5(path, dataset, axes))
    if axes is not None:
        raise ValueError(f"axes is {axes!r}, but {path} says its axes itself")
    if chosen == "pillow":
        return OneLevel(PillowSource(path))
    return TiffPyramid(path, missing) if chosen == "tifffile" else OpenSlidePyramid(path, chosen)


def _reader_of(path: str, has_dataset: bool) -> str:
    ending = os.path.splitext(path)[1].lower()
    if has_dataset or ending in (".h5", ".hdf5"):
        return "hdf5"
    if os.path.isdir(path) and (ending == ".zarr" or _has_zarr_metadata(path)):
        return "zarr"
    if ending == ".npy":
        return "npy"
    if ending in _PICTURES:
        return "pillow"
    return "openslide" if opens(path) else "tifffile"


def _has_zarr_metadata(path: str) -> bool:
    return any(os.path.exists(os.path.join(path, name)) for name in ("zarr.json", ".zarray", ".zgroup"))

# SPDX-License-Identifier: Apache-2.0
"""Files of one image at one resolution: .npy, HDF5, and the formats that Pillow reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import ArraySource, file_stamp, hdf5_dataset
from .jpeg_checks import check_jpeg
from .source import Pixels, Place, Reader, SourceError, optional


def open_npy(path: str, axes: str | None) -> ArraySource:
    """An array of a .npy file, mapped, so that regions are read when they are asked for."""
    try:
        array = np.load(path, mmap_mode="r")
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except Exception as error:  # of many types, by what is wrong with the header
        raise SourceError(f"{path}: cannot be opened as a .npy file: {error}") from error
    return ArraySource(array, axes, name=path)


class Hdf5Source(ArraySource):
    """A dataset of a file that the source opened."""

    def close(self) -> None:
        """Closes the file."""
        self._array.file.close()


def open_hdf5(path: str, dataset: str, axes: str | None) -> Hdf5Source:
    """A dataset of an HDF5 file."""
    try:
        found = hdf5_dataset(path, dataset)
    except (ModuleNotFoundError, FileNotFoundError):
        raise
    except (KeyError, OSError) as error:
        raise SourceError(f"{path}: dataset {dataset} cannot be opened: {error}") from error
    if not hasattr(found, "dtype"):
        raise SourceError(f"{path}: {dataset} is a group, expected a dataset; it holds {', '.join(found) or 'nothing'}")
    return Hdf5Source(found, axes, name=f"{path}::{dataset}")


class PillowSource(Reader):
    """An image that Pillow reads, decoded whole at the first read."""

    def __init__(self, path: str) -> None:
        self._path, self._stamp = os.path.abspath(path), file_stamp(path)
        self._pixels = self._decoded(path)
        height, width, channels = self._pixels.shape
        self._describe(extents=(height, width), channels=channels, dtype=self._pixels.dtype, mpp=None, name=path)
        self.fingerprint = f"{self._stamp} {self._pixels.shape}"

    @staticmethod
    def _decoded(path: str) -> Pixels:
        image_module = optional("PIL.Image")
        try:
            with image_module.open(path) as image:
                if image.format == "JPEG":
                    # Pillow decodes damaged data without a word.
                    check_jpeg(Path(path).read_bytes())
                # Colors of a palette are looked up; others stay as they are stored.
                plain = image.convert("RGBA" if "transparency" in image.info else "RGB") if image.mode == "P" else image
                pixels = np.asarray(plain)
        except Exception as error:
            raise SourceError(f"{path}: cannot be read as an image: {error}") from error
        return pixels if pixels.ndim == 3 else pixels[..., None]

    def _read(self, begin: Place, end: Place) -> Pixels:
        return self._pixels[begin[0] : end[0], begin[1] : end[1]].transpose(2, 0, 1)

    def __reduce__(self) -> tuple[Any, ...]:
        return PillowSource, (self._path,)

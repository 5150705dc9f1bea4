# SPDX-License-Identifier: Apache-2.0
"""Readers of real patches: PatchCamelyon's HDF5 files, and folders of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..common.storage import RefusedError

__all__ = ["ImageFolder", "PatchCamelyon", "Source", "has_patch_camelyon"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


class Source(Protocol):
    """The patches of a part."""

    kind: str
    classes: tuple[str, str]
    labels: NDArray[np.int64]
    smallest: int
    bytes: int

    def read(self, index: int) -> NDArray[np.uint8]:
        """A patch, (rows, columns, 3)."""


def _name(part: str, array: str) -> str:
    return f"camelyonpatch_level_2_split_{part}_{array}.h5"


def has_patch_camelyon(path: Path) -> bool:
    """Whether a folder has files of PatchCamelyon, compressed or not."""
    return any(path.glob("camelyonpatch_level_2_split_*.h5*"))


class PatchCamelyon:
    """A part of PatchCamelyon (Veeling and others, 2018): whether the middle of a patch has metastatic tissue.

    Files ``camelyonpatch_level_2_split_{train,valid,test}_{x,y}.h5`` with the data sets ``x``, uint8 (N, 96, 96, 3),
    and ``y``, uint8 (N, 1, 1, 1). Labels are read at once, images one by one.

    Raises:
        RefusedError: a file is missing, compressed, or not such a file.
    """

    kind = "PatchCamelyon"
    classes = ("normal", "metastatic")

    def __init__(self, folder: Path, part: str) -> None:
        images, labels = (folder / _name(part, array) for array in "xy")
        self._images = _data_set(images, "x")
        values = _data_set(labels, "y")
        count = len(self._images)
        if self._images.ndim != 4 or self._images.shape[3] != 3 or self._images.dtype != np.uint8:
            raise RefusedError(
                f"{images}: x has shape {self._images.shape} and dtype {self._images.dtype}, expected (N, rows, "
                "columns, 3) and uint8"
            )
        if values.size != count or values.dtype.kind not in "iu":
            raise RefusedError(
                f"{labels}: y has shape {values.shape} and dtype {values.dtype}, expected ({count}, 1, 1, 1) and uint8"
            )
        self.labels = np.asarray(values[()]).reshape(count).astype(np.int64)
        if not np.isin(self.labels, (0, 1)).all():
            raise RefusedError(f"{labels}: y has the values {np.unique(self.labels).tolist()}, expected 0 and 1")
        self.smallest = int(min(self._images.shape[1:3]))
        self.bytes = images.stat().st_size + labels.stat().st_size

    def read(self, index: int) -> NDArray[np.uint8]:
        """A patch, (rows, columns, 3)."""
        return np.asarray(self._images[index], np.uint8)


def _data_set(path: Path, name: str) -> Any:
    """A data set of an HDF5 file that stays open. Raises RefusedError."""
    if not path.exists():
        compressed = path.with_name(path.name + ".gz")
        if compressed.exists():
            raise RefusedError(f"{compressed} is compressed, expected {path.name}; run: gunzip -k '{compressed}'")
        raise RefusedError(f"{path} is not there; PatchCamelyon has six files, {_name('train', 'x')} and so on")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise RefusedError(f"{path} is no HDF5 file: {error}") from error
    if name not in file or not isinstance(file[name], h5py.Dataset):
        raise RefusedError(f"{path} has {', '.join(file) or 'nothing'}, expected a data set {name!r}")
    return file[name]


class ImageFolder:
    """A part of a folder of images: ``part/class/*.png`` (or jpg, tif, bmp) for two classes of any names.

    Raises:
        RefusedError: there are not two classes with images, or none is the positive one.
    """

    kind = "images"

    def __init__(self, folder: Path, part: str, positive: str) -> None:
        root = folder / part
        if not root.is_dir():
            raise RefusedError(
                f"--data is {folder}, expected PatchCamelyon's HDF5 files or the folders train, valid and test; {part} "
                "is missing"
            )
        names = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
        if len(names) != 2:
            raise RefusedError(f"{root} has the folders {', '.join(names) or 'none'}, expected two, one for each class")
        if positive not in names:
            raise RefusedError(f"--positive is {positive}, expected one of the classes {' and '.join(names)} of {root}")
        self.classes = (names[1 - names.index(positive)], positive)
        self._files: list[Path] = []
        labels: list[int] = []
        for label, name in enumerate(self.classes):
            files = sorted(file for file in (root / name).iterdir() if file.suffix.lower() in SUFFIXES)
            if not files:
                raise RefusedError(f"{root / name} has no images, expected {', '.join(SUFFIXES)}")
            self._files += files
            labels += [label] * len(files)
        self.labels = np.array(labels, np.int64)
        self.smallest = min(_smallest_side(file) for file in self._files)
        self.bytes = sum(file.stat().st_size for file in self._files)

    def read(self, index: int) -> NDArray[np.uint8]:
        """A patch, (rows, columns, 3)."""
        file = self._files[index]
        with _open(file) as image:
            try:
                return np.asarray(image.convert("RGB"), np.uint8)
            except OSError as error:
                raise RefusedError(f"{file} is no whole image: {error}") from error


def _smallest_side(file: Path) -> int:
    with _open(file) as image:
        return min(image.size)


def _open(file: Path) -> Image.Image:
    """An image whose header has been read. Raises RefusedError."""
    try:
        return Image.open(file)
    except OSError as error:
        raise RefusedError(f"{file} is no image: {error}") from error

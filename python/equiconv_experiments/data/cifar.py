# SPDX-License-Identifier: Apache-2.0
"""CIFAR-10, from the files of its binary version or of its Python version."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..common.storage import RefusedError
from .labeled import ImageData, LabeledImages, check_classes
from .pickles import read_pickle

__all__ = ["CLASSES", "cifar_10", "has_cifar"]

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SHAPE = (3, 32, 32)
TRAIN, TEST = tuple(f"data_batch_{batch}" for batch in range(1, 6)), ("test_batch",)
_PIXELS = SHAPE[0] * SHAPE[1] * SHAPE[2]
_SUBFOLDERS = ("cifar-10-batches-bin", "cifar-10-batches-py")
_MOST_BYTES = 2**28


def _home(folder: Path) -> tuple[Path, str] | None:
    """Where the files are, and what their names end with; None if they are not there."""
    for place in (folder, *(folder / name for name in _SUBFOLDERS)):
        for ending in (".bin", ""):
            if any((place / f"{name}{ending}").is_file() for name in (*TRAIN, *TEST)):
                return place, ending
    return None


def has_cifar(folder: Path) -> bool:
    """Whether a folder, or the folder in it that the archives unpack to, has files of CIFAR-10."""
    return _home(folder) is not None


def cifar_10(folder: Path) -> ImageData:
    """CIFAR-10: 50,000 color images of 32 x 32 pixels to train, 10,000 to test, of ten classes.

    From ``cifar-10-binary.tar.gz`` or ``cifar-10-python.tar.gz`` of https://www.cs.toronto.edu/~kriz/cifar.html,
    unpacked. Pickled files are read by `read_pickle`, which runs nothing of them. Source: Krizhevsky, 2009.

    Args:
        folder: with ``data_batch_1`` to ``data_batch_5`` and ``test_batch``, with ``.bin`` or without, or with the
            folder that has them.

    Raises:
        RefusedError: a file is missing or broken.
    """
    home = _home(folder)
    if home is None:
        raise RefusedError(f"{folder} has no {TRAIN[0]}.bin, expected the unpacked files of CIFAR-10")
    place, ending = home
    train, test = (_joined([_part(place / f"{name}{ending}") for name in names]) for names in (TRAIN, TEST))
    description = f"CIFAR-10: {len(train)} images to train, {len(test)} to test"
    return ImageData("CIFAR-10", description, CLASSES, train, test)


def _joined(parts: list[LabeledImages]) -> LabeledImages:
    return LabeledImages(np.concatenate([one.images for one in parts]), np.concatenate([one.labels for one in parts]))


def _part(path: Path) -> LabeledImages:
    if not path.is_file():
        names = ", ".join((*TRAIN, *TEST))
        raise RefusedError(f"{path} is not there; CIFAR-10 has the files {names}, in its binary version with .bin")
    return _binary(path) if path.suffix == ".bin" else _pickled(path)


def _binary(path: Path) -> LabeledImages:
    """Of each image a byte for the label, then its colors, plane by plane."""
    try:
        size = path.stat().st_size
        if not 0 < size <= _MOST_BYTES or size % (_PIXELS + 1):
            raise RefusedError(
                f"{path} has {size} bytes, expected a multiple of {_PIXELS + 1} from 1 on, at most {_MOST_BYTES}"
            )
        rows = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, _PIXELS + 1)
    except OSError as error:
        raise RefusedError(f"{path} cannot be read: {error}") from error
    return LabeledImages(rows[:, 1:].reshape(-1, *SHAPE), check_classes(rows[:, 0], len(CLASSES), path))


def _pickled(path: Path) -> LabeledImages:
    content = read_pickle(path)
    images, labels = content.get("data"), content.get("labels")
    if not isinstance(images, np.ndarray) or images.ndim != 2 or images.shape[1] != _PIXELS:
        found = f"shape {images.shape}" if isinstance(images, np.ndarray) else repr(type(images).__name__)
        raise RefusedError(f"{path}: data has {found}, expected an array (images, {_PIXELS})")
    if (
        not isinstance(labels, list)
        or len(labels) != len(images)
        or not all(type(one) is int and 0 <= one < len(CLASSES) for one in labels)
    ):
        raise RefusedError(f"{path}: labels are no list of {len(images)} numbers from 0 to {len(CLASSES) - 1}")
    return LabeledImages(images.reshape(-1, *SHAPE), np.array(labels, np.int64))

# SPDX-License-Identifier: Apache-2.0
"""Images with labels, in two parts."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..common.storage import RefusedError

__all__ = ["ImageData", "Indices", "LabeledImages", "check_classes"]

Indices: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class LabeledImages:
    """A part of the data.

    Attributes:
        images: (images, channels, rows, columns): uint8, 0 to 255, or float32, 0 to 1.
        labels: (images,), from 0 on.
    """

    images: NDArray[Any]
    labels: Indices

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: Indices) -> LabeledImages:
        """The images with these indices, in this order."""
        return LabeledImages(self.images[indices], self.labels[indices])

    def signals(self) -> NDArray[np.float32]:
        """The images as numbers from 0 to 1."""
        if self.images.dtype == np.uint8:
            return self.images.astype(np.float32) / np.float32(255)
        return self.images.astype(np.float32)


@dataclass(frozen=True)
class ImageData:
    """Images to train with and images to test on.

    Attributes:
        name: in a word.
        description: what it is, for people.
        classes: what the labels mean.
        train, test: the parts; no image is in both.
        is_turned: whether the images have been turned by random angles already.
    """

    name: str
    description: str
    classes: tuple[str, ...]
    train: LabeledImages
    test: LabeledImages
    is_turned: bool = False

    def identity(self) -> dict[str, Any]:
        """What distinguishes it from other data, as JSON."""
        digest = 0
        for part in (self.train, self.test):
            for array in (part.images, part.labels):
                digest = zlib.crc32(np.ascontiguousarray(array).data, digest)
        return {"name": self.name, "counts": [len(self.train), len(self.test)], "crc32": f"{digest:08x}"}


def check_classes(labels: NDArray[Any], classes: int, path: Path) -> Indices:
    """Labels as they are used. Raises RefusedError for one that is none of the classes 0 to `classes` - 1."""
    wrong = np.flatnonzero(~np.isin(labels, np.arange(classes)))
    if wrong.size:
        raise RefusedError(f"{path}: label {wrong[0]} is {labels[wrong[0]]}, expected 0 to {classes - 1}")
    return np.asarray(labels).astype(np.int64)

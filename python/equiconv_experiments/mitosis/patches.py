# SPDX-License-Identifier: Apache-2.0
"""The patches of the experiment on mitoses, from the generator or from the user's files, as three data sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ..common.storage import RefusedError
from ..common.training import Example
from . import nuclei as _nuclei
from .files import ImageFolder, PatchCamelyon, Source, has_patch_camelyon

__all__ = ["LEAST_SIZE", "NORMALIZATION", "CellSet", "Cells", "load_folder", "synthetic"]

LEAST_SIZE = 32
"""Rows that the networks need: of 32 the last map has one."""
PARTS = ("train", "valid", "test")
SYNTHETIC_NOTE = (
    "SYNTHETIC: drawings of nuclei in the colors of hematoxylin and eosin by a random generator, labeled by "
    "construction; not tissue"
)
# Between the colors of background and nuclei; the same for all data, so that nothing is learned from test images.
_CENTER, _SCALE = 0.7, 0.2
NORMALIZATION = {"scale": 1 / 255, "mean": _CENTER, "deviation": _SCALE}
"""Of colors from 0 to 255: what `as_signal` does, for the files of networks."""
_SUBSET_SEED = 0


class CellSet(Dataset[Example]):
    """Patches as signals (3, size, size), colors about 0, with labels: 1 for the positive class.

    Args:
        read: the image (rows, columns, 3), uint8, of an index.
        labels: of all images.
        size: of the square that is cut from the middle.
    """

    def __init__(self, read: Callable[[int], NDArray[np.uint8]], labels: NDArray[np.int64], size: int) -> None:
        self._read = read
        self.labels = labels
        self._size = size

    def __len__(self) -> int:
        return len(self.labels)

    def image(self, index: int) -> NDArray[np.uint8]:
        """A patch as it is, (size, size, 3)."""
        image = self._read(index)
        top, left = ((extent - self._size) // 2 for extent in image.shape[:2])
        return image[top : top + self._size, left : left + self._size]

    def __getitem__(self, index: int) -> Example:
        return as_signal(self.image(index)), torch.tensor(int(self.labels[index]))


def as_signal(image: NDArray[Any]) -> Tensor:
    """Colors 0 to 255, (rows, columns, 3), as a signal (3, rows, columns)."""
    values = (image.astype(np.float32) / np.float32(255) - np.float32(_CENTER)) / np.float32(_SCALE)
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))


@dataclass(frozen=True)
class Cells:
    """All data of the experiment.

    Attributes:
        train, valid, test: the parts; of `valid` the threshold is chosen, of `test` the results are.
        description: what the data is, for people.
        classes: names of the classes, the positive one last.
        synthetic: whether it was drawn.
        identity: what distinguishes it from other data, as JSON.
    """

    train: CellSet
    valid: CellSet
    test: CellSet
    description: str
    classes: tuple[str, str]
    synthetic: bool
    identity: dict[str, Any]


def synthetic(counts: tuple[int, int, int]) -> Cells:
    """Drawn patches, as many as asked for training, validation and tests; always the same."""
    parts = []
    for seed, count in enumerate(counts):
        drawn = _nuclei.patches(count, seed)
        parts.append(CellSet(drawn.images.__getitem__, drawn.labels, _nuclei.SIZE))
    identity = {"source": "synthetic", "counts": list(counts), "size": _nuclei.SIZE}
    return Cells(parts[0], parts[1], parts[2], SYNTHETIC_NOTE, ("normal", "mitotic"), True, identity)


def load_folder(path: Path, positive: str | None, limit: int | None, size: int | None) -> Cells:
    """The user's patches: PatchCamelyon's HDF5 files, or a folder of images for each part and class.

    Args:
        path: the folder.
        positive: name of the positive class of a folder of images; None for ``"mitotic"``.
        limit: the most images of each part, drawn at random, always the same; None for all.
        size: of the square that is cut from the middle; None for the largest that suits the networks.

    Returns:
        The data. Images are read when they are used.

    Raises:
        RefusedError: what is there is not such data.
    """
    sources: list[Source]
    if not path.is_dir():
        raise RefusedError(f"--data is {path}, expected a folder")
    if has_patch_camelyon(path):
        sources = [PatchCamelyon(path, part) for part in PARTS]
    else:
        sources = [ImageFolder(path, part, positive or "mitotic") for part in PARTS]
        if len({source.classes for source in sources}) > 1:
            found = ", ".join(f"{part}: {' and '.join(s.classes)}" for part, s in zip(PARTS, sources, strict=True))
            raise RefusedError(f"--data is {path}, expected the same two classes in each part; found {found}")
    side = _side(sources, size)
    sets = []
    for part, source in zip(PARTS, sources, strict=True):
        chosen = _subset(source, part, limit)
        sets.append(CellSet(_reader(source, chosen), source.labels[chosen], side))
    identity = {
        "source": str(path.resolve()),
        "counts": [len(part) for part in sets],
        "size": side,
        "positive": sources[0].classes[1],
        "bytes": [source.bytes for source in sources],
    }
    description = f"{sources[0].kind} in {path}; positive class: {sources[0].classes[1]}"
    return Cells(sets[0], sets[1], sets[2], description, sources[0].classes, False, identity)


def _reader(source: Source, chosen: NDArray[np.int64]) -> Callable[[int], NDArray[np.uint8]]:
    return lambda index: source.read(int(chosen[index]))


def _side(sources: list[Source], size: int | None) -> int:
    """The size to cut to. Raises RefusedError where images are smaller."""
    smallest = min(source.smallest for source in sources)
    side = smallest - smallest % 4 if size is None else size
    if side > smallest or side < LEAST_SIZE:
        raise RefusedError(
            f"--size is {size}, the smallest image has {smallest} rows or columns, expected {LEAST_SIZE} or more, and "
            "at most what images have"
        )
    return side


def _subset(source: Source, part: str, limit: int | None) -> NDArray[np.int64]:
    """Indices of the images to use, ascending. Raises RefusedError where a class is missing among them."""
    chosen = np.arange(len(source.labels))
    if limit is not None and limit < len(chosen):
        chosen = np.sort(np.random.default_rng(_SUBSET_SEED).choice(chosen, limit, replace=False))
    if len(np.unique(source.labels[chosen])) < 2:
        raise RefusedError(
            f"the {len(chosen)} images of the part {part!r} are of one class only, expected both; is --limit too small?"
        )
    return chosen

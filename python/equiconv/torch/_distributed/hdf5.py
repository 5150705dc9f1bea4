# SPDX-License-Identifier: Apache-2.0
"""Patches in an HDF5 file, which each process and each worker opens for itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ..._checks.arguments import value_text
from .order import generator_of

Transform: TypeAlias = Callable[[Tensor, Any, np.random.Generator], tuple[Tensor, Any]]
"""Of (image, label, random numbers of the patch): (image, label)."""

Arrays: TypeAlias = tuple[Tensor, Any, Tensor]
"""The images, the labels and the numbers of the patches of a batch."""


class PatchFile(Dataset[Any]):
    """The patches of a file, read by (epoch, number).

    Nothing is open in what is copied or pickled: a handle that several processes read from would share its state.

    Args:
        path: of the file.
        images, labels: names of datasets, of one length; `labels` may be None.
        seed: of what transforms draw.
        transform: of single patches; or None.
    """

    def __init__(
        self, path: str | os.PathLike[str], images: str, labels: str | None, seed: int, transform: Transform | None
    ) -> None:
        self.path = os.fspath(path)
        self.names = (images,) if labels is None else (images, labels)
        self.seed = seed
        self.transform = transform
        self._opened: tuple[int, Any] | None = None
        with _opened(self.path) as file:
            lengths = [len(self._dataset(file, name)) for name in self.names]
        if len(set(lengths)) > 1:
            raise ValueError(
                f"{self.path} has {lengths[0]} patches in {images!r} and {lengths[1]} in {labels!r}, expected as many"
            )
        self.count = lengths[0]
        if not self.count:
            raise ValueError(f"{self.path} has no patches in {images!r}, expected at least one")

    def __len__(self) -> int:
        return self.count

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> Arrays:
        """A batch, of no patches where there are no keys: its arrays then have the shape that others have."""
        if not keys:
            images, labels, numbers = self._batch([(0, 0)])
            return images[:0], None if labels is None else labels[:0], numbers[:0]
        return self._batch(keys)

    def close(self) -> None:
        """Closes the file in this process, which the next read opens again."""
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": None}

    def _batch(self, keys: Sequence[tuple[int, int]]) -> Arrays:
        patches = [self._patch(epoch, index) for epoch, index in keys]
        images = torch.stack([image for image, _ in patches])
        labels = torch.utils.data.default_collate([label for _, label in patches]) if len(self.names) > 1 else None
        return images, labels, torch.tensor([index for _, index in keys], dtype=torch.int64)

    def _patch(self, epoch: int, index: int) -> tuple[Tensor, Any]:
        image, label = (self._read(name, index) for name in self.names) if len(self.names) > 1 else (
            self._read(self.names[0], index), None,
        )  # fmt: skip
        if self.transform is None:
            return image, label
        return self.transform(image, label, generator_of(self.seed, epoch, index))

    def _read(self, name: str, index: int) -> Tensor:
        """A patch, or a label. Raises OSError that says which, where the file is damaged."""
        try:
            values = np.asarray(self._file()[name][index])
        except (OSError, KeyError, IndexError, ValueError, RuntimeError) as error:
            raise OSError(f"{self.path}: {name!r} cannot be read at {index}: {error}") from error
        return torch.from_numpy(np.array(values, dtype=values.dtype.newbyteorder("="), order="C"))

    def _file(self) -> Any:
        """The file as this process has opened it."""
        if self._opened is not None and self._opened[0] != os.getpid():
            # The library would go on with what this process was forked with.
            self.close()
        if self._opened is None:
            self._opened = (os.getpid(), _opened(self.path))
        return self._opened[1]

    def _dataset(self, file: Any, name: str) -> Any:
        """A dataset of numbers. Raises TypeError or ValueError for anything else."""
        if not isinstance(name, str):
            raise TypeError(f"the name of a dataset is {value_text(name)} ({type(name).__name__}), expected a str")
        try:
            data = file.get(name)
        except (OSError, RuntimeError) as error:
            raise OSError(f"{self.path}: {name!r} cannot be read: {error}") from error
        if not isinstance(data, _h5py().Dataset):
            raise ValueError(
                f"{self.path} has no dataset {name!r}, expected one of {', '.join(sorted(file)) or 'some'}"
            )
        if data.ndim == 0 or data.dtype.kind not in "biuf":
            raise ValueError(
                f"{self.path}: {name!r} has shape {data.shape} and dtype {data.dtype}, expected numbers (patches, ...)"
            )
        return data


def _opened(path: str) -> Any:
    """The file, to be read. Raises OSError that names it."""
    try:
        return _h5py().File(path, "r")
    except FileNotFoundError:
        raise
    except (OSError, RuntimeError) as error:
        raise OSError(f"{path} cannot be read as HDF5: {error}") from error


def _h5py() -> Any:
    """The library. Raises ModuleNotFoundError where it is missing."""
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError('PatchLoader needs h5py: pip install "equiconv[experiments]"', name="h5py") from error
    return h5py

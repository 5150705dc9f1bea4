# SPDX-License-Identifier: Apache-2.0
"""Batches of patches for all processes of a training, which resume where a checkpoint was written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ..._checks.arguments import LARGEST, boolean, integer, value_text
from ..._machine.config import set_num_threads
from .hdf5 import PatchFile, Transform
from .order import order_of, share_of
from .processes import Group, checked_group, process_count, process_rank

# Of a state, what must be that of the loader.
_FIXED = ("patches", "batch_size", "shuffle", "drop_last")


class Patches(NamedTuple):
    """The part of a batch that one process has.

    Attributes:
        images: (b, C, spatial...), as they are in the file, or as the transform returns them.
        labels: (b, ...), or None.
        indices: (b,), the numbers of the patches in the file.
        total: B, the patches of the batch in all processes.

    Example:
        >>> Patches(torch.zeros(2, 1, 8, 8), torch.tensor([0, 1]), torch.tensor([5, 3]), total=4).images.shape
        torch.Size([2, 1, 8, 8])
    """

    images: Tensor
    labels: Any
    indices: Tensor
    total: int


class PatchLoader:
    """Batches of patches from an HDF5 file, shared out between processes, from where a checkpoint left off.

    An iterator gives the rest of the current epoch, and begins the next one. Batch k of epoch e has the patches
    ``order(seed, e)[k B : (k + 1) B]``, of which process r of n has those from ``r B // n`` to ``(r + 1) B // n``: so
    the batches of all processes together do not depend on how many there are, nor on the workers. What the transform
    draws for a patch depends on the seed, the epoch and the patch alone. Where a batch has fewer patches than there
    are processes, some have none, and their tensors are of length 0; all have as many batches.

    The sum of the losses of the processes is that of one process if each is ``sum(losses of patches) / total``.
    ``DistributedDataParallel`` and FSDP take the mean of gradients over processes: multiply that by their number.

    Each process, and each worker, opens the file for itself. A patch is one read: store a patch a chunk. Workers have
    one thread of the engine.

    Args:
        path: of the file.
        batch_size: B, of all processes together.
        images: the name of the dataset of the patches, (patches, C, spatial...).
        labels: that of the labels, (patches, ...), or None.
        seed: of the order and of what the transform draws.
        shuffle: whether each epoch has an order of its own; that of the file otherwise.
        drop_last: whether a last batch of fewer patches is left out.
        transform: of single patches, called as ``transform(image, label, generator)`` with a `numpy.random.Generator`;
            returns an image and a label. With workers that are spawned it can be pickled.
        num_workers: processes that read ahead, for each process of the training.
        multiprocessing_context: ``"fork"``, ``"spawn"`` or ``"forkserver"``; PyTorch's choice if None.
        process_group: the processes that share the batches; all if None.

    Attributes:
        epoch: the current one.
        position: how many of its batches were given.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; no such dataset, or datasets of
            different lengths.
        OSError: the file cannot be read.
        ModuleNotFoundError: h5py is not installed.

    Example:
        ::

            loader = PatchLoader("patches.h5", 64, num_workers=2)
            while loader.epoch < 10:
                for patches in loader:
                    loss = losses(network(patches.images), patches.labels).sum() / patches.total
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        batch_size: int,
        *,
        images: str = "images",
        labels: str | None = "labels",
        seed: int = 0,
        shuffle: bool = True,
        drop_last: bool = False,
        transform: Transform | None = None,
        num_workers: int = 0,
        multiprocessing_context: str | None = None,
        process_group: Group = None,
    ) -> None:
        self.batch_size = integer("batch_size", batch_size, 1, LARGEST)
        self.seed = integer("seed", seed, 0, 2**63 - 1)
        self.shuffle, self.drop_last = boolean("shuffle", shuffle), boolean("drop_last", drop_last)
        if transform is not None and not callable(transform):
            raise TypeError(f"transform is {value_text(transform)} ({type(transform).__name__}), expected a function")
        self._workers = integer("num_workers", num_workers, 0, 4096)
        self._context = multiprocessing_context
        self._group = checked_group(process_group)
        self._file = PatchFile(path, images, labels, self.seed, transform)
        self.epoch = self.position = 0
        self._current: object = None
        if not len(self):
            raise ValueError(f"batch_size is {batch_size} and drop_last, expected at most {len(self._file)} patches")

    def __len__(self) -> int:
        """The batches of an epoch."""
        whole, rest = divmod(len(self._file), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Patches]:
        """The rest of the epoch. Iterators that were made before give nothing more; going on with one is an error."""
        self._current = turn = object()
        batches = self._rest()
        rank, processes = process_rank(self._group), process_count(self._group)
        parts = [batch[share_of(len(batch), rank, processes)] for batch in batches]
        try:
            for batch, (images, labels, indices) in zip(batches, self._loader(parts), strict=True):
                self._check_turn(turn)
                self.position += 1
                yield Patches(images, labels, indices, len(batch))
            self._check_turn(turn)
            self.epoch, self.position = self.epoch + 1, 0
        finally:
            # Workers that are forked would find it open.
            self._file.close()

    def state_dict(self) -> dict[str, Any]:
        """Where the loader is, and what its order follows from: of a checkpoint in the middle of an epoch too."""
        fixed = {"patches": len(self._file), "batch_size": self.batch_size}
        fixed |= {"shuffle": self.shuffle, "drop_last": self.drop_last}
        return fixed | {"seed": self.seed, "epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes where a loader was, with any number of processes and workers.

        Raises ValueError for a state of other patches or options, KeyError for what is none.
        """
        own = self.state_dict()
        for key in _FIXED:
            if state[key] != own[key]:
                raise ValueError(f"{key} of the state is {state[key]}, expected {own[key]} as the loader has")
        epoch = integer("epoch of the state", state["epoch"], 0, 2**63 - 1)
        position = integer("position of the state", state["position"], 0, len(self))
        self.seed = self._file.seed = integer("seed of the state", state["seed"], 0, 2**63 - 1)
        self.epoch, self.position = epoch, position
        self._current = None

    def _rest(self) -> list[list[tuple[int, int]]]:
        """The batches that the epoch still has, as keys of their patches."""
        order = order_of(self.seed, self.epoch, len(self._file), self.shuffle)
        starts = range(self.position * self.batch_size, len(self) * self.batch_size, self.batch_size)
        return [[(self.epoch, int(index)) for index in order[start : start + self.batch_size]] for start in starts]

    def _loader(self, parts: list[list[tuple[int, int]]]) -> DataLoader[Any]:
        # PyTorch draws a seed for its workers, by default from the numbers that a dropout draws from.
        return DataLoader(
            self._file, batch_sampler=parts, num_workers=self._workers, collate_fn=_whole, generator=torch.Generator(),
            worker_init_fn=_begin, multiprocessing_context=self._context if self._workers else None,
        )  # fmt: skip

    def _check_turn(self, turn: object) -> None:
        if self._current is not turn:
            raise RuntimeError("another iterator of this loader was made, or a state loaded: go on with that one")


def _whole(arrays: Any) -> Any:
    """A batch as the file gives it."""
    return arrays


def _begin(_worker: int) -> None:
    """PyTorch has given the worker one thread."""
    set_num_threads(1)

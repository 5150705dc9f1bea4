# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of a training on any number of processes, by `torch.distributed.checkpoint`, made safe from kills."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..._checks.arguments import integer
from . import folders
from .processes import Group, by_the_first, checked_group, process_rank

_RANDOM = "random"


class Checkpoints:
    """The last checkpoints of a training: whole or not there, whenever its processes are killed.

    A checkpoint has the parameters and buffers of the model, the state of the optimizer, those of further parts such as
    a `PatchLoader` or a scheduler, and PyTorch's random numbers in each process. It is a folder of
    `torch.distributed.checkpoint`: of ``DistributedDataParallel`` each number is written once, of FSDP each process
    writes its own, and another number of processes can load it. It is written beside the others, its files and their
    SHA-256 digests reach the disk, and then it is renamed. `load` takes the last one whose files have their digests;
    damaged ones are reported by a UserWarning and set aside.

    All processes make the same calls, and see the same folder. Resumed with as many processes, a training has the bits
    of one that was not stopped, where the operations of its network have them. Processes that the checkpoint has no
    random numbers of keep theirs.

    The files hold pickles: load those alone that you trust.

    Args:
        folder: made with the first checkpoint.
        model: the module; as it is trained, for example wrapped by ``DistributedDataParallel`` or sharded.
        optimizer: of its parameters, or None.
        keep: how many checkpoints stay, at least 1; with two, one is there if the last one is damaged later.
        process_group: of the training; all processes if None.
        parts: by their names, what has `state_dict` and `load_state_dict`.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        ::

            checkpoints = Checkpoints("checkpoints", model, optimizer, loader=loader)
            step = checkpoints.load() or 0
            for patches in loader:
                ...
                step += 1
                checkpoints.save(step)
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        model: nn.Module,
        optimizer: torch.optim.Optimizer | None = None,
        *,
        keep: int = 2,
        process_group: Group = None,
        **parts: Any,
    ) -> None:
        self.folder = Path(folder)
        if not isinstance(model, nn.Module):
            raise TypeError(f"model is of type {type(model).__name__}, expected a torch.nn.Module")
        if optimizer is not None and not isinstance(optimizer, torch.optim.Optimizer):
            raise TypeError(f"optimizer is of type {type(optimizer).__name__}, expected a torch.optim.Optimizer")
        for name, part in parts.items():
            if not all(callable(getattr(part, method, None)) for method in ("state_dict", "load_state_dict")):
                raise TypeError(f"{name} is of type {type(part).__name__}, expected what has a state_dict to load")
        self._model, self._optimizer, self._parts = model, optimizer, parts
        self._keep = integer("keep", keep, 1, 10**6)
        self._group = checked_group(process_group)

    @property
    def steps(self) -> list[int]:
        """The steps of the finished checkpoints, in their order."""
        return folders.steps_in(self.folder)

    def save(self, step: int) -> Path:
        """Writes a checkpoint, and removes those before the last ones.

        Args:
            step: how many steps the training has made; more than those of every checkpoint that is there.

        Returns:
            Its folder.

        Raises:
            TypeError, ValueError: another `step`.
            OSError, torch.distributed.checkpoint.CheckpointException: it cannot be written.
        """
        from torch.distributed.checkpoint.filesystem import FileSystemWriter
        from torch.distributed.checkpoint.state_dict_saver import save

        number = integer("step", step, 0, folders.LARGEST_STEP)
        unfinished = by_the_first(lambda: self._begin(number), self._group)
        state = self._state() | {_RANDOM: {str(process_rank(self._group)): _random_state()}}
        with _alone_without_warning():
            written = save(state, storage_writer=FileSystemWriter(unfinished), process_group=self._group)
        return by_the_first(lambda: self._publish(unfinished, written), self._group)

    def load(self) -> int | None:
        """Loads the last checkpoint that is whole, and returns its step; None where there is none.

        Raises:
            ValueError: it is of another model, optimizer or other parts, or of another configuration of a part.
            OSError: it cannot be read.
        """
        step = by_the_first(self._last_whole, self._group)
        if step is None:
            return None
        path = self.folder / folders.name_of(step)
        state = self._read(path)
        self._restore(state)
        return step

    def _begin(self, step: int) -> Path:
        last = max(self.steps, default=-1)
        if step <= last:
            raise ValueError(
                f"step is {step}, expected more than {last}, the last one in {self.folder}: load it, or give another "
                "folder"
            )
        return folders.begin(self.folder, step)

    def _publish(self, unfinished: Path, written: Any) -> Path:
        """In the first process, when all have written."""
        path = folders.publish(unfinished, {part.relative_path for part in written.storage_data.values()})
        folders.keep_last(self.folder, self._keep)
        return path

    def _last_whole(self) -> int | None:
        for step in reversed(self.steps):
            path = self.folder / folders.name_of(step)
            problem = folders.damage(path)
            if problem is None:
                return step
            warnings.warn(f"checkpoint {path} is damaged and is not used: {problem}", stacklevel=4)
            folders.set_aside(path)
        return None

    def _state(self) -> dict[str, Any]:
        """What all processes have in common, or have shared out: as `torch.distributed.checkpoint` names it."""
        from torch.distributed.checkpoint.state_dict import get_model_state_dict, get_optimizer_state_dict

        state: dict[str, Any] = {"model": get_model_state_dict(self._model)}
        if self._optimizer is not None:
            state["optimizer"] = get_optimizer_state_dict(self._model, self._optimizer)
        return state | {"parts": {name: part.state_dict() for name, part in self._parts.items()}}

    def _read(self, path: Path) -> dict[str, Any]:
        """The state in a folder. Raises ValueError where that is of something else."""
        from torch.distributed.checkpoint.api import CheckpointException
        from torch.distributed.checkpoint.filesystem import FileSystemReader
        from torch.distributed.checkpoint.state_dict_loader import load

        from .planner import ModelPlanner

        reader = FileSystemReader(path)
        state = self._state()
        rank = str(process_rank(self._group))
        names = reader.read_metadata().state_dict_metadata.keys()
        if f"{_RANDOM}.{rank}.cpu" in names:
            state[_RANDOM] = {rank: _random_state()}
        try:
            with _alone_without_warning():
                load(state, storage_reader=reader, planner=ModelPlanner(), process_group=self._group)
        except CheckpointException as error:
            raise ValueError(f"checkpoint {path} does not fit the training: {error}") from error
        return state

    def _restore(self, state: dict[str, Any]) -> None:
        from torch.distributed.checkpoint.state_dict import set_model_state_dict, set_optimizer_state_dict

        set_model_state_dict(self._model, state["model"])
        if self._optimizer is not None:
            set_optimizer_state_dict(self._model, self._optimizer, state["optimizer"])
        for name, part in self._parts.items():
            part.load_state_dict(state["parts"][name])
        if _RANDOM in state:
            _set_random_state(state[_RANDOM][str(process_rank(self._group))])


@contextmanager
def _alone_without_warning() -> Iterator[None]:
    """Inside, PyTorch does not warn that one process writes and reads all by itself."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled", UserWarning)
        yield


def _random_state() -> dict[str, Tensor]:
    """Of PyTorch's generators: that of the CPU, and that of this process's GPU where it has used one."""
    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def _set_random_state(state: dict[str, Tensor]) -> None:
    torch.set_rng_state(state["cpu"])
    if "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"])

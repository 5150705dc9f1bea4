# SPDX-License-Identifier: Apache-2.0
"""The folder of an experiment: one process, one configuration, files that are whole or not there."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from multiprocessing import reduction
from pathlib import Path
from typing import IO, Any

import torch

try:
    import fcntl
except ImportError:  # Not on Windows; there, two processes in one folder are the user's to avoid.
    fcntl = None  # type: ignore[assignment]

__all__ = ["Folder", "RefusedError", "read_json", "write_json"]

# Seconds that a process waits for another's lock: workers of one that was killed need a moment to end.
PATIENCE = 5.0


class RefusedError(Exception):
    """What the user asked for cannot be done with what is there; the message says why and what to do."""


def _write(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Writes a file that is, whenever the process dies, either the old one or the new one, whole."""
    unfinished = path.with_name(path.name + ".unfinished")
    with unfinished.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def write_json(path: Path, value: object) -> None:
    """Writes JSON whose floats read back to the same bits; a number that is not finite is an error."""
    text = json.dumps(value, indent=1, allow_nan=False) + "\n"
    _write(path, lambda file: file.write(text.encode()))


def read_json(path: Path) -> Any:
    """Reads JSON. Raises RefusedError where it cannot."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RefusedError(f"{path} cannot be read ({error}); delete it, or give another --output-dir") from error


class Folder:
    """An output folder, held by this process until it is left; a context manager.

    It can be pickled for a process that is being spawned: that process then holds it too, until it ends.

    Args:
        path: made if it is not there.
        config: what the numbers depend on. Numbers of another configuration are never mixed with these.

    Raises:
        RefusedError: it cannot be made, is in use, or has another configuration.
    """

    def __init__(self, path: Path, config: Mapping[str, Any]) -> None:
        self.path = path
        self.config = json.loads(json.dumps(config))
        try:
            for part in ("checkpoints", "runs", "figures", "networks"):
                (path / part).mkdir(parents=True, exist_ok=True)
            self._lock = (path / "lock").open("w")
        except OSError as error:
            raise RefusedError(f"--output-dir is {path}, expected a folder that can be written to: {error}") from error
        try:
            self._hold()
            self._compare()
        except RefusedError:
            self._lock.close()
            raise

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        # Which also gives the lock back.
        self._lock.close()

    def __reduce__(self) -> tuple[Callable[..., Folder], tuple[object, ...]]:
        lock = None if fcntl is None else reduction.DupFd(self._lock.fileno())
        return _held_already, (self.path, self.config, lock)

    def _hold(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._is_locked():
            if time.monotonic() > deadline:
                raise RefusedError(
                    f"--output-dir is {self.path}, in use by another process; wait for it, or give another --output-dir"
                )
            time.sleep(0.05)

    def _is_locked(self) -> bool:
        """Whether this process has the lock, or there are none."""
        if fcntl is None:
            return True
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _compare(self) -> None:
        file = self.path / "config.json"
        if not file.exists():
            write_json(file, self.config)
        differences = _differences(read_json(file), self.config)
        if differences:
            raise RefusedError(
                f"--output-dir is {self.path}, with results of another configuration: {'; '.join(differences)}. Repeat "
                "that command line to resume it, or give another --output-dir"
            )

    def save_checkpoint(self, run: str, state: Mapping[str, Any]) -> None:
        """Keeps the state of a run, with the configuration it belongs to."""
        _write(self._checkpoint(run), lambda file: torch.save({"config": self.config, **state}, file))

    def load_checkpoint(self, run: str) -> dict[str, Any] | None:
        """The last state of a run, None for a run that has none. Raises RefusedError."""
        path = self._checkpoint(run)
        if not path.exists():
            return None
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            config = state.pop("config")
        except Exception as error:  # What a file of other bytes makes unpicklers raise is not documented.
            raise RefusedError(f"{path} is no checkpoint ({error}); delete it to begin that run again") from error
        differences = _differences(config, self.config)
        if differences:
            raise RefusedError(f"{path} is a checkpoint of another configuration: {'; '.join(differences)}; delete it")
        return state

    def _checkpoint(self, run: str) -> Path:
        return self.path / "checkpoints" / f"{run}.pt"

    def network_file(self, run: str) -> Path:
        """Where the trained network of a run is kept, as a file that Equiconv runs."""
        return self.path / "networks" / f"{run}.safetensors"

    def save_result(self, run: str, result: object) -> None:
        """Keeps what a finished run found."""
        write_json(self.path / "runs" / f"{run}.json", {"config": self.config, "result": result})

    def load_result(self, run: str) -> Any:
        """What a finished run found, None for one that is not finished. Raises RefusedError."""
        path = self.path / "runs" / f"{run}.json"
        if not path.exists():
            return None
        stored = read_json(path)
        if not isinstance(stored, dict) or _differences(stored.get("config"), self.config):
            raise RefusedError(f"{path} is a result of another configuration; delete it")
        return stored["result"]


def _held_already(path: Path, config: dict[str, Any], lock: Any) -> Folder:
    """A folder that another process holds and shares with this one: the lock is that of the open file."""
    folder = Folder.__new__(Folder)
    folder.path, folder.config = path, config
    if lock is not None:
        folder._lock = os.fdopen(lock.detach(), "w")
    return folder


def _differences(old: Any, new: Any, name: str = "") -> list[str]:
    """What differs between two JSON values, in words."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        return [
            text
            for key in keys
            for text in _differences(old.get(key), new.get(key), f"{name}.{key}" if name else str(key))
        ]
    return [] if old == new else [f"{name or 'configuration'} was {old!r} and is now {new!r}"]

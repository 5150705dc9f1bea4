# SPDX-License-Identifier: Apache-2.0
"""Folders that are whole or not there, whenever the process that writes them dies, and that tell if they are whole."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Collection
from pathlib import Path

from ..._machine.disk import sync

_DIGESTS = "digests.json"
_NAME = re.compile(r"step-(\d{12})")
_BYTES = 2**20
"""Read at once."""
LARGEST_STEP = 10**12 - 1


def name_of(step: int) -> str:
    """The name of the folder of a step; names are in the order of their steps."""
    return f"step-{step:012}"


def steps_in(folder: Path) -> list[int]:
    """The steps of which a folder has a checkpoint that was finished, in their order."""
    if not folder.is_dir():
        return []
    found = [_NAME.fullmatch(path.name) for path in folder.iterdir()]
    return sorted(int(match[1]) for match in found if match)


def begin(folder: Path, step: int) -> Path:
    """An empty folder beside the finished ones, to be written; what another process left unfinished is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("step-*.unfinished"):
        shutil.rmtree(path)
    unfinished = folder / f"{name_of(step)}.unfinished"
    unfinished.mkdir()
    return unfinished


def publish(unfinished: Path, names: Collection[str]) -> Path:
    """Gives a folder its name, once its digests are on the disk too.

    Raises FileNotFoundError unless it has the files of these names, which the processes have written.
    """
    missing = sorted(name for name in names if not (unfinished / name).is_file())
    if missing:
        raise FileNotFoundError(f"{unfinished} has no {', '.join(missing)}: expected a folder that all processes see")
    digests = {path.name: _digest(path) for path in sorted(unfinished.iterdir())}
    with (unfinished / _DIGESTS).open("w", encoding="utf-8") as file:
        json.dump(digests, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    sync(unfinished)
    finished = unfinished.with_suffix("")
    os.rename(unfinished, finished)
    sync(finished.parent)
    return finished


def keep_last(folder: Path, count: int) -> None:
    """Removes all but the last checkpoints, and those that were found to be damaged."""
    for step in steps_in(folder)[:-count]:
        _remove(folder / name_of(step))
    for path in folder.glob("step-*.damaged"):
        shutil.rmtree(path)


def set_aside(path: Path) -> None:
    """Takes a damaged checkpoint out of the list."""
    aside = path.with_suffix(".damaged")
    if aside.exists():
        shutil.rmtree(aside)
    os.rename(path, aside)


def damage(path: Path) -> str | None:
    """What is wrong with the files of a folder; None if they are those that were published. Reads all of them."""
    try:
        digests = json.loads((path / _DIGESTS).read_text(encoding="utf-8"))
        names = {name: (int(size), str(digest)) for name, (size, digest) in digests.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError) as error:
        return f"{_DIGESTS} is missing or no list of digests ({error})"
    for name, (size, digest) in names.items():
        file = path / name
        if not file.is_file():
            return f"{name} is missing"
        if file.stat().st_size != size:
            return f"{name} has {file.stat().st_size} bytes, expected {size}"
        if _digest(file)[1] != digest:
            return f"{name} has other bytes than were written"
    return None


def _digest(path: Path) -> tuple[int, str]:
    """The size and the digest of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while part := file.read(_BYTES):
            digest.update(part)
            size += len(part)
    return size, digest.hexdigest()


def _remove(path: Path) -> None:
    """Removes a folder that nobody will take for a finished one while it is being removed."""
    unfinished = path.with_suffix(".unfinished")
    os.rename(path, unfinished)
    shutil.rmtree(unfinished)

# SPDX-License-Identifier: Apache-2.0
"""The journal of a run: which tiles are on the disk, so that a run that was killed goes on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from .._tiles.plan import Tile


class Journal:
    """A file of a line a tile, each on the disk before the next: ``{"tile": [3, 5], "bytes": {"0/c/0/3/5": 81920}}``.

    A kill can cut off the last line alone, which then counts as not written; its tile is computed again.

    Args:
        path: of the file, which is made if it is not there.

    Raises:
        BlockingIOError: another process writes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = _locked(path)
        self.tiles: dict[Tile, Mapping[str, int]] = {}
        whole = 0
        for line in path.read_bytes().splitlines(keepends=True):
            entry = _entry(line)
            if entry is None:
                break
            self.tiles[entry[0]] = entry[1]
            whole += len(line)
        os.truncate(path, whole)

    def append(self, tile: Tile, sizes: Mapping[str, int]) -> None:
        """Notes a tile whose files are on the disk.

        Args:
            tile: which.
            sizes: bytes of its files, by their paths below the folder of the run.
        """
        self._file.write(json.dumps({"tile": list(tile), "bytes": dict(sizes)}) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.tiles[tile] = sizes

    def close(self) -> None:
        """Lets others write it."""
        self._file.close()


def _locked(path: Path) -> TextIO:
    import fcntl

    file = path.open("a", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise BlockingIOError(f"{path.parent} is being written by another process") from None
    return file


def _entry(line: bytes) -> tuple[Tile, dict[str, int]] | None:
    """A line as it was written; None for one that was cut off."""
    try:
        entry: dict[str, Any] = json.loads(line)
        row, column = entry["tile"]
        sizes = {str(path): int(size) for path, size in entry["bytes"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return ((int(row), int(column)), sizes) if line.endswith(b"\n") else None

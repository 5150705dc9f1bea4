# SPDX-License-Identifier: Apache-2.0
"""Files and folders that are on the disk when a function returns."""

from __future__ import annotations

from pathlib import Path

from ..._machine.disk import sync

PARTIAL = ".partial"
"""What names of files end with that are being written, as Zarr names them; a kill leaves them behind."""


def sync_file(path: Path) -> int:
    """Waits until a file and its name are on the disk; its size."""
    sync(path)
    sync(path.parent)
    return path.stat().st_size


def remove_partial(folder: Path) -> None:
    """Removes what kills have left behind."""
    for path in folder.rglob(f"*{PARTIAL}"):
        path.unlink(missing_ok=True)

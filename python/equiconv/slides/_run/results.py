# SPDX-License-Identifier: Apache-2.0
"""What a run came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._outputs.metadata import Placement
from .._tiles.plan import Region, Tile


@dataclass
class Times:
    """Seconds of the parts of a run, summed over the threads and processes that they ran in.

    Attributes:
        reading: of the source, with the conversion to the network's dtype.
        network: in calls of the network.
        writing: of blocks, until they are on the disk.
        pyramid: of the levels that follow from level 0.
        total: from the first tile to the last, and the pyramid, by the clock.
    """

    reading: float = 0.0
    network: float = 0.0
    writing: float = 0.0
    pyramid: float = 0.0
    total: float = 0.0

    def add(self, reading: float, network: float, writing: float) -> None:
        """Adds those of a tile."""
        self.reading += reading
        self.network += network
        self.writing += writing

    def __str__(self) -> str:
        parts = ("reading", "network", "writing", "pyramid")
        return f"{self.total:.3g} s; " + ", ".join(f"{part} {getattr(self, part):.3g} s" for part in parts)


@dataclass(frozen=True)
class FailedTile:
    """A tile that was not computed.

    Attributes:
        tile: its row and column.
        area: the pixels [begin, end) of the source that it stands for, y before x.
        error: what went wrong, with the file.
    """

    tile: Tile
    area: Region
    error: str

    def __str__(self) -> str:
        (top, left), (bottom, right) = self.area
        return f"tile {self.tile}, rows {top} to {bottom - 1}, columns {left} to {right - 1}: {self.error}"


@dataclass(frozen=True)
class Counts:
    """Numbers of tiles.

    Attributes:
        all: of the grid.
        computed: in this run.
        known: from a run before.
        masked: left out, as the mask has nothing there.
    """

    all: int
    computed: int
    known: int
    masked: int


@dataclass(frozen=True, repr=False)
class Prediction:
    """Outputs of a network over a slide. Made by `predict`.

    Attributes:
        arrays: of each output by its name, (C, H, W), with C |X| channels for a signal on a group, elements behind
            each channel: NumPy arrays, or Zarr arrays of what was written. NaN where a tile was masked or failed.
        places: where the places of each output lie on the slide.
        classes: names of channels, by the names of outputs; None for those without.
        path: what was written; None for arrays in memory.
        tiles: how many.
        failed: tiles that were not computed, with their errors.
        times: of this run.
    """

    arrays: Mapping[str, Any]
    places: Mapping[str, Placement]
    classes: Mapping[str, tuple[str, ...] | None]
    path: Path | None
    tiles: Counts
    failed: tuple[FailedTile, ...]
    times: Times

    @property
    def array(self) -> Any:
        """That of the first output."""
        return next(iter(self.arrays.values()))

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {tuple(array.shape)}" for name, array in self.arrays.items())
        count = self.tiles
        parts = [f"{count.computed} of {count.all} tiles computed"]
        parts += [f"{count.known} known"] if count.known else []
        parts += [f"{count.masked} masked"] if count.masked else []
        parts += [f"{len(self.failed)} failed"] if self.failed else []
        return f"equiconv.slides.Prediction({shapes}; {', '.join(parts)}; {self.times})"

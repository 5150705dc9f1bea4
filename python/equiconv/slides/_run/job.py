# SPDX-License-Identifier: Apache-2.0
"""What is done for a tile: read, compute, write."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ..._checks.arrays import Array
from ..._network.check import outputs_of
from ..._network.network import Network
from .._sources.source import Source
from .._tiles.plan import Region, Tile, TilePlan

Inputs = Mapping[Region, Array]
"""Arrays (1, C, h, w) by the regions that they were read from."""


class Writer(Protocol):
    """Where the blocks of a tile go."""

    def write(self, tile: Tile, blocks: Mapping[str, Array]) -> dict[str, int]:
        """Writes them; the bytes of each file."""


@dataclass(frozen=True)
class Record:
    """What there is to know of a tile that was tried.

    Attributes:
        tile: which.
        sizes: bytes of its files.
        seconds: of reading, network and writing.
        error: why it could not be read; None if it could.
    """

    tile: Tile
    sizes: Mapping[str, int] = field(default_factory=dict)
    seconds: tuple[float, float, float] = (0.0, 0.0, 0.0)
    error: str | None = None


@dataclass(frozen=True)
class TileJob:
    """A network, a source and a plan. It pickles; several threads may use it.

    Attributes:
        network: what is computed.
        source: what it reads.
        plan: the tiles.
    """

    network: Network
    source: Source
    plan: TilePlan

    def read(self, tile: Tile) -> tuple[Inputs, float]:
        """What a tile reads, in the network's dtype, and the seconds that it took.

        Raises whatever the source does.
        """
        start = time.perf_counter()
        inputs = {}
        for begin, end in self.plan.windows(tile):
            pixels = self.source.read(begin, end)
            expected = (self.source.channels, end[0] - begin[0], end[1] - begin[1])
            if pixels.shape != expected:
                raise ValueError(f"{self.source.name} gave an array of shape {pixels.shape}, expected {expected}")
            inputs[(begin, end)] = np.ascontiguousarray(pixels, self.network.dtype)[None]
        return inputs, time.perf_counter() - start

    def compute(self, tile: Tile, inputs: Inputs) -> tuple[dict[str, Array], float]:
        """The blocks (C, h, w) of a tile by the names of outputs, and the seconds that the network took."""
        blocks, seconds = {}, 0.0
        for region, reads in self.plan.windows(tile).items():
            start = time.perf_counter()
            found = dict(zip(self.network.output_names, outputs_of(self.network, inputs[region]), strict=True))
            seconds += time.perf_counter() - start
            for output, window in reads:
                (top, left), (bottom, right) = window.crop_begin, window.crop_end
                cut = found[output.name][..., top:bottom, left:right]
                blocks[output.name] = np.ascontiguousarray(cut).reshape(-1, bottom - top, right - left)
        return blocks, seconds


def timed_write(writer: Writer, tile: Tile, blocks: Mapping[str, Array]) -> tuple[dict[str, int], float]:
    """Writes the blocks of a tile; the bytes of each file, and the seconds that it took."""
    start = time.perf_counter()
    sizes = writer.write(tile, blocks)
    return sizes, time.perf_counter() - start


def run_tile(job: TileJob, writer: Writer, tile: Tile, turn: threading.Lock) -> Record:
    """A tile from source to disk. Whoever holds `turn` has all threads of the engine."""
    try:
        inputs, reading = job.read(tile)
    except Exception as error:
        return failure(tile, error)
    with turn:
        blocks, network = job.compute(tile, inputs)
    sizes, writing = timed_write(writer, tile, blocks)
    return Record(tile, sizes, (reading, network, writing))


def failure(tile: Tile, error: Exception) -> Record:
    """The record of a tile that could not be read. Errors that say that memory has run out are raised."""
    if isinstance(error, MemoryError):
        raise error
    text: Any = str(error) or "no message"
    return Record(tile, error=f"{type(error).__name__}: {text}")

# SPDX-License-Identifier: Apache-2.0
"""Tiles in this process: the next is read and the last is written while the network computes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeAlias

from ..._checks.arrays import Array
from .._tiles.plan import Tile
from .job import Inputs, Record, TileJob, Writer, failure, timed_write

AHEAD = 1
"""Tiles that are read before their turn."""

_Read: TypeAlias = tuple[Tile, "Future[tuple[Inputs, float]]"]


def run_here(job: TileJob, writer: Writer, tiles: Sequence[Tile]) -> Iterator[Record]:
    """Computes tiles in their order, and gives their records in this order too.

    A thread reads and a thread writes; the network runs in the calling one, and uses all threads of the engine. At any
    time there are at most the inputs of ``1 + AHEAD`` tiles, and the blocks of 2.
    """
    with ThreadPoolExecutor(1, "equiconv-read") as reader, ThreadPoolExecutor(1, "equiconv-write") as output:
        writing: Future[Record] | None = None
        try:
            for tile, read in _ahead(job, tiles, reader):
                try:
                    inputs, reading = read.result()
                except Exception as error:
                    yield failure(tile, error)
                    continue
                blocks, network = job.compute(tile, inputs)
                del inputs, read
                if writing is not None:
                    yield writing.result()
                writing = output.submit(_write, writer, tile, blocks, reading, network)
                del blocks
            if writing is not None:
                yield writing.result()
        finally:
            reader.shutdown(cancel_futures=True)


def _ahead(job: TileJob, tiles: Sequence[Tile], reader: ThreadPoolExecutor) -> Iterator[_Read]:
    """Tiles whose reading has begun, with those after them."""
    rest = iter(tiles)
    waiting = [(tile, reader.submit(job.read, tile)) for tile in islice(rest, 1)]
    while waiting:
        current = waiting.pop(0)
        current[1].exception()
        for tile in islice(rest, AHEAD - len(waiting)):
            waiting.append((tile, reader.submit(job.read, tile)))
        yield current
        # The caller holds it as long as it needs it.
        del current


def _write(writer: Writer, tile: Tile, blocks: Mapping[str, Array], reading: float, network: float) -> Record:
    sizes, seconds = timed_write(writer, tile, blocks)
    return Record(tile, sizes, (reading, network, seconds))

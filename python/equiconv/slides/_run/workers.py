# SPDX-License-Identifier: Apache-2.0
"""Tiles on the workers of a cluster of Dask, which read and write by themselves: small records alone go around."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import uuid4

from ..._machine.config import get_num_threads, set_num_threads
from .._outputs.optional import package
from .._tiles.plan import Tile
from .job import Record, TileJob, Writer, run_tile

AHEAD = 2
"""Tiles in flight for each thread of the cluster."""


class _Task:
    """What a process computes tiles of."""

    def __init__(self, data: bytes) -> None:
        self.job: TileJob
        self.writer: Writer
        self.job, self.writer = pickle.loads(data)
        self.turn = threading.Lock()
        self.workers = 0
        self.threads_before = get_num_threads()


_tasks: dict[str, _Task] = {}
_lock = threading.Lock()


def _begin(key: str, data: bytes, threads: int) -> None:
    """Makes a job ready for a worker of this process, and lets the engine use as many threads as that has."""
    with _lock:
        if key not in _tasks:
            _tasks[key] = _Task(data)
        _tasks[key].workers += 1
    set_num_threads(threads)


def _end(key: str) -> None:
    """Forgets a job when the last worker of this process leaves it."""
    with _lock:
        task = _tasks.get(key)
        if task is None:
            return
        task.workers -= 1
        if task.workers > 0:
            return
        del _tasks[key]
    set_num_threads(task.threads_before)
    task.job.source.close()


def _compute(key: str, tile: Tile) -> Record:
    task = _tasks[key]
    return run_tile(task.job, task.writer, tile, task.turn)


def run_on_workers(client: Any, job: TileJob, writer: Writer, tiles: Sequence[Tile]) -> Iterator[Record]:
    """Computes tiles on the workers of a `distributed.Client`, and gives their records as they come.

    The job is sent to each worker once, also to those that join later, and each worker lets the engine use as many
    threads as it has itself. A tile of a worker that was lost is computed by another; one that has ended several is
    given up, as the scheduler's ``allowed-failures`` says.
    """
    distributed = package("distributed", "client=", "dask")
    key = f"equiconv-{uuid4().hex}"
    try:
        client.register_plugin(_plugin(distributed)(key, pickle.dumps((job, writer))), name=key)
        rest = iter(tiles)
        room = AHEAD * max(1, sum(client.nthreads().values()))
        running = distributed.as_completed(
            [_submit(client, key, tile) for tile in islice(rest, room)], raise_errors=False
        )
        for future in running:
            yield _record(distributed, key, future)
            for tile in islice(rest, 1):
                running.add(_submit(client, key, tile))
    finally:
        client.unregister_worker_plugin(key)


def _submit(client: Any, key: str, tile: Tile) -> Any:
    return client.submit(_compute, key, tile, key=f"{key}-{tile[0]}-{tile[1]}-{uuid4().hex}", pure=False)


def _record(distributed: Any, key: str, future: Any) -> Record:
    """What a future came to. Raises what the network raised."""
    try:
        # Waits once more where the worker has died since, and with it the record.
        record: Record = future.result()
        return record
    except distributed.scheduler.KilledWorker as error:
        row, column = future.key.removeprefix(f"{key}-").split("-")[:2]
        return Record((int(row), int(column)), error=f"KilledWorker: {error}")


def _plugin(distributed: Any) -> Any:
    """A plugin that keeps a job on a worker. Its class is made when Dask is there, and pickled by value."""

    class Job(distributed.WorkerPlugin):  # type: ignore[misc]
        def __init__(self, key: str, data: bytes) -> None:
            self.key, self.data = key, data

        def setup(self, worker: Any) -> None:
            _begin(self.key, self.data, worker.state.nthreads)

        def teardown(self, worker: Any) -> None:
            _end(self.key)

    return Job

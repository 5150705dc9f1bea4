# SPDX-License-Identifier: Apache-2.0
"""Processes of one group of `torch.distributed`, which wait for functions to call together."""

from __future__ import annotations

import multiprocessing
import tempfile
import traceback
from pathlib import Path

TIME_LIMIT = 60
"""Seconds for one call."""


class Processes:
    """A context manager; they meet at a file, so that no port is needed, and add by gloo."""

    def __init__(self, count=2):
        self.count = count
        self._running = []

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        context = multiprocessing.get_context("spawn")
        store = Path(self._folder.name, "store")
        for rank in range(self.count):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there, rank, self.count, store), daemon=True)
            process.start()
            there.close()
            self._running.append((process, here))
        return self

    def __exit__(self, *_):
        for process, connection in self._running:
            connection.close()
            process.kill()
            process.join()
        self._running = []
        self._folder.cleanup()

    def call(self, function, *arguments):
        """What each process returns for ``function(*arguments)``, a function of a module, in their order."""
        for _, connection in self._running:
            connection.send((function, arguments))
        results = []
        for rank, (process, connection) in enumerate(self._running):
            if not connection.poll(TIME_LIMIT):
                self.__exit__()
                raise AssertionError(f"process {rank} has not answered in {TIME_LIMIT} seconds")
            if not process.is_alive() and not connection.poll():
                raise AssertionError(f"process {rank} has ended")
            results.append(connection.recv())
        errors = [text for _, text in results if text]
        assert not errors, "\n".join(errors)
        return [value for value, _ in results]


def _serve(connection, rank, count, store):
    import equiconv as eq
    import torch
    from torch import distributed

    torch.set_num_threads(1)
    eq.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=count)
    while True:
        try:
            function, arguments = connection.recv()
        except EOFError:
            return
        try:
            connection.send((function(*arguments), None))
        except BaseException:
            connection.send((None, f"process {rank}: {traceback.format_exc()}"))

# SPDX-License-Identifier: Apache-2.0
"""Independent trainings, one after the other in this process or at the same time in several.

Workers are spawned, not forked, since threads of PyTorch's pools do not live on in a fork. Each imports PyTorch once
and takes runs from a queue. They end when the first process does, whatever ends it, and hold the lock of the folder
until then.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from tqdm import tqdm

from .options import set_up_process
from .storage import Folder
from .training import Run

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

__all__ = ["Experiment", "perform_all"]

Entry: TypeAlias = dict[str, Any]
Advance: TypeAlias = Callable[[], object]
# Seconds between two looks at what the workers have done.
PERIOD = 0.2


class Experiment(Protocol):
    """What all runs have in common."""

    def epochs(self, run: Run) -> int:
        """How many a run has."""

    def work(self, run: Run) -> float:
        """About how long a run takes beside others, in any unit."""

    def perform(self, run: Run, folder: Folder, advance: Advance) -> Entry:
        """Trains from the last checkpoint on and measures; calls `advance` for each epoch."""


def perform_all(
    todo: Sequence[Run], experiment: Experiment, make: Callable[[], Experiment], folder: Folder, jobs: int, threads: int
) -> list[Entry]:
    """Performs the runs that have no result yet, with a bar of epochs.

    Args:
        todo: the runs.
        experiment: what they are runs of.
        make: makes the same in a worker. It is pickled, and should be small: a process that spawns another waits until
            that one, modules imported, has read what does not fit into a pipe.
        folder: where checkpoints and results are.
        jobs: the most runs at a time, each in a process of its own; 1 for this process. Results do not depend on it.
        threads: of each worker; this process is as it was set up.

    Returns:
        The runs' entries of the JSON file, in the order of `todo`.

    Raises:
        RefusedError: a result or a checkpoint cannot be used.
        BrokenProcessPool: a worker has been killed.
    """
    entries = {run.name: folder.load_result(run.name) for run in todo}
    rest = [run for run in todo if entries[run.name] is None]
    # The longest first, so that the last ones to end are short.
    rest.sort(key=experiment.work, reverse=True)
    total, left = (sum(experiment.epochs(run) for run in runs) for runs in (todo, rest))
    jobs = min(jobs, len(rest))
    with tqdm(total=total, initial=total - left, unit="epoch", mininterval=0.5) as bar:
        if jobs > 1:
            entries |= _perform_in_workers(rest, _Share(make, folder, threads), jobs, bar)
        else:
            for run in rest:
                bar.set_description(run.name)
                entries[run.name] = _perform_and_keep(run, experiment, folder, bar.update)
    return [entries[run.name] for run in todo]


def _perform_and_keep(run: Run, experiment: Experiment, folder: Folder, advance: Advance) -> Entry:
    entry = experiment.perform(run, folder, advance)
    folder.save_result(run.name, entry)
    return entry


@dataclass(frozen=True)
class _Share:
    """What each worker gets when it begins."""

    make: Callable[[], Experiment]
    folder: Folder
    threads: int


def _perform_in_workers(todo: Sequence[Run], share: _Share, jobs: int, bar: tqdm[Any]) -> dict[str, Entry]:
    context = get_context("spawn")
    epochs = context.Value("L", 0)
    # Nothing is sent: workers see the end of the pipe when this process lets go of `held`, or dies.
    alive, held = context.Pipe(duplex=False)
    entries: dict[str, Entry] = {}
    bar.set_description(f"{jobs} runs at a time")
    with ProcessPoolExecutor(jobs, context, _begin, (share, epochs, alive)) as executor:
        try:
            names = {executor.submit(_perform, run): run.name for run in todo}
            waiting = set(names)
            while waiting:
                done, waiting = wait(waiting, PERIOD, FIRST_COMPLETED)
                # Without the lock, which a worker that was killed may hold.
                bar.update(epochs.get_obj().value - (bar.n - bar.initial))
                entries |= {names[future]: future.result() for future in done}
        except BaseException:
            held.close()
            raise
    return entries


# A worker's own.
_experiment: Experiment
_folder: Folder
_epochs: Synchronized[int]


def _begin(share: _Share, epochs: Synchronized[int], alive: Connection) -> None:
    global _experiment, _folder, _epochs
    threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
    # Ctrl-C reaches all processes of a terminal: the first one answers, and ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    set_up_process(share.threads)
    _experiment, _folder, _epochs = share.make(), share.folder, epochs


def _end_with(alive: Connection) -> None:
    """Ends this process, in the middle of whatever it does, when the other end of a pipe is closed."""
    alive.poll(None)
    os._exit(1)


def _perform(run: Run) -> Entry:
    return _perform_and_keep(run, _experiment, _folder, _advance)


def _advance() -> None:
    with _epochs.get_lock():
        _epochs.value += 1

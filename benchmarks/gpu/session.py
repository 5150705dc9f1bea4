# SPDX-License-Identifier: Apache-2.0
"""A run of the benchmark within its budget of seconds. What is known is handed on after each visit."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from processes import WorkerError, WorkerProcess
from works import CONTESTANTS, LIBRARIES, Visit

Record: TypeAlias = dict[str, Any]
WORKER = Path(__file__).resolve().parent / "gpu_worker.py"
# The most seconds for one command.
PATIENCE = 120.0
# A visit is begun only while so many seconds are left.
LEAST = 5.0
CHECKS = ("wide_network", "exactness", "determinism", "digits")
# Those that take a moment on the CPU.
QUICK_CHECKS = ("wide_network", "determinism", "digits")
ROUNDS = 3
SPENT = "the time was spent"


@dataclass(frozen=True)
class Setting:
    """How to measure.

    Attributes:
        device: "cuda", or "cpu" in tests.
        compiler: a backend of `torch.compile`.
        budget: seconds for all.
        burst: seconds of calls whose average counts.
        escnn_python: the Python of the process for escnn.
    """

    device: str
    compiler: str
    budget: float
    burst: float
    escnn_python: str = sys.executable


class Session:
    """The processes of the libraries, and the time that is left."""

    def __init__(self, setting: Setting, log: Path) -> None:
        self._setting, self._end = setting, time.monotonic() + setting.budget
        variables = os.environ | {
            "PYTHONWARNINGS": "ignore",
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            # Without it cuBLAS refuses to be deterministic.
            "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        }
        if setting.device == "cpu":
            variables |= {"JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1"}
        arguments = [setting.device, setting.compiler, str(setting.burst)]
        pythons = {"escnn": setting.escnn_python}
        self._workers = {
            library: WorkerProcess(
                [pythons.get(library, sys.executable), str(WORKER), library, *arguments], variables, log, PATIENCE
            )
            for library in LIBRARIES
        }

    @property
    def left(self) -> float:
        """Seconds."""
        return self._end - time.monotonic()

    def stop(self) -> None:
        """Ends the processes."""
        for worker in self._workers.values():
            worker.stop()

    def ask(self, library: str, do: str, **arguments: Any) -> Record:
        """What a library's process answers. Raises WorkerError."""
        self._workers[library].send(do, **arguments)
        return self._workers[library].answer(max(1.0, min(PATIENCE, self.left)))

    def machine(self) -> Record:
        """What the machine is. Waits for the process to start, whatever is left. Raises WorkerError."""
        self._workers["torch"].send("machine")
        return self._workers["torch"].answer(PATIENCE)

    def check(self, name: str) -> Record:
        """What a function of checks.py finds."""
        try:
            return self.ask("torch", "check", name=name)
        except WorkerError as failure:
            # An error on a GPU is one for all that follows in its process.
            self._workers["torch"].stop()
            return {"unavailable": str(failure)}

    def start(self, libraries: set[str]) -> None:
        """Starts processes, so that none has to be waited for later."""
        for library in libraries:
            self._workers[library].start()

    def visit(self, visit: Visit) -> Record:
        """Builds all contestants, then times them in turns; of each call the fastest of three averages."""
        results = self._built(visit)
        for _ in range(ROUNDS):
            for label in visit.labels:
                for what in ("forward", "step"):
                    self._time(results, label, what)
        for library in {CONTESTANTS[label].library for label in visit.labels}:
            self._release(library)
        return {"name": visit.name, "stage": visit.stage, "work": visit.work.name, "mode": visit.mode} | {
            "results": results
        }

    def _built(self, visit: Visit) -> dict[str, Record]:
        """What building each contestant says. Where one takes its process down, those before it are built again."""
        results: dict[str, Record] = {}
        for label in visit.labels:
            results[label] = self._build(label, visit)
            library = CONTESTANTS[label].library
            if "unavailable" in results[label] and not self._workers[library].is_running:
                for other, found in results.items():
                    if CONTESTANTS[other].library == library and "unavailable" not in found:
                        results[other] = self._build(other, visit)
        return results

    def _build(self, label: str, visit: Visit) -> Record:
        return self._attempt(label, "build", {"label": label, "work": visit.work.to_json(), "mode": visit.mode})

    def _attempt(self, label: str, do: str, arguments: Record) -> Record:
        """The answer of a contestant's process, or why there is none."""
        if self.left <= 0:
            return {"unavailable": SPENT}
        try:
            return self.ask(CONTESTANTS[label].library, do, **arguments)
        except WorkerError as failure:
            return {"unavailable": str(failure) if self.left > 0 else SPENT}

    def _time(self, results: dict[str, Record], label: str, what: str) -> None:
        """A burst of a contestant that has not failed."""
        found = results[label]
        if "unavailable" in found:
            return
        answer = self._attempt(label, "time", {"label": label, "what": what})
        if "unavailable" in answer:
            # What it did before is known.
            results[label] = found if "forward" in found and "step" in found else answer
        else:
            found[what] = min(answer["ms"], found.get(what, float("inf")))

    def _release(self, library: str) -> None:
        try:
            self.ask(library, "release")
        except WorkerError:
            self._workers[library].stop()


def measure(
    session: Session, chosen: list[Visit], run: Record, save: Callable[[Record], None], checks: tuple[str, ...]
) -> None:
    """Adds to a run what it lacks: checks, then visits, in their order. What the time does not suffice for is dropped.

    Args:
        session: the processes.
        chosen: visits.
        run: with the keys "checks", "records", "dropped" and "finished".
        save: called after each check and visit.
        checks: names of functions of checks.py.
    """
    start = time.monotonic() - run["seconds"]
    done = {record["name"] for record in run["records"]}
    ahead = [visit for visit in chosen if visit.name not in done]
    run["dropped"] = []
    session.start({CONTESTANTS[label].library for visit in ahead for label in visit.labels})
    for name in checks:
        if name in run["checks"]:
            continue
        if session.left < LEAST:
            run["dropped"].append(f"check: {name}")
        else:
            run["checks"][name] = session.check(name)
            run["seconds"] = time.monotonic() - start
            save(run)
    for visit in ahead:
        if session.left < LEAST:
            run["dropped"].append(visit.name)
            continue
        run["records"].append(session.visit(visit))
        run["seconds"] = time.monotonic() - start
        save(run)
    run["finished"] = True
    save(run)

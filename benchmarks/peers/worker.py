# SPDX-License-Identifier: Apache-2.0
"""A process with one peer in it: reads commands, a line of JSON each, and answers each with a line of JSON.

    worker.py LABEL THREADS

`build` makes a case ready, `first` runs it and writes the result, `time` runs it some more, `release` forgets it.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from adapters import PEERS, Inputs, Prepared
from cases import Case

# Seconds: a call shorter than the first is warmed after each pause. A first call longer than the second is not
# repeated, and other ways to make it are not tried.
SHORT, LONG = 0.02, 0.25
MOST_CALLS = 30


class Worker:
    """The state between commands."""

    def __init__(self, label: str, threads: int) -> None:
        self.peer, self.threads = PEERS[label], threads
        # Some peers read the arrays of the inputs without holding them.
        self.inputs: Inputs | None = None
        self.prepared: Prepared | None = None
        self.chosen = ""
        self.seconds = 0.0
        self.folder = ""
        self._warmed: set[str] = set()

    def build(self, case: dict[str, Any], shared: str, folder: str) -> dict[str, Any]:
        """Reads the inputs and makes the calls ready."""
        arrays = {name: np.load(Path(shared) / f"{name}.npy") for name in ("x", "weight", "bank", "grad")}
        self.folder = folder
        self._warm(case["kind"])
        self.inputs = Inputs(case=Case(**case), threads=self.threads, folder=folder, **arrays)
        self.prepared = self.peer.load()(self.inputs)
        return {}

    def _warm(self, kind: str) -> None:
        """Runs a tiny case, once for each kind: libraries put off work until they are first called."""
        if kind in self._warmed:
            return
        self._warmed.add(kind)
        case = Case(kind, "C4", 4, 4, 3, 1, 16)  # type: ignore[arg-type]
        (reads, writes), orders = case.flat, () if kind == "lifting" else (4,)
        shapes = {"x": (1, reads, 16, 16), "weight": (4, 4, *orders, 3, 3), "bank": (writes, reads, 3, 3)}
        shapes["grad"] = (1, writes, 16, 16)
        arrays = {name: np.ones(shape, np.float32) for name, shape in shapes.items()}
        inputs = Inputs(case=case, threads=self.threads, folder=self.folder, **arrays)
        prepared = self.peer.load()(inputs)
        for call in prepared.calls.values():
            call()

    def first(self) -> dict[str, Any]:
        """Runs the ways to make the call, the best known first, keeps the fastest, and writes what it gives."""
        assert self.prepared is not None
        seconds: dict[str, float] = {}
        results: dict[str, Any] = {}
        for name, call in self.prepared.calls.items():
            seconds[name], results[name] = self._timed(call)
            if seconds[name] > LONG:
                break
            seconds[name] = min(seconds[name], self._timed(call)[0])
        self.chosen = min(seconds, key=lambda name: seconds[name])
        self.seconds = seconds[self.chosen]
        found = self.prepared.read(self.chosen, results[self.chosen])
        for name, array in found.items():
            np.save(Path(self.folder) / f"{name}.npy", array)
        return {"seconds": self.seconds, "way": self.chosen, "arrays": list(found)}

    def time(self, seconds: float) -> dict[str, Any]:
        """Times calls until some time has passed."""
        assert self.prepared is not None
        call = self.prepared.calls[self.chosen]
        if self.seconds < SHORT:
            call()
        times: list[float] = []
        while not times or (sum(times) < seconds and len(times) < MOST_CALLS):
            times.append(self._timed(call)[0])
        return {"times": times}

    def release(self) -> dict[str, Any]:
        """Frees the case."""
        self.prepared = self.inputs = None
        gc.collect()
        return {}

    @staticmethod
    def _timed(call: Any) -> tuple[float, Any]:
        start = time.perf_counter()
        result = call()
        return time.perf_counter() - start, result


def main() -> None:
    """Answers until the input ends. What libraries print goes to standard error."""
    label, threads = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if PEERS[label].restrict_processors:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    worker = Worker(label, threads)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = getattr(worker, command.pop("do"))(**command)
        except Exception as error:
            lines = str(error).strip().splitlines() or [""]
            answer = {"failed": f"{type(error).__name__}: {lines[0][:160]}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()

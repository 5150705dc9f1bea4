# SPDX-License-Identifier: Apache-2.0
"""A process with one peer in it: reads commands, a line of JSON each, and answers each with a line of JSON.

    worker.py LABEL THREADS CLOCK

The clock is "wall", or "cpu" for the processor time of all threads over their number. `build` makes a case ready,
`first` runs it and writes the results, `time` runs it some more, `release` forgets it.
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

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

from adapters import PEERS, Inputs, NetworkInputs, Prepared  # noqa: E402
from case import Case  # noqa: E402
from networks import NetworkCase  # noqa: E402

# Seconds: a call below the first is warmed after each pause; one above the second is made once in a burst, others at
# least twice; a first call above the third is not repeated.
SHORT, LONG, SLOW = 0.02, 0.1, 1.0
LEAST_CALLS, MOST_CALLS = (2, 1), 30
# Seconds of processor time in which calls are counted together.
CPU_BURST = 0.06


class Worker:
    """The state between commands."""

    def __init__(self, label: str, threads: int, clock: str) -> None:
        self.peer, self.threads = PEERS[label], threads
        self.clock = clock
        # Some peers read the arrays of the inputs without holding them.
        self.inputs: Inputs | NetworkInputs | None = None
        self.prepared: Prepared | None = None
        self.chosen = ""
        self.seconds = 0.0
        self.folder = ""
        self._warmed: set[str] = set()

    def build(self, case: dict[str, Any], shared: str, folder: str) -> dict[str, Any]:
        """Reads the inputs and makes the calls ready."""
        self.folder = folder
        if "network" in case:
            self.inputs = NetworkInputs.read(NetworkCase(**case), self.threads, Path(shared), folder)
        else:
            self.inputs = Inputs.read(Case.from_json(case), self.threads, Path(shared), folder)
        self.prepared = self.peer.prepare(self.inputs)
        return {}

    def first(self) -> dict[str, Any]:
        """Runs the ways to make the call, the best known first, keeps the fastest, and writes what it gives."""
        assert self.prepared is not None
        seconds: dict[str, float] = {}
        results: dict[str, Any] = {}
        for name, call in self.prepared.calls.items():
            seconds[name], results[name] = self._timed(call)
            # Libraries put off work until a call, so the first says little.
            if seconds[name] < SLOW:
                seconds[name] = min(seconds[name], self._timed(call)[0])
        self.chosen = min(seconds, key=lambda name: seconds[name])
        self.seconds = seconds[self.chosen]
        found = self.prepared.read(results[self.chosen])
        for name, array in found.items():
            np.save(Path(self.folder) / f"{name}.npy", array)
        return {"seconds": self.seconds, "way": self.chosen, "arrays": list(found)}

    def time(self, seconds: float) -> dict[str, Any]:
        """Times calls until some time has passed."""
        assert self.prepared is not None
        call = self.prepared.calls[self.chosen]
        if self.seconds < SHORT:
            call()
        if self.clock == "cpu":
            return {"times": [self._processor_time(call)]}
        times: list[float] = []
        while len(times) < LEAST_CALLS[self.seconds > LONG] or (sum(times) < seconds and len(times) < MOST_CALLS):
            times.append(self._timed(call)[0])
        self.seconds = min(self.seconds, *times)
        return {"times": times}

    def release(self) -> dict[str, Any]:
        """Frees the case."""
        self.prepared = self.inputs = None
        gc.collect()
        return {}

    def _processor_time(self, call: Any) -> float:
        """Of a call, over many calls: that of other threads is known by the system in steps of some milliseconds."""
        start, count, spent = time.process_time(), 0, 0.0
        while spent < CPU_BURST:
            call()
            count, spent = count + 1, (time.process_time() - start) / self.threads
        return spent / count

    @staticmethod
    def _timed(call: Any) -> tuple[float, Any]:
        start = time.perf_counter()
        result = call()
        return time.perf_counter() - start, result


def main() -> None:
    """Answers until the input ends. What libraries print goes to standard error."""
    label, threads, clock = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if PEERS[label].restrict_processors:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    worker = Worker(label, threads, clock)
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

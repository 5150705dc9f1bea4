# SPDX-License-Identifier: Apache-2.0
"""A process with one library in it: reads commands, a line of JSON each, and answers each with a line of JSON.

    gpu_worker.py LIBRARY DEVICE COMPILER BURST

`build` makes a contestant ready for a work and runs it until it is warm, `time` gives the average of a burst of its
calls, `release` forgets all contestants, `machine` describes the device, `check` runs a function of checks.py.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent), str(HERE.parent / "peers")]

from subjects import Place  # noqa: E402
from timing import CudaClock, Timed, WallClock  # noqa: E402
from works import CONTESTANTS, work_from_json  # noqa: E402


class Worker:
    """The state between commands."""

    def __init__(self, library: str, place: Place, burst: float) -> None:
        self._library, self._place, self._burst = library, place, burst
        self._timed: dict[tuple[str, str], Timed] = {}
        self.clock = self._clock()
        self._subjects = importlib.import_module(f"{library}_subjects")

    def _clock(self) -> WallClock:
        """How the library's calls are timed."""
        if self._library == "jax":
            import jax

            jax.block_until_ready(jax.numpy.zeros(1) + 1)
            return WallClock(jax.block_until_ready)
        import torch

        # The first use of a device prepares it.
        torch.zeros(1, device=self._place.device).add_(1)
        return CudaClock() if self._place.device == "cuda" else WallClock()

    def build(self, label: str, work: dict[str, Any], mode: str) -> dict[str, Any]:
        """Seconds until the module was made, seconds of the first calls, and the peak of memory in a step in MiB."""
        before = self.clock.memory()
        subject = self._subjects.build(label, work_from_json(work), mode, self._place)
        timed = {what: Timed(getattr(subject, what), self.clock, self._burst) for what in ("forward", "step")}
        found: dict[str, Any] = {"build": subject.seconds, "first": sum(each.first for each in timed.values())}
        if CONTESTANTS[label].memory and isinstance(self.clock, CudaClock):
            found["memory"] = (self.clock.peak_of(subject.step) - before) / 2**20
        self._timed |= {(label, what): each for what, each in timed.items()}
        return found

    def time(self, label: str, what: str) -> dict[str, Any]:
        """The average of a burst, in milliseconds."""
        if (label, what) not in self._timed:
            raise RuntimeError("its process ended, and this one knows nothing of it")
        return {"ms": self._timed[label, what].average()}

    def release(self) -> dict[str, Any]:
        """Frees the contestants."""
        self._timed.clear()
        if self._library != "jax":
            import torch

            torch._dynamo.reset()
            gc.collect()
            if self._place.device == "cuda":
                # Fails where a call before has failed on the GPU; the process is no more use then.
                torch.cuda.synchronize()
                torch.cuda.empty_cache()
        return {}

    def machine(self) -> dict[str, Any]:
        """The device's name and the versions of what computes."""
        import torch

        versions = {"torch": torch.__version__, "CUDA": torch.version.cuda, "cuDNN": torch.backends.cudnn.version()}
        is_cuda = self._place.device == "cuda"
        name = torch.cuda.get_device_name() if is_cuda else "the processor"
        return {"device": name, "versions": {key: str(value) for key, value in versions.items() if is_cuda or value}}

    def check(self, name: str) -> dict[str, Any]:
        """What a function of checks.py finds, and the seconds it took."""
        import torch

        # As it is unless it is asked for.
        torch.backends.cudnn.benchmark = False
        start = time.perf_counter()
        found = getattr(importlib.import_module("checks"), name)(self._place)
        return {"found": found, "seconds": time.perf_counter() - start}


def main() -> None:
    """Answers until the input ends. What libraries print goes to standard error."""
    library, device, compiler, burst = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker: Worker | None = None
    for line in sys.stdin:
        command = json.loads(line)
        try:
            worker = worker or Worker(library, Place(device, compiler), float(burst))
            answer = getattr(worker, command.pop("do"))(**command)
        except Exception as error:
            lines = str(error).strip().splitlines() or [""]
            answer = {"failed": f"{type(error).__name__}: {lines[0][:160]}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""The processes of the peers, from outside."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from adapters import PEERS

WORKER = Path(__file__).resolve().parent / "worker.py"


class PeerError(Exception):
    """A peer cannot do a case; the message says why."""


class Process:
    """One peer with one number of threads. A process that died is started again for the next case."""

    def __init__(
        self,
        label: str,
        threads: int,
        log: Path,
        patience: float,
        clock: str = "wall",
        environment: dict[str, str] | None = None,
    ) -> None:
        """`clock` is "wall" or "cpu"; `environment` has variables besides those of the peer."""
        self.label, self._threads, self._patience, self._clock = label, threads, patience, clock
        self._environment = dict(PEERS[label].environment) | (environment or {})
        self._log = log.open("ab")
        self.folder = tempfile.TemporaryDirectory(prefix="peer-")
        self._process: subprocess.Popen[str] | None = None

    def send(self, do: str, **arguments: Any) -> None:
        """Sends a command without waiting."""
        if self._process is None or self._process.poll() is not None:
            self._process = self._start()
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # `answer` finds out how the process ended

    def answer(self) -> dict[str, Any]:
        """Waits for the answer to the last command."""
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], self._patience)
        if not ready:
            self.stop()
            raise PeerError(f"no answer in {self._patience:.0f} s")
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            raise PeerError(f"its process ended with {f'signal {-status}' if status < 0 else f'status {status}'}")
        found: dict[str, Any] = json.loads(line)
        if "failed" in found:
            raise PeerError(found["failed"])
        return found

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """A command and its answer."""
        self.send(do, **arguments)
        return self.answer()

    def stop(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _start(self) -> subprocess.Popen[str]:
        count = str(self._threads)
        environment = os.environ | {"OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "JAX_PLATFORMS": "cpu"}
        environment |= {"PYTHONWARNINGS": "ignore"} | self._environment
        return subprocess.Popen(
            [sys.executable, str(WORKER), self.label, count, self._clock],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
        )  # fmt: skip

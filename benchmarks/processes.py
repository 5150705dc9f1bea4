# SPDX-License-Identifier: Apache-2.0
"""A process that answers commands, seen from outside. A command and its answer are a line of JSON each."""

from __future__ import annotations

import json
import select
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class WorkerError(Exception):
    """A process cannot do what it was told; the message says why."""


class WorkerProcess:
    """A process of a command. One that died is started again for the next command."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path, patience: float) -> None:
        """`log` gets what it prints to standard error; `patience` is the seconds after which it is given up."""
        self._command, self._environment, self._patience = list(command), dict(environment), patience
        self._log = log.open("ab")
        self._process: subprocess.Popen[str] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts the process, unless it runs."""
        if not self.is_running:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
                text=True,
            )  # fmt: skip

    def send(self, do: str, **arguments: Any) -> None:
        """Sends a command without waiting."""
        self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # `answer` finds out how the process ended

    def answer(self, patience: float | None = None) -> dict[str, Any]:
        """Waits for the answer to the last command, for `patience` seconds if it is given.

        Raises WorkerError.
        """
        assert self._process is not None
        assert self._process.stdout is not None
        seconds = self._patience if patience is None else patience
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        if not ready:
            self.stop()
            raise WorkerError(f"no answer in {seconds:.0f} s")
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            raise WorkerError(f"its process ended with {f'signal {-status}' if status < 0 else f'status {status}'}")
        found: dict[str, Any] = json.loads(line)
        if "failed" in found:
            raise WorkerError(found["failed"])
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

# SPDX-License-Identifier: Apache-2.0
"""The processes of the peers, from outside."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from adapters import PEERS
from processes import WorkerError as PeerError
from processes import WorkerProcess

__all__ = ["PeerError", "Process"]

WORKER = Path(__file__).resolve().parent / "worker.py"


class Process(WorkerProcess):
    """One peer with one number of threads."""

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
        self.label = label
        self.folder = tempfile.TemporaryDirectory(prefix="peer-")
        count = str(threads)
        variables = os.environ | {"OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "JAX_PLATFORMS": "cpu"}
        variables |= {"PYTHONWARNINGS": "ignore"} | dict(PEERS[label].environment) | (environment or {})
        super().__init__([sys.executable, str(WORKER), label, count, clock], variables, log, patience)

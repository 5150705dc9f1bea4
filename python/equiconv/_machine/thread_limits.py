# SPDX-License-Identifier: Apache-2.0
"""Limits of threads that others set: threadpoolctl, and loky, whose workers joblib uses."""

from __future__ import annotations

import os
import sys
from typing import Any

from .. import _native
from .config import MOST_THREADS


def follow_limits() -> None:
    """Lets `threadpoolctl` set the number of threads, and begins a worker of loky with its share of the processors."""
    _register()
    if "EQUICONV_NUM_THREADS" not in os.environ and _is_in_loky():
        _native.set_num_threads(_share())


def _register() -> None:
    """Registers the engine with threadpoolctl, if that is installed. 3.2 is the first that knows other controllers."""
    try:
        from threadpoolctl import LibController, register
    except ImportError:
        return

    class Controller(LibController):  # type: ignore[misc]
        """The number of threads of the engine, which is one for all threads of the process."""

        user_api = "equiconv"
        internal_api = "equiconv"
        filename_prefixes = ("libequiconv",)
        check_symbols = ("equiconv_set_num_threads", "equiconv_get_num_threads")

        def get_num_threads(self) -> Any:
            return self.dynlib.equiconv_get_num_threads()

        def set_num_threads(self, num_threads: int) -> None:
            self.dynlib.equiconv_set_num_threads(max(1, min(num_threads, MOST_THREADS)))

        def get_version(self) -> str:
            number = self.dynlib.equiconv_version()
            return f"{number // 10000}.{number // 100 % 100}.{number % 100}"

    register(Controller)


def _is_in_loky() -> bool:
    """Whether this process is a worker of loky, by its class or, before it has that, by its name."""
    # A worker has imported it; others need not pay for that.
    processes = sys.modules.get("multiprocessing.process")
    if processes is None:
        return False
    process = processes.current_process()
    return type(process).__module__.endswith("loky.backend.process") or process.name.startswith("LokyProcess")


def _share() -> int:
    """How many threads a worker of loky should use: the number that joblib sets for OpenMP, else 1."""
    try:
        return max(1, min(int(os.environ["OMP_NUM_THREADS"]), MOST_THREADS))
    except (KeyError, ValueError):
        return 1

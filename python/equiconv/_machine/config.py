# SPDX-License-Identifier: Apache-2.0
"""Threads, and what this installation is made of."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np

from .. import _native
from .._checks.arguments import integer

MOST_THREADS = 1024
_LEAST_WORKSPACE = 2**20


def set_num_threads(count: int) -> None:
    """Sets the number of threads that large calls use, the calling one included.

    Results of ``"direct"`` do not change. The choice of ``"auto"``, and the tiles of other algorithms, may.

    The initial number is the environment variable EQUICONV_NUM_THREADS, or the processors of the process at import.

    Args:
        count: 1 to 1024.

    Raises:
        TypeError, ValueError: `count` is something else.
    """
    _native.set_num_threads(integer("count", count, 1, MOST_THREADS))


def get_num_threads() -> int:
    """The number of threads that large calls use."""
    return _native.get_num_threads()


def set_workspace_limit(bytes: int) -> None:  # noqa: A002 (what it is)
    """Sets how much memory the algorithms on tiles (``"fourier"``, ``"winograd"``) may use for each thread.

    The engine keeps to the limit by working on fewer tiles and channels at a time. It never fails for want of it, and
    exceeds it only where the smallest part needs more. Results may change in their last bits. Arrays, transformed
    weights and ``"direct"``, which needs little more than a padded copy of the signal, are not counted. The initial
    limit is 64 MiB.

    Args:
        bytes: at least 2**20.

    Raises:
        TypeError, ValueError: `bytes` is something else.
    """
    _native.set_workspace_limit(integer("bytes", bytes, _LEAST_WORKSPACE, 2**63 - 1))


def workspace_limit() -> int:
    """How many bytes of memory the algorithms on tiles may use for each thread."""
    return _native.workspace_limit()


def config() -> dict[str, str]:
    """Versions, the instruction set, number of threads and workspace limit in use, and where the package is.

    The environment variable EQUICONV_ISA limits the instruction set: baseline, avx2 or avx512 on x86-64, baseline
    or neon on 64-bit ARM.
    """
    return {
        "equiconv": _native.VERSION,
        "instruction set": _native.instruction_set(),
        "threads": str(_native.get_num_threads()),
        "workspace limit": f"{_native.workspace_limit() / 2**20:g} MiB for each thread",
        "numpy": np.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "location": str(Path(__file__).parents[1]),
    }


def show_config() -> None:
    """Prints `config()`, for reports of problems."""
    rows = config()
    width = max(map(len, rows))
    print("\n".join(f"{name:<{width}}  {value}" for name, value in rows.items()))

# SPDX-License-Identifier: Apache-2.0
"""Threads, and what this installation is made of."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np

from . import _native
from ._arguments import integer


def set_num_threads(count: int) -> None:
    """Sets the number of threads that large calls use, the calling one included. Results do not change.

    The initial number is the environment variable EQUICONV_NUM_THREADS, or the processors this process may run on.

    Args:
        count: 1 to 1024.

    Raises:
        TypeError, ValueError: `count` is something else.
    """
    _native.set_num_threads(integer("count", count, 1, 1024))


def get_num_threads() -> int:
    """The number of threads that large calls use."""
    return _native.get_num_threads()


def config() -> dict[str, str]:
    """Versions, the instruction set and the number of threads in use, and where the package is.

    The environment variable EQUICONV_ISA (baseline, avx2 or avx512) limits the instruction set.
    """
    return {
        "equiconv": _native.VERSION,
        "instruction set": _native.instruction_set(),
        "threads": str(_native.get_num_threads()),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "location": str(Path(__file__).parent),
    }


def show_config() -> None:
    """Prints `config()`, for reports of problems."""
    rows = config()
    width = max(map(len, rows))
    print("\n".join(f"{name:<{width}}  {value}" for name, value in rows.items()))

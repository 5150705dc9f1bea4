# SPDX-License-Identifier: Apache-2.0
"""What a layer is computed by: the engine, or operations of XLA. The one place that chooses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from ..._checks.arguments import choice
from . import handlers

Backend: TypeAlias = Literal["engine", "xla"]

_NAMES = ("engine", "xla")
_ENGINE_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def checked_backend(value: object) -> Backend | None:
    """A backend, or None for whichever fits. Raises TypeError or ValueError for anything else."""
    return None if value is None else choice("backend", value, _NAMES)  # type: ignore[return-value]


def check_backend_has(dtype: np.dtype[Any], backend: Backend | None) -> None:
    """Raises an error if the engine is asked for, and does not have the dtype or cannot be called at all."""
    if backend != "engine":
        return
    if dtype not in _ENGINE_DTYPES:
        raise TypeError(
            f"x has dtype {dtype}, expected float32 or float64 for backend 'engine': use backend 'xla', or leave it out"
        )
    if handlers.PROBLEM is not None:
        raise NotImplementedError(f"backend is 'engine', expected 'xla' or None: {handlers.PROBLEM}")


def may_be_by_engine(dtype: np.dtype[Any], backend: Backend | None) -> bool:
    """Whether the engine computes on the CPU: if it is asked for, or if it can and nothing is asked for.

    This is known while JAX traces. The platform is known later, when a program is lowered.
    """
    if backend is not None:
        return backend == "engine"
    return dtype in _ENGINE_DTYPES and handlers.PROBLEM is None


def is_by_engine(dtype: np.dtype[Any], backend: Backend | None, platforms: Sequence[str]) -> bool:
    """Whether the engine computes on these platforms. Raises NotImplementedError where it is asked for in vain."""
    if all(platform == "cpu" for platform in platforms):
        return may_be_by_engine(dtype, backend)
    if backend == "engine":
        raise NotImplementedError(
            f"backend is 'engine', which runs on the CPU only, not on {', '.join(platforms)}: leave backend out, or "
            "compile for the CPU: put the arrays there with jax.device_put(x, jax.devices('cpu')[0])"
        )
    return False


def check_algorithm(algorithm: str) -> None:
    """Raises ValueError for a layer that XLA computes, and that asks for an algorithm of the engine."""
    if algorithm != "auto":
        raise ValueError(
            f"algorithm is {algorithm!r}, expected 'auto' where XLA computes the layer: the others are the engine's, "
            "on the CPU in float32 and float64"
        )

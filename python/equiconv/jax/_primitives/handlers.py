# SPDX-License-Identifier: Apache-2.0
"""The engine's handlers, which compiled programs call on the CPU: made known to JAX when this is imported."""

from __future__ import annotations

import warnings

import jax
import jax.ffi


def target(name: str) -> str:
    """The name of a handler in compiled programs."""
    return f"equiconv_{name}"


def _registered() -> str | None:
    """Makes the handlers known to JAX. Returns what prevents it, in words, or None."""
    try:
        from ... import _jax

        handlers = _jax.handlers()
    except ImportError as error:
        return f"this installation of equiconv has no handlers of compiled programs: {error}"
    for name, handler in handlers.items():
        try:
            jax.ffi.register_ffi_target(target(name), handler, platform="cpu")
        except Exception as error:
            return f"jax {jax.__version__} does not take the handlers of this version of equiconv: {error}"
    return None


# Why the engine cannot be called, None if it can.
PROBLEM = _registered()
if PROBLEM is not None:
    warnings.warn(f"equiconv.jax: {PROBLEM}. XLA computes the layers instead.", RuntimeWarning, stacklevel=2)

# SPDX-License-Identifier: Apache-2.0
"""The arrays of a call, checked: what is known of them while JAX traces is their shape and dtype."""

from __future__ import annotations

from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from ... import _native
from ..._checks.arguments import value_text
from ..._checks.arrays import check_float_dtype, check_not_masked

# A jax.Array or a tracer. To the type checker everything of JAX is Any, whether it is installed or not.
JaxArray: TypeAlias = Any


_HALVES = (np.dtype(jnp.bfloat16), np.dtype(np.float16))
_ENGINE_KINDS = ("float32", "float64")


def is_half(dtype: object) -> bool:
    """Whether a dtype is bfloat16 or float16, which XLA computes with and the engine does not."""
    return dtype in _HALVES


def check_dtype(name: str, dtype: object) -> None:
    """Raises TypeError unless a dtype is float32, float64, bfloat16 or float16 in this machine's byte order."""
    if is_half(dtype):
        return
    if not isinstance(dtype, np.dtype) or dtype.name not in _ENGINE_KINDS:
        expected = "float32, float64, bfloat16 or float16"
        raise TypeError(f"{name} has dtype {dtype}, expected {expected}: use {name}.astype(numpy.float32)")
    check_float_dtype(name, dtype)


def float_operand(name: str, value: object) -> JaxArray:
    """`value` as a JAX array of real numbers. Raises TypeError for anything else: no dtype is converted."""
    if isinstance(value, _native.Weight):
        raise TypeError(
            f"{name} is {value!r}, expected an array: compiled programs keep transformed weights by themselves"
        )
    check_not_masked(name, value)
    if not isinstance(value, jax.Array | np.ndarray):
        raise TypeError(f"{name} is {value_text(value)} ({type(value).__name__}), expected a JAX or NumPy array")
    dtype = value.dtype
    check_dtype(name, dtype)
    if dtype == np.float64 and not isinstance(value, jax.Array) and not jax.config.jax_enable_x64:
        raise TypeError(
            f"{name} has dtype float64, which JAX would round: use {name}.astype(numpy.float32), or "
            'jax.config.update("jax_enable_x64", True)'
        )
    if not all(isinstance(size, int) for size in value.shape):
        raise TypeError(f"{name} has shape {value.shape}, expected numbers: symbolic sizes are not supported")
    return jnp.asarray(value)

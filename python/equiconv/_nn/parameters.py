# SPDX-License-Identifier: Apache-2.0
"""Weights that are copied into a layer or network, all or none."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import ArrayLike

from .._checks.arguments import value_text
from .._checks.arrays import Array, as_array, within


def load_parameters(own: Mapping[str, Array], given: Mapping[str, ArrayLike]) -> None:
    """Copies given numbers into all of `own`, or into none.

    Raises TypeError for what are no real numbers, ValueError for other names or shapes, for numbers that the dtype
    cannot hold, and for parameters that may not be written.
    """
    if not isinstance(given, Mapping):
        raise TypeError(
            f"parameters is {value_text(given)} ({type(given).__name__}), expected a mapping of names to arrays"
        )
    if set(own) != set(given):
        raise ValueError(f"parameters are {value_text(list(given))}, expected {value_text(list(own))}")
    arrays = {name: _loadable(f"parameter {name}", given[name], array) for name, array in own.items()}
    for name, array in arrays.items():
        own[name][...] = array


def _loadable(name: str, value: object, own: Array) -> Array:
    """A copy of the numbers of `value` in the shape and dtype of `own`."""
    array = as_array(name, value)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {array.dtype}, expected real numbers")
    if array.shape != own.shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {own.shape}")
    if not own.flags.writeable:
        raise ValueError(f"{name} is read-only in this layer, expected an array that may be written")
    return within(name, array, own.dtype)

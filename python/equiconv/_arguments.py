# SPDX-License-Identifier: Apache-2.0
"""Checks of single arguments. Each error names the argument, its value and what was expected."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from . import _native

Array = NDArray[Any]

# Sizes computed from strides, paddings and dilations up to this bound stay far from 64-bit overflow.
LARGEST = 2**31 - 1


class Shaped(Protocol):
    """What has the shape and dtype of an array: an array, a prepared weight, or a shape alone."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""

    @property
    def ndim(self) -> int:
        """The number of axes."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""


_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def shape_text(shape: Sequence[object]) -> str:
    """``(B, C, 3)``: a shape of names or numbers as it is written in formulas."""
    return "(" + ", ".join(str(size) for size in shape) + ("," if len(shape) == 1 else "") + ")"


def value_text(value: object) -> str:
    """The value of an argument for a message: its ``repr``, of one line and not long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def float_array(name: str, value: object) -> Array:
    """`value` as a C-contiguous, aligned array of float32 or float64; copied only if it is not one already.

    Raises TypeError for anything else, foreign byte order included: nothing is converted silently.
    """
    return np.require(float_values(name, value), requirements=["C_CONTIGUOUS", "ALIGNED"])


def float_values(name: str, value: object) -> Array:
    """`value` as an array of float32 or float64 of any layout; otherwise as `float_array`."""
    if isinstance(value, _native.Weight):
        raise TypeError(
            f"{name} is {value!r}, expected an array: prepared weights are for the forward calls of the layers, "
            "gradients and expand take the array"
        )
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, whose mask would be lost: use {name}.filled(...)")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name} cannot be turned into an array of numbers: {error}") from error
    check_float_dtype(name, array.dtype)
    return array


def check_float_dtype(name: str, dtype: np.dtype[Any]) -> None:
    """Raises TypeError unless `dtype` is float32 or float64 in this machine's byte order."""
    if dtype in _DTYPES and dtype.isnative:
        return
    if not dtype.isnative and dtype.newbyteorder("=") in _DTYPES:
        order = "big-endian" if dtype.str.startswith(">") else "little-endian"
        raise TypeError(
            f"{name} has dtype {dtype.str} ({order}), expected this machine's byte order: "
            f"use {name}.astype(numpy.{dtype.newbyteorder('=').name})"
        )
    raise TypeError(f"{name} has dtype {dtype}, expected float32 or float64: use {name}.astype(numpy.float32)")


def check_same_dtype(name: str, array: Shaped, reference_name: str, reference: Shaped) -> None:
    """Raises TypeError unless both arrays have one dtype."""
    if array.dtype != reference.dtype:
        way = (
            "prepare an array of that dtype"
            if isinstance(array, _native.Weight)
            else (f"use {name}.astype(numpy.{reference.dtype})")
        )
        raise TypeError(f"{name} has dtype {array.dtype}, expected {reference.dtype} as {reference_name} has: {way}")


def check_not_empty(name: str, array: Shaped, first_axis: int = 0) -> None:
    """Raises ValueError if an axis from `first_axis` on has no entries."""
    for axis in range(first_axis, array.ndim):
        if array.shape[axis] == 0:
            raise ValueError(f"{name} has shape {array.shape}, expected at least 1 on axis {axis}")


def integer(name: str, value: object, smallest: int, largest: int) -> int:
    """`value` as an int in ``smallest...largest``. bool is not an int. Raises TypeError or ValueError."""
    expected = f"an integer from {smallest} to {largest}"
    try:
        if isinstance(value, bool):
            raise TypeError
        number = index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} is {value_text(value)} ({type(value).__name__}), expected {expected}") from None
    if not smallest <= number <= largest:
        raise ValueError(f"{name} is {number}, expected {expected}")
    return number


def boolean(name: str, value: object) -> bool:
    """`value` as a bool. Raises TypeError unless it is one of Python or NumPy."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} is {value_text(value)} ({type(value).__name__}), expected a bool")
    return bool(value)


def real(name: str, value: object) -> float:
    """`value` as a float. bool is not a number. Raises TypeError."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} is {value_text(value)} ({type(value).__name__}), expected a number")
    return float(value)


def reals(name: str, value: object) -> NDArray[np.float64]:
    """`value` as a new array of float64. Raises TypeError unless it is made of real numbers."""
    try:
        array = np.asarray(value)
        if array.size > 0 and array.dtype.kind not in "iuf":
            raise TypeError(f"{name} has dtype {array.dtype}, expected real numbers")
        return np.array(array, dtype=np.float64, order="C")
    except ValueError as error:
        raise TypeError(f"{name} cannot be turned into an array of numbers: {error}") from error


def axes(name: str, value: object, dimension: int, smallest: int) -> tuple[int, ...]:
    """`value`, one int or a sequence of one for each of `dimension` axes, as a tuple of ints >= smallest."""
    if not isinstance(value, tuple | list):
        return (integer(name, value, smallest, LARGEST),) * dimension
    if len(value) != dimension:
        count = "1 integer" if dimension == 1 else f"{dimension} integers"
        raise ValueError(f"{name} is {value_text(value)}, expected an integer or {count}, one for each spatial axis")
    return tuple(integer(f"{name}[{axis}]", item, smallest, LARGEST) for axis, item in enumerate(value))


def choice(name: str, value: object, allowed: Sequence[str]) -> str:
    """`value` if it is one of the allowed strings. Raises TypeError or ValueError."""
    expected = " or ".join(", ".join(repr(item) for item in allowed).rsplit(", ", 1))
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value_text(value)}, expected {expected}")
    if value not in allowed:
        raise ValueError(f"{name} is {value_text(value)}, expected {expected}")
    return str(value)


def output(out: object, shape: tuple[int, ...], dtype: np.dtype[Any], inputs: dict[str, object]) -> Array:
    """`out` if a result of `shape` and `dtype` can be written to it while `inputs` are read."""
    if type(out) is not np.ndarray:
        raise TypeError(f"out is {value_text(out)} ({type(out).__name__}), expected a numpy.ndarray or None")
    if out.dtype != dtype or not out.dtype.isnative:
        raise TypeError(f"out has dtype {out.dtype.str}, expected {dtype}")
    if out.shape != shape:
        raise ValueError(f"out has shape {out.shape}, expected {shape}")
    flags = {"C-contiguous": out.flags.c_contiguous, "aligned": out.flags.aligned, "writeable": out.flags.writeable}
    for expected, holds in flags.items():
        if not holds:
            raise ValueError(f"out is not {expected}, expected a C-contiguous, aligned, writeable array")
    for name, value in inputs.items():
        if isinstance(value, np.ndarray) and np.shares_memory(out, value):
            raise ValueError(f"out overlaps {name}, expected memory of its own")
    return out

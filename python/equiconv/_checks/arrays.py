# SPDX-License-Identifier: Apache-2.0
"""Checks of arrays: dtypes, layouts, and what a result may be written to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .. import _native
from .arguments import is_a, value_text
from .frameworks import is_of

Array = NDArray[Any]


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


def float_array(name: str, value: object) -> Array:
    """`value` as a C-contiguous, aligned array of float32 or float64; copied only if it is not one already.

    Raises TypeError for anything else, foreign byte order included: nothing is converted silently.
    """
    return np.require(float_values(name, value), requirements=["C_CONTIGUOUS", "ALIGNED"])


def float_values(name: str, value: object) -> Array:
    """`value` as an array of float32 or float64 of any layout; otherwise as `float_array`."""
    if is_a(value, _native.Weight):
        raise TypeError(
            f"{name} is {value!r}, expected an array: prepared weights are for the forward calls of the layers, "
            "gradients and expand take the array"
        )
    array = as_array(name, value)
    check_float_dtype(name, array.dtype)
    return array


def as_array(name: str, value: object) -> Array:
    """`value` as an array of any dtype. Raises TypeError if it cannot become one, and for masked arrays."""
    check_not_masked(name, value)
    try:
        return np.asarray(value)
    except MemoryError:
        raise
    except Exception as error:  # whatever a conversion of the user's own raises
        raise TypeError(
            _what_it_is(name, value) or f"{name} cannot be turned into an array of numbers: {error}"
        ) from error


def _what_it_is(name: str, value: object) -> str | None:
    """Why a tensor of PyTorch, which need not be imported, is no array; None for anything else."""
    if not all(hasattr(value, member) for member in ("cpu", "detach", "device", "requires_grad")):
        return None
    device = str(value.device)  # type: ignore[attr-defined]
    if device == "meta":
        return f"{name} is a tensor on meta, which has no numbers, expected an array"
    if device != "cpu":
        return f"{name} is a tensor on {device}, expected an array: use {name}.cpu(), or equiconv.torch"
    if value.requires_grad:  # type: ignore[attr-defined]
        return f"{name} is a tensor that requires a gradient, expected an array: use {name}.detach(), or equiconv.torch"
    return None


def check_not_masked(name: str, value: object) -> None:
    """Raises TypeError for a masked array."""
    if is_of(value, "numpy.ma", "MaskedArray"):
        raise TypeError(f"{name} is a masked array, whose mask would be lost: use {name}.filled(...)")


def float_dtype(name: str, value: object) -> np.dtype[Any]:
    """`value` as a dtype, float32 or float64 in this machine's byte order. Raises TypeError."""
    try:
        # None is float64 to NumPy.
        dtype: np.dtype[Any] = np.dtype(value if value is not None else object)  # type: ignore[call-overload]
    except Exception:
        dtype = np.dtype(object)
    if dtype not in _DTYPES or not dtype.isnative:
        raise TypeError(f"{name} is {value_text(value)}, expected float32 or float64, as this machine stores them")
    return dtype


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


def reals(name: str, value: object) -> NDArray[np.float64]:
    """`value` as a new array of float64.

    Raises TypeError unless it is made of real numbers, and ValueError for one beyond float64.
    """
    array = as_array(name, value)
    if array.size > 0 and array.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {array.dtype}, expected real numbers")
    return within(name, array, np.dtype(np.float64))


def within(name: str, array: Array, dtype: np.dtype[Any]) -> Array:
    """A copy of real numbers as `dtype`, C-contiguous. Raises ValueError if one is finite and beyond it."""
    with np.errstate(over="ignore"):
        result = np.array(array, dtype=dtype, order="C")
    lost = np.isinf(result) if array.size > 0 else np.zeros(0, bool)
    if np.any(lost) and np.any(lost != np.isinf(array)):
        number = array[lost & ~np.isinf(array)][0]
        raise ValueError(f"{name} has the number {number}, expected numbers that {dtype} can hold")
    return result


def output(
    out: object, shape: tuple[int, ...], dtype: np.dtype[Any], inputs: Mapping[str, tuple[object, ...]]
) -> Array:
    """The numbers of `out`, to which a result of `shape` and `dtype` can be written while `inputs` are read.

    Subclasses of ndarray such as `numpy.memmap` are fine, unless they write or compute in ways of their own: their mask
    or unit would then not be that of the numbers.

    Args:
        out: what the user gave.
        shape, dtype: those of the result.
        inputs: by name, each as the user gave it and as the array made from it, since both may share memory with `out`.

    Raises:
        TypeError: `out` is no such array, or has another dtype.
        ValueError: another shape, a layout that cannot be written to, or memory shared with an input.
    """
    if is_of(out, "numpy.ma", "MaskedArray"):
        raise TypeError("out is a masked array, whose mask would not be written: use a numpy.ndarray")
    if not is_a(out, np.ndarray) or not _is_plain(type(out)):
        raise TypeError(
            f"out is {value_text(out)} ({type(out).__name__}), expected a numpy.ndarray, a numpy.memmap or None"
        )
    if out.dtype != dtype or not out.dtype.isnative:
        raise TypeError(f"out has dtype {out.dtype.str}, expected {dtype}")
    if out.shape != shape:
        raise ValueError(f"out has shape {out.shape}, expected {shape}")
    flags = {"C-contiguous": out.flags.c_contiguous, "aligned": out.flags.aligned, "writeable": out.flags.writeable}
    for expected, holds in flags.items():
        if not holds:
            raise ValueError(f"out is not {expected}, expected a C-contiguous, aligned, writeable array")
    for name, values in inputs.items():
        if any(isinstance(value, np.ndarray) and np.shares_memory(out, value) for value in values):
            raise ValueError(f"out overlaps {name}, expected memory of its own")
    return np.asarray(out)


def _is_plain(kind: type[np.ndarray[Any, Any]]) -> bool:
    """Whether arrays of this kind are written and computed with as any other."""
    return kind.__setitem__ is np.ndarray.__setitem__ and kind.__array_ufunc__ is np.ndarray.__array_ufunc__

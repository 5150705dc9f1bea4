# SPDX-License-Identifier: Apache-2.0
"""Checks of single arguments. Each error names the argument, its value and what was expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any, TypeGuard, TypeVar

import numpy as np

# Sizes computed from strides, paddings and dilations up to this bound stay far from 64-bit overflow.
LARGEST = 2**31 - 1


_Kind = TypeVar("_Kind")


def shape_text(shape: Sequence[object]) -> str:
    """``(B, C, 3)``: a shape of names or numbers as it is written in formulas."""
    return "(" + ", ".join(str(size) for size in shape) + ("," if len(shape) == 1 else "") + ")"


def value_text(value: object) -> str:
    """The value of an argument for a message: its ``repr``, of one line and not long. Never raises."""
    try:
        text = " ".join(repr(_beginning(value)).split())
    except Exception:  # of a type of the user's own, or an int of more digits than Python prints
        return f"a value of type {type(value).__name__} that cannot be printed"
    return text if len(text) <= 60 else text[:57] + "..."


def _beginning(value: object) -> object:
    """As much of a long value as a message shows."""
    if type(value) in (tuple, list, str, bytes):
        return value[:60]  # type: ignore[index]
    return value


def is_a(value: object, *kinds: type[_Kind]) -> TypeGuard[_Kind]:
    """Whether the type of `value` is one of these. Unlike `isinstance` it does not believe mocks and proxies."""
    return issubclass(type(value), kinds)


def items(name: str, value: object, expected: str) -> list[Any]:
    """The items of an iterable that is not a text. Raises TypeError with what was `expected`."""
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        return list(value)  # type: ignore[call-overload, no-any-return]
    except MemoryError:
        raise
    except Exception as error:
        text = f"{name} is {value_text(value)} ({type(value).__name__}), expected {expected}"
        raise TypeError(text) from _cause(error)


def _cause(error: Exception) -> Exception | None:
    """The error to show as the cause: that of a value's own method, not that it has no such method."""
    return None if type(error) is TypeError else error


def integer(name: str, value: object, smallest: int, largest: int) -> int:
    """`value` as an int in ``smallest...largest``. bool is not an int. Raises TypeError or ValueError."""
    expected = f"an integer from {smallest} to {largest}"
    try:
        if isinstance(value, bool):
            raise TypeError
        # Exactly an int: the extension refuses subclasses.
        number = index(value)  # type: ignore[arg-type]
    except Exception as error:
        text = f"{name} is {value_text(value)} ({type(value).__name__}), expected {expected}"
        raise TypeError(text) from _cause(error)
    if not smallest <= number <= largest:
        raise ValueError(f"{name} is {value_text(number)}, expected {expected}")
    return number


def generator(name: str, value: object) -> np.random.Generator:
    """A generator: `value` itself, or one made from a seed; None for a random seed. Raises TypeError or ValueError."""
    if value is None or isinstance(value, np.random.Generator):
        return np.random.default_rng(value)
    return np.random.default_rng(integer(name, value, 0, 2**128 - 1))


def boolean(name: str, value: object) -> bool:
    """`value` as a bool. Raises TypeError unless it is one of Python or NumPy."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} is {value_text(value)} ({type(value).__name__}), expected a bool")
    return bool(value)


def real(name: str, value: object) -> float:
    """`value` as a float. bool is not a number. Raises TypeError, and ValueError for a number beyond float64."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} is {value_text(value)} ({type(value).__name__}), expected a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    except Exception as error:
        raise TypeError(f"{name} is {value_text(value)} ({type(value).__name__}), expected a number") from error
    if math.isinf(number) and (isinstance(value, int | np.integer) or not np.isinf(value)):
        raise ValueError(f"{name} is {value_text(value)}, expected a number that float64 can hold")
    return number


def probability(name: str, value: object) -> float:
    """`value` as a float from 0 to 1. Raises TypeError or ValueError."""
    number = real(name, value)
    if not 0 <= number <= 1:
        raise ValueError(f"{name} is {number}, expected a probability from 0 to 1")
    return number


def axes(name: str, value: object, dimension: int, smallest: int) -> tuple[int, ...]:
    """`value`, one int or a sequence of one for each of `dimension` axes, as a tuple of ints >= smallest."""
    if not is_a(value, tuple, list):
        return (integer(name, value, smallest, LARGEST),) * dimension
    if len(value) != dimension:
        count = "1 integer" if dimension == 1 else f"{dimension} integers"
        raise ValueError(f"{name} is {value_text(value)}, expected an integer or {count}, one for each spatial axis")
    return tuple(integer(f"{name}[{axis}]", item, smallest, LARGEST) for axis, item in enumerate(value))


def choice(name: str, value: object, allowed: Sequence[str]) -> str:
    """`value` if it is one of the allowed strings. Raises TypeError or ValueError."""
    if isinstance(value, str) and value in allowed:
        # Exactly a str: the extension refuses subclasses, and members of an enumeration print otherwise.
        return str.__str__(value)
    expected = " or ".join(", ".join(repr(item) for item in allowed).rsplit(", ", 1))
    kind = ValueError if isinstance(value, str) else TypeError
    raise kind(f"{name} is {value_text(value)}, expected {expected}")

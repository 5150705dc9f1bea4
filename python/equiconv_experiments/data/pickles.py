# SPDX-License-Identifier: Apache-2.0
"""Reader of the pickled files of CIFAR-10 that runs nothing of what a file says.

A pickle names functions and calls them. Here the operations of a file are looked through first, and only those of plain
values and calls pass; the four names that such files use then stand for functions of this file, which make arrays of
bytes. NumPy's own are not called, since their states can be made up to damage memory.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..common.storage import RefusedError

__all__ = ["read_pickle"]

_MOST_BYTES = 2**28
_MOST_MEMO = 2**20
_OPERATIONS = frozenset(
    (
        "PROTO", "FRAME", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1",
        "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINUNICODE", "SHORT_BINUNICODE",
        "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
        "APPEND", "APPENDS", "SETITEM", "SETITEMS", "BINPUT", "LONG_BINPUT", "MEMOIZE", "BINGET", "LONG_BINGET",
        "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD",
    )
)  # fmt: skip


def read_pickle(path: Path) -> dict[str, Any]:
    """What a file of CIFAR-10 says: a dict of plain values and of arrays of bytes.

    Args:
        path: of the file, pickled by Python 2 or 3 with protocol 2 or later.

    Returns:
        The dict, its keys as text; arrays are `numpy.ndarray` of uint8.

    Raises:
        RefusedError: the file cannot be read, is broken, or asks for more than such files do.
    """
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise RefusedError(f"{path} has {size} bytes, expected at most {_MOST_BYTES}")
        content = path.read_bytes()
        _look_through(content, path)
        value = _Unpickler(io.BytesIO(content), encoding="bytes").load()
    except RefusedError:
        raise
    except Exception as error:  # What a file of other bytes makes unpicklers raise is not documented.
        raise RefusedError(f"{path} is no pickle of CIFAR-10: {error}") from error
    if not isinstance(value, dict):
        raise RefusedError(f"{path} has a {type(value).__name__}, expected a dict")
    return {_text(key): item.values if isinstance(item, _Array) else item for key, item in value.items()}


def _look_through(content: bytes, path: Path) -> None:
    """Refuses what plain values and arrays do not need. Raises ValueError for what is no pickle."""
    for operation, argument, place in pickletools.genops(content):
        if operation.name not in _OPERATIONS:
            raise RefusedError(f"{path} has the operation {operation.name} at byte {place}, which CIFAR-10 has not")
        if operation.name == "LONG_BINPUT" and int(argument or 0) > _MOST_MEMO:
            raise RefusedError(f"{path} numbers a value {argument} at byte {place}, expected at most {_MOST_MEMO}")


def _text(key: Any) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)


class _Dtype:
    """Stands for `numpy.dtype`."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name = _text(name)

    def __setstate__(self, state: Any) -> None:
        pass


class _Array:
    """Stands for `numpy.ndarray`."""

    values: NDArray[np.uint8]

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, is_fortran, content = state
        if not isinstance(dtype, _Dtype) or dtype.name not in ("u1", "|u1", "uint8") or not isinstance(content, bytes):
            raise ValueError(f"an array of {getattr(dtype, 'name', dtype)!r}, expected 'u1'")
        if is_fortran or min(shape) < 0 or math.prod(shape) != len(content):
            raise ValueError(f"an array of shape {shape} with {len(content)} bytes, expected rows, one byte a number")
        self.values = np.frombuffer(content, np.uint8).reshape(shape)


def _reconstruct(kind: Any, _shape: Any, _typecode: Any) -> _Array:
    if kind is not _Array:
        raise ValueError(f"an array of the class {kind}, expected numpy.ndarray")
    return _Array()


def _encode(text: str, encoding: str) -> bytes:
    """How Python 3 writes bytes in protocol 2."""
    if encoding != "latin1":
        raise ValueError(f"bytes as {encoding!r}, expected 'latin1'")
    return text.encode("latin-1")


_NAMES: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
}


class _Unpickler(pickle.Unpickler):
    """Knows the names of this file, and no others."""

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name. Raises ValueError for one that arrays of bytes do not need."""
        if (module, name) not in _NAMES:
            raise ValueError(f"it asks for {module}.{name}, which CIFAR-10 does not need")
        return _NAMES[module, name]

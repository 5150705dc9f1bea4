# SPDX-License-Identifier: Apache-2.0
"""Network files as documents and arrays; docs/NetworkFormat.md specifies them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from .. import _native
from .._checks.arguments import is_a, value_text
from .._checks.arrays import Array, as_array

Document: TypeAlias = dict[str, Any]
Path: TypeAlias = str | os.PathLike[str]
Tensor: TypeAlias = tuple[str, str, Array]
"""Name, type as safetensors spells it, and numbers in C order."""

FORMAT = "equiconv-network/1"
_DTYPES = {
    "BOOL": np.bool_, "U8": np.uint8, "I8": np.int8, "U16": np.uint16, "I16": np.int16, "U32": np.uint32,
    "I32": np.int32, "U64": np.uint64, "I64": np.int64, "F16": np.float16, "F32": np.float32, "F64": np.float64,
    "C64": np.complex64,
}  # fmt: skip
_TYPES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
_WORDS = {1: np.uint8, 2: np.uint16}


def read_file(source: Path | bytes) -> tuple[Document, dict[str, Array]]:
    """The document of a network file, and its tensors by their names.

    The file is checked as `load_network` checks it. Tensors of types that NumPy does not have come as their bits,
    bfloat16 for example as uint16.

    Args:
        source: the path of a file, or its bytes.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no network file, or one that this version does not know.
    """
    network = open_network(source)
    return document_of(network), {name: array.copy() for name, _, array in tensors_of(network)}


def write_file(document: Mapping[str, Any], tensors: Mapping[str, Any], path: Path) -> None:
    """Writes a network file: beside `path` first, so that a file that was there is replaced whole or not at all.

    Args:
        document: what docs/NetworkFormat.md describes; ``axes`` and ``geometry`` are derived where they are missing.
        tensors: arrays by their names, of any dtype that a file has.
        path: where to.

    Raises:
        TypeError: a dtype that files do not have.
        ValueError: the document says what it may not say, or does not fit the tensors.
        OSError: the file cannot be written.
    """
    make_network(document, tensors).save(path_text("path", path))


def make_network(document: Mapping[str, Any], tensors: Mapping[str, Any]) -> _native.Network:
    """The engine's network of a document and its tensors; see `write_file`."""
    return _native.Network(document_text(document), listed_tensors(tensors), False)


def document_text(document: Mapping[str, Any]) -> bytes:
    """A document as the extension takes it."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def listed_tensors(tensors: Mapping[str, Any]) -> tuple[Tensor, ...]:
    """Tensors as the extension takes them. Raises TypeError or ValueError for what files do not have."""
    return tuple(_tensor(name, value) for name, value in tensors.items())


def open_network(source: Path | bytes) -> _native.Network:
    """The engine's network of a file, given by its path or its bytes."""
    return _native.Network(file_source(source), None, False)


def file_source(source: object) -> str | bytes:
    """A file as the extension takes it: its bytes, or the path of one that can be opened.

    Raises TypeError for anything else, ValueError for a path with a 0, and the OSError of the system's own kind.
    """
    if is_a(source, bytes, bytearray, memoryview):
        return bytes(source)
    path = path_text("source", source)
    with open(path, "rb"):
        return path


def path_text(name: str, value: object) -> str:
    """A path as the extension takes it. Raises TypeError, and ValueError for a path with a 0."""
    try:
        text = os.fsdecode(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} is {value_text(value)} ({type(value).__name__}), expected a path") from None
    if "\0" in text:
        raise ValueError(f"{name} is {value_text(text)}, expected a path without the character 0")
    return str.__str__(text)


def document_of(network: _native.Network) -> Document:
    """The document of a network, as its file has it."""
    document: Document = json.loads(network.describe())
    return document


def tensors_of(network: _native.Network) -> tuple[Tensor, ...]:
    """The tensors of a network in the order of their names, without copies."""
    return tuple((name, kind, _array(kind, shape, data)) for name, kind, shape, data in network.get_tensors())


def digest(arrays: Iterable[Array]) -> str:
    """The SHA-256 of the bytes of arrays, one after the other, as ``test.sha256`` of a document has it."""
    whole = hashlib.sha256()
    for array in arrays:
        whole.update(np.require(array, array.dtype.newbyteorder("<"), requirements="C").tobytes())
    return whole.hexdigest()


def _tensor(name: object, value: object) -> Tensor:
    if not isinstance(name, str) or "\0" in name:
        raise ValueError(f"the name of a tensor is {value_text(name)}, expected a text without the character 0")
    array = as_array(f"tensors[{name!r}]", value)
    kind = _TYPES.get(array.dtype.newbyteorder("="))
    if kind is None:
        raise TypeError(f"tensors[{name!r}] has dtype {array.dtype}, expected one of {', '.join(map(str, _TYPES))}")
    return str.__str__(name), kind, np.require(array, array.dtype.newbyteorder("<"), requirements="C")


def _array(kind: str, shape: tuple[int, ...], data: Array) -> Array:
    """The bytes of a tensor as an array of its shape."""
    dtype = _DTYPES.get(kind)
    if dtype is None:
        count = max(1, int(np.prod(shape)))
        dtype = _WORDS.get(data.size // count) if data.size % count == 0 else None
    return data if dtype is None else data.view(np.dtype(dtype).newbyteorder("<")).reshape(shape)

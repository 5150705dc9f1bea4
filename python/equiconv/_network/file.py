# SPDX-License-Identifier: Apache-2.0
"""Documents and tensors to files and back: safetensors, with the document in the metadata."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import struct
from typing import Any, TypeAlias

import numpy as np

from .._checks.arrays import Array

Document: TypeAlias = dict[str, Any]
Path: TypeAlias = str | os.PathLike[str]

FORMAT = "equiconv-network/1"
_KEY = "equiconv-network"
_LARGEST_HEADER = 8 << 20
_DTYPES = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "I64": np.dtype("<i8")}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


def write_file(document: Document, tensors: dict[str, Array], path: Path) -> None:
    """Writes a network file, beside its place first, so that a file that was there is replaced whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    header: dict[str, Any] = {"__metadata__": {_KEY: json.dumps(document, ensure_ascii=False)}}
    arrays = [np.ascontiguousarray(tensors[name]).reshape(tensors[name].shape) for name in sorted(tensors)]
    end = 0
    for name, array in zip(sorted(tensors), arrays, strict=True):
        begin, end = end, end + array.nbytes
        header[name] = {"dtype": _NAMES[array.dtype], "shape": list(array.shape), "data_offsets": [begin, end]}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    target = os.path.abspath(os.fspath(path))
    # With the permissions of other new files, which `tempfile` does not give.
    beside = f"{target}.{secrets.token_hex(8)}"
    try:
        with open(beside, "xb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for array in arrays:
                file.write(array.tobytes())
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        raise


def read_file(path: Path) -> tuple[Document, dict[str, Array]]:
    """The document and the tensors of a network file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no network file, or of another version.
    """
    with open(path, "rb") as file:
        content = file.read()
    size = struct.unpack("<Q", content[:8])[0] if len(content) >= 8 else _LARGEST_HEADER + 1
    if size > min(_LARGEST_HEADER, len(content) - 8):
        raise ValueError(f"{os.fspath(path)} is no safetensors file: its header does not fit")
    header = json.loads(content[8 : 8 + size])
    text = header.pop("__metadata__", {}).get(_KEY)
    if text is None:
        raise ValueError(f"{os.fspath(path)} has no network: its metadata have no {_KEY}")
    document = json.loads(text)
    if document.get("format") != FORMAT:
        raise ValueError(f"{os.fspath(path)} has format {document.get('format')!r}, expected {FORMAT!r}")
    return document, {name: _tensor(entry, content, 8 + size) for name, entry in header.items()}


def _tensor(entry: dict[str, Any], content: bytes, start: int) -> Array:
    begin, end = entry["data_offsets"]
    dtype: Any = _DTYPES[entry["dtype"]]
    numbers: Array = np.frombuffer(content[start + begin : start + end], dtype).copy()
    return numbers.reshape(entry["shape"])

# SPDX-License-Identifier: Apache-2.0
"""Documents, made operation by operation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from .._checks.arguments import value_text
from .._checks.arrays import Array
from .._groups.point_group import PointGroup
from .._layer.spec import LayerSpec
from .about import About
from .file import FORMAT, Document, digest
from .types import ValueType, group_entry, written_type

TEST_INPUT = "equiconv.test.input"
TEST_OUTPUT = "equiconv.test.output."

_LARGEST_OUTPUTS = 16


class NetworkBuilder:
    """A document that grows by an operation at a time, each checked against the types of what it reads.

    Attributes:
        operations: what has been added.
        tensors: those that operations name.
        types: of the values, by their names.
    """

    def __init__(self, input_name: str, input_type: ValueType, extents: Sequence[int | None], dtype: Any) -> None:
        self.input_name = input_name
        self.dtype = np.dtype(dtype)
        self.operations: list[dict[str, Any]] = []
        self.tensors: dict[str, Array] = {}
        self.types: dict[str, ValueType] = {input_name: input_type}
        self._extents = list(extents)
        self._groups: dict[str, PointGroup] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._names: set[str] = set()
        self._numbers = count()
        if input_type.group is not None:
            self.group_name(input_type.group)

    def add(self, kind: str, name: str, inputs: Sequence[str], **keys: Any) -> str:
        """Adds an operation, and returns the name of the value that it writes.

        Args:
            kind: of the operation.
            name: where it stands in the network; a number is added to a name that is taken.
            inputs: names of values.
            keys: what else it has; None for what it does not have.

        Raises:
            ValueError: it does not fit what it reads.
        """
        output = next(text for text in (f"v{number}" for number in self._numbers) if text not in self.types)
        operation: Document = {"kind": kind, "name": self._free(name), "inputs": list(inputs), "output": output}
        operation |= {key: value for key, value in keys.items() if value is not None}
        _check_numbers(operation)
        read = [self.types[value] for value in inputs]
        self.types[output] = written_type(operation, read, self._shapes, self._groups)
        if "layer" in operation:
            self.group_name(LayerSpec.parse(operation["layer"]).group)
        self.operations.append(operation)
        self._names.add(operation["name"])
        return output

    def group_name(self, group: PointGroup) -> str:
        """The key of a group in the document, which has it from now on."""
        for number in count(1):
            key = group.name if number == 1 else f"{group.name} ({number})"
            known = self._groups.setdefault(key, group)
            if known.text == group.text:
                return key
        raise AssertionError

    def tensor(self, name: str, array: Array) -> str:
        """The name of a tensor, which the file has from now on: `name`, or with a number if others have it.

        Raises:
            TypeError: another dtype than that of the network.
        """
        if array.dtype != self.dtype:
            raise TypeError(f"{name} has dtype {array.dtype}, expected {self.dtype} as the network reads")
        for number in count(1):
            key = name if number == 1 else f"{name}_{number}"
            known = self.tensors.setdefault(key, array)
            self._shapes[key] = known.shape
            if known is array or (known.shape == array.shape and known.tobytes() == array.tobytes()):
                return key
        raise AssertionError

    def document(self, about: About, outputs: Sequence[tuple[str, str]], test: Document | None = None) -> Document:
        """The document.

        Args:
            about: its texts.
            outputs: names, and the values that they are.
            test: its entry `test`.

        Raises:
            ValueError: outputs that no operation writes, too many, or names that do not fit them.
        """
        names = [name for name, _ in outputs]
        if not 1 <= len(outputs) <= _LARGEST_OUTPUTS:
            raise ValueError(f"the network has {len(outputs)} outputs, expected 1 to {_LARGEST_OUTPUTS}")
        if any(value == self.input_name for _, value in outputs):
            raise ValueError(f"an output of the network is its input {self.input_name!r}, expected what it computes")
        document: Document = {"format": FORMAT, "name": about.name}
        document |= {} if about.description is None else {"description": about.description}
        document |= {
            "dtype": self.dtype.name,
            "groups": {name: group_entry(group) for name, group in sorted(self._groups.items())},
            "input": self._input(about),
            "operations": self.operations,
            "outputs": [self._output(about, name, value, names) for name, value in outputs],
        }
        return document if test is None else document | {"test": test}

    def _input(self, about: About) -> Document:
        value = self.types[self.input_name]
        space = "plane"
        if value.group is not None:
            space = "group" if value.is_on_group else f"quotient([{','.join(map(str, value.stabilizer))}])"
        entry: Document = {"name": self.input_name, "dimension": value.dimension, "space": space}
        if value.group is not None:
            entry["group"] = self.group_name(value.group)
        entry |= {"channels": value.channels, "extents": self._extents}
        if about.normalization is not None:
            entry["normalization"] = about.normalization.entry()
        sizes = about.pixel_sizes(value.dimension)
        return entry if sizes is None else entry | {"pixel_size": list(sizes)}

    def _output(self, about: About, name: str, value: str, names: Sequence[str]) -> Document:
        classes, channels = about.classes_of(name, names), self.types[value].channels
        if classes is None:
            return {"name": name, "value": value}
        if channels is not None and len(classes) != channels:
            raise ValueError(f"classes is {value_text(classes)}, expected {channels} names, one for each channel")
        return {"name": name, "value": value, "classes": list(classes)}

    def _free(self, name: str) -> str:
        """`name`, or with a number behind it if operations have it."""
        return next(
            text for number in count(1) if (text := name if number == 1 else f"{name}_{number}") not in self._names
        )


def _check_numbers(operation: Document) -> None:
    """Raises ValueError for numbers that JSON does not have."""
    for key, value in operation.items():
        if isinstance(value, float) and not np.isfinite(value):
            raise ValueError(f"operation {operation['name']!r} has {key} {value}, expected a finite number")


def with_test(tensors: dict[str, Array], x: Array, outputs: Sequence[Array]) -> tuple[Document, dict[str, Array]]:
    """The entry `test` of a document, and the tensors with those of a test."""
    arrays = {TEST_INPUT: x} | {f"{TEST_OUTPUT}{number}": output for number, output in enumerate(outputs)}
    entry = {"input": TEST_INPUT, "outputs": list(arrays)[1:], "sha256": digest(arrays.values())}
    return entry, tensors | {name: np.ascontiguousarray(array) for name, array in arrays.items()}

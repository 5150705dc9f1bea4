# SPDX-License-Identifier: Apache-2.0
"""What elements of a network's groups do to its values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import numpy as np

from .._checks.arrays import Array
from .._groups.geometry import lattice_elements
from .._groups.point_group import PointGroup, parse_group
from .._signals.action import act
from .file import Document
from .types import ValueType, written_type

_QUOTIENT = "quotient(["
_CLOSE = 1e-9


def value_types(document: Document, tensors: Mapping[str, Array]) -> dict[str, ValueType]:
    """The types of all values of a network, by their names."""
    groups = {name: parse_group(entry["text"]) for name, entry in document["groups"].items()}
    types = {document["input"]["name"]: input_type(document, groups)}
    shapes = {name: array.shape for name, array in tensors.items()}
    for operation in document["operations"]:
        read = [types[name] for name in operation["inputs"]]
        types[operation["output"]] = written_type(operation, read, shapes, groups)
    return types


def input_type(document: Document, groups: Mapping[str, PointGroup]) -> ValueType:
    """The type of the input of a document, whose groups are these."""
    given = document["input"]
    group = None if given["space"] == "plane" else groups[given["group"]]
    return ValueType(given["channels"], given["dimension"], group, stabilizer_in(given["space"]))


def stabilizer_in(space: str) -> tuple[int, ...]:
    """The elements in ``quotient([0,4])``; the identity for other spaces."""
    if not space.startswith(_QUOTIENT):
        return (0,)
    return tuple(int(element) for element in space.removeprefix(_QUOTIENT).removesuffix("])").split(","))


def common_group(document: Document, tensors: Mapping[str, Array]) -> PointGroup | None:
    """The elements that act exactly and that all groups of a network have: it commutes with these.

    None for a network without groups. The groups that a restriction makes count too.
    """
    types = value_types(document, tensors).values()
    groups = {value.group for value in types if value.group is not None}
    groups = groups or {parse_group(entry["text"]) for entry in document["groups"].values()}
    if not groups:
        return None
    first, *others = groups
    return reduce(_intersection, others, _intersection(first, first))


def turn(x: Array, value: ValueType, matrix: Array, group: PointGroup) -> Array:
    """The action on a signal of this type of the element of `group` with this matrix."""
    if value.group is None:
        return act(x, group, element_of(group, matrix)) if value.dimension else x
    signal = x if value.dimension else x[(..., *(None,) * group.dimension)]
    stabilizer = None if value.is_on_group else value.stabilizer
    turned = act(signal, value.group, element_of(value.group, matrix), stabilizer)
    return turned if value.dimension else turned.reshape(x.shape)


def element_of(group: PointGroup, matrix: Array) -> int:
    """The number of the element with a matrix, which is there."""
    return int(np.argmin(np.abs(group.matrices - matrix).reshape(group.order, -1).max(axis=1)))


def _intersection(one: PointGroup, other: PointGroup) -> PointGroup:
    kept = [one.matrices[element] for element in lattice_elements(one) if _has(other, one.matrices[element])]
    return PointGroup.from_matrices(np.stack(kept))


def _has(group: PointGroup, matrix: Array) -> bool:
    return bool(np.any(np.all(np.abs(group.matrices - matrix) < _CLOSE, axis=(1, 2))))

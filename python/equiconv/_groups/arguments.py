# SPDX-License-Identifier: Apache-2.0
"""Checks of the arguments that are groups or subgroups."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from .. import _native
from .._checks.arguments import integer, is_a, items, value_text
from .point_group import LARGEST_ORDER, PointGroup

Stabilizer: TypeAlias = _native.Subgroup


def point_group(value: object) -> PointGroup:
    """`value` if it is a PointGroup, else TypeError."""
    if is_a(value, PointGroup):
        return value
    raise TypeError(
        f"group is {value_text(value)} ({type(value).__name__}), expected a PointGroup such as equiconv.cyclic(4)"
    )


def stabilizer_of(name: str, value: object, group: PointGroup) -> Stabilizer:
    """The subgroup of `group` with these elements (all of them for the plane). Raises TypeError or ValueError."""
    expected = f"the elements of a subgroup of {group.name}"
    given = items(name, value, expected)
    elements = np.array([integer(f"{name}[{i}]", item, 0, group.order - 1) for i, item in enumerate(given)], np.int32)
    try:
        return _native.Subgroup(group, elements)
    except ValueError as error:
        shown = value_text(list(value) if isinstance(value, tuple) else value)
        raise ValueError(f"{name} is {shown}, expected {expected}: {error}") from None


def plain_stabilizer(value: object) -> object:
    """A short list or range of elements as a tuple, by which layers are found again; others as they are."""
    return tuple(value) if isinstance(value, list | range) and len(value) <= LARGEST_ORDER else value

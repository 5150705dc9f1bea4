# SPDX-License-Identifier: Apache-2.0
"""Fields of escnn as signals: which group, how many channels, and in which order elements stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..._groups.named import (
    axial_cyclic,
    axial_dihedral,
    cyclic,
    dihedral,
    full_octahedral,
    octahedral,
    pyritohedral,
    tetrahedral,
    trivial,
)
from ..._groups.point_group import PointGroup
from .walk import Signal

# The largest difference of an entry of a matrix: rounding.
_TOLERANCE = 1e-5


def signal_of(place: str, name: str, fields: Any) -> Signal:
    """The signal that fields are.

    Args:
        place: where the module stands, for errors.
        name: of the fields there: ``"in_type"`` or ``"out_type"``.
        fields: escnn's ``FieldType``, all of whose fields are trivial or all regular.

    Raises:
        ValueError: there are others, or a group that is not finite.
    """
    group, order = _group(place, fields.gspace)
    representations = fields.representations
    if all(representation.is_trivial() for representation in representations):
        return Signal(group, len(representations), None)
    if all(representation.name == "regular" for representation in representations):
        return Signal(group, len(representations), order)
    names = sorted({representation.name for representation in representations})
    mixed = "regular" in names and all(each.is_trivial() or each.name == "regular" for each in representations)
    kinds = "trivial and regular fields, mixed," if mixed else f"fields {names}"
    raise ValueError(f"{place} has {kinds} as {name}, expected all trivial or all regular")


def _group(place: str, space: Any) -> tuple[PointGroup, tuple[int, ...]]:
    """The group of a gspace here, and escnn's number of each of its elements."""
    name = space.fibergroup.name
    action = getattr(space, "basespace_action", None)
    if action is None:
        group = _named(place, name, is_flip=type(space).__name__ == "Flip2dOnR2")
        return group, tuple(range(group.order))
    if getattr(space.fibergroup, "continuous", False):
        raise ValueError(f"{place} is for the group {name}, which is not finite, expected a finite group")
    matrices = np.array([np.asarray(action(element), np.float64) for element in space.fibergroup.elements])
    whole = np.rint(matrices)
    matrices = np.where(np.abs(matrices - whole) < _TOLERANCE, whole + 0.0, matrices)
    for group in _groups_of(*matrices.shape[:2]):
        distance = np.abs(group.matrices[:, None] - matrices).max((2, 3))
        if (distance.min(1) < _TOLERANCE).all():
            return group, tuple(distance.argmin(1).tolist())
    return PointGroup.from_matrices(matrices), tuple(range(len(matrices)))


def _named(place: str, name: str, is_flip: bool) -> PointGroup:
    """The group of the plane of a name of e2cnn's, whose gspaces have no matrices."""
    makers = {"C": cyclic, "D": dihedral}
    if name[:1] not in makers or not name[1:].isdigit():
        raise ValueError(f"{place} is for the group {name}, expected C1, C2, ... or D1, D2, ...")
    return dihedral(1) if is_flip else makers[name[:1]](int(name[1:]))


def _groups_of(order: int, dimension: int) -> Iterator[PointGroup]:
    """The named groups of an order, on the plane or in space."""
    if order == 1:
        yield trivial(dimension)
    if dimension == 2:
        yield cyclic(order)
        if order % 2 == 0:
            yield dihedral(order // 2)
        return
    for axis in "zyx":
        yield axial_cyclic(order, axis)
        if order % 2 == 0:
            yield axial_dihedral(order // 2, axis)
    for group in (tetrahedral(), octahedral(), pyritohedral(), full_octahedral()):
        if group.order == order:
            yield group

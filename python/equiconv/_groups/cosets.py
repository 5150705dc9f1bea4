# SPDX-License-Identifier: Apache-2.0
"""The cosets of subgroups, as lists of elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arguments import Stabilizer, stabilizer_of
from .point_group import PointGroup


def right_cosets(group: PointGroup, subgroup: Sequence[int]) -> NDArray[np.int32]:
    """The elements of each right coset L r, in the order of those of L: an array (|H| / |L|, |L|), by the smallest r.

    Raises TypeError or ValueError for what is no subgroup, and for a group that lacks products.
    """
    elements = stabilizer_of("subgroup", subgroup, group).get_elements()
    # Row r of the table is the coset L r.
    cosets = group.cayley[elements].T
    if np.any(cosets < 0):
        raise ValueError(f"group is {group.name}, expected a group that has all products of its elements")
    chosen: NDArray[np.int32] = cosets[cosets.min(axis=1) == np.arange(group.order)]
    return chosen


def left_cosets(subgroup: Stabilizer) -> NDArray[Any]:
    """The elements of each left coset a K, ascending: an array (|H| / |K|, |K|), in the order of the points of H/K."""
    return np.argsort(subgroup.get_left_cosets(), kind="stable").reshape(-1, len(subgroup))

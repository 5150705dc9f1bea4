# SPDX-License-Identifier: Apache-2.0
"""Checks of the shapes of signals, and of arrays that have their axes."""

from __future__ import annotations

from .._checks.arguments import shape_text
from .._checks.arrays import Shaped, check_not_empty
from .._groups.point_group import PointGroup
from .space import AXES


def check_signal(name: str, array: Shaped, group: PointGroup, points: int | None, user: str) -> None:
    """Raises ValueError unless `array` is a signal (B, C, [points,] spatial...) that is not empty."""
    names = ("B", "C") + fiber_names(group, points) + AXES[group.dimension]
    check_axes(name, array, names, group, points, user)
    check_not_empty(name, array, first_axis=1)


def fiber_names(group: PointGroup, points: int | None) -> tuple[str, ...]:
    if points is None:
        return ()
    return ("|H|",) if points == group.order else ("|H/K|",)


def check_axes(
    name: str, array: Shaped, names: tuple[str, ...], group: PointGroup, points: int | None, user: str
) -> None:
    if array.ndim != len(names):
        raise ValueError(
            f"{name} has shape {array.shape}, expected {shape_text(names)} for {user} "
            f"on a {group.dimension}-D group: {len(names)} axes"
        )
    if points is not None and array.shape[2] != points:
        raise ValueError(
            f"{name} has shape {array.shape}, expected {shape_text(names)} for {user} "
            f"with {names[2]} = {points} of {group.name} on axis 2"
        )

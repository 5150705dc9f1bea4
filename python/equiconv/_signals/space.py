# SPDX-License-Identifier: Apache-2.0
"""What a signal lives on: the plane R^d, or the group G."""

from __future__ import annotations

from dataclasses import dataclass

from .._groups.point_group import PointGroup

_PLANES = {1: "the line", 2: "the plane", 3: "space"}
AXES = {1: ("width",), 2: ("rows", "columns"), 3: ("depth", "rows", "columns")}


@dataclass(frozen=True)
class SignalSpace:
    """The space of signals that a layer reads or writes; prints as ``the plane`` or ``G for C4``.

    Attributes:
        dimension: the number d of spatial axes.
        group: H for signals (B, C, |H|, spatial...) on G = R^d x| H; None for signals (B, C, spatial...) on R^d.
    """

    dimension: int
    group: PointGroup | None = None

    @classmethod
    def of(cls, group: PointGroup, on_group: bool) -> SignalSpace:
        """G = R^d x| H, or R^d."""
        return cls(group.dimension, group if on_group else None)

    def __str__(self) -> str:
        return _PLANES[self.dimension] if self.group is None else f"G for {self.group.name}"

    def shape_text(self, channels: int | str) -> str:
        """The shape of a signal of so many channels, such as ``(B, 16, 4, rows, columns)``."""
        fiber = () if self.group is None else (self.group.order,)
        return f"(B, {', '.join(map(str, (channels, *fiber, *AXES[self.dimension])))})"

    def holds(self, shape: tuple[int, ...]) -> bool:
        """Whether `shape` is that of a signal on this space, with any number of channels."""
        if self.group is None:
            return len(shape) == 2 + self.dimension
        return len(shape) == 3 + self.dimension and shape[2] == self.group.order

    def describe(self, shape: tuple[int, ...]) -> str:
        """The space of a signal of this shape, as far as the shape shows, given that this space was expected."""
        if len(shape) == 2 + self.dimension:
            return f"one on {_PLANES[self.dimension]}"
        if len(shape) == 3 + self.dimension:
            return f"one on G for a group of {shape[2]} elements"
        return "no signal on it"


def check_signal_space(user: str, space: SignalSpace, channels: int, shape: tuple[int, ...]) -> None:
    """Raises ValueError unless a signal of `shape` is one of so many channels on `space`.

    Args:
        user: what wants it, for the message, such as ``GroupConv``.
        space, channels: what it wants.
        shape: that of the signal.
    """
    if not space.holds(shape):
        raise ValueError(
            f"x has shape {tuple(shape)}: {user} wants a signal on {space} {space.shape_text(channels)}, "
            f"got {space.describe(shape)}"
        )
    if shape[1] != channels:
        raise ValueError(
            f"x has shape {tuple(shape)}: {user} wants {channels} channels {space.shape_text(channels)}, got {shape[1]}"
        )

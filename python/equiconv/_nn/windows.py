# SPDX-License-Identifier: Apache-2.0
"""Windows of the spatial axes, for pools over space: their arguments, and the signals that they fit."""

from __future__ import annotations

from .._checks.arguments import axes
from .._checks.arrays import Shaped
from .._groups.arguments import point_group
from .._groups.point_group import PointGroup
from .._layer.sampling import Sampling, warn_of_remainders

_Axes = tuple[int, ...]


def checked_windows(
    group: object, kernel: object, stride: object, padding: object
) -> tuple[PointGroup, _Axes, _Axes, _Axes]:
    """The group, and kernel, stride and padding of each axis. Raises TypeError or ValueError.

    Args:
        group: H, which gives the number of axes.
        kernel, stride, padding: an int, or one for each axis; `stride` is `kernel` if it is None.
    """
    checked_group = point_group(group)
    d = checked_group.dimension
    extents = axes("kernel", kernel, d, 1)
    steps = extents if stride is None else axes("stride", stride, d, 1)
    amounts = axes("padding", padding, d, 0)
    for axis, (amount, extent) in enumerate(zip(amounts, extents, strict=True)):
        if 2 * amount > extent:
            raise ValueError(f"padding is {amount} on axis {axis}, expected at most {extent // 2}, half the kernel")
    return checked_group, extents, steps, amounts


def check_spatial_axes(user: str, shape: tuple[int, ...], group: PointGroup, may_be_empty: bool = True) -> None:
    """Raises ValueError, naming `user`, unless a signal of `shape` has the spatial axes of `group`."""
    d = group.dimension
    if len(shape) not in (2 + d, 3 + d) or (not may_be_empty and 0 in shape[-d:]):
        size = "" if may_be_empty else " of at least 1"
        raise ValueError(
            f"x has shape {shape}, expected (B, C, [|H|,] spatial...) with {d} spatial axes{size} for {user} on "
            f"{group.name}"
        )


def warn_of_windows(x: Shaped, group: PointGroup, kernel: _Axes, stride: _Axes, padding: _Axes) -> None:
    """Warns of strides that break equivariance."""
    sampling = Sampling.checked(group.dimension, stride, padding, 1, "zeros", "auto")
    warn_of_remainders(x, kernel, group, sampling)

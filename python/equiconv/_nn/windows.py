# SPDX-License-Identifier: Apache-2.0
"""Windows of the spatial axes, for pools over space: their arguments, and the signals that they fit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .._checks.arguments import axes
from .._checks.arrays import Shaped
from .._groups.arguments import point_group
from .._groups.geometry import axis_orbits
from .._groups.point_group import PointGroup
from .._layer.fitting import EQUIVARIANT, Window, fitted_padding, padding_of_all_sizes
from .._layer.sampling import warn_of_windows as warn_of_margins

_Axes = tuple[int, ...]
WindowPadding: TypeAlias = int | tuple[int, ...] | Literal["equivariant"]
_Amounts: TypeAlias = _Axes | Literal["equivariant"]


def checked_windows(
    group: object, kernel: object, stride: object, padding: object
) -> tuple[PointGroup, _Axes, _Axes, _Amounts]:
    """The group, and kernel, stride and padding of each axis. Raises TypeError or ValueError.

    Args:
        group: H, which gives the number of axes.
        kernel, stride, padding: an int, or one for each axis; `stride` is `kernel` if it is None, and `padding` may be
            ``"equivariant"``.
    """
    checked_group = point_group(group)
    d = checked_group.dimension
    extents = axes("kernel", kernel, d, 1)
    steps = extents if stride is None else axes("stride", stride, d, 1)
    if isinstance(padding, str) and padding == EQUIVARIANT:
        for name, values in (("kernel", extents), ("stride", steps)):
            check_alike(name, values, checked_group)
        return checked_group, extents, steps, "equivariant"
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


def counts_of_windows(
    shape: Sequence[int], kernel: _Axes, stride: _Axes, padding: _Axes, ceil_mode: bool, includes_padding: bool = True,
    name: str = "kernel",
) -> NDArray[np.int64]:  # fmt: skip
    """How many numbers the mean of each window divides by, as PyTorch counts them: an array of the sizes of the result.

    Args:
        shape: of a signal.
        kernel, stride, padding: of each axis.
        ceil_mode: whether a last window may reach beyond the padding at the end; what it reaches there never counts.
        includes_padding: whether padding counts.
        name: of `kernel` in the error.

    Raises:
        ValueError: the kernel leaves no window.
    """
    counts, first_axis = [], len(shape) - len(kernel)
    for axis, (extent, step, amount) in enumerate(zip(kernel, stride, padding, strict=True), first_axis):
        size = shape[axis]
        room = size + 2 * amount - extent
        outputs = (-(-room // step) if ceil_mode else room // step) + 1
        # No window begins in the padding at the end.
        outputs -= ceil_mode and (outputs - 1) * step >= size + amount
        if outputs < 1:
            raise ValueError(
                f"{name} is {extent}, expected at most {size + 2 * amount}: x has size {size} on axis {axis}, with "
                f"padding {amount}"
            )
        begin = step * np.arange(outputs) - amount
        end = np.minimum(begin + extent, size + amount)
        counts.append(end - begin if includes_padding else np.minimum(end, size) - np.maximum(begin, 0))
    product: NDArray[np.int64] = reduce(np.multiply.outer, counts)
    return product


def overhangs(sizes: Sequence[int], outputs: Sequence[int], kernel: _Axes, stride: _Axes, padding: _Axes) -> _Axes:
    """How far the last of so many windows reaches beyond the padding at the end of each axis."""
    ends = zip(sizes, outputs, kernel, stride, padding, strict=True)
    return tuple(max(0, (count - 1) * step + extent - size - 2 * amount) for size, count, extent, step, amount in ends)


def adaptive_windows(size: int, places: int) -> list[tuple[int, int]]:
    """Begin and end of the windows whose means are so many places of an axis, as PyTorch's adaptive pools have them.

    They are symmetric: the windows of a mirrored axis are these, mirrored, in the opposite order.
    """
    return [(place * size // places, -(-(place + 1) * size // places)) for place in range(places)]


def check_alike(name: str, values: Sequence[Any], group: PointGroup) -> None:
    """Raises ValueError unless an argument has equal numbers on the axes that `group` exchanges."""
    for orbit in axis_orbits(group):
        if any(values[axis] != values[orbit[0]] for axis in orbit):
            raise ValueError(
                f"{name} is {tuple(values)}, expected equal numbers on axes {' and '.join(map(str, orbit))}, which "
                f"{group.name} exchanges"
            )


def padding_of_windows(
    shape: Sequence[int], group: PointGroup, kernel: _Axes, stride: _Axes, padding: _Amounts
) -> _Axes:
    """The padding of each axis in numbers. Raises ValueError where "equivariant" is to fit a size that none fits."""
    if not isinstance(padding, str):
        return padding
    d = group.dimension
    return fitted_padding(_windows(kernel, stride), tuple(map(int, shape[-d:])), group, len(shape) - d)


def padding_of_windows_of_all_sizes(kernel: _Axes, stride: _Axes, padding: _Amounts) -> _Axes:
    """The padding of each axis for all sizes that the stride fits. Raises ValueError where that is not one."""
    if not isinstance(padding, str):
        return padding
    amounts = padding_of_all_sizes(_windows(kernel, stride))
    if amounts is None:
        raise ValueError(f"padding is {EQUIVARIANT!r} for stride {stride}, which is another for each size: set numbers")
    return amounts


def warn_of_windows(
    x: Shaped, group: PointGroup, kernel: _Axes, stride: _Axes, padding: _Axes, name: str = "kernel"
) -> None:
    """Warns of strides that break equivariance; `name` is that of `kernel`."""
    warn_of_margins(x, _windows(kernel, stride), padding, group, may_fit=name == "kernel")


def _windows(kernel: _Axes, stride: _Axes) -> tuple[Window, ...]:
    """Windows with padding of at most half of them."""
    return tuple(Window(extent, step, largest=extent // 2) for extent, step in zip(kernel, stride, strict=True))

# SPDX-License-Identifier: Apache-2.0
"""The families of functions on H that kernels on the group are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._checks.arguments import integer, items, real, value_text
from .._checks.arrays import reals
from .._checks.texts import integers_text, number_text, numbers_text
from .basis import GroupBasis, make_group_basis

_LARGEST_ORDER = 4096


def localized(elements: Sequence[int]) -> GroupBasis:
    """Kernels on the group that are 0 but on these relative elements: fewer weights, and faster.

    Args:
        elements: one or more different elements; weights are in this order.

    Raises:
        TypeError, ValueError: `elements` are something else.

    Example:
        >>> localized([0, 1, 7])
        equiconv.localized([0, 1, 7])
    """
    given = items("elements", elements, "a sequence of integers")
    numbers = tuple(integer(f"elements[{i}]", h, 0, _LARGEST_ORDER - 1) for i, h in enumerate(given))
    if not numbers or len(set(numbers)) != len(numbers):
        raise ValueError(f"elements is {value_text(given)}, expected one or more different elements")
    return make_group_basis(f"localized({value_text(list(numbers))})", "localized", integers_text(numbers))


def group_bspline(
    degree: int = 3,
    count: int | None = None,
    *,
    centers: Sequence[float] | None = None,
    scale: float | None = None,
) -> GroupBasis:
    """Kernels on `cyclic(n)` that are periodic B-splines of the angle. Other groups refuse it.

    Args:
        degree: 0 to 5.
        count: splines about so many equally spaced angles, beginning with 0, as wide as their distance.
        centers: or angles in radians, with `scale`.
        scale: the width of a spline in radians, > 0 and at most 2 pi.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> group_bspline(3, 4).matrix(cyclic(8)).shape
        (8, 4)
    """
    order = integer("degree", degree, 0, 5)
    if (count is None) == (centers is None) or (centers is None) != (scale is None):
        raise ValueError(
            f"count is {value_text(count)}, centers is {value_text(centers)} and scale is {value_text(scale)}, "
            "expected count, or centers and scale"
        )
    if count is not None:
        step = 2 * np.pi / integer("count", count, 1, _LARGEST_ORDER)
        text = f"group_bspline({order}, {count})"
        centers_text = numbers_text(float(i * step) for i in range(count))
        return make_group_basis(text, "bspline", order, number_text(float(step)), centers_text)
    angles = tuple(map(float, reals("centers", centers).ravel()))
    if not 1 <= len(angles) <= _LARGEST_ORDER:
        raise ValueError(f"centers has {len(angles)} numbers, expected 1 to {_LARGEST_ORDER}")
    width = real("scale", scale)
    shown = f"group_bspline({order}, centers={value_text(list(angles))}, scale={width})"
    return make_group_basis(shown, "bspline", order, number_text(width), numbers_text(angles))

# SPDX-License-Identifier: Apache-2.0
"""The argument ``kernel`` of layers: extents of pixels, or a basis."""

from __future__ import annotations

from ._arguments import axes, is_a
from ._bases import KernelBasis
from ._groups import PointGroup


def kernel_shape(kernel: object, group: PointGroup) -> tuple[tuple[int, ...], KernelBasis | None]:
    """The extents of the taps, and the basis if there is one. Raises TypeError or ValueError.

    Args:
        kernel: an int for the same extent on each axis of `group`, a tuple of one for each array axis, or a basis.
        group: H.
    """
    d = group.dimension
    if is_a(kernel, KernelBasis):
        if kernel.dimension != d:
            raise ValueError(f"kernel is {kernel!r} of dimension {kernel.dimension}, expected {d} as {group.name}")
        return kernel.extents, kernel
    try:
        return axes("kernel", kernel, d, 1), None
    except TypeError as error:
        raise TypeError(f"{error}, one for each axis, or a KernelBasis such as equiconv.bspline_basis(5)") from None

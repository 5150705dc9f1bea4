# SPDX-License-Identifier: Apache-2.0
"""The argument ``kernel`` of layers, extents of pixels or a basis, and the shape of weights that follows from it."""

from __future__ import annotations

import math

from .._bases.basis import KernelBasis
from .._checks.arguments import axes, is_a, value_text
from .._groups.point_group import PointGroup
from .layer import Kernel, Layer

# More than any memory has room for, and far from where sizes in bytes overflow.
_LARGEST_WEIGHT = 2**48


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


def weight_shape(
    in_channels: int,
    out_channels: int,
    extents: tuple[int, ...],
    made_of: Kernel,
    group: PointGroup,
    layer: Layer,
    *,
    is_transposed: bool = False,
) -> tuple[int, ...]:
    """The shape (O, C / groups, ...) of a layer's weight.

    Raises ValueError for channels that are not in groups of one size, or a weight that no memory has room for.

    Args:
        in_channels, out_channels: C and O; of the adjoint of a layer O and C.
        extents: the taps of its kernels.
        made_of: what they are made of.
        group: H.
        layer: which layer.
        is_transposed: whether the weight is that of the layer's adjoint.
    """
    if in_channels % made_of.groups or out_channels % made_of.groups:
        raise ValueError(
            f"groups is {made_of.groups}, expected a divisor of in_channels {in_channels} and of out_channels "
            f"{out_channels}"
        )
    reads, writes = (out_channels, in_channels) if is_transposed else (in_channels, out_channels)
    channels = (writes, reads // made_of.groups)
    shape = (*channels, *made_of.weight_axes(group, layer, extents))
    if math.prod(shape) > _LARGEST_WEIGHT:
        raise ValueError(
            f"in_channels is {in_channels}, out_channels is {out_channels} and kernel is {value_text(extents)}, "
            f"expected at most 2^48 weights, got {shape}"
        )
    return shape

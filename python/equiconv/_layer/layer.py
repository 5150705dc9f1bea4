# SPDX-License-Identifier: Apache-2.0
"""The layers as data: what they read and write, and what their kernels are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .._bases.basis import INTERPOLATIONS, GroupBasis, KernelBasis
from .._checks.arguments import LARGEST, boolean, choice, integer, is_a, value_text
from .._checks.arrays import Shaped
from .._groups.arguments import Stabilizer, stabilizer_of
from .._groups.point_group import PointGroup

# basis, interpolation, group_basis, quadrature, groups
KernelArguments: TypeAlias = tuple[object, object, object, object, object]


@dataclass(frozen=True)
class Layer:
    """A layer X -> Y between signals on R^d x H/K: what the messages and the extension call it."""

    function: str
    # The sizes |X| and |Y| of the fiber axes are |H| or those of the quotients; None where there is no such axis.
    reads_group: bool
    writes_group: bool
    # The stabilizers of a layer that has no name of its own.
    input_stabilizer: Stabilizer | None = None
    output_stabilizer: Stabilizer | None = None

    def input_points(self, group: PointGroup) -> int | None:
        """The size of the fiber axis of the input, None without one."""
        return _points(group, self.reads_group, self.input_stabilizer)

    def output_points(self, group: PointGroup) -> int | None:
        """The size of the fiber axis of the output, None without one."""
        return _points(group, self.writes_group, self.output_stabilizer)


def _points(group: PointGroup, has_fiber: bool, stabilizer: Stabilizer | None) -> int | None:
    if not has_fiber:
        return None
    return group.order if stabilizer is None else group.order // len(stabilizer)


LAYERS: Mapping[str, Layer] = {
    "isotropic": Layer("isotropic_conv", False, False),
    "lifting": Layer("lifting_conv", False, True),
    "group": Layer("group_conv", True, True),
    "projection": Layer("projection_conv", True, False),
}


def general_layer(group: PointGroup, input_stabilizer: object, output_stabilizer: object) -> Layer:
    """The layer between the quotients by two stabilizers."""
    source = stabilizer_of("input_stabilizer", input_stabilizer, group)
    target = stabilizer_of("output_stabilizer", output_stabilizer, group)
    return Layer("conv", len(source) < group.order, len(target) < group.order, source, target)


@dataclass(frozen=True)
class Kernel:
    """What kernels are made of, checked.

    Attributes:
        basis, interpolation, group_basis, quadrature: as of `conv`.
        groups: parts of the channels; output channels of part i read input channels of part i alone.
    """

    basis: KernelBasis | None
    interpolation: str
    group_basis: GroupBasis | None
    quadrature: bool
    groups: int = 1

    @classmethod
    def checked(cls, group: PointGroup, layer: Layer, arguments: KernelArguments) -> Kernel:
        """Raises TypeError or ValueError for arguments that do not fit the group or the layer."""
        basis, interpolation, group_basis, quadrature, groups = arguments
        if not (basis is None or is_a(basis, KernelBasis)):
            raise TypeError(
                f"basis is {value_text(basis)} ({type(basis).__name__}), expected a KernelBasis such as "
                "equiconv.bspline_basis(5), or None for pixels"
            )
        if basis is not None and basis.dimension != group.dimension:
            raise ValueError(
                f"basis is {basis!r} of dimension {basis.dimension}, expected {group.dimension} as {group.name}"
            )
        name = choice("interpolation", interpolation, INTERPOLATIONS)
        on_group = _checked_group_basis(group, layer, group_basis)
        parts = integer("groups", groups, 1, LARGEST)
        return cls(basis, name, on_group, boolean("quadrature", quadrature), parts)

    def functions(self, group: PointGroup, layer: Layer) -> int | None:
        """The size of axis 2 of weights, None without such an axis."""
        return layer.input_points(group) if self.group_basis is None else self.group_basis.count

    def has_pixels(self) -> bool:
        """Whether weights have the axes of the kernel, and not one of functions."""
        return self.basis is None or self.basis.is_pixel

    def weight_axes(self, group: PointGroup, layer: Layer, extents: tuple[int, ...]) -> tuple[int, ...]:
        """The axes of weights after (O, C), for a kernel of these taps."""
        functions = self.functions(group, layer)
        return (() if functions is None else (functions,)) + (extents if self.basis is None else self.basis.shape)

    def extents(self, weight: Shaped, dimension: int) -> tuple[int, ...]:
        """The taps of the kernel."""
        return tuple(weight.shape[-dimension:]) if self.basis is None else self.basis.extents


def _checked_group_basis(group: PointGroup, layer: Layer, group_basis: object) -> GroupBasis | None:
    if group_basis is None:
        return None
    if not is_a(group_basis, GroupBasis):
        raise TypeError(
            f"group_basis is {value_text(group_basis)} ({type(group_basis).__name__}), expected a GroupBasis such as "
            "equiconv.localized([0, 1]), or None"
        )
    if layer.input_points(group) != group.order:
        raise ValueError(
            f"group_basis is {group_basis!r}, expected None for {layer.function}, whose input is not a signal on the "
            "group"
        )
    try:
        group_basis.matrix(group)
    except ValueError as error:
        raise ValueError(f"group_basis is {group_basis!r}, expected a basis on {group.name}: {error}") from None
    return group_basis

# SPDX-License-Identifier: Apache-2.0
"""Checks of the shapes of signals and weights against the group and against each other."""

from __future__ import annotations

from .._checks.arguments import shape_text
from .._checks.arrays import Shaped, check_not_empty, check_same_dtype
from .._groups.point_group import PointGroup
from .._signals.shapes import check_axes, check_signal, fiber_names
from .layer import Kernel, Layer


def check_weight(weight: Shaped, group: PointGroup, layer: Layer, kernel: Kernel, user: str) -> None:
    """Raises ValueError unless `weight` is (O, C, [functions on H,] kernel... or J) as `layer` needs."""
    functions = kernel.functions(group, layer)
    fiber = fiber_names(group, functions) if kernel.group_basis is None else ("I",)
    names = ("O", "C") + fiber + (("k",) * group.dimension if kernel.has_pixels() else ("J",))
    if kernel.group_basis is None:
        check_axes("weight", weight, names, group, functions, user)
    else:
        check_axes("weight", weight, names, group, None, user)
        if weight.shape[2] != functions:
            raise ValueError(
                f"weight has shape {weight.shape}, expected {shape_text(names)} for {user} with I = {functions} of "
                f"{kernel.group_basis!r} on axis 2"
            )
    check_not_empty("weight", weight)
    basis = kernel.basis
    if basis is not None and weight.shape[-len(basis.shape) :] != basis.shape:
        raise ValueError(
            f"weight has shape {weight.shape}, expected it to end in {basis.shape}, the shape of {basis!r}"
        )


def check_operands(x: Shaped, weight: Shaped, group: PointGroup, layer: Layer, kernel: Kernel, user: str) -> None:
    """Raises TypeError or ValueError unless the signal and the weight fit the layer and each other."""
    check_same_dtype("weight", weight, "x", x)
    check_signal("x", x, group, layer.input_points(group), user)
    check_weight(weight, group, layer, kernel, user)
    check_parts(weight, kernel)
    if x.shape[1] != weight.shape[1] * kernel.groups:
        raise ValueError(
            f"weight has shape {weight.shape}, expected {x.shape[1]}{_in_parts(kernel)} on axis 1, the channels C of x "
            f"of shape {x.shape}"
        )


def check_parts(weight: Shaped, kernel: Kernel) -> None:
    """Raises ValueError unless each of the groups of channels has as many outputs."""
    if weight.shape[0] % kernel.groups:
        raise ValueError(
            f"weight has shape {weight.shape}, expected a multiple of {kernel.groups} on axis 0, for groups of channels"
        )


def _in_parts(kernel: Kernel) -> str:
    return "" if kernel.groups == 1 else f" / {kernel.groups}"

# SPDX-License-Identifier: Apache-2.0
"""Weights of other libraries: GrouPy's and escnn's, where their conventions allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..._checks.arguments import value_text
from ..._checks.arrays import Array
from ..._functional.convolutions import Axes, LayerName
from ..._functional.convolutions import expand as expand_weight
from ..._groups.arguments import point_group
from ..._groups.named import (
    axial_cyclic,
    axial_dihedral,
    cyclic,
    dihedral,
    full_octahedral,
    octahedral,
    pyritohedral,
    tetrahedral,
    trivial,
)
from ..._groups.point_group import PointGroup
from .convolutions import GroupConv, IsotropicConv, LiftingConv, ProjectionConv

# GrouPy mirrors rows after the rotation, this package columns before it: its element g of D4 is element _D4[g] here.
_D4 = (0, 1, 2, 3, 6, 5, 4, 7)

# The largest difference, in units of the largest weight, between a filter bank and that of one kernel turned: rounding.
_TOLERANCE = 1e-5


def from_groupy(
    weight: Any,
    group: PointGroup,
    bias: Any = None,
    *,
    stride: Axes = 1,
    padding: Axes = 0,
) -> LiftingConv | GroupConv:
    """The layer with the weights of GrouPy's ``P4ConvZ2``, ``P4ConvP4``, ``P4MConvZ2`` or ``P4MConvP4M``.

    Both correlate, without a factor, with one bias a channel; elements of p4 have the order of those of `cyclic(4)`.
    Those of p4m have another: GrouPy's element g, a mirroring of rows after a rotation, is element
    ``(0, 1, 2, 3, 6, 5, 4, 7)[g]`` of `dihedral(4)`. The kernel's axis is put in the order of this package, and so the
    axis |H| of its signals is. Source: Cohen and Welling, "Group equivariant convolutional networks", ICML 2016, and
    GrouPy's ``make_gconv_indices``.

    Args:
        weight: GrouPy's ``W``, shape (O, C, 1, k, k) of a layer on Z2, (O, C, 4, k, k) on p4, (O, C, 8, k, k) on p4m:
            an array or tensor of float32 or float64.
        group: ``cyclic(4)`` for p4, ``dihedral(4)`` for p4m.
        bias: GrouPy's ``b``, with O numbers, or None.
        stride, padding: GrouPy's ``stride`` and ``pad``.

    Returns:
        A `LiftingConv` for a weight on Z2, else a `GroupConv`.

    Raises:
        TypeError, ValueError: shapes, or a group, that are not those; another kind of argument.

    Example:
        >>> from_groupy(numpy.ones((8, 3, 1, 3, 3), "float32"), cyclic(4)).weight.shape
        torch.Size([8, 3, 3, 3])
    """
    order = _p4_order(point_group(group))
    array = _array("weight", weight)
    if array.ndim != 5 or array.shape[2] not in (1, group.order) or array.shape[3] != array.shape[4]:
        raise ValueError(
            f"weight has shape {array.shape}, expected (O, C, 1, k, k) or (O, C, {group.order}, k, k) for {group.name}"
        )
    on_plane = array.shape[2] == 1
    kernel = array[:, :, 0] if on_plane else array[:, :, np.argsort(order)]
    biases = None if bias is None else _array("bias", bias).reshape(-1)
    name: LayerName = "lifting" if on_plane else "group"
    layer: LiftingConv | GroupConv = _layer(name, kernel, group, biases, stride=stride, padding=padding)
    return layer


def _p4_order(group: PointGroup) -> tuple[int, ...]:
    """The number here of each of GrouPy's elements."""
    if group == cyclic(4):
        return (0, 1, 2, 3)
    if group == dihedral(4):
        return _D4
    raise ValueError(f"group is {group.name}, expected cyclic(4) for GrouPy's p4 or dihedral(4) for its p4m")


def from_escnn(module: Any) -> IsotropicConv | LiftingConv | GroupConv | ProjectionConv:
    """The layer that equals an ``escnn.nn.R2Conv`` or ``R3Conv`` between trivial and regular fields of a finite group.

    The kernel of the identity is read off escnn's expanded filter, and the filter bank of the layer is compared with
    all of that filter. They agree for the groups that map the grid to itself, by quarter and half turns and mirrors at
    any axis of it. Groups are found by their matrices: the layer has the named group of this package with escnn's
    matrices, such as D1 for ``flip2dOnR2``, whose group escnn calls C2; if there is none, that of
    `PointGroup.from_matrices`. The axis |H| has the order of the layer's ``group``, which is escnn's for C1, C2, C4,
    D1, D2 and D4 mirrored at the vertical axis, escnn's default, and for groups without a name here. The coefficients
    of escnn's basis have no counterpart here: the layer is made of pixels.

    Args:
        module: an ``R2Conv`` (of escnn, or of e2cnn) or ``R3Conv`` whose fields are all trivial or all regular on
            either side.

    Returns:
        `IsotropicConv`, `LiftingConv`, `GroupConv` or `ProjectionConv`, by the fields.

    Raises:
        TypeError: `module` has no such fields or filter.
        ValueError: fields of another kind, a group that turns the grid into another one, a padding mode or groups of
            channels that layers do not have.

    Example:
        A layer of an escnn network, ``from_escnn(network[0])``.
    """
    for attribute in ("in_type", "out_type", "expand_parameters", "stride", "padding", "dilation"):
        if not hasattr(module, attribute):
            raise TypeError(
                f"module is {value_text(module)} without {attribute}, expected a layer such as escnn.nn.R2Conv"
            )
    reads, writes = _is_regular("in_type", module.in_type), _is_regular("out_type", module.out_type)
    group, order = _escnn_group(module.in_type.gspace)
    if getattr(module, "groups", 1) != 1 or module.padding_mode not in ("zeros", "circular"):
        raise ValueError(
            f"module has groups {module.groups} and padding mode {module.padding_mode!r}, expected 1, and 'zeros' or "
            "'circular'"
        )
    expanded, biases = module.expand_parameters()
    name = _NAMES[(reads, writes)]
    sources, targets = (group.order if reads else 1), (group.order if writes else 1)
    bank = _reordered(expanded.detach().cpu().numpy(), order if writes else (0,), order if reads else (0,))
    shape = (bank.shape[0] // targets, bank.shape[1] // sources, *((sources,) if reads else ()), *bank.shape[2:])
    weight = np.ascontiguousarray(bank[::targets].reshape(shape))
    difference = float(np.max(np.abs(expand_weight(weight, group, name) - bank), initial=0))
    if difference > _TOLERANCE * float(np.max(np.abs(bank), initial=0)):
        raise ValueError(
            f"module has a filter that is not one kernel turned by {group.name} in this package's order of elements "
            f"(the largest difference is {difference:.2g}): {group.name} does not map the grid to itself, or its "
            "mirrors are at other axes"
        )
    bias = None if biases is None else biases.detach().cpu().numpy()[::targets]
    layer: IsotropicConv | LiftingConv | GroupConv | ProjectionConv = _layer(
        name, weight, group, bias, stride=module.stride, padding=module.padding, dilation=module.dilation,
        padding_mode=module.padding_mode,
    )  # fmt: skip
    return layer


_NAMES: dict[tuple[bool, bool], LayerName] = {
    (False, False): "isotropic", (False, True): "lifting", (True, True): "group", (True, False): "projection",
}  # fmt: skip
_LAYERS: dict[LayerName, Any] = {
    "isotropic": IsotropicConv, "lifting": LiftingConv, "group": GroupConv, "projection": ProjectionConv,
}  # fmt: skip


def _is_regular(name: str, fields: Any) -> bool:
    """Whether all fields are regular; False if all are trivial."""
    representations = fields.representations
    if all(representation.is_trivial() for representation in representations):
        return False
    if all(representation.name == "regular" for representation in representations):
        return True
    names = sorted({representation.name for representation in representations})
    raise ValueError(f"module has fields {names} as {name}, expected all trivial or all regular")


def _escnn_group(space: Any) -> tuple[PointGroup, tuple[int, ...]]:
    """The group of a gspace here, and escnn's number of each of its elements."""
    name = space.fibergroup.name
    action = getattr(space, "basespace_action", None)
    if action is None:
        group = _named(name, is_flip=type(space).__name__ == "Flip2dOnR2")
        return group, tuple(range(group.order))
    if getattr(space.fibergroup, "continuous", False):
        raise ValueError(f"module is a layer for the group {name}, which is not finite, expected a finite group")
    matrices = np.array([np.asarray(action(element), np.float64) for element in space.fibergroup.elements])
    whole = np.rint(matrices)
    matrices = np.where(np.abs(matrices - whole) < _TOLERANCE, whole + 0.0, matrices)
    for group in _groups_of(*matrices.shape[:2]):
        distance = np.abs(group.matrices[:, None] - matrices).max((2, 3))
        if (distance.min(1) < _TOLERANCE).all():
            return group, tuple(distance.argmin(1).tolist())
    return PointGroup.from_matrices(matrices), tuple(range(len(matrices)))


def _named(name: str, is_flip: bool) -> PointGroup:
    """The group of the plane of a name of e2cnn's, whose gspaces have no matrices."""
    makers = {"C": cyclic, "D": dihedral}
    if name[:1] not in makers or not name[1:].isdigit():
        raise ValueError(f"module is a layer for the group {name}, expected C1, C2, ... or D1, D2, ...")
    return dihedral(1) if is_flip else makers[name[:1]](int(name[1:]))


def _groups_of(order: int, dimension: int) -> Iterator[PointGroup]:
    """The named groups of an order, on the plane or in space."""
    if order == 1:
        yield trivial(dimension)
    if dimension == 2:
        yield cyclic(order)
        if order % 2 == 0:
            yield dihedral(order // 2)
        return
    for axis in "zyx":
        yield axial_cyclic(order, axis)
        if order % 2 == 0:
            yield axial_dihedral(order // 2, axis)
    for group in (tetrahedral(), octahedral(), pyritohedral(), full_octahedral()):
        if group.order == order:
            yield group


def _reordered(bank: Array, targets: Sequence[int], sources: Sequence[int]) -> Array:
    """A filter bank whose elements of H, on either side, are put in another order."""
    rows = bank.reshape(-1, len(targets), *bank.shape[1:])[:, list(targets)]
    columns = rows.reshape(bank.shape[0], -1, len(sources), *bank.shape[2:])[:, :, list(sources)]
    return np.ascontiguousarray(columns.reshape(bank.shape))


def _array(name: str, value: Any) -> Array:
    array = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype not in (np.float32, np.float64):
        raise TypeError(f"{name} has dtype {array.dtype}, expected float32 or float64")
    return np.asarray(array)


def _layer(name: LayerName, weight: Array, group: PointGroup, bias: Array | None, **options: Any) -> Any:
    """A layer of pixels with copies of these weights."""
    extents = tuple(weight.shape[-group.dimension :])
    values = torch.from_numpy(np.ascontiguousarray(weight))
    layer = _LAYERS[name](
        weight.shape[1], weight.shape[0], extents, group, bias=bias is not None, dtype=values.dtype, **options
    )
    with torch.no_grad():
        layer.weight.copy_(values)
        if bias is not None:
            if bias.shape != layer.bias.shape:
                raise ValueError(
                    f"bias has shape {bias.shape}, expected {tuple(layer.bias.shape)}, one for each channel"
                )
            layer.bias.copy_(torch.from_numpy(np.ascontiguousarray(bias)))
    return layer

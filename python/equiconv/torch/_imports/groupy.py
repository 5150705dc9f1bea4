# SPDX-License-Identifier: Apache-2.0
"""Layers and sequential models of GrouPy, by Cohen and Welling."""

from __future__ import annotations

from functools import partial
from typing import Any, overload

import numpy as np
import torch
from torch import nn

from ..._functional.convolutions import Axes, LayerName
from ..._groups.arguments import point_group
from ..._groups.named import cyclic, dihedral
from ..._groups.point_group import PointGroup
from .._nn.convolutions import GroupConv, LiftingConv
from .._nn.group_pool import GroupPool
from .._nn.norm import FieldDropout
from .._nn.spatial import SpatialAvgPool, SpatialMaxPool
from .steps import Step, refuse, steps
from .walk import Signal, Walk
from .weights import batch_norm_of, float_numbers, layer_of_pixels

# GrouPy mirrors rows after the rotation, this package columns before it: its element g of D4 is element _D4[g] here.
_D4 = (0, 1, 2, 3, 6, 5, 4, 7)
_POOLING = "plane_group_spatial_max_pooling"
_PLAIN_MAX: dict[str, Any] = {"ceil_mode": False, "dilation": 1, "return_indices": False}
_PLAIN_MEAN: dict[str, Any] = {"ceil_mode": False, "count_include_pad": True, "divisor_override": None}
_KINDS = (
    "P4ConvZ2", "P4ConvP4", "P4MConvZ2", "P4MConvP4M", "BatchNorm3d", "MaxPool3d", "AvgPool3d", "AdaptiveAvgPool3d",
    "Dropout3d", "Flatten", "Linear", _POOLING, "what acts on each number alone",
)  # fmt: skip


@overload
def from_groupy(
    model: Any, group: PointGroup, bias: Any = None, *, stride: Axes = 1, padding: Axes = 0
) -> LiftingConv | GroupConv: ...


@overload
def from_groupy(model: Any) -> LiftingConv | GroupConv | nn.Sequential: ...


def from_groupy(
    model: Any, group: PointGroup | None = None, bias: Any = None, *, stride: Axes = 1, padding: Axes = 0
) -> LiftingConv | GroupConv | nn.Sequential:
    """The layer with the weights of one of GrouPy, or the modules that equal a sequential model of it.

    Layers are ``P4ConvZ2``, ``P4ConvP4``, ``P4MConvZ2`` and ``P4MConvP4M``. Both correlate, without a factor, with one
    bias a channel; elements of p4 have the order of those of `cyclic(4)`. Those of p4m have another: GrouPy's element
    g, a mirroring of rows after a rotation, is element ``(0, 1, 2, 3, 6, 5, 4, 7)[g]`` of `dihedral(4)`. The kernel's
    axis is put in the order of this package, and so the axis |H| of its signals is. Source: Cohen and Welling, "Group
    equivariant convolutional networks", ICML 2016, and GrouPy's ``make_gconv_indices``.

    Of a model, the layers are those of GrouPy for PyTorch, or links of GrouPy for Chainer in a list. Between them may
    be ``BatchNorm3d``, which becomes `BatchNorm` with its statistics; ``MaxPool3d`` and ``AvgPool3d`` with windows of
    one element, which become pools over space; ``AdaptiveAvgPool3d(1)``, the mean over H and space; ``Dropout3d``,
    which is `FieldDropout`; the function ``plane_group_spatial_max_pooling`` with its arguments, as
    ``functools.partial`` in a list; and modules that act on each number alone. What follows a ``Flatten`` is copied;
    a ``Linear`` there gets its columns in the order of elements here.

    Args:
        model: ``from_groupy(model)``: a layer, a ``torch.nn.Sequential``, or a list of modules in the order in which
            they run. ``from_groupy(weight, group, ...)``: GrouPy's ``W``, shape (O, C, 1, k, k) of a layer on Z2,
            (O, C, 4, k, k) on p4, (O, C, 8, k, k) on p4m: an array or tensor of float32 or float64.
        group: with a weight, ``cyclic(4)`` for p4, ``dihedral(4)`` for p4m.
        bias: with a weight, GrouPy's ``b``, with O numbers, or None.
        stride, padding: with a weight, GrouPy's ``stride`` and ``pad``.

    Returns:
        A `LiftingConv` for a layer on Z2, a `GroupConv` for another one, a ``torch.nn.Sequential`` of copies for a
        model.

    Raises:
        TypeError, ValueError: shapes, or a group, that are not those; another kind of argument; a module that has no
            counterpart, with the place where it stands.

    Example:
        >>> from_groupy(numpy.ones((8, 3, 1, 3, 3), "float32"), cyclic(4)).weight.shape
        torch.Size([8, 3, 3, 3])
    """
    if group is not None:
        return _layer("weight", model, group, bias, stride, padding)
    if isinstance(model, np.ndarray | torch.Tensor):
        raise TypeError("group is None, expected cyclic(4) or dihedral(4) for a weight")
    found = list(steps("model", model))
    if len(found) == 1 and found[0].module is model and _is_layer(model):
        return _layer_of(found[0])
    walk = Walk()
    for step in found:
        if not _add(walk, step):
            refuse(step, _KINDS)
    return walk.result()


def _layer(
    name: str, weight: Any, group: PointGroup, bias: Any, stride: Axes, padding: Axes
) -> LiftingConv | GroupConv:
    order = _p4_order(point_group(group))
    array = float_numbers(name, weight)
    if array.ndim != 5 or array.shape[2] not in (1, group.order) or array.shape[3] != array.shape[4]:
        raise ValueError(
            f"{name} has shape {array.shape}, expected (O, C, 1, k, k) or (O, C, {group.order}, k, k) for {group.name}"
        )
    on_plane = array.shape[2] == 1
    kernel = array[:, :, 0] if on_plane else array[:, :, np.argsort(order)]
    biases = None if bias is None else float_numbers("bias", bias).reshape(-1)
    kind: LayerName = "lifting" if on_plane else "group"
    layer: LiftingConv | GroupConv = layer_of_pixels(kind, kernel, group, biases, stride=stride, padding=padding)
    return layer


def _p4_order(group: PointGroup) -> tuple[int, ...]:
    """The number here of each of GrouPy's elements."""
    if group == cyclic(4):
        return (0, 1, 2, 3)
    if group == dihedral(4):
        return _D4
    raise ValueError(f"group is {group.name}, expected cyclic(4) for GrouPy's p4 or dihedral(4) for its p4m")


def _is_layer(module: Any) -> bool:
    return hasattr(module, "output_stabilizer_size")


def _layer_of(step: Step) -> LiftingConv | GroupConv:
    """The layer of a module of PyTorch or of a link of Chainer."""
    module = step.module
    if getattr(module, "filter_mask", None) is not None or getattr(module, "flat_channels", False):
        raise ValueError(f"{step.place} has a filter_mask, or flat_channels, expected neither")
    groups = {4: cyclic(4), 8: dihedral(4)}
    if module.output_stabilizer_size not in groups:
        raise ValueError(f"{step.place} has output_stabilizer_size {module.output_stabilizer_size}, expected 4 or 8")
    is_link = hasattr(module, "W")
    weight, bias, padding = (
        (module.W, getattr(module, "b", None), module.pad) if is_link else (module.weight, module.bias, module.padding)
    )
    layer = _layer(
        f"{step.place}.{'W' if is_link else 'weight'}",
        _numbers(weight),
        groups[module.output_stabilizer_size],
        None if bias is None else _numbers(bias),
        tuple(module.stride),
        tuple(padding),
    )
    return layer.train(getattr(module, "training", True))


def _numbers(value: Any) -> Any:
    """A tensor, or the array of a parameter of Chainer."""
    return value if isinstance(value, torch.Tensor) else getattr(value, "array", value)


def _add(walk: Walk, step: Step) -> bool:
    """Adds the counterpart of a module; False if it has none."""
    module, signal = step.module, walk.signal
    if _is_layer(module) and not walk.is_ordinary:
        layer = _layer_of(step)
        reads = layer.group if isinstance(layer, GroupConv) else None
        writes = None if signal is None or signal.order is None else signal.group
        if signal is not None and reads != writes:
            raise ValueError(f"{step.place} reads {_space(reads)}, expected {_space(writes)}, which is before it")
        walk.add(layer, module)
        walk.signal = Signal(layer.group, layer.out_channels, tuple(np.argsort(_p4_order(layer.group)).tolist()))
        return True
    if isinstance(module, nn.Module) and walk.add_ordinary(step, may_be_anything=False):
        return True
    if walk.is_ordinary or signal is None:
        return False
    windows = _windows(step)
    if windows is not None:
        kind, arguments = windows
        walk.add(kind(signal.group, *arguments), module)
        return True
    return _add_module(walk, step, signal)


def _space(group: PointGroup | None) -> str:
    return "a signal on the plane" if group is None else f"a signal on G for {group.name}"


def _add_module(walk: Walk, step: Step, signal: Signal) -> bool:
    """Adds the counterpart of a module of PyTorch for volumes, which reads (B, C, |H|, rows, columns)."""
    module = step.module
    if isinstance(module, nn.BatchNorm3d):
        walk.add(batch_norm_of(module), module)
    elif isinstance(module, nn.Dropout3d):
        walk.add(FieldDropout(module.p), module)
    elif isinstance(module, nn.AdaptiveAvgPool3d) and module.output_size in (1, (1, 1, 1), [1, 1, 1]):
        walk.add(GroupPool(signal.group, "mean"), module)
        walk.add_mean(signal, module)
        walk.signal = Signal(signal.group, signal.channels, None)
    else:
        return False
    return True


def _windows(step: Step) -> tuple[type[SpatialMaxPool] | type[SpatialAvgPool], tuple[Any, Any, Any]] | None:
    """The pool over space that a module or function is, with kernel, stride and padding; None if it is another one."""
    module = step.module
    if isinstance(module, partial) and getattr(module.func, "__name__", "") == _POOLING:
        named = dict(zip(("ksize", "stride", "pad"), module.args, strict=False)) | module.keywords
        if "ksize" in named and not set(named) - {"ksize", "stride", "pad"}:
            return SpatialMaxPool, (named["ksize"], named.get("stride"), named.get("pad", 0))
        return None
    if not isinstance(module, nn.MaxPool3d | nn.AvgPool3d):
        return None
    sizes = [
        value if isinstance(value, tuple | list) else (value,) * 3
        for value in (module.kernel_size, module.stride, module.padding)
    ]
    if [size[0] for size in sizes] != [1, 1, 0]:
        raise ValueError(
            f"{step.place} is a {step.kind} with windows of kernel {tuple(sizes[0])}, stride {tuple(sizes[1])} and "
            f"padding {tuple(sizes[2])}, expected (1, ...), (1, ...) and (0, ...): it would act along the axis of H"
        )
    is_max = isinstance(module, nn.MaxPool3d)
    for name, value in (_PLAIN_MAX if is_max else _PLAIN_MEAN).items():
        found = getattr(module, name)
        if found != value and found != (value,) * 3:
            raise ValueError(f"{step.place} is a {step.kind} with {name} {found}, expected {value}")
    kernel, stride, padding = (tuple(size[1:]) for size in sizes)
    return (SpatialMaxPool if is_max else SpatialAvgPool), (kernel, stride, padding)

# SPDX-License-Identifier: Apache-2.0
"""Layers and sequential models of escnn and e2cnn."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeAlias

import torch
from torch import nn

from .._nn.convolutions import GroupConv, IsotropicConv, LiftingConv, ProjectionConv
from .._nn.group_pool import GroupPool
from .._nn.norm import FieldDropout
from .._nn.spatial import SpatialAvgPool, SpatialMaxPool
from .escnn_convolution import convolution
from .escnn_fields import signal_of
from .steps import Step, refuse, steps
from .walk import Signal, Walk
from .weights import batch_norm_of

_CONVOLUTIONS = ("R2Conv", "R3Conv")
_FUNCTIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "elu": nn.ELU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


def from_escnn(model: Any) -> IsotropicConv | LiftingConv | GroupConv | ProjectionConv | nn.Sequential:
    """The layer that equals one of escnn, or the modules that equal a sequential model of it.

    Fields are all trivial or all regular, on a finite group that maps the grid to itself, by quarter and half turns and
    mirrors at any axis of it. A layer is read off escnn's expanded filter, and compared with all of it; the
    coefficients of escnn's basis have no counterpart here, so layers are made of pixels. Groups are found by their
    matrices: a layer has the named group of this package with escnn's matrices, such as D1 for ``flip2dOnR2``, whose
    group escnn calls C2; if there is none, that of `PointGroup.from_matrices`.

    Signals have an axis |H| of their own, in the order of the layers' ``group``: (B, C, |H|, spatial...) for escnn's
    (B, C |H|, spatial...). The order is escnn's for C1, C2, C4, D1, D2 and D4 mirrored at the vertical axis, escnn's
    default, and for groups without a name here.

    =============================================================== ====================================================
    of escnn                                                        here
    =============================================================== ====================================================
    ``R2Conv``, ``R3Conv``                                          the layer of the fields
    ``InnerBatchNorm``                                              `BatchNorm`, with its statistics
    ``ReLU``, ``ELU``, ``LeakyReLU``, ``PointwiseNonLinearity``     those of PyTorch
    ``PointwiseMaxPool``, ``PointwiseAvgPool``, ``…2D``, ``…3D``    `SpatialMaxPool`, `SpatialAvgPool`
    ``PointwiseAdaptiveAvgPool`` to one place                       `SpatialMean`, without the axes of one place
    ``GroupPooling``                                                `GroupPool` of the maximum
    ``PointwiseDropout``                                            that of PyTorch
    ``FieldDropout``                                                `FieldDropout`, which drops a field in all places
                                                                    at once; escnn draws in each place
    ``R2Upsampling``, ``R3Upsampling``                              ``torch.nn.Upsample``, between reshapes
    ``SequentialModule``, ``IdentityModule``                        what is in it; nothing
    a module that returns its argument's ``tensor``                 nothing
    =============================================================== ====================================================

    Behind the last module of escnn there may be modules of PyTorch, which read the tensor: they are copied, and a
    ``Linear`` behind ``Flatten`` gets its columns in the order of elements here.

    Args:
        model: an ``R2Conv`` (of escnn, or of e2cnn) or ``R3Conv``; or a ``SequentialModule``, a ``torch.nn.Sequential``
            or a list of modules, in the order in which they run, with others of these in it.

    Returns:
        `IsotropicConv`, `LiftingConv`, `GroupConv` or `ProjectionConv` for a convolution, else a
        ``torch.nn.Sequential`` of copies; each module is in training or evaluation as its source is.

    Raises:
        TypeError: what is no such module, or a model whose ``forward`` is its own.
        ValueError: a module that has no counterpart; mixed fields, or fields of another kind; a group that turns the
            grid into another one, a padding mode or groups of channels that layers do not have. The error says where
            the module stands.

    Example:
        A model whose ``forward`` calls its blocks and then unwraps the tensor,
        ``from_escnn([model.block1, model.block2, model.gpool, torch.nn.Flatten(), model.classifier])``.
    """
    found = list(steps("model", model))
    if len(found) == 1 and found[0].module is model and _is_of_escnn(model, _CONVOLUTIONS):
        return convolution("model", model)
    walk = Walk()
    for step in found:
        _add(walk, step)
    return walk.result()


def _is_of_escnn(module: Any, kinds: tuple[str, ...]) -> bool:
    # Without importing it; one that fits in all but the name is read as a convolution.
    return type(module).__name__ in kinds or (not isinstance(module, nn.Module) and hasattr(module, "in_type"))


def _add(walk: Walk, step: Step) -> None:
    """Adds the counterpart of a module."""
    module = step.module
    if not hasattr(module, "in_type"):
        is_known = isinstance(module, nn.Module) and (_unwraps(module) or walk.add_ordinary(step, may_be_anything=True))
        if not is_known:
            refuse(step, _KINDS)
        return
    if walk.is_ordinary:
        raise ValueError(f"{step.place} is a {step.kind} behind modules of PyTorch, expected it before them")
    add = _KINDS.get(step.kind)
    if add is None:
        refuse(step, _KINDS)
    signal = signal_of(step.place, "in_type", module.in_type)
    if walk.signal is not None and walk.signal != signal:
        raise ValueError(f"{step.place} reads {signal}, expected {walk.signal}, which the module before it writes")
    add(walk, step, signal)
    walk.signal = signal_of(step.place, "out_type", module.out_type)


def _unwraps(module: nn.Module) -> bool:
    """Whether a module returns the ``tensor`` of what it is given, and nothing else."""
    tensor = torch.zeros(1, 1, 1, 1)
    try:
        return module(SimpleNamespace(tensor=tensor)) is tensor
    except Exception:  # of a module that does anything else
        return False


def _add_convolution(walk: Walk, step: Step, signal: Signal) -> None:
    walk.restore_space(signal)
    walk.add(convolution(step.place, step.module), step.module)


def _add_batch_norm(walk: Walk, step: Step, signal: Signal) -> None:
    size = 1 if signal.order is None else len(signal.order)
    norms = dict(step.module.named_children())
    name = f"batch_norm_[{size}]"
    if name not in norms:
        raise ValueError(f"{step.place} is an InnerBatchNorm with {sorted(norms)}, expected {name}")
    walk.restore_space(signal)
    walk.add(batch_norm_of(norms[name]), step.module)


def _add_relu(walk: Walk, step: Step, _signal: Signal) -> None:
    walk.add(nn.ReLU(getattr(step.module, "_inplace", False)), step.module)


def _add_elu(walk: Walk, step: Step, _signal: Signal) -> None:
    walk.add(nn.ELU(step.module.alpha, getattr(step.module, "_inplace", False)), step.module)


def _add_leaky_relu(walk: Walk, step: Step, _signal: Signal) -> None:
    slope = getattr(step.module, "_negative_slope", 0.01)
    walk.add(nn.LeakyReLU(slope, getattr(step.module, "_inplace", False)), step.module)


def _add_function(walk: Walk, step: Step, _signal: Signal) -> None:
    function = vars(step.module).get("_function")
    name = getattr(function, "__name__", repr(function))
    if name not in _FUNCTIONS:
        raise ValueError(f"{step.place} is a PointwiseNonLinearity of {name}, expected one of {', '.join(_FUNCTIONS)}")
    walk.add(_FUNCTIONS[name](), step.module)


def _add_windows(walk: Walk, step: Step, signal: Signal) -> None:
    module = step.module
    dilation = getattr(module, "dilation", 1)
    if module.ceil_mode or any(each != 1 for each in (dilation if isinstance(dilation, tuple) else (dilation,))):
        raise ValueError(
            f"{step.place} is a {step.kind} with ceil_mode {module.ceil_mode} and dilation {dilation}, expected False "
            "and 1"
        )
    kind = SpatialMaxPool if "Max" in step.kind else SpatialAvgPool
    walk.restore_space(signal)
    walk.add(kind(signal.group, module.kernel_size, module.stride, module.padding), module)


def _add_mean(walk: Walk, step: Step, signal: Signal) -> None:
    size = step.module.output_size
    if any(extent != 1 for extent in (size if isinstance(size, tuple | list) else (size,))):
        raise ValueError(f"{step.place} is a {step.kind} to {size}, expected to 1")
    walk.add_mean(signal, step.module)


def _add_group_pool(walk: Walk, step: Step, signal: Signal) -> None:
    if signal.order is not None:
        walk.restore_space(signal)
        walk.add(GroupPool(signal.group, "max"), step.module)


def _add_dropout(walk: Walk, step: Step, _signal: Signal) -> None:
    walk.add(nn.Dropout(step.module.p, step.module.inplace), step.module)


def _add_field_dropout(walk: Walk, step: Step, signal: Signal) -> None:
    walk.restore_space(signal)
    walk.add(FieldDropout(step.module.p), step.module)


def _add_upsampling(walk: Walk, step: Step, signal: Signal) -> None:
    module = step.module
    upsample = nn.Upsample(module._size, module._scale_factor, module._mode, module._align_corners)
    walk.restore_space(signal)
    if signal.order is None:
        walk.add(upsample, module)
        return
    unflatten = nn.Unflatten(1, (signal.channels, len(signal.order)))
    walk.add(nn.Sequential(nn.Flatten(1, 2), upsample, unflatten), module)


def _add_nothing(_walk: Walk, _step: Step, _signal: Signal) -> None:
    """For modules that do nothing."""


_Add: TypeAlias = Callable[[Walk, Step, Signal], None]
_KINDS: dict[str, _Add] = {
    **dict.fromkeys(_CONVOLUTIONS, _add_convolution),
    "InnerBatchNorm": _add_batch_norm,
    "ReLU": _add_relu,
    "ELU": _add_elu,
    "LeakyReLU": _add_leaky_relu,
    "PointwiseNonLinearity": _add_function,
    **dict.fromkeys(("PointwiseMaxPool", "PointwiseMaxPool2D", "PointwiseMaxPool3D"), _add_windows),
    **dict.fromkeys(("PointwiseAvgPool", "PointwiseAvgPool2D", "PointwiseAvgPool3D"), _add_windows),
    **dict.fromkeys(
        ("PointwiseAdaptiveAvgPool", "PointwiseAdaptiveAvgPool2D", "PointwiseAdaptiveAvgPool3D"), _add_mean
    ),
    "GroupPooling": _add_group_pool,
    "PointwiseDropout": _add_dropout,
    "FieldDropout": _add_field_dropout,
    "R2Upsampling": _add_upsampling,
    "R3Upsampling": _add_upsampling,
    "IdentityModule": _add_nothing,
}

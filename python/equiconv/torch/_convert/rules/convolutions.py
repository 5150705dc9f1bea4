# SPDX-License-Identifier: Apache-2.0
"""Convolutions and linear maps."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import nn

from ...._functional.convolutions import LayerName
from ..._nn.convolutions import GroupConv, IsotropicConv, LiftingConv, ProjectionConv
from ..._nn.transposed import TransposedConv
from ..channels import Channels
from ..walk import Emit, Signal, Step

# By whether the signals it reads and writes are on the group.
_KINDS: dict[tuple[bool, bool], Any] = {
    (False, False): IsotropicConv,
    (False, True): LiftingConv,
    (True, True): GroupConv,
    (True, False): ProjectionConv,
}
_ALIKE = ("kernel_size", "stride", "padding", "dilation", "output_padding")
# The layer whose adjoint reads and writes such signals.
_ADJOINTS: dict[tuple[bool, bool], LayerName] = {
    (False, False): "isotropic",
    (False, True): "projection",
    (True, True): "group",
    (True, False): "lifting",
}
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def convolution(step: Step) -> tuple[Signal, Emit]:
    """``Conv2d``, ``ConvTranspose2d`` and the like."""
    module, walk, value = step.module, step.walk, step.spatial()
    d = step.group.dimension
    is_transposed = isinstance(module, TRANSPOSED)
    if len(module.kernel_size) != d:
        step.refuse(f"acts on {len(module.kernel_size)} axes of space, expected {d}, the axes of {step.group.name}")
    step.expect_channels(value, module.in_channels, "in_channels")
    step.expect_alike(**{name: getattr(module, name) for name in _ALIKE if hasattr(module, name)})
    on_group = module.groups > 1 or step.node not in walk.projections
    result = step.shared(value, Signal(_written(step, value), on_group, value.places))
    kind = _KINDS[value.on_group, on_group]
    if is_transposed:
        more = module.output_padding
        kind = partial(TransposedConv, layer=_ADJOINTS[value.on_group, on_group], output_padding=more)

    def emit() -> Any:
        counts = walk.count(value), walk.count(result)
        return walk.call(step.node, _layer(step, kind, counts, _groups(step, counts)))

    return result, emit


def _written(step: Step, value: Signal) -> Channels:
    """The channels that a convolution writes. Those of groups keep their number, and there are fewer groups."""
    module = step.module
    if module.groups == module.in_channels == module.out_channels:
        return value.channels
    channels = step.walk.channels(module.out_channels)
    if module.groups > 1:
        value.channels.set_unit(module.in_channels // module.groups)
        channels.set_unit(module.out_channels // module.groups)
    return channels


def _groups(step: Step, counts: tuple[int, int]) -> int:
    """The groups of the layer: as many of the input's channels as there were."""
    module = step.module
    if module.groups == 1:
        return 1
    reads, writes = module.in_channels // module.groups, module.out_channels // module.groups
    groups = int(counts[0] // reads)
    if counts != (groups * reads, groups * writes):
        step.refuse(
            f"has groups={module.groups}, and of {counts[0]} and {counts[1]} channels none of {reads} and {writes} can "
            "be made: make it groups=1"
        )
    return groups


def _layer(step: Step, kind: Any, counts: tuple[int, int], groups: int) -> nn.Module:
    """The layer of an ordinary convolution. Its own errors are told with the place."""
    module = step.module
    padding = 0 if module.padding == "valid" else module.padding
    try:
        layer: nn.Module = kind(
            *counts, tuple(module.kernel_size), step.group, stride=module.stride, padding=padding,
            dilation=module.dilation, padding_mode=module.padding_mode, groups=groups, bias=module.bias is not None,
            device=module.weight.device, dtype=module.weight.dtype,
        )  # fmt: skip
    except (TypeError, ValueError) as error:
        step.refuse(f"has no counterpart on {step.group.name}: {error}")
    return layer


def linear(step: Step) -> tuple[Signal, Emit]:
    """``Linear`` of a vector that H leaves unchanged."""
    module, value, walk = step.module, step.signal, step.walk
    if value.places != "none":
        step.refuse(
            "acts on the last axis of space, expected a vector (B, C): put torch.nn.AdaptiveAvgPool2d(1) and "
            "torch.nn.Flatten() before it"
        )
    step.expect_channels(value, module.in_features, "in_features")
    result = step.shared(value, Signal(walk.channels(module.out_features, is_free=True), False, "none"))

    def emit() -> Any:
        made = nn.Linear(
            walk.count(value), walk.count(result), module.bias is not None, module.weight.device, module.weight.dtype
        )
        return walk.call(step.node, made)

    return result, emit


MODULES: dict[Any, Any] = {
    **dict.fromkeys((nn.Conv1d, nn.Conv2d, nn.Conv3d, *TRANSPOSED), convolution),
    nn.Linear: linear,
}

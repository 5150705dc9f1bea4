# SPDX-License-Identifier: Apache-2.0
"""Modules that are an operation each, whatever they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._nn.fibers import Induce, PartialProjection, Restrict
from ..._nn.resizing import AdaptiveMean, BlurPool, MaxBlurPool, Upsample
from ..._nn.sample_norm import GroupNorm, InstanceNorm, LayerNorm, SqueezeExcite
from ..constants import Constant
from ..modules import Add, Normalize, TransposedFunction
from ..views import Tracked
from ..walk import LeafRule, Step
from .pools import over_space


def _one(step: Step, signals: Sequence[Tracked]) -> Tracked:
    """The only signal that a module reads, as often as it does."""
    if any(signal is not signals[0] for signal in signals):
        step.refuse("reads several signals, expected one")
    return step.natural(signals[0])


def _restrict(step: Step, module: Restrict, signals: list[Tracked]) -> Tracked:
    return step.emit("restrict", [_on_group(step, module.group, signals)], subgroup=list(module.subgroup))


def _on_group(step: Step, group: Any, signals: list[Tracked]) -> Tracked:
    x = _one(step, signals)
    if x.cell.type.group != group or not x.cell.type.is_on_group:
        step.refuse(f"reads {x.cell.type}, expected a signal on {group.name}")
    return x


def _induce(step: Step, module: Induce, signals: list[Tracked]) -> Tracked:
    group = step.walk.builder.group_name(module.group)
    return step.emit("induce", [_one(step, signals)], group=group, stabilizer=list(module.stabilizer))


def _partial_projection(step: Step, module: PartialProjection, signals: list[Tracked]) -> Tracked:
    x = _on_group(step, module.group, signals)
    if len(module.stabilizer) == 1:
        return x
    is_whole = len(module.stabilizer) == module.group.order
    return step.emit("group_pool", [x], mode=module.mode, stabilizer=None if is_whole else list(module.stabilizer))


def _transposed(step: Step, module: TransposedFunction, signals: list[Tracked]) -> Tracked:
    adjoint = next(node for node in step.inside if "input_gradient" in str(node.target))
    weight = step.tensor(step.walk.constant(adjoint.args[1]), "weight")
    bias = None
    if step.node is not adjoint:
        shaped = next(value for node in step.node.all_input_nodes if (value := step.walk.constant(node)) is not None)
        bias = step.tensor(Constant(shaped.node, shaped.tensor.reshape(-1)), "bias")
    more = list(module.output_padding) if any(module.output_padding) else None
    return step.emit(
        "transposed_convolution", [_one(step, signals)], layer=module.layer, weight=weight, bias=bias,
        output_padding=more,
    )  # fmt: skip


def _upsample(step: Step, module: Upsample, signals: list[Tracked]) -> Tracked:
    own = module.options
    corners = own.align_corners or None
    x = _one(step, signals)
    return step.emit("upsample", [x], mode=own.mode, factors=list(own.factor), align_corners=corners)


def _adaptive_mean(step: Step, module: AdaptiveMean, signals: list[Tracked]) -> Tracked:
    x = _one(step, signals)
    if any(size != 1 for size in module.options.size):
        step.refuse(f"has size {list(module.options.size)}, expected 1 for each axis of space", supported=True)
    return over_space(step, x, keeps=True)


def _add(step: Step, module: Add, signals: list[Tracked]) -> Tracked:
    if any(signal.axes != signals[0].axes for signal in signals):
        step.refuse("adds signals that were reshaped in different ways")
    return step.emit_on_views("add", signals)


def _normalize(step: Step, module: Normalize, signals: list[Tracked]) -> Tracked:
    x = _one(step, signals)
    walk = step.walk
    if x.cell.name != walk.builder.input_name or walk.builder.operations:
        step.refuse("normalizes what is not the input of the network")
    walk.normalization = module.normalization
    return x


def _refused(step: Step, module: Any, _signals: list[Tracked]) -> Tracked:
    refused: Tracked = step.refuse(f"is of a {type(module).__name__}, no operation of a network file", supported=True)
    return refused


LEAVES: Mapping[type, LeafRule] = {
    Restrict: _restrict,
    Induce: _induce,
    PartialProjection: _partial_projection,
    TransposedFunction: _transposed,
    Upsample: _upsample,
    AdaptiveMean: _adaptive_mean,
    Add: _add,
    Normalize: _normalize,
    **dict.fromkeys((GroupNorm, InstanceNorm, LayerNorm, SqueezeExcite, BlurPool, MaxBlurPool), _refused),
}

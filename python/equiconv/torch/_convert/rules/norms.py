# SPDX-License-Identifier: Apache-2.0
"""Normalization, by the statistics of a training or of each sample."""

from __future__ import annotations

from typing import Any

from torch import nn

from ..._nn.norm import BatchNorm
from ..._nn.sample_norm import GroupNorm, InstanceNorm
from ..walk import Emit, Signal, Step


def _batch_norm(step: Step) -> tuple[Signal, Emit]:
    """``BatchNorm2d`` and the like: one number for each channel, shared by H."""
    module, value, walk = step.module, step.signal, step.walk
    step.expect_channels(value, module.num_features, "num_features")
    kind: Any = nn.BatchNorm1d if value.places == "none" else BatchNorm

    def emit() -> Any:
        numbers = module.weight if module.weight is not None else module.running_mean
        made = kind(
            walk.count(value), module.eps, module.momentum, module.affine, module.track_running_stats,
            **_where(numbers),
        )  # fmt: skip
        return walk.call(step.node, made)

    return step.shared(value, value), emit


def _group_norm(step: Step) -> tuple[Signal, Emit]:
    """``GroupNorm``, with as many parts as divide the new channels, at most as many as before."""
    module, value, walk = step.module, step.spatial(), step.walk
    step.expect_channels(value, module.num_channels, "num_channels")

    def emit() -> Any:
        channels = walk.count(value)
        parts = max(part for part in range(1, module.num_groups + 1) if channels % part == 0)
        made = GroupNorm(parts, channels, module.eps, module.affine, **_where(module.weight))
        return walk.call(step.node, made)

    return step.shared(value, value), emit


def _instance_norm(step: Step) -> tuple[Signal, Emit]:
    """``InstanceNorm2d`` and the like: each channel by its numbers over H and space."""
    module, value, walk = step.module, step.spatial(), step.walk
    step.expect_channels(value, module.num_features, "num_features")
    if module.track_running_stats:
        step.refuse("has track_running_stats=True, expected False, or use BatchNorm1d, 2d or 3d")

    def emit() -> Any:
        made = InstanceNorm(walk.count(value), module.eps, module.affine, **_where(module.weight))
        return walk.call(step.node, made)

    return step.shared(value, value), emit


def _layer_norm(step: Step) -> tuple[Signal, Emit]:
    """``LayerNorm`` of a vector behind the head; of a signal its weights belong to places."""
    module, value, walk = step.module, step.signal, step.walk
    if value.places != "none" or len(module.normalized_shape) != 1:
        step.refuse(
            f"normalizes the last axes, of sizes {tuple(module.normalized_shape)}, with weights of each place: use "
            "BatchNorm1d, 2d or 3d, or GroupNorm(1, C)"
        )
    step.expect_channels(value, module.normalized_shape[0], "normalized_shape")

    def emit() -> Any:
        bias = module.bias is not None
        made = nn.LayerNorm(walk.count(value), module.eps, module.elementwise_affine, bias, **_where(module.weight))
        return walk.call(step.node, made)

    return step.shared(value, value), emit


def _where(numbers: Any) -> dict[str, Any]:
    """The device and the dtype of a parameter, if there is one."""
    return {} if numbers is None else {"device": numbers.device, "dtype": numbers.dtype}


MODULES: dict[Any, Any] = {
    **dict.fromkeys((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), _batch_norm),
    nn.GroupNorm: _group_norm,
    **dict.fromkeys((nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d), _instance_norm),
    nn.LayerNorm: _layer_norm,
}

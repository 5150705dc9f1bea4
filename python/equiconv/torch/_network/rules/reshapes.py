# SPDX-License-Identifier: Apache-2.0
"""Reshapes, which leave a signal what it is, and padding, which the next convolution reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch

from ..views import Padding, Tracked, are_equal
from ..walk import Rule, Step


def _reshaped(step: Step) -> Tracked:
    x = step.signal(step["self"], may_be_wide=True)
    shape = step.shape
    if len(shape) == len(x.axes) and all(map(are_equal, shape, _shape(x))):
        return x
    result = x.reshaped(shape, step.node)
    if result is None or not result.axes or result.axes[0] != ("B",):
        step.refuse(f"gives {x.cell.type} another shape, expected one that keeps the batch and the order of its axes")
    return result  # type: ignore[return-value]


def _shape(x: Tracked) -> list[object]:
    sizes: list[object] = []
    for axis in x.axes:
        size = 1
        for name in axis:
            size = size * x.cell.sizes[name]
        sizes.append(size)
    return sizes


def _contiguous(step: Step) -> Tracked:
    x = step.tracked(step["self"])
    is_copy = step.arguments.get("memory_format") not in (None, torch.contiguous_format)
    return replace(x, cell=replace(x.cell)) if is_copy else x


# What PyTorch calls the ways in which signals continue.
_MODES = {"constant": "zeros", "circular": "circular", "reflect": "reflect", "replicate": "replicate"}


def _padded(step: Step, mode: str | None = None) -> Tracked:
    x = step.natural(step["self"])
    mode = mode or step.arguments.get("mode", "constant")
    d = x.cell.type.dimension
    pad = list(step["pad"] if "pad" in step.arguments else step["padding"])
    if not all(isinstance(amount, int) for amount in pad) or len(pad) > 2 * d:
        step.refuse(f"pads {pad}, expected integers for the {d} axes of space")
    pad += [0] * (2 * d - len(pad))
    pairs = [(pad[2 * axis], pad[2 * axis + 1]) for axis in reversed(range(d))]
    value = step.arguments.get("value")
    if mode not in _MODES or value not in (None, 0) or any(a != b or a < 0 for a, b in pairs):
        step.refuse(
            f"pads {pad} by {mode if value in (None, 0) else value}, expected as much on both sides by "
            f"{', '.join(_MODES)}, of zeros"
        )
    return replace(x, padding=Padding(_MODES[mode], tuple(a for a, _ in pairs)))


_NAMES = ("view", "reshape", "_unsafe_view", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as", "reshape_as")
RULES: Mapping[str, Rule] = {
    **dict.fromkeys((*_NAMES, "expand", "expand_as"), _reshaped),
    "contiguous": _contiguous,
    "pad": _padded,
    "constant_pad_nd": _padded,
    **{f"reflection_pad{d}d": partial(_padded, mode="reflect") for d in (1, 2, 3)},
    **{f"replication_pad{d}d": partial(_padded, mode="replicate") for d in (1, 2, 3)},
}

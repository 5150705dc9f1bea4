# SPDX-License-Identifier: Apache-2.0
"""Concatenation, flattening behind a pool over space, and the sizes that forwards read for it."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import fx, nn

from ..walk import Emit, Signal, Sizes, Step

_REMEDY = "put torch.nn.AdaptiveAvgPool{d}d(1) before it"


def _concatenated(step: Step) -> tuple[Signal, Emit]:
    walk, d = step.walk, step.group.dimension
    given = dict(zip(("tensors", "dim"), step.node.args, strict=False)) | dict(step.node.kwargs)
    tensors: Any = given.get("tensors")
    nodes = list(tensors) if isinstance(tensors, list | tuple) else []
    values = [step.value(node) for node in nodes]
    parts = [value for value in values if isinstance(value, Signal)]
    if not parts or len(parts) != len(values):
        step.refuse("joins what are no signals, expected a list of signals")
    is_vector = parts[0].places == "none"
    axes, dim = 2 if is_vector else 2 + d, given.get("dim", 0)
    if not isinstance(dim, int) or dim % axes != 1:
        step.refuse(f"is along axis {dim}, expected 1, the channels")
    if any(part.places != parts[0].places for part in parts):
        step.refuse("joins signals with and without axes of space, expected all of one kind")
    sizes = [part.channels.root().size for part in parts]
    if None in sizes:
        step.refuse("joins the input before anything says how many channels it has: put a convolution of it first")
    channels = walk.channels(sum(size for size in sizes if size is not None))
    walk.rows.add(channels, [part.channels for part in parts])
    on_group = any(part.on_group for part in parts)

    def emit() -> Any:
        made = [walk.on_group(node) if on_group else walk.new(node) for node in nodes]
        return walk.graph.call_function(torch.cat, (made, 1))

    return Signal(channels, on_group, parts[0].places), emit


def _flatten(step: Step) -> tuple[Signal, Emit]:
    options = step.options(start_dim=1 if step.module is not None else 0, end_dim=-1)
    value, axes = step.signal, 2 + step.group.dimension
    ends = (-1, 1) if value.places == "none" else (-1, axes - 1)
    if options["start_dim"] != 1 or options["end_dim"] not in ends:
        step.refuse(
            f"flattens axes {options['start_dim']} to {options['end_dim']}, expected 1 to -1: other axes than all but "
            "the batch cannot be rearranged"
        )
    return _flattened(step, value)


def _flattened(step: Step, value: Signal) -> tuple[Signal, Emit]:
    """(B, C, 1, 1) as a vector (B, C), with H pooled before."""
    walk = step.walk
    if value.places == "many":
        remedy = _REMEDY.format(d=step.group.dimension)
        step.refuse(
            "flattens space, so that what follows reads each place by weights of its own, which does not commute with "
            f"the group: {remedy}, or another pool over all of space"
        )

    def emit() -> Any:
        source = walk.on_plane(step.source)
        if step.module is not None:
            return walk.call(step.node, nn.Flatten(1), source)
        return walk.graph.call_function(torch.flatten, (source, 1))

    return Signal(value.channels, False, "none"), emit


def _viewed(step: Step) -> tuple[Signal, Emit]:
    """``x.view(x.size(0), -1)``, and ``x.view(batch, channels, 1, 1)`` of a vector."""
    value, walk, d = step.signal, step.walk, step.group.dimension
    kinds = _shape(step)
    count = value.channels.root().size
    is_batch = kinds[:1] in ([Sizes("batch")], [-1]) and kinds[:2] != [-1, -1]
    is_plain = is_batch and len(kinds) > 1 and kinds[1] in (-1, count, Sizes("other"))
    if is_plain and len(kinds) == 2:
        return _flattened(step, value)
    if not is_plain or kinds[2:] != [1] * d or value.places == "many":
        step.refuse(
            "gives a signal another shape, expected flattening to (B, C) behind a pool over all of space, such as "
            "torch.flatten(x, 1): other reshapes tear space or H apart"
        )
    if value.places == "one":
        return value, lambda: walk.new(step.source)
    return Signal(value.channels, False, "one"), lambda: _with_axes(step)


def _shape(step: Step) -> list[Any]:
    """The sizes that a signal is given."""
    shape: Any = step.node.args[1:] or (step.node.kwargs.get("shape"),)
    sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], list | tuple) else shape
    return [step.value(size) for size in sizes]


def _with_axes(step: Step) -> fx.Node:
    made = step.walk.new(step.source)
    for _ in range(step.group.dimension):
        made = step.walk.graph.call_function(torch.unsqueeze, (made, -1))
    return made


def _sizes(step: Step) -> tuple[Any, Emit]:
    dim = step.options(dim=None)["dim"]
    kind: Any = "all" if dim is None else "batch" if dim == 0 else "other"
    return Sizes(kind), lambda: step.walk.copy(step.node)


def _attribute(step: Step) -> tuple[Any, Emit]:
    name = step.node.args[1]
    if name not in ("shape", "ndim", "dtype", "device"):
        step.refuse(f"reads attribute {name!r} of a signal, expected shape")
    return Sizes("all" if name == "shape" else "other"), lambda: step.walk.copy(step.node)


def _item(step: Step) -> tuple[Any, Emit]:
    value, index = step.value(step.node.args[0]), step.node.args[1]
    if not isinstance(value, Sizes):
        step.refuse(
            "takes parts of a signal, which are tied to places or channels, expected whole signals: use pools, strides "
            "or convolutions"
        )
    return Sizes("batch" if value.kind == "all" and index == 0 else "other"), lambda: step.walk.copy(step.node)


MODULES: dict[Any, Any] = {nn.Flatten: _flatten}
FUNCTIONS: dict[Any, Any] = {
    torch.cat: _concatenated,
    torch.concat: _concatenated,
    torch.concatenate: _concatenated,
    torch.flatten: _flatten,
    torch.reshape: _viewed,
    getattr: _attribute,
    operator.getitem: _item,
}
METHODS = {"flatten": _flatten, "view": _viewed, "reshape": _viewed, "size": _sizes}

# SPDX-License-Identifier: Apache-2.0
"""Means and maxima over H, over windows and over space, and upsampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ..views import Tracked, are_equal, fixed
from ..walk import NeedsFixedSizesError, Rule, Step


def _reduced(step: Step, mode: str, dims: Sequence[int], keeps: bool, x: Any) -> Tracked:
    """The mean or maximum over axes: over H, over space, or over both."""
    source = step.signal(x, may_be_wide=mode == "mean")
    axes = {dim % len(source.axes) for dim in dims} if dims else set(range(len(source.axes)))
    atoms = {name for axis in axes for name in source.axes[axis]}
    space = set(source.cell.space)
    if not atoms or atoms not in ([{"X"}] if mode == "max" or not space else [{"X"}, space, {"X", *space}]):
        name = "maximum" if mode == "max" else "mean"
        step.refuse(f"is a {name} over {_words(atoms)}, expected one over H" + (" or space" if mode == "mean" else ""))
    left = tuple(() if axis in axes else names for axis, names in enumerate(source.axes))
    left = left if keeps else tuple(names for axis, names in enumerate(left) if axis not in axes)
    result = source
    for names, kind, keys in (({"X"}, "group_pool", {"mode": mode}), (space, "spatial_mean", {})):
        if names and names <= atoms:
            cell = step.walk.add(kind, step.node, [result], **keys)
            cell.sizes = {name: size for name, size in result.cell.sizes.items() if name not in names}
            result = replace(result, cell=cell)
    return replace(result, axes=left, dtype=step.node.meta["val"].dtype, node=step.node)


def _words(atoms: set[str]) -> str:
    names = {"B": "the batch", "C": "channels", "X": "H"}
    return " and ".join(sorted({names.get(atom, "space") for atom in atoms})) or "no axis"


def _mean(step: Step) -> Tracked:
    return _reduced(step, "mean", step["dim"] or [], step["keepdim"], step["self"])


def _maximum(step: Step) -> Tracked:
    return _reduced(step, "max", step["dim"] or [], step["keepdim"], step["self"])


def _maximum_and_place(step: Step) -> tuple[Tracked | None, ...]:
    """``max`` with an axis, whose first result is the maximum."""
    if step.node.target._overloadname != "dim":  # type: ignore[union-attr]
        step.refuse("is no maximum over H", supported=True)
    x = step.signal(step["self"])
    axis = step["dim"] % len(x.axes)
    if x.axes[axis] != ("X",):
        step.refuse(f"is a maximum over {_words(set(x.axes[axis]))}, expected one over H")
    axes = tuple(names for number, names in enumerate(x.axes) if number != axis)
    cell = step.walk.add("group_pool", step.node, [x], mode="max")
    cell.sizes = {name: size for name, size in x.cell.sizes.items() if name != "X"}
    axes = tuple(() if number == axis else names for number, names in enumerate(x.axes)) if step["keepdim"] else axes
    return replace(x, cell=cell, axes=axes, node=step.node), None


def _fiber_mean(step: Step) -> Tracked:
    return _reduced(step, "mean", [2], False, step["x"])


def _spatial_mean(step: Step) -> Tracked:
    return _reduced(step, "mean", [-1], False, step["x"])


def over_space(step: Step, x: Tracked, keeps: bool) -> Tracked:
    """The mean over space of a signal as it stands, perhaps with axes of size 1 in place of space."""
    return _reduced(step, "mean", range(-x.cell.type.dimension, 0), keeps, x)


def _adaptive(step: Step) -> Tracked:
    """``adaptive_avg_pool2d`` to a single pixel."""
    x = step.signal(step["self"])
    sizes = step["output_size"]
    if any(size != 1 for size in sizes) or tuple(x.axes[-len(sizes) :]) != tuple((name,) for name in x.cell.space):
        step.refuse(
            f"has output_size {list(sizes)} on {x.cell.type}, expected 1 for each axis of space", supported=True
        )
    return _reduced(step, "mean", range(-len(sizes), 0), True, x)


def _windows(step: Step, kind: str, count: int) -> Tracked:
    x = step.signal(step["self"], may_be_wide=kind == "spatial_mean_pool")
    kernel, padding = _numbers(step, "kernel_size", count), _numbers(step, "padding", count)
    stride = _numbers(step, "stride", count) if step["stride"] else kernel
    if any(size != 1 for size in _numbers(step, "dilation", count) or ()) or step["ceil_mode"]:
        step.refuse("has dilation or ceil_mode, expected neither")
    counts = step.arguments.get("count_include_pad", True) or not any(padding)
    if not counts or step.arguments.get("divisor_override") is not None:
        step.refuse("leaves padding out of its means or has a divisor, expected count_include_pad=True alone")
    d = x.cell.type.dimension
    if not _is_over_space(x, count) or (kernel[:-d], stride[:-d], padding[:-d]) != (
        [1] * (count - d), [1] * (count - d), [0] * (count - d)
    ):  # fmt: skip
        step.refuse(f"has windows over {count} axes of {x.cell.type}, expected the {d} of space: use equiconv's pools")
    result = step.emit_on_views(kind, [x], kernel=kernel[-d:], stride=stride[-d:], padding=padding[-d:])
    return _resized(step, result, x)


def _is_over_space(x: Tracked, count: int) -> bool:
    """Whether the last axes are those of space, perhaps behind that of the fiber."""
    d = x.cell.type.dimension
    own = tuple((name,) for name in x.cell.space)
    behind = x.axes[len(x.axes) - count : len(x.axes) - d]
    return 0 < d <= count < len(x.axes) and x.axes[-d:] == own and behind in ((), (("X",),))


def _resized(step: Step, result: Tracked, x: Tracked) -> Tracked:
    """The result of an operation that changes the sizes of space alone."""
    d = x.cell.type.dimension
    result.cell.sizes = {**x.cell.sizes, **dict(zip(x.cell.space, step.shape[-d:], strict=True))}
    return result


def _numbers(step: Step, name: str, count: int) -> list[int]:
    value = step.arguments.get(name)
    if value is None:
        return []
    numbers = list(value) if isinstance(value, list | tuple) else [value]
    return numbers * count if len(numbers) == 1 else numbers


def _upsampled(step: Step, mode: str, count: int) -> Tracked:
    x = step.signal(step.arguments.get("input", step.arguments.get("self")))
    factors = _factors(step, count, x)
    d = x.cell.type.dimension
    if not _is_over_space(x, count) or any(factor != 1 for factor in factors[: count - d]):
        step.refuse(
            f"resizes {count} axes of {x.cell.type}, expected the {d} of space: flatten H into the channels first"
        )
    corners = True if mode == "linear" and step["align_corners"] else None
    result = step.emit_on_views("upsample", [x], mode=mode, factors=factors[-d:], align_corners=corners)
    return _resized(step, result, x)


def _factors(step: Step, count: int, x: Tracked) -> list[int]:
    """The integers that the sizes are multiplied by."""
    factors = []
    for before, after in zip(step.node.args[0].meta["val"].shape[-count:], step.shape[-count:], strict=True):  # type: ignore[union-attr]
        factor = next((number for number in range(1, 65) if are_equal(before * number, after)), None)
        if factor is None and None in (fixed(before), fixed(after)):
            raise NeedsFixedSizesError
        if factor is None:
            step.refuse(f"resizes {before} to {after}, expected a multiple of it")
        factors.append(factor)
    scales = step.arguments.get("scale_factors")
    if scales is not None and any(scale != factor for scale, factor in zip(scales, factors, strict=True)):
        step.refuse(f"has scale factors {list(scales)}, expected integers")
    return factors  # type: ignore[return-value]


RULES: Mapping[str, Rule] = {
    "mean": _mean,
    "amax": _maximum,
    "max": _maximum_and_place,
    "equiconv::pool_mean": _fiber_mean,
    "equiconv::spatial_mean": _spatial_mean,
    **{f"adaptive_avg_pool{d}d": _adaptive for d in (1, 2, 3)},
    **{f"max_pool{d}d": partial(_windows, kind="spatial_max_pool", count=d) for d in (1, 2, 3)},
    **{f"avg_pool{d}d": partial(_windows, kind="spatial_mean_pool", count=d) for d in (1, 2, 3)},
    **{f"upsample_nearest{d}d": partial(_upsampled, mode="nearest", count=d) for d in (1, 2, 3)},
    **{f"_upsample_nearest_exact{d}d": partial(_upsampled, mode="nearest", count=d) for d in (1, 2, 3)},
    "upsample_linear1d": partial(_upsampled, mode="linear", count=1),
    "upsample_bilinear2d": partial(_upsampled, mode="linear", count=2),
    "upsample_trilinear3d": partial(_upsampled, mode="linear", count=3),
}

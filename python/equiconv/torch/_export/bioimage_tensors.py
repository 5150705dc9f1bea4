# SPDX-License-Identifier: Apache-2.0
"""The tensors of a description of bioimage.io: axes and their sizes, normalization, names of channels."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from .network import Exported

_SPACE = "zyx"
INPUT, OUTPUT = "input", "output"


class Sizes(NamedTuple):
    """Sizes of a spatial axis that a network reads: ``least + n step``, or just the least one."""

    least: int
    step: int | None


def input_axes(found: Exported, sizes: Sequence[Sizes]) -> list[dict[str, Any]]:
    """Batch, channels, and the axes of space with the size of their pixels."""
    channels = [f"channel{index}" for index in range(found.input["channels"])]
    axes: list[dict[str, Any]] = [{"type": "batch"}, {"type": "channel", "id": "channel", "channel_names": channels}]
    pixels: Sequence[float | None] = found.pixel_size or [None] * len(sizes)
    for name, size, pixel in zip(_SPACE[-len(sizes) :], sizes, pixels, strict=True):
        extent: Any = size.least if size.step is None else {"min": size.least, "step": size.step}
        scale = {} if pixel is None else {"unit": "micrometer", "scale": float(pixel)}
        axes.append({"type": "space", "id": name, "size": extent, **scale})
    return axes


def output_axes(found: Exported, sizes: Sequence[Sizes]) -> list[dict[str, Any]]:
    """The axes of what the network writes, whose sizes follow those of the input where these are not fixed."""
    shape = tuple(found.expected.shape)
    names = channel_names(found.classes, shape[1])
    axes: list[dict[str, Any]] = [{"type": "batch"}, {"type": "channel", "id": "channel", "channel_names": names}]
    dimension = found.input["dimension"]
    # (B, C), (B, C, |H|), (B, C, spatial...) or (B, C, |H|, spatial...); on a line a third axis is that of space.
    rest = len(shape) - 2
    if rest == 1 + dimension or (rest == 1 and dimension > 1):
        axes.append({"type": "index", "id": "element", "size": shape[2]})
    if rest >= dimension:
        axes += [_space_axis(found, sizes, axis) for axis in range(dimension)]
    return axes


def _space_axis(found: Exported, sizes: Sequence[Sizes], axis: int) -> dict[str, Any]:
    dimension = len(sizes)
    name, place = _SPACE[-dimension:][axis], found.expected.dim() - dimension + axis
    extent = found.expected.shape[place]
    pixel = None if found.pixel_size is None else float(found.pixel_size[axis])
    step = sizes[axis].step
    if step is None:
        return {"type": "space", "id": name, "size": extent}
    growth = _written_extent(found, sizes, axis, place, 1) - extent
    if growth <= 0 or _written_extent(found, sizes, axis, place, 2) != extent + 2 * growth:
        raise ValueError(f"step of the sizes is {step}, expected one by which the output grows evenly along {name}")
    # Places of the output are `step / growth` pixels apart.
    scale = (pixel or 1.0) * step / growth
    offset = extent - sizes[axis].least * growth / step
    if offset != int(offset):
        raise ValueError(
            f"sizes along {name} begin with {sizes[axis].least}, expected a multiple of {step / growth:g}, the pixels "
            "from one place of the output to the next"
        )
    unit = {} if pixel is None else {"unit": "micrometer"}
    size = {"tensor_id": INPUT, "axis_id": name, "offset": int(offset)}
    return {"type": "space", "id": name, "size": size, **unit, "scale": scale}


def _written_extent(found: Exported, sizes: Sequence[Sizes], axis: int, place: int, steps: int) -> int:
    """What the network writes along an axis for an input that is so many steps larger there."""
    shape = list(found.example.shape)
    shape[2 + axis] += steps * (sizes[axis].step or 0)
    with torch.no_grad():
        return int(found.program(torch.zeros(shape, dtype=found.example.dtype)).shape[place])


def preprocessing(found: Exported) -> list[dict[str, Any]]:
    """The steps from pixels to what the network reads."""
    steps: list[dict[str, Any]] = [{"id": "ensure_dtype", "kwargs": {"dtype": found.document["dtype"]}}]
    normalization = found.about.normalization
    if normalization is None:
        return steps
    if normalization.scale != 1:
        steps.append({"id": "scale_linear", "kwargs": {"gain": normalization.scale}})
    mean, std = list(normalization.mean), list(normalization.deviation)
    if any(mean) or any(number != 1 for number in std):
        kwargs = {"axis": "channel", "mean": mean, "std": std}
        steps.append({"id": "fixed_zero_mean_unit_variance", "kwargs": kwargs})
    return steps


def channel_names(classes: Sequence[str] | None, count: int) -> list[str]:
    """A name for each channel, which bioimage.io wants to be an identifier, all different."""
    names: list[str] = []
    for text in classes if classes is not None else [f"channel{index}" for index in range(count)]:
        name = re.sub(r"\W", "_", text, flags=re.ASCII)
        if not name.isidentifier() or keyword.iskeyword(name):
            name = f"class_{name}"
        while name in names:
            name += "_"
        names.append(name)
    return names

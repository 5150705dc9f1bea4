# SPDX-License-Identifier: Apache-2.0
"""Pools over windows and over all of space, and upsampling."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from ..._nn.resizing import Upsample
from ..._nn.spatial import SpatialAvgPool, SpatialMaxPool
from ..global_pool import GlobalPool
from ..walk import Emit, Signal, Step

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def _windows(step: Step, kind: Any, **defaults: Any) -> tuple[Signal, Emit]:
    value, options = step.spatial(), step.options(**defaults)
    for name in ("dilation", "ceil_mode", "return_indices", "divisor_override"):
        if options.get(name, defaults.get(name)) != defaults.get(name):
            step.refuse(f"has {name}={options[name]}, expected {defaults[name]}")
    if options["padding"] not in (0, (0,) * step.group.dimension) and not options.get("count_include_pad", True):
        step.refuse("has count_include_pad=False, expected True, or padding=0: zeros of the border count in means")
    step.expect_alike(**{name: options[name] for name in ("kernel_size", "stride", "padding")})
    stride = options["stride"] if options["stride"] not in (None, (), []) else None
    try:
        module = kind(step.group, options["kernel_size"], stride, options["padding"])
    except (TypeError, ValueError) as error:
        step.refuse(f"has no counterpart on {step.group.name}: {error}")
    return value, lambda: step.walk.call(step.node, module)


_max_pool = partial(
    _windows, kind=SpatialMaxPool, kernel_size=None, stride=None, padding=0, dilation=1, ceil_mode=False,
    return_indices=False,
)  # fmt: skip
_avg_pool = partial(
    _windows, kind=SpatialAvgPool, kernel_size=None, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
    divisor_override=None,
)  # fmt: skip


def _adaptive(step: Step, mode: str) -> tuple[Signal, Emit]:
    """A pool to a single place; the axis of H stays until the plane is needed."""
    value, size = step.spatial(), step.options(output_size=None)["output_size"]
    sizes = size if isinstance(size, tuple | list) else (size,)
    if any(item != 1 for item in sizes):
        step.refuse(
            f"has output_size={size}, expected 1: windows of other sizes differ where the size is no multiple. Use "
            "output_size=1, or a pool with a stride"
        )
    module = GlobalPool(step.group, mode)
    return Signal(value.channels, value.on_group, "one"), lambda: step.walk.call(step.node, module)


def _over_space(step: Step, mode: str) -> tuple[Signal, Emit]:
    """``x.mean((2, 3))`` and ``x.amax((2, 3))``: over all of space, and where no axis is kept over H too."""
    value, d, walk = step.spatial(), step.group.dimension, step.walk
    options = step.options(dim=None, keepdim=False)
    dims = options["dim"] if isinstance(options["dim"], tuple | list) else (options["dim"],)
    if any(not isinstance(dim, int) for dim in dims) or {dim % (2 + d) for dim in dims} != set(range(2, 2 + d)):
        step.refuse(f"is over axes {options['dim']}, expected {tuple(range(2, 2 + d))}, all of space")
    keeps = bool(options["keepdim"])

    def emit() -> Any:
        pooled = walk.call(step.node, GlobalPool(step.group, mode), walk.new(step.source))
        return pooled if keeps else walk.graph.call_function(torch.flatten, (walk.pooled(pooled, value), 1))

    return Signal(value.channels, value.on_group and keeps, "one" if keeps else "none"), emit


def _upsample(step: Step) -> tuple[Signal, Emit]:
    value, d = step.spatial(), step.group.dimension
    options = step.options(size=None, scale_factor=None, mode="nearest", align_corners=None)
    if options["size"] is not None:
        step.refuse("has a size, expected scale_factor with an integer: sizes then follow from the input")
    scale = options["scale_factor"]
    factors = tuple(scale) if isinstance(scale, tuple | list) else (scale,) * d
    if any(not isinstance(factor, int | float) or factor != int(factor) or factor < 1 for factor in factors):
        step.refuse(f"has scale_factor={scale}, expected integers: others move pixels to one side")
    step.expect_alike(scale_factor=factors)
    mode = options["mode"]
    if mode not in ("nearest", "nearest-exact", _LINEAR[d]):
        step.refuse(f"has mode={mode!r}, expected 'nearest' or {_LINEAR[d]!r}")
    name: Any = "linear" if mode == _LINEAR[d] else "nearest"
    module = Upsample(step.group, tuple(map(int, factors)), name, bool(options["align_corners"]))
    return value, lambda: step.walk.call(step.node, module)


_ADAPTIVE_MEANS = ("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d")
_ADAPTIVE_MAXIMA = ("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d")
_MAXIMA, _MEANS = ("max_pool1d", "max_pool2d", "max_pool3d"), ("avg_pool1d", "avg_pool2d", "avg_pool3d")

MODULES: dict[Any, Any] = {
    **dict.fromkeys((nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d), _max_pool),
    **dict.fromkeys((nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d), _avg_pool),
    **dict.fromkeys(
        (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d), partial(_adaptive, mode="mean")
    ),
    **dict.fromkeys((nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d), partial(_adaptive, mode="max")),
    **dict.fromkeys((nn.Upsample, nn.UpsamplingNearest2d, nn.UpsamplingBilinear2d), _upsample),
}
FUNCTIONS: dict[Any, Any] = {
    **{getattr(functional, name): _max_pool for name in _MAXIMA},
    **{getattr(functional, name): _avg_pool for name in _MEANS},
    **{getattr(functional, name): partial(_adaptive, mode="mean") for name in _ADAPTIVE_MEANS},
    **{getattr(functional, name): partial(_adaptive, mode="max") for name in _ADAPTIVE_MAXIMA},
    **dict.fromkeys((torch.max_pool1d, torch.max_pool2d, torch.max_pool3d), _max_pool),
    torch.adaptive_avg_pool1d: partial(_adaptive, mode="mean"),
    functional.interpolate: _upsample,
    torch.mean: partial(_over_space, mode="mean"),
    torch.amax: partial(_over_space, mode="max"),
}
METHODS = {"mean": partial(_over_space, mode="mean"), "amax": partial(_over_space, mode="max")}

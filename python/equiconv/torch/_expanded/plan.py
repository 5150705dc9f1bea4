# SPDX-License-Identifier: Apache-2.0
"""What follows from a layer and the shape of its weight: constants of a call, to a compiler too."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch

from ..._layer.expansion import FLAT_FIRST, expansion_of
from .._operators.layers import spec_of
from .._operators.tensors import Form
from .bank import Recipe, recipe_of

# The algorithms that ask for turned signals.
_EXACT = ("direct", "exact")


class Plan(NamedTuple):
    """An ordinary convolution that is a layer.

    Attributes:
        recipe: of the bank.
        stride, padding, dilation: of the convolution, one for each axis of space.
        is_circular: whether the signal is padded with itself.
        is_depthwise: whether each channel has a convolution of its own.
        is_exact: whether the layer asks for results that are equal to the last bit.
        channels: C.
        input_points, output_points: |X| and |Y|, None for no axis.
    """

    recipe: Recipe
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    is_circular: bool
    is_depthwise: bool
    is_exact: bool
    channels: int
    input_points: int | None
    output_points: int | None

    @property
    def dimension(self) -> int:
        """The number of axes of space."""
        return len(self.stride)

    @property
    def reach(self) -> tuple[int, ...]:
        """How far the bank's dilated taps reach on each axis."""
        return tuple(d * (taps - 1) + 1 for d, taps in zip(self.dilation, self.recipe.taps, strict=True))


# An operator of PyTorch cannot take tables. To a compiler they are constants of the layer.
@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def plan_of(
    text: str, weight: tuple[int, ...], device: torch.device, dtype: torch.dtype, is_compiling: bool = False
) -> Plan:
    """The plan of a layer.

    Args:
        text: of the layer.
        weight: the shape of its weight, which fits it.
        device, dtype: where it is computed, and in which dtype.
        is_compiling: whether for a compiler.

    Raises ValueError for a layer that asks for an algorithm of the engine.
    """
    return _plan(text, weight, device, dtype, is_compiling)


@lru_cache(maxsize=512)
def _plan(text: str, weight: tuple[int, ...], device: torch.device, dtype: torch.dtype, is_compiling: bool) -> Plan:
    spec = spec_of(text)
    group, sampling, layer = spec.group, spec.sampling, spec.layer
    if sampling.algorithm not in ("auto", *_EXACT):
        raise ValueError(
            f"algorithm is {sampling.algorithm!r}, expected 'auto', 'direct' or 'exact' with backend 'torch': the "
            "others are the engine's, for float32 and float64 on the CPU"
        )
    extents = extents_of(text, weight)
    # Elements that enlarge the kernel enlarge the bank, about the same center.
    padding = tuple(
        amount + (taps - extent) // 2 * dilation
        for amount, taps, extent, dilation in zip(
            sampling.amounts(extents), expansion_of(spec, extents).taps, extents, sampling.dilation, strict=True
        )
    )
    # A compiler chooses layouts by itself, and fails on given ones where sizes are symbols.
    axes = FLAT_FIRST if is_compiling else None
    return Plan(
        recipe_of(text, extents, weight[1], device, dtype, axes), sampling.stride, padding, sampling.dilation,
        sampling.padding_mode == "circular", layer.depthwise, sampling.algorithm in _EXACT,
        weight[0] if layer.depthwise else weight[1], layer.input_points(group), layer.output_points(group),
    )  # fmt: skip


def extents_of(text: str, weight: tuple[int, ...]) -> tuple[int, ...]:
    """The taps of kernels of a weight."""
    spec = spec_of(text)
    return spec.kernel.extents(Form.of_shape(weight), spec.group.dimension)

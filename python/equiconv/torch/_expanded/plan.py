# SPDX-License-Identifier: Apache-2.0
"""What follows from a layer and the shape of its weight: constants of a call, to a compiler too."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from ..._layer.expansion import FLAT_FIRST, expansion_of
from ..._layer.sampling import PADDING_MODES
from .._operators.layers import spec_of
from .._operators.tensors import Form
from .bank import Recipe, recipe_of
from .gather import Layout, Places

# The algorithms that ask for turned signals.
_EXACT = ("direct", "exact")


class Plan(NamedTuple):
    """An ordinary convolution that is a layer.

    Attributes:
        recipe: of the bank.
        stride, padding, dilation: of the convolution, one for each axis of space.
        padding_mode: what lies around the signal.
        groups: parts of the channels, each with a convolution of its own.
        is_exact: whether the layer asks for results that are equal to the last bit.
        channels: C.
        input_points, output_points: |X| and |Y|, None for no axis.
    """

    recipe: Recipe
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    padding_mode: str
    groups: int
    is_exact: bool
    channels: int
    input_points: int | None
    output_points: int | None

    @property
    def dimension(self) -> int:
        """The number of axes of space."""
        return len(self.stride)

    @property
    def is_continued(self) -> bool:
        """Whether the signal is padded with numbers of its own."""
        return self.padding_mode != "zeros"

    @property
    def reach(self) -> tuple[int, ...]:
        """How far the bank's dilated taps reach on each axis."""
        return tuple(d * (taps - 1) + 1 for d, taps in zip(self.dilation, self.recipe.taps, strict=True))


def plan_of(text: str, weight: tuple[int, ...], device: torch.device, dtype: torch.dtype) -> Plan:
    """The plan of a layer, for a compiler too.

    Args:
        text: of the layer.
        weight: the shape of its weight, which fits it.
        device, dtype: where it is computed, and in which dtype.

    Raises ValueError for a layer that asks for an algorithm of the engine.
    """
    if torch.compiler.is_compiling():
        return _read(_numbers(text, weight, device, dtype), _tables(text, weight, device, dtype))
    return _plan(text, weight, device, dtype, False)


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
    padding = sampling.amounts_of_bank(extents, expansion_of(spec, extents).taps)
    # A compiler chooses layouts by itself, and fails on given ones where sizes are symbols.
    axes = FLAT_FIRST if is_compiling else None
    return Plan(
        recipe_of(text, extents, weight[1], device, dtype, axes), sampling.stride, padding, sampling.dilation,
        sampling.padding_mode, spec.kernel.groups, sampling.algorithm in _EXACT,
        weight[1] * spec.kernel.groups, layer.input_points(group), layer.output_points(group),
    )  # fmt: skip


# ---- For compilers, to which a plan is a constant of the layer. A number that a constant holds would become an unknown
# where sizes may change from call to call, and the size of a table too: numbers go through as text, and tables as
# parameters.


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _tables(
    text: str, weight: tuple[int, ...], device: torch.device, dtype: torch.dtype
) -> tuple[Tensor | None, Tensor | None, Tensor, Tensor]:
    recipe = _plan(text, weight, device, dtype, True).recipe
    tables = (recipe.space, recipe.fiber, recipe.places.columns, recipe.places.adjoint)
    if torch.compiler.is_exporting():
        return tables
    space, fiber, columns, adjoint = (
        None if table is None else torch.nn.Parameter(table, requires_grad=False) for table in tables
    )
    return space, fiber, columns, adjoint  # type: ignore[return-value]


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _numbers(text: str, weight: tuple[int, ...], device: torch.device, dtype: torch.dtype) -> str:
    plan = _plan(text, weight, device, dtype, True)
    recipe, layout = plan.recipe, plan.recipe.places.layout
    mode = PADDING_MODES.index(plan.padding_mode)
    flags = (mode, plan.groups, plan.is_exact, layout.is_channels_last, layout.has_zero)
    counts = (plan.channels, plan.input_points or 0, plan.output_points or 0, recipe.functions, recipe.coefficients)
    sizes = (recipe.order, layout.points, layout.elements, layout.channels, layout.readers)
    rows = (plan.stride, plan.padding, plan.dilation, layout.taps, (*flags, layout.adjoint_has_zero), counts, sizes)
    return ";".join(",".join(str(int(number)) for number in row) for row in rows)


def _read(numbers: str, tables: tuple[Tensor | None, Tensor | None, Tensor, Tensor]) -> Plan:
    rows = [tuple([int(number) for number in row.split(",")]) for row in numbers.split(";")]
    stride, padding, dilation, taps, flags, counts, sizes = rows
    space, fiber, columns, adjoint = tables
    order, points, elements, channels, readers = sizes
    layout = Layout(points, elements, channels, taps, readers, flags[3] > 0, flags[4] > 0, flags[5] > 0)
    recipe = Recipe(space, fiber, Places(columns, adjoint, layout), counts[3], counts[4], order)
    return Plan(
        recipe, stride, padding, dilation, PADDING_MODES[flags[0]], flags[1], flags[2] > 0, counts[0],
        counts[1] or None, counts[2] or None,
    )  # fmt: skip


def extents_of(text: str, weight: tuple[int, ...]) -> tuple[int, ...]:
    """The taps of kernels of a weight."""
    spec = spec_of(text)
    return spec.kernel.extents(Form.of_shape(weight), spec.group.dimension)

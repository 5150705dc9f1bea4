# SPDX-License-Identifier: Apache-2.0
"""The filter bank of a layer as a differentiable function of its weights, made on the device where they are."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from ..._layer.expansion import FLAT_FIRST, FLAT_LAST, bank_tables, expansion_of
from .._operators.layers import spec_of
from .gather import Layout, Places, gather, scatter


class Recipe(NamedTuple):
    """How a bank is made of weights: `BankTables` as tensors on a device.

    Attributes:
        space, fiber: matrices, or None.
        places: of the gather.
        functions, coefficients, order: I, J and |H|.
    """

    space: Tensor | None
    fiber: Tensor | None
    places: Places
    functions: int
    coefficients: int
    order: int

    @property
    def taps(self) -> tuple[int, ...]:
        """The extents of the bank."""
        return self.places.layout.taps


@lru_cache(maxsize=512)
def recipe_of(
    text: str,
    extents: tuple[int, ...],
    channels: int,
    device: torch.device,
    dtype: torch.dtype,
    axes: str | None = None,
    outputs: tuple[int, ...] | None = None,
    inputs: tuple[int, ...] | None = None,
) -> Recipe:
    """The recipe of a layer on a device.

    Args:
        text: of the layer.
        extents: the taps of its kernels.
        channels: axis 1 of its weights.
        device, dtype: of its weights, the dtype that of the computation.
        axes: the order of the bank's axes in memory; if not given, with channels last where torch has such a format.
        outputs, inputs: points of Y and X, for a part of the bank; all if not given.
    """
    expansion = expansion_of(spec_of(text), extents)
    order = axes or (FLAT_FIRST if len(extents) == 1 else FLAT_LAST)
    tables = bank_tables(expansion, channels, order, outputs, inputs)

    def constant(array: Any, kind: torch.dtype | None = None) -> Any:
        return None if array is None else torch.from_numpy(array).to(device, kind)

    sizes = dict(zip(order, tables.shape, strict=True))
    layout = Layout(
        sizes["p"], sizes["h"], sizes["c"] * sizes["q"], expansion.taps, len(tables.adjoint), order != FLAT_FIRST,
        tables.has_zero, tables.adjoint_has_zero,
    )  # fmt: skip
    # Kept for later calls, so they must not be what a mode of this one makes of tensors.
    with _disable_current_modes(), torch.inference_mode(False):
        return Recipe(
            constant(tables.space, dtype), constant(tables.fiber, dtype),
            Places(constant(tables.index, torch.int64), constant(tables.adjoint, torch.int64), layout),
            expansion.fiber.inputs, expansion.space.inputs, expansion.order,
        )  # fmt: skip


def expanded_bank(weight: Tensor, recipe: Recipe) -> Tensor:
    """The bank (O |Y|, C |X|, taps...) of a weight (O, C, ...)."""
    if recipe.space is None and recipe.fiber is None:
        return gather(weight, recipe.places)
    outputs, channels = weight.shape[:2]
    values = weight.reshape(outputs, channels, recipe.functions, recipe.coefficients)
    if recipe.space is not None:
        values = values @ recipe.space
    if recipe.fiber is not None and recipe.space is None:
        # (|H| |X|, I) @ (O, C, I, J)
        values = recipe.fiber.flatten(0, 1) @ values
    elif recipe.fiber is not None:
        # (|H|, |X|, I) @ (O, C, |H|, I, T)
        values = recipe.fiber @ values.reshape(*values.shape[:3], recipe.order, -1).transpose(2, 3)
    return gather(values, recipe.places)


def contracted_bank(bank: Tensor, weight_shape: tuple[int, ...], recipe: Recipe) -> Tensor:
    """The adjoint of `expanded_bank`, for where autograd does not run: a weight gradient from that of a bank."""
    if recipe.space is None and recipe.fiber is None:
        return scatter(bank, recipe.places, weight_shape)
    outputs, channels = weight_shape[:2]
    values = scatter(bank, recipe.places, (outputs, recipe.places.adjoint.shape[1]))
    if recipe.fiber is not None and recipe.space is None:
        matrix = recipe.fiber.flatten(0, 1)
        values = matrix.T @ values.reshape(outputs, channels, matrix.shape[0], -1)
    elif recipe.fiber is not None:
        values = values.reshape(outputs, channels, recipe.order, recipe.fiber.shape[1], -1)
        values = (recipe.fiber.transpose(1, 2) @ values).transpose(2, 3)
    if recipe.space is not None:
        values = values.reshape(outputs, channels, recipe.functions, -1) @ recipe.space.T
    return values.reshape(weight_shape)

# SPDX-License-Identifier: Apache-2.0
"""Layers by turned signals: equal to the last bit under all elements that map the grid to itself.

All turned copies of a signal lie one after the other along the batch, and go through one ordinary convolution whose
kernels are not turned. A turned signal only exchanges the places of these copies, so that each number is computed from
the same numbers in the same way, if the library's results for one image do not depend on its place in the batch. The
same holds for the gradient of the signal, by the transposed convolution. `equiconv._layer.turning` has the formula.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..._layer.expansion import POINTS_OUTSIDE
from ..._layer.turning import Turning, turning_of
from .._operators.bilinear import Kernels, define_layer
from .._operators.layers import spec_of
from .._operators.sums import sorted_sum
from .bank import contracted_bank, expanded_bank, recipe_of
from .functional import CONVOLUTIONS, TRANSPOSED
from .operands import check_fits, check_numbers
from .padding import padded, unpadded
from .plan import Plan, extents_of, plan_of
from .turns import Turns, turns_of


class _Work(NamedTuple):
    """A layer and how it is turned."""

    text: str
    weight: Tensor
    plan: Plan
    turning: Turning

    @classmethod
    def of(cls, text: str, weight: Tensor) -> _Work:
        plan = plan_of(text, tuple(weight.shape), weight.device, weight.dtype)
        return cls(text, weight, plan, turning_of(spec_of(text)))

    @property
    def points(self) -> tuple[int, int]:
        """|X| and |Y|, 1 without an axis."""
        return self.plan.input_points or 1, self.plan.output_points or 1

    def turns(self, signal: Tensor, *, is_adjoint: bool) -> Turns:
        """Where the numbers of a signal go, for the layer or its adjoint."""
        plan = self.plan
        sizes = tuple(signal.shape[-plan.dimension :])
        return turns_of(self.text, sizes, plan.stride, plan.reach, signal.device, is_adjoint)

    def bank(self, outputs: tuple[int, ...] | None, inputs: tuple[int, ...] | None) -> Tensor:
        """The bank between some points, (O, |Y| of them, |X| C or |X|, taps...)."""
        shape = tuple(self.weight.shape)
        recipe = recipe_of(
            self.text, extents_of(self.text, shape), shape[1], self.weight.device, self.weight.dtype, POINTS_OUTSIDE,
            outputs, inputs,
        )  # fmt: skip
        bank: Tensor = expanded_bank(self.weight, recipe).unflatten(0, (shape[0], -1))  # type: ignore[no-untyped-call]
        return bank


def _forward(x: Tensor, weight: Tensor, bias: Tensor | None, layer: str) -> Tensor:
    check_fits(x, weight, bias, layer)
    work = _Work.of(layer, weight)
    plan, outputs = work.plan, work.turning.outputs
    signal = padded(x, plan)
    bank = work.bank(outputs.representatives, None)
    count = bank.shape[1]
    bank = _with_points_outside(bank, plan.groups)
    biases = None if bias is None else bias.unflatten(0, (plan.groups, 1, -1)).expand(-1, count, -1).flatten()  # type: ignore[no-untyped-call]
    convolution = CONVOLUTIONS[len(plan.stride) - 1]

    def run(turned: Tensor) -> Tensor:
        y: Tensor = convolution(turned, bank, biases, plan.stride, 0, plan.dilation, plan.groups)
        return y

    y = _by_turns(signal, work, work.points[0], work.turns(signal, is_adjoint=False), run)
    return y if plan.output_points is not None else y.squeeze(2)


def _input_gradient(grad_out: Tensor, weight: Tensor, shape: Sequence[int], layer: str) -> Tensor:
    check_numbers("grad_out", grad_out)
    check_numbers("weight", weight)
    work = _Work.of(layer, weight)
    plan, inputs = work.plan, work.turning.inputs
    bank = work.bank(None, inputs.representatives)
    bank = _with_points_outside(bank, plan.groups)
    transposed = TRANSPOSED[len(plan.stride) - 1]

    def run(turned: Tensor) -> Tensor:
        gradient: Tensor = transposed(turned, bank, None, plan.stride, 0, 0, plan.groups, plan.dilation)
        return gradient

    gradient = _by_turns(grad_out, work, work.points[1], work.turns(grad_out, is_adjoint=True), run)
    gradient = gradient if plan.input_points is not None else gradient.squeeze(2)
    return unpadded(gradient, tuple(shape[-plan.dimension :]), plan)


def _weight_gradient(grad_out: Tensor, x: Tensor, shape: Sequence[int], layer: str) -> Tensor:
    """By the expanded bank: turning a signal changes the order of its sums, whatever one does."""
    check_numbers("grad_out", grad_out)
    check_numbers("x", x)
    plan = plan_of(layer, tuple(shape), x.device, x.dtype)
    signal = padded(x, plan)
    signal = signal if plan.input_points is None else signal.flatten(1, 2)
    gradient = grad_out if plan.output_points is None else grad_out.flatten(1, 2)
    bank = x.new_empty((gradient.shape[1], signal.shape[1] // plan.groups, *plan.recipe.taps))
    zeros = [0] * plan.dimension
    _, bank_gradient, _ = torch.ops.aten.convolution_backward(
        gradient, signal, bank, None, plan.stride, zeros, plan.dilation, False, zeros, plan.groups, [False, True, False]
    )
    return contracted_bank(bank_gradient, tuple(shape), plan.recipe)


def _by_turns(signal: Tensor, work: _Work, points: int, turns: Turns, run: Any) -> Tensor:
    """All turned copies of a signal through `run`, turned back: (B, O, points, sizes of the result...).

    Args:
        signal: (B, C, [points,] sizes...).
        work: the layer.
        points: of the signal's axis, 1 for none.
        turns: where numbers go.
        run: of a stack (copies, groups points C / groups, sizes...): the same of the representatives' points.
    """
    (batch, channels), groups = signal.shape[:2], work.plan.groups
    # (B, points sizes, C): numbers that move together lie together.
    rows = signal.reshape(batch, channels, -1).transpose(1, 2).contiguous()
    results = []
    for there in turns.there:
        stack = rows.index_select(1, there.places).view(batch * there.copies, *there.sizes, points, channels)
        y = run(_parts_outside(stack, groups).movedim(-1, 1)).movedim(1, -1)
        y = _points_outside(y, groups, turns.representatives)
        count = there.copies * math.prod(y.shape[1:-1]) * turns.representatives
        results.append(y.reshape(batch, count, y.shape[-1] // turns.representatives))
    joined = results[0] if len(results) == 1 else torch.cat(results, 1)
    found: Tensor = joined.index_select(1, turns.back.flatten()).unflatten(1, turns.back.shape)  # type: ignore[no-untyped-call]
    mean = _mean(found)
    # (B, points sizes, O)
    return mean.transpose(1, 2).reshape(batch, mean.shape[-1], *turns.shape).contiguous()


def _with_points_outside(bank: Tensor, groups: int) -> Tensor:
    """A bank (O, points, ...) with its rows in the order (groups, points, O / groups)."""
    return bank.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 2)  # type: ignore[no-untyped-call,no-any-return]


def _parts_outside(stack: Tensor, groups: int) -> Tensor:
    """(..., points, C) to (..., groups points C / groups)."""
    if groups == 1:
        return stack.flatten(-2)
    return stack.unflatten(-1, (groups, -1)).transpose(-2, -3).flatten(-3)  # type: ignore[no-untyped-call,no-any-return]


def _points_outside(y: Tensor, groups: int, points: int) -> Tensor:
    """(..., groups points O / groups) to (..., points O)."""
    if groups == 1:
        return y
    return y.unflatten(-1, (groups, points, -1)).transpose(-2, -3).flatten(-3)  # type: ignore[no-untyped-call,no-any-return]


def _mean(values: Tensor) -> Tensor:
    """The mean over axis 1, whose bits do not depend on the order."""
    count = values.shape[1]
    return values.squeeze(1) if count == 1 else (sorted_sum(values, 1) / count).to(values.dtype)


forward, input_gradient, weight_gradient = define_layer(
    "turned_", Kernels(_forward, _input_gradient, _weight_gradient, None, check_numbers, is_single=False)
)

# SPDX-License-Identifier: Apache-2.0
"""A gather whose derivative is a gather too.

PyTorch's own derivative of indexing adds into the gradient from many threads at once, in an order that differs from run
to run. With the places at which each number is read, the gradient is a gather and a sum, in one order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import Function


class Places(NamedTuple):
    """Where the numbers of a gather are.

    Attributes:
        columns: (M,), the column of the input that each column of the result is; N for zero.
        adjoint: (R, N), the columns of the result that each column of the input is; M for none.
        has_zero, adjoint_has_zero: whether an entry is N, or M.
    """

    columns: Tensor
    adjoint: Tensor
    has_zero: bool
    adjoint_has_zero: bool


def gather(values: Tensor, places: Places) -> Tensor:
    """``values[:, columns]``, from (O, N) to (O, M). Its derivatives of all orders and modes are this and `scatter`."""
    kind = _Gather if torch.compiler.is_compiling() else _GatherForward
    return kind.apply(values, *places)  # type: ignore[no-any-return, no-untyped-call]


def scatter(gradient: Tensor, places: Places) -> Tensor:
    """The adjoint of `gather`, from (O, M) to (O, N): the sum over r of ``gradient[:, adjoint[r]]``."""
    kind = _Scatter if torch.compiler.is_compiling() else _ScatterForward
    return kind.apply(gradient, *places)  # type: ignore[no-any-return, no-untyped-call]


def _places(ctx: Any) -> Places:
    columns, adjoint = ctx.saved_tensors
    return Places(columns, adjoint, ctx.has_zero, ctx.adjoint_has_zero)


class _Pair(Function):
    generate_vmap_rule = True

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keeps the places."""
        _, columns, adjoint, ctx.has_zero, ctx.adjoint_has_zero = inputs
        ctx.save_for_backward(columns, adjoint)
        ctx.save_for_forward(columns, adjoint)


class _Gather(_Pair):
    @staticmethod
    def forward(values: Tensor, columns: Tensor, adjoint: Tensor, has_zero: bool, adjoint_has_zero: bool) -> Tensor:
        """The gather."""
        return (torch.nn.functional.pad(values, (0, 1)) if has_zero else values).index_select(1, columns)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        """The scatter."""
        places = _places(ctx)
        return scatter(gradient, places), None, None, None, None


class _Scatter(_Pair):
    @staticmethod
    def forward(gradient: Tensor, columns: Tensor, adjoint: Tensor, has_zero: bool, adjoint_has_zero: bool) -> Tensor:
        """The scatter."""
        padded = torch.nn.functional.pad(gradient, (0, 1)) if adjoint_has_zero else gradient
        found = padded.index_select(1, adjoint.flatten())
        # Sizes one by one: compilers cannot take a shape apart here.
        rows, width = adjoint.size(0), adjoint.size(1)
        return found if rows == 1 else found.view(-1, rows, width).sum(1)

    @staticmethod
    def backward(ctx: Any, values: Tensor) -> tuple[Any, ...]:
        """The gather."""
        places = _places(ctx)
        return gather(values, places), None, None, None, None


# Compilers take no function that has a rule of forward mode.
class _GatherForward(_Gather):
    @staticmethod
    def jvp(ctx: Any, values: Tensor, *_constants: None) -> Tensor:
        """The gather of the tangent."""
        return gather(values, _places(ctx))


class _ScatterForward(_Scatter):
    @staticmethod
    def jvp(ctx: Any, gradient: Tensor, *_constants: None) -> Tensor:
        """The scatter of the tangent."""
        return scatter(gradient, _places(ctx))

# SPDX-License-Identifier: Apache-2.0
"""The filter bank as a gather, whose derivative is a gather too.

PyTorch's own derivative of indexing adds into the gradient from many threads at once, in an order that differs from run
to run. With the places at which each number is read, the gradient is a gather and a sum, in one order.

Both take and give the shapes that their callers have: every view beside them would cost autograd as much as they do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import Function

from .._operators.dispatch import is_transformed


class Layout(NamedTuple):
    """What is known of a bank without tensors: numbers, where a compiler may take the sizes of tables for unknowns.

    Attributes:
        points: |Y|, or the number of its points that the bank has.
        elements: |K'|, over which the bank is a mean.
        channels: C |X|, or as many as the bank has.
        taps: its extents.
        readers: R, how often each number of the weights is in one output channel's bank at most.
        is_channels_last: whether channels are next to each other in memory.
        has_zero, adjoint_has_zero: whether an entry of the columns, or of the adjoint, is a zero.
    """

    points: int
    elements: int
    channels: int
    taps: tuple[int, ...]
    readers: int
    is_channels_last: bool
    has_zero: bool
    adjoint_has_zero: bool


class Places(NamedTuple):
    """Where the numbers of a bank are, of weights or what was made of them, in N columns for each output channel.

    Attributes:
        columns: (M,), the column of the weights that each number of one output channel's bank is; N for zero.
        adjoint: (R, N), the numbers of the bank, before its mean, that each column is; M for none.
        layout: of the bank.
    """

    columns: Tensor
    adjoint: Tensor
    layout: Layout


def gather(values: Tensor, places: Places) -> Tensor:
    """The bank (O |Y|, channels, taps...) of values (O, ...), with derivatives of all orders and modes."""
    if _is_written_down():
        return _gathered(values, places.columns, places.layout)
    if torch.compiler.is_compiling():
        return _Gather.apply(values, *places)  # type: ignore[no-any-return, no-untyped-call]
    if is_transformed():
        constants = places.columns, places.adjoint, _Leaf(places.layout)
        return _MappedGather.apply(values, *constants)  # type: ignore[no-any-return, no-untyped-call]
    return _EagerGather.apply(values, *places)  # type: ignore[no-any-return, no-untyped-call]


def scatter(bank: Tensor, places: Places, shape: tuple[int, ...]) -> Tensor:
    """The adjoint of `gather`: values of a shape, each the sum over where it is in the bank."""
    if torch.compiler.is_compiling():
        return _Scatter.apply(bank, *places, shape)  # type: ignore[no-any-return, no-untyped-call]
    if is_transformed():
        constants = places.columns, places.adjoint, _Leaf(places.layout), _Leaf(shape)
        return _MappedScatter.apply(bank, *constants)  # type: ignore[no-any-return, no-untyped-call]
    return _EagerScatter.apply(bank, *places, shape)  # type: ignore[no-any-return, no-untyped-call]


def _is_written_down() -> bool:
    """Whether the call becomes a program, which holds PyTorch's operators and not the functions here.

    The derivatives of that program are PyTorch's.
    """
    return bool(_is_exporting() or torch.jit.is_tracing())  # type: ignore[attr-defined,no-untyped-call]


# To the compiler of PyTorch 2.7 every program is one that is exported, unless it is not asked itself.
@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _is_exporting() -> bool:
    return torch.compiler.is_exporting()


def _gathered(values: Tensor, columns: Tensor, layout: Layout) -> Tensor:
    rows, numbers = values.shape[0] * layout.points, layout.channels * math.prod(layout.taps)
    flat = values.reshape(values.shape[0], -1)
    flat = (torch.nn.functional.pad(flat, (0, 1)) if layout.has_zero else flat).index_select(1, columns)
    if layout.elements > 1:
        flat = flat.reshape(rows, layout.elements, numbers).mean(1)
    if layout.is_channels_last:
        return flat.reshape(rows, *layout.taps, layout.channels).movedim(-1, 1)
    return flat.reshape(rows, layout.channels, *layout.taps)


def _scattered(bank: Tensor, adjoint: Tensor, layout: Layout, shape: tuple[int, ...]) -> Tensor:
    rows, numbers = shape[0] * layout.points, layout.channels * math.prod(layout.taps)
    flat = (bank.movedim(1, -1) if layout.is_channels_last else bank).reshape(rows, 1, numbers)
    if layout.elements > 1:
        flat = (flat / layout.elements).expand(rows, layout.elements, numbers)
    flat = flat.reshape(shape[0], layout.points * layout.elements * numbers)
    if layout.adjoint_has_zero:
        flat = torch.nn.functional.pad(flat, (0, 1))
    found = flat.index_select(1, adjoint.flatten())
    if layout.readers > 1:
        found = found.reshape(shape[0], layout.readers, math.prod(shape[1:])).sum(1)
    return found.reshape(shape)


def _keep(ctx: Any, columns: Tensor, adjoint: Tensor, layout: Layout) -> None:
    ctx.save_for_backward(columns, adjoint)
    ctx.save_for_forward(columns, adjoint)
    ctx.layout = layout


def _places(ctx: Any) -> Places:
    columns, adjoint = ctx.saved_tensors
    return Places(columns, adjoint, ctx.layout)


# ---- For compilers, which take no function that has a rule of forward mode


class _Gather(Function):
    @staticmethod
    def forward(values: Tensor, columns: Tensor, adjoint: Tensor, layout: Layout) -> Tensor:
        """The bank."""
        return _gathered(values, columns, layout)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keeps the places."""
        _keep(ctx, *inputs[1:])
        ctx.shape = tuple(inputs[0].shape)

    @staticmethod
    def backward(ctx: Any, bank: Tensor) -> tuple[Any, ...]:
        """The scatter."""
        return scatter(bank, _places(ctx), ctx.shape), None, None, None


class _Scatter(Function):
    @staticmethod
    def forward(bank: Tensor, columns: Tensor, adjoint: Tensor, layout: Layout, shape: tuple[int, ...]) -> Tensor:
        """The values."""
        return _scattered(bank, adjoint, layout, shape)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keeps the places."""
        _keep(ctx, *inputs[1:4])
        ctx.shape = inputs[4]

    @staticmethod
    def backward(ctx: Any, values: Tensor) -> tuple[Any, ...]:
        """The gather."""
        return gather(values, _places(ctx)), None, None, None, None


# ---- For the transformations of torch.func


@dataclass(frozen=True)
class _Leaf:
    """What a map must not take apart: it is confused by tuples in functions whose derivatives it maps."""

    value: Any


class _MappedGather(_Gather):
    generate_vmap_rule = True

    @staticmethod
    def forward(values: Tensor, columns: Tensor, adjoint: Tensor, layout: Any) -> Tensor:
        """The bank."""
        return _gathered(values, columns, layout.value)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keeps the places."""
        values, columns, adjoint, layout = inputs
        _keep(ctx, columns, adjoint, layout.value)
        ctx.shape = tuple(values.shape)

    @staticmethod
    def jvp(ctx: Any, values: Tensor, *_constants: None) -> Tensor:
        """The bank of the tangent."""
        return gather(values, _places(ctx))


class _MappedScatter(_Scatter):
    generate_vmap_rule = True

    @staticmethod
    def forward(bank: Tensor, columns: Tensor, adjoint: Tensor, layout: Any, shape: Any) -> Tensor:
        """The values."""
        return _scattered(bank, adjoint, layout.value, shape.value)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keeps the places."""
        _, columns, adjoint, layout, shape = inputs
        _keep(ctx, columns, adjoint, layout.value)
        ctx.shape = shape.value

    @staticmethod
    def jvp(ctx: Any, bank: Tensor, *_constants: None) -> Tensor:
        """The values of the tangent."""
        return scatter(bank, _places(ctx), ctx.shape)


# ---- For all other calls: PyTorch needs several times as long for functions that can be transformed


class _EagerGather(Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, columns: Tensor, adjoint: Tensor, layout: Layout) -> Tensor:
        """The bank."""
        _keep(ctx, columns, adjoint, layout)
        ctx.shape = values.shape
        return _gathered(values, columns, layout)

    backward = _Gather.backward
    jvp = _MappedGather.jvp


class _EagerScatter(Function):
    @staticmethod
    def forward(
        ctx: Any, bank: Tensor, columns: Tensor, adjoint: Tensor, layout: Layout, shape: tuple[int, ...]
    ) -> Tensor:
        """The values."""
        _keep(ctx, columns, adjoint, layout)
        ctx.shape = shape
        return _scattered(bank, adjoint, layout, shape)

    backward = _Scatter.backward
    jvp = _MappedScatter.jvp

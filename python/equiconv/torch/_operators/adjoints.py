# SPDX-License-Identifier: Apache-2.0
"""The adjoints of layers as layers of their own: the shapes of their results, for calls and for compilers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..._layer.transposed import (
    adjoint_layer,
    check_transposed_bias,
    checked_output_padding,
    needs_turns,
    result_channels,
    transposed_shape,
    transposed_sizes,
    warn_of_output_padding,
)
from .layers import spec_of
from .tensors import Form

# For a compiler that knows no sizes: any that fit.
_NOMINAL = 8


# To a compiler the result is a constant, as the arguments are.
@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def output_padding_of(text: str, value: object) -> tuple[int, ...]:
    """The output padding of each axis. Raises TypeError or ValueError for one that does not fit the layer."""
    return checked_output_padding(value, spec_of(text).sampling)


def adjoint_text(text: str, weight: Tensor, more: tuple[int, ...]) -> str:
    """The text of a layer with the padding of its adjoint in numbers. Raises ValueError as `adjoint_layer`."""
    if torch.compiler.is_compiling():
        return str(_adjoint_text(text, tuple(map(int, weight.shape)), more))
    return _adjoint_text(text, tuple(weight.shape), more) if spec_of(text).is_open else text


# To a compiler the result is a constant, as the arguments are.
@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _adjoint_text(text: str, weight: tuple[int, ...], more: tuple[int, ...]) -> str:
    return adjoint_layer(spec_of(text), Form.of_shape(weight), more).text


class _Geometry(NamedTuple):
    """What follows from a layer and the shape of its weight, in numbers.

    Attributes:
        reads: the axes between the batch and space of a signal that the adjoint reads.
        writes: the same of its result.
        stride, margin: sizes of the result are ``(n - 1) stride + margin + output_padding``.
    """

    reads: tuple[int, ...]
    writes: tuple[int, ...]
    stride: tuple[int, ...]
    margin: tuple[int, ...]


def result_shape(x: Tensor, weight: Tensor, bias: Tensor | None, text: str, more: tuple[int, ...]) -> tuple[Any, ...]:
    """The shape of the result of the adjoint of a layer, whose sizes may be symbols to a compiler.

    Raises ValueError unless the tensors fit the layer and each other.
    """
    if not torch.compiler.is_compiling():
        if bias is not None:
            check_transposed_bias(Form.of_shape(bias.shape), Form.of_shape(weight.shape), spec_of(text).kernel)
        return _shape(text, tuple(x.shape), tuple(weight.shape), more)
    geometry = _geometry(text, tuple(map(int, weight.shape)))
    d = len(more)
    if x.dim() != 1 + len(geometry.reads) + d or tuple(x.shape[1:-d]) != geometry.reads:
        raise ValueError(
            f"x has shape {tuple(x.shape)}, expected (B, {', '.join(map(str, geometry.reads))}, spatial...)"
        )
    if bias is not None and tuple(bias.shape) != geometry.writes[:1]:
        raise ValueError(f"bias has shape {tuple(bias.shape)}, expected {geometry.writes[:1]}")
    sizes = [
        (size - 1) * stride + margin + extra
        for size, stride, margin, extra in zip(x.shape[-d:], geometry.stride, geometry.margin, more, strict=True)
    ]
    return (x.shape[0], *geometry.writes, *sizes)


@lru_cache(maxsize=4096)
def _shape(text: str, x: tuple[int, ...], weight: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    return transposed_shape(Form.of_shape(x), Form.of_shape(weight), spec_of(text), more)


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _geometry(text: str, weight: tuple[int, ...]) -> _Geometry:
    spec, form = spec_of(text), Form.of_shape(weight)
    layer, group = spec.layer, spec.group
    extents = spec.kernel.extents(form, group.dimension)
    reads, writes = layer.output_points(group), layer.input_points(group)
    ones = (1,) * group.dimension
    return _Geometry(
        (weight[0], *(() if reads is None else (reads,))),
        (result_channels(form, spec.kernel), *(() if writes is None else (writes,))),
        spec.sampling.stride,
        transposed_sizes(ones, extents, spec.sampling, (0,) * group.dimension),
    )


def asks_for_turns(text: str, shape: Sequence[Any], weight: tuple[int, ...], is_double: bool) -> bool:
    """Whether an adjoint is to be equal to the last bit, and the engine's is not; see `needs_turns`."""
    if torch.compiler.is_compiling():
        return bool(_asks_for_turns(text, tuple(map(int, weight)), is_double))
    return needs_turns(spec_of(text), tuple(shape), tuple(weight), is_double)


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _asks_for_turns(text: str, weight: tuple[int, ...], is_double: bool) -> bool:
    geometry = _geometry(text, weight)
    spec = spec_of(text)
    extents = spec.kernel.extents(Form.of_shape(weight), spec.group.dimension)
    sizes = (_NOMINAL + max(spec.sampling.amounts(extents)),) * spec.group.dimension
    zeros = (0,) * spec.group.dimension
    shape = (1, *geometry.writes, *transposed_sizes(sizes, extents, spec.sampling, zeros))
    return needs_turns(spec, shape, weight, is_double)


def warn_of_adjoint(text: str, y: Tensor, more: tuple[int, ...]) -> None:
    """The EquivarianceWarning of an adjoint for its result, if there is one, at the line of the user's."""
    if any(more):
        spec = spec_of(text)
        warn_of_output_padding(tuple(y.shape[-len(more) :]), spec.sampling.stride, more, spec.group)

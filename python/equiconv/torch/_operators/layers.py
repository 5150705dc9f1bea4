# SPDX-License-Identifier: Apache-2.0
"""The layers that operators compute, by their texts.

Operators take tensors, numbers and strings. A layer goes by its text (docs/LayerFormat.md), which holds all there is to
know of it: a program that was compiled or exported in one process runs in any other.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch

from ..._layer.spec import LayerSpec, layer_of
from .tensors import Form

# Larger than any kernel reaches, for sizes that stand for others.
_LARGE = 2**24

# The text of a layer and the layer of a text, of recent layers at a glance.
spec_of = lru_cache(maxsize=1024)(LayerSpec.parse)


@lru_cache(maxsize=1024)
def _text(spec: LayerSpec) -> str:
    return spec.text


# To a compiler the result is a constant, as the arguments are. It cannot pass bases in tuples.
@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def text_of(name: str, group: object, *options: object) -> str:
    """The text of a layer. Raises TypeError or ValueError for options that do not fit.

    Args:
        name: which layer, a key of `LAYERS`, or ``"conv"``.
        group: of the layer.
        options: stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis, quadrature,
            groups; for ``"conv"`` also the two stabilizers.
    """
    return _text(layer_of(name, group, *options))


@lru_cache(maxsize=4096)
def output_shape_of(text: str, x: tuple[int, ...], weight: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape of the output for operands of these shapes; None if they do not fit, which their checks explain."""
    try:
        return spec_of(text).output_shape(tuple(x), tuple(weight))
    except ValueError:
        return None


def sized_text(text: str, x: Any, weight: Any) -> str:
    """The text of a layer with padding in numbers, for a signal: operators take no padding "equivariant".

    Where the stride is 1 or 2, the padding is that of all sizes that the stride fits, and compilers do not look at
    them. Raises TypeError or ValueError for tensors that do not fit, and sizes that no padding fits.
    """
    if torch.compiler.is_compiling():
        return _sized_for_compilers(text, x, weight) if _is_open(text) else text
    spec = spec_of(text)
    return _text(spec.sized(x, weight)) if spec.is_open else text


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _is_open(text: str) -> bool:
    return spec_of(text).is_open


def text_of_all_sizes(text: str, weight: Any) -> str:
    """The text of a layer with its padding for all sizes that the stride fits; empty where that is not one."""
    return str(_text_of_all_sizes(text, tuple(map(int, weight.shape))))


def _sized_for_compilers(text: str, x: Any, weight: Any) -> str:
    settled = text_of_all_sizes(text, weight)
    if settled:
        return settled
    strides = [int(number) for number in _strides(text).split(",")]
    sizes = [_size_like(size, stride) for size, stride in zip(x.shape[-len(strides) :], strides, strict=True)]
    return str(_text_of_sizes(text, tuple(sizes), tuple(map(int, weight.shape))))


def _size_like(size: Any, stride: int) -> int:
    """A number that has the padding of a size; `torch.compile` compares it with numbers, and keeps it a symbol."""
    if torch.compiler.is_exporting():
        return int(size)
    for remainder in range(stride):
        if size % stride == remainder:
            return remainder + stride * _LARGE
    raise AssertionError


# A number that a constant holds would become an unknown where sizes may change from call to call.
@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _strides(text: str) -> str:
    return ",".join(map(str, spec_of(text).sampling.stride))


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _text_of_all_sizes(text: str, weight: tuple[int, ...]) -> str:
    settled = spec_of(text).of_all_sizes(Form.of_shape(weight))
    return "" if settled is None else settled.text


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _text_of_sizes(text: str, sizes: tuple[int, ...], weight: tuple[int, ...]) -> str:
    return spec_of(text).of_sizes(sizes, Form.of_shape(weight)).text


def warn_of_layer(text: str, x: Any, weight: Any) -> None:
    """The EquivarianceWarning of a layer for a signal, if there is one, at the line of the user's that led here."""
    spec_of(text).warn_of_remainders(x, weight)


# The keys in the metadata of a node of autograd under which the layer stands that wrote a tensor, or whose adjoint did.
_WRITER = "equiconv layer"
_ADJOINT = "equiconv adjoint"


def mark(y: Any, text: str) -> Any:
    """`y`, with a note for autograd's record that the layer of a text wrote it."""
    if y.grad_fn is not None:
        y.grad_fn.metadata[_WRITER] = text
    return y


def mark_adjoint(y: Any, text: str) -> Any:
    """`y`, with a note for autograd's record that the adjoint of the layer of a text wrote it."""
    if y.grad_fn is not None:
        y.grad_fn.metadata[_ADJOINT] = text
    return y


def adjoint_of(node: Any) -> LayerSpec | None:
    """The layer whose adjoint wrote the result of a node of autograd, as one of a network; None if none did."""
    return spec_of(node.metadata[_ADJOINT]) if _ADJOINT in node.metadata else None


def writer_of(node: Any) -> LayerSpec | None:
    """The layer that wrote the result of a node of autograd; None if none did."""
    if _WRITER in node.metadata:
        return spec_of(node.metadata[_WRITER])
    is_operator = "equiconvforward" in node.name().lower().replace("_", "")
    return spec_of(node.layer) if is_operator else None

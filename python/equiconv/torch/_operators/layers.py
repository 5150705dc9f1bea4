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
        options: stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis, quadrature; for
            ``"conv"`` also the two stabilizers and whether it is depthwise.
    """
    return _text(layer_of(name, group, *options))


@lru_cache(maxsize=4096)
def output_shape_of(text: str, x: tuple[int, ...], weight: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape of the output for operands of these shapes; None if they do not fit, which their checks explain."""
    try:
        return spec_of(text).output_shape(tuple(x), tuple(weight))
    except ValueError:
        return None


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

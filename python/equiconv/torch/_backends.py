# SPDX-License-Identifier: Apache-2.0
"""What a layer is computed by: the engine, or PyTorch's own operations. The one place that chooses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from .._checks.arguments import choice
from ._expanded import layer as _expanded
from ._expanded import transposed as _transposed
from ._expanded.operands import check_numbers, is_autocast
from ._operators import convolution as _operators
from ._operators.adjoints import adjoint_text, asks_for_turns, result_shape
from ._operators.layers import mark, mark_adjoint, sized_text
from ._operators.library import refuse_onnx
from ._operators.tensors import ENGINE_DTYPES, check_same_device, check_same_dtype, check_tensor

Backend: TypeAlias = Literal["engine", "torch"]

_NAMES = ("engine", "torch")
# What holds for one thread.
_here = threading.local()


class Backed:
    """A module whose `backend` computes it; None for what fits the signal."""

    backend: Backend | None = None


def checked_backend(value: object) -> Backend | None:
    """A backend, or None for whichever fits the tensors. Raises TypeError or ValueError for anything else."""
    return None if value is None else choice("backend", value, _NAMES)  # type: ignore[return-value]


@contextmanager
def engine_only() -> Iterator[None]:
    """Inside, this thread computes all layers by the engine, whatever they ask for: an operator each in a program."""
    before = getattr(_here, "is_engine_only", False)
    _here.is_engine_only = True
    try:
        yield
    finally:
        _here.is_engine_only = before


def is_by_engine(x: Tensor, backend: Backend | None) -> bool:
    """Whether the engine computes a layer of this signal: if it is asked for, or if it can and nothing is asked for.

    Under autocast on the CPU the engine computes in float32. ONNX has no operator of the engine's, so that under its
    exporter of programs layers that ask for nothing are PyTorch's.
    """
    if backend is not None:
        return backend == "engine" or _is_engine_only()
    can_run = (x.is_cpu or x.is_meta) and (x.dtype in ENGINE_DTYPES or torch.is_autocast_enabled("cpu"))
    return can_run and not (torch.onnx.is_in_onnx_export() and torch.compiler.is_exporting())


def _is_engine_only() -> bool:
    # What `torch.compile` traces is computed later.
    return not torch.compiler.is_dynamo_compiling() and getattr(_here, "is_engine_only", False)


def forward(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    text: str,
    backend: Backend | None = None,
    kept: _expanded.Kept | None = None,
) -> Tensor:
    """The layer of a text.

    Args:
        x, weight, bias, text: as of `equiconv.torch._operators.convolution.forward`.
        backend: what computes it; None for what fits `x`.
        kept: finds the expanded bank of `weight`, if the caller keeps banks. The engine has no use for it.
    """
    text = sized_text(text, x, weight)
    if is_by_engine(x, backend):
        return _operators.forward(x, weight, bias, text)
    _refuse_tracer_to_onnx()
    y = _expanded.forward(x, weight, bias, text, kept)
    return y if torch.compiler.is_compiling() else mark(y, text)


def transposed(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    text: str,
    output_padding: tuple[int, ...],
    backend: Backend | None = None,
    kept: _expanded.Kept | None = None,
) -> Tensor:
    """The adjoint of the layer of a text in its signal, with a bias.

    Args:
        x: a signal on what the layer writes.
        weight, text: of the layer.
        bias: a number for each channel of the result; or None.
        output_padding: of each axis, checked.
        backend: what computes it; None for what fits `x`. Where a layer asks for bits that the engine does not have,
            PyTorch computes them.
        kept: as of `forward`.
    """
    is_compiling = torch.compiler.is_compiling()
    is_engine = is_by_engine(x, backend)
    _refuse_tracer_to_onnx()
    if not is_compiling:
        _check(x, weight, bias, is_engine)
    text = adjoint_text(text, weight, output_padding)
    shape = result_shape(x, weight, bias, text, output_padding)
    if is_engine and not asks_for_turns(text, shape, tuple(weight.shape), x.dtype is torch.float64):
        y = _operators.input_gradient(x, weight, shape, text)
    else:
        y = _transposed.transposed(x, weight, shape, text, kept)
    if bias is not None:
        # Under autocast in the precision of the layer.
        own = bias if bias.dtype is y.dtype else bias.to(y.dtype)
        y = y + own.reshape(-1, *(1,) * (y.dim() - 2))
    result: Tensor = y if is_compiling else mark_adjoint(y, text)
    return result


def _refuse_tracer_to_onnx() -> None:
    """Raises TypeError under an exporter to ONNX that traces, for which shapes are no numbers."""
    if torch.onnx.is_in_onnx_export() and not torch.compiler.is_exporting():
        refuse_onnx()


def _check(x: Tensor, weight: Tensor, bias: Tensor | None, is_engine: bool) -> None:
    """Raises TypeError or ValueError unless the tensors of an adjoint are ones of one device and dtype."""
    check = check_tensor if is_engine and not is_autocast(x) else check_numbers
    for name, tensor in (("x", x), ("weight", weight), ("bias", bias)):
        if tensor is not None:
            check(name, tensor)
    for name, tensor in (("weight", weight), ("bias", bias)):
        check_same_device(name, tensor, "x", x)
        if not is_autocast(x):
            check_same_dtype(name, tensor, "x", x)

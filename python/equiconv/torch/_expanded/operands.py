# SPDX-License-Identifier: Apache-2.0
"""The tensors of a call by PyTorch's operations: any device, any real dtype that it has there."""

from __future__ import annotations

import torch
from torch import Tensor

from ..._layer.spec import check_bias
from .._operators.layers import output_shape_of, spec_of
from .._operators.sums import has_double
from .._operators.tensors import Form, check_is_dense, check_same_device, check_same_dtype

DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


# PyTorch 2.7's compiler cannot look into it.
@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _has_autocast(kind: str) -> bool:
    """Whether there is autocast on devices of a kind."""
    return torch.amp.is_autocast_available(kind)


def compute_dtype(x: Tensor) -> torch.dtype:
    """The dtype that a layer of `x` computes in: its own, or that of autocast."""
    return torch.get_autocast_dtype(x.device.type) if is_autocast(x) else x.dtype


def is_autocast(x: Tensor) -> bool:
    """Whether autocast chooses the dtype of a layer of `x`. Like PyTorch's own, it leaves float64 alone."""
    kind = x.device.type
    is_active = _has_autocast(kind) and torch.is_autocast_enabled(kind)
    return is_active and x.dtype is not torch.float64


def cast(name: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """A tensor in the dtype of autocast. Raises TypeError for float64, which autocast does not convert, and others."""
    check_numbers(name, tensor)
    if tensor.dtype is torch.float64:
        raise TypeError(
            f"{name} has dtype torch.float64, which autocast does not convert to {dtype}: use {name}.float()"
        )
    return tensor.to(dtype)


def check_numbers(name: str, tensor: Tensor) -> None:
    """Raises TypeError for a tensor that is not dense, or not of real numbers that its device computes with."""
    check_is_dense(name, tensor)
    if tensor.layout is not torch.strided:
        raise TypeError(f"{name} has layout {tensor.layout}, expected torch.strided: use {name}.to_dense()")
    if tensor.dtype not in DTYPES:
        raise TypeError(
            f"{name} has dtype {tensor.dtype}, expected torch.float32, float64, bfloat16 or float16: convert it first"
        )
    if tensor.dtype is torch.float64 and not has_double(tensor.device):
        raise TypeError(
            f"{name} has dtype torch.float64, which {tensor.device} does not have: use {name}.float(), or the CPU"
        )


def check_fits(x: Tensor, weight: Tensor, bias: Tensor | None, text: str) -> None:
    """Raises TypeError or ValueError unless the tensors are on one device, of one dtype, and fit the layer."""
    for name, tensor in (("x", x), ("weight", weight), ("bias", bias)):
        if tensor is not None:
            check_numbers(name, tensor)
    for name, tensor in (("weight", weight), ("bias", bias)):
        check_same_device(name, tensor, "x", x)
        check_same_dtype(name, tensor, "x", x)
    # Numbers, which a tracer has made tensors of.
    if output_shape_of(text, tuple(map(int, x.shape)), tuple(map(int, weight.shape))) is None:
        spec_of(text).check_operands(Form.of_shape(x.shape), Form.of_shape(weight.shape))
        raise AssertionError("operands that do not fit were no error")
    if bias is not None and bias.shape != weight.shape[:1]:
        check_bias(Form.of_shape(bias.shape), Form.of_shape(x.shape), Form.of_shape(weight.shape))

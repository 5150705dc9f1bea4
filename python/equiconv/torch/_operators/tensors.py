# SPDX-License-Identifier: Apache-2.0
"""Tensors as arrays and back, without copies."""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ... import _native
from ..._checks.arguments import value_text
from ..._checks.arrays import Array

# Those that the engine computes.
ENGINE_DTYPES = (torch.float32, torch.float64)
_DOUBLE, _STRIDED = torch.float64, torch.strided


class Form(NamedTuple):
    """The form of a tensor, as the checks of arrays read it."""

    shape: tuple[int, ...]
    ndim: int
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, name: str, tensor: Tensor) -> Form:
        """Raises TypeError or ValueError for a tensor that the engine cannot read."""
        check_tensor(name, tensor)
        dtype = np.dtype(np.float32 if tensor.dtype == torch.float32 else np.float64)
        return cls(tuple(tensor.shape), tensor.dim(), dtype)

    @classmethod
    def of_shape(cls, shape: Sequence[int]) -> Form:
        """That of a tensor of any dtype, where its shape is all that matters."""
        return cls(tuple(shape), len(shape), np.dtype(np.float32))


def check_is_tensor(name: str, value: object) -> None:
    """Raises TypeError for what is no tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} is {value_text(value)} ({type(value).__name__}), expected a torch.Tensor")


def check_is_dense(name: str, value: object) -> None:
    """Raises TypeError for what is no tensor, or one of several shapes."""
    check_is_tensor(name, value)
    if isinstance(value, Tensor) and value.is_nested:
        raise TypeError(f"{name} is a nested tensor, expected one of a single shape: use {name}.to_padded_tensor(0)")


def check_tensor(name: str, value: Tensor) -> Tensor:
    """`value` if it is a tensor that the engine can read. Raises TypeError or ValueError."""
    check_is_dense(name, value)
    if value.dtype not in ENGINE_DTYPES:
        raise TypeError(f"{name} has dtype {value.dtype}, expected torch.float32 or torch.float64: convert it first")
    if value.layout is not torch.strided:
        raise TypeError(f"{name} has layout {value.layout}, expected torch.strided: use {name}.to_dense()")
    if not (value.is_cpu or value.is_meta):
        raise ValueError(f"{name} is on {value.device}, expected a tensor on the CPU, where the engine runs")
    return value


def check_same_device(name: str, tensor: Tensor | None, reference_name: str, reference: Tensor) -> None:
    """Raises ValueError unless both tensors are on one device, or the first is None."""
    if tensor is not None and tensor.device != reference.device:
        raise ValueError(f"{name} is on {tensor.device}, expected {reference.device} as {reference_name} is")


def check_same_dtype(name: str, tensor: Tensor | None, reference_name: str, reference: Tensor) -> None:
    """Raises TypeError unless both tensors have one dtype, or the first is None."""
    if tensor is not None and tensor.dtype != reference.dtype:
        raise TypeError(
            f"{name} has dtype {tensor.dtype}, expected {reference.dtype} as {reference_name} has: "
            f"use {name}.to({reference.dtype})"
        )


def as_array(name: str, tensor: Tensor) -> Array:
    """The numbers of a tensor: the same memory if it is contiguous, else a copy.

    `Tensor.numpy` would keep the storage from being resized ever after, which is how FSDP frees weights.
    """
    if tensor.dtype not in ENGINE_DTYPES or tensor.layout is not _STRIDED or not tensor.is_cpu or tensor.is_nested:
        check_tensor(name, tensor)
    if tensor.is_neg() or tensor._is_zerotensor():
        tensor = tensor.clone().resolve_neg()
    if tensor.is_contiguous():
        _check_storage(name, tensor, tensor.numel())
    else:
        strides = tensor.stride()
        _check_storage(name, tensor, 1 + sum(map(mul, tensor.shape, strides)) - sum(strides))
        tensor = tensor.detach().contiguous()
    address = tensor.data_ptr()
    if address % tensor.itemsize:
        tensor = tensor.detach().clone()
        address = tensor.data_ptr()
    return _native.view(tensor, address, tensor.shape, tensor.dtype is _DOUBLE)


def _check_storage(name: str, tensor: Tensor, count: int) -> None:
    """Raises RuntimeError, as torch does, for a tensor whose memory was freed: by FSDP, or by resizing its storage.

    Args:
        name, tensor: for the message.
        count: the numbers from its first to its last, with what lies between.
    """
    expected = (tensor.storage_offset() + count) * tensor.itemsize if count else 0
    available = tensor.untyped_storage().nbytes()
    if available < expected:
        raise RuntimeError(
            f"{name} has shape {tuple(tensor.shape)} and a storage of {available} bytes, expected at least {expected}: "
            "its memory has been freed or resized"
        )


def result_like(tensor: Tensor, shape: Sequence[int]) -> tuple[Tensor, Array]:
    """A tensor for a result, in memory of torch's as that of all other results, and the array to write it by."""
    result = tensor.new_empty(shape)
    return result, _native.view(result, result.data_ptr(), result.shape, result.dtype is _DOUBLE)

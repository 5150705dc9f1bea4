# SPDX-License-Identifier: Apache-2.0
"""Tensors as arrays and back, without copies."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .._arguments import Array, value_text

_DTYPES = (torch.float32, torch.float64)


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


def check_is_tensor(name: str, value: object) -> None:
    """Raises TypeError for what is no tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} is {value_text(value)} ({type(value).__name__}), expected a torch.Tensor")


def check_tensor(name: str, value: Tensor) -> Tensor:
    """`value` if it is a tensor that the engine can read. Raises TypeError or ValueError."""
    check_is_tensor(name, value)
    if value.dtype not in _DTYPES:
        raise TypeError(f"{name} has dtype {value.dtype}, expected torch.float32 or torch.float64: convert it first")
    if value.layout is not torch.strided:
        raise TypeError(f"{name} has layout {value.layout}, expected torch.strided: use {name}.to_dense()")
    if not (value.is_cpu or value.is_meta):
        raise ValueError(f"{name} is on {value.device}, expected a tensor on the CPU, where the engine runs")
    return value


def check_same_dtype(name: str, tensor: Tensor | None, reference_name: str, reference: Tensor) -> None:
    """Raises TypeError unless both tensors have one dtype, or the first is None."""
    if tensor is not None and tensor.dtype != reference.dtype:
        raise TypeError(
            f"{name} has dtype {tensor.dtype}, expected {reference.dtype} as {reference_name} has: "
            f"use {name}.to({reference.dtype})"
        )


def as_array(name: str, tensor: Tensor) -> Array:
    """The numbers of a tensor: the same memory if it is contiguous, else a copy."""
    if tensor.dtype not in _DTYPES or tensor.layout is not torch.strided or not tensor.is_cpu:
        check_tensor(name, tensor)
    array: Array = (tensor.detach() if tensor.requires_grad else tensor).contiguous().numpy()
    return array


def as_tensor(array: Array) -> Tensor:
    """A tensor with the memory of a result."""
    return torch.from_numpy(array)


def unread(shape: tuple[int, ...], like: Array) -> Array:
    """An array of which only the shape matters: memory that nobody touches."""
    return np.empty(shape, like.dtype)

# SPDX-License-Identifier: Apache-2.0
"""Tensors as arrays and back, without copies."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .._arguments import Array, value_text

_DTYPES = (torch.float32, torch.float64)


def check_tensor(name: str, value: object) -> Tensor:
    """`value` if it is a tensor that the engine can read. Raises TypeError or ValueError."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} is {value_text(value)} ({type(value).__name__}), expected a torch.Tensor")
    if value.dtype not in _DTYPES:
        raise TypeError(f"{name} has dtype {value.dtype}, expected torch.float32 or torch.float64: convert it first")
    if value.layout != torch.strided:
        raise TypeError(f"{name} has layout {value.layout}, expected torch.strided: use {name}.to_dense()")
    if value.device.type not in ("cpu", "meta"):
        raise ValueError(f"{name} is on {value.device}, expected a tensor on the CPU, where the engine runs")
    return value


def as_array(name: str, tensor: Tensor) -> Array:
    """The numbers of a tensor: the same memory if it is contiguous, else a copy."""
    array: Array = check_tensor(name, tensor).detach().contiguous().numpy()
    return array


def as_tensor(array: Array) -> Tensor:
    """A tensor with the memory of a result."""
    return torch.from_numpy(array)


def unread(shape: tuple[int, ...], like: Array) -> Array:
    """An array of which only the shape matters: memory that nobody touches."""
    return np.empty(shape, like.dtype)

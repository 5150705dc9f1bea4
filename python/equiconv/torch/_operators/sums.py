# SPDX-License-Identifier: Apache-2.0
"""Sums whose bits do not depend on the order of their terms."""

from __future__ import annotations

import torch
from torch import Tensor

# Of PyTorch's devices, those without double precision.
_SINGLE_PRECISION = ("mps",)


def has_double(device: torch.device) -> bool:
    """Whether tensors of float64 exist on a device."""
    return device.type not in _SINGLE_PRECISION


def sorted_sum(values: Tensor, axis: int) -> Tensor:
    """The sum over an axis, of the sorted numbers, in double precision where the device has it, else in float32.

    Every result is added up in the same order. PyTorch's own sums are not: results at the end of an array, which fill
    no vector of the processor, take their terms in another order than the rest.
    """
    wide = values.double() if has_double(values.device) else values.float()
    if wide.shape[axis] > 2:
        wide = wide.sort(axis).values
    while (count := wide.shape[axis]) > 1:
        half = count // 2
        pairs = wide.narrow(axis, 0, half) + wide.narrow(axis, half, half)
        wide = torch.cat([pairs, wide.narrow(axis, count - 1, 1)], axis) if count % 2 else pairs
    return wide.squeeze(axis)

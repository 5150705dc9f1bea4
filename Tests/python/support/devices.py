# SPDX-License-Identifier: Apache-2.0
"""The devices that tests of tensors run on: ``@on_devices``, and a test takes ``device``."""

from __future__ import annotations

import pytest
import torch

_WITHOUT_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch has no CUDA device here")
DEVICES = [torch.device("cpu"), pytest.param(torch.device("cuda", 0), marks=_WITHOUT_CUDA)]

on_devices = pytest.mark.parametrize("device", DEVICES, ids=["cpu", "cuda"])
# For laws of accelerators alone.
on_accelerators = pytest.mark.parametrize("device", DEVICES[1:], ids=["cuda"])


def tensors_on(device, *arrays, dtype=None):
    """Arrays of NumPy as tensors that want gradients."""
    return tuple(torch.from_numpy(array).to(device, dtype).requires_grad_() for array in arrays)

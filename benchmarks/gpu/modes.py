# SPDX-License-Identifier: Apache-2.0
"""Number formats in PyTorch."""

from __future__ import annotations

import contextlib
from typing import Any

import torch
from works import AUTOCAST, INPUT, MODES, TF32

OUTPUT_DTYPES = {mode: torch.bfloat16 if mode in (AUTOCAST, INPUT) else torch.float32 for mode in MODES}
"""Of what layers give."""


def set_arithmetic(mode: str) -> None:
    """Allows TF32 or not, and lets cuDNN try its algorithms, from now on."""
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = mode == TF32


def autocast(mode: str, device: str) -> Any:
    """Inside, PyTorch computes in bfloat16 in the formats of that name."""
    return torch.autocast(device, torch.bfloat16) if mode in (AUTOCAST, INPUT) else contextlib.nullcontext()


def signal_dtype(mode: str) -> torch.dtype:
    """Of the signals; weights are float32 always."""
    return torch.bfloat16 if mode == INPUT else torch.float32

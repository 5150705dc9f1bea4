# SPDX-License-Identifier: Apache-2.0
"""PyTorch's convolutions and their adjoints, of 1, 2 and 3 axes of space."""

from __future__ import annotations

from typing import Any

from torch.nn import functional

CONVOLUTIONS: tuple[Any, ...] = (functional.conv1d, functional.conv2d, functional.conv3d)
TRANSPOSED: tuple[Any, ...] = (
    functional.conv_transpose1d,
    functional.conv_transpose2d,
    functional.conv_transpose3d,
)

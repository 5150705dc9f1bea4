# SPDX-License-Identifier: Apache-2.0
"""Layers by turned signals: equal to the last bit."""

from __future__ import annotations

from torch import Tensor


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, text: str) -> Tensor:
    """The layer."""
    raise NotImplementedError

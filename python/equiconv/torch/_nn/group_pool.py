# SPDX-License-Identifier: Apache-2.0
"""Pooling over H."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..._checks.arguments import choice
from ..._functional.pool import PoolMode
from ..._groups.arguments import point_group
from ..._groups.point_group import PointGroup
from ..._layer.spaces import PoolSpaces
from ..._signals.space import check_signal_space
from .._functions import group_pool
from .ordinary import FiberPool
from .signal_module import SignalModule


class GroupPool(PoolSpaces, SignalModule):
    """Mean or maximum over H, G -> R^d: `group_pool` as a module.

    Args:
        group: H.
        mode: ``"mean"`` or ``"max"``.

    Shape:
        (B, C, |H|, spatial...) -> (B, C, spatial...).

    Raises:
        TypeError, ValueError: an argument of the wrong kind.

    Example:
        >>> GroupPool(cyclic(4), "max")(torch.zeros(1, 8, 4, 5, 5)).shape
        torch.Size([1, 8, 5, 5])
    """

    def __init__(self, group: PointGroup, mode: PoolMode = "mean") -> None:
        super().__init__()
        self.group = point_group(group)
        self.mode: Literal["mean", "max"] = "max" if choice("mode", mode, ("mean", "max")) == "max" else "mean"
        self._order = self.group.order

    def forward(self, x: Tensor) -> Tensor:
        """The pooled signal."""
        if not isinstance(x, Tensor) or x.is_nested:
            return self._write_down(x)  # type: ignore[no-any-return]
        if x.dim() < 4 or x.shape[2] != self._order:
            channels = x.shape[1] if x.dim() > 1 else 0
            check_signal_space("GroupPool", self.input_space, channels, tuple(x.shape))
        if not torch.compiler.is_compiling():
            self._look_back(x, self.group)
        return group_pool(x, self.mode)

    def _traced(self, x: Any) -> Any:
        return group_pool(x, self.mode)

    def ordinary(self) -> nn.Module:
        """The same on the axis of H, by PyTorch alone."""
        return FiberPool(self.mode)

    def extra_repr(self) -> str:
        """The group, and the mode."""
        return f"{self.group.name}, {self.mode!r}"

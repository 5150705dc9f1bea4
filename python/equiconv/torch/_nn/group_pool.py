# SPDX-License-Identifier: Apache-2.0
"""Pooling over H."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..._functional.pool import PoolMode
from ..._groups.point_group import PointGroup
from ..._nn.attributes import PoolAttributes
from ..._nn.options import PoolOptions
from .._functions import group_pool
from .ordinary import FiberPool
from .signal_module import SignalModule


class GroupPool(PoolAttributes, SignalModule):
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
        self.options = PoolOptions(group, mode)

    def forward(self, x: Tensor) -> Tensor:
        """The pooled signal."""
        if not isinstance(x, Tensor) or x.is_nested:
            return self._write_down(x)  # type: ignore[no-any-return]
        options = self.options
        if x.dim() < 4 or x.shape[2] != options.group.order:
            options.check(tuple(x.shape))
        if not torch.compiler.is_compiling():
            self._look_back(x, options.group)
        return group_pool(x, options.mode)

    def _traced(self, x: Any) -> Any:
        return group_pool(x, self.mode)

    def ordinary(self) -> nn.Module:
        """The same on the axis of H, by PyTorch alone."""
        return FiberPool(self.mode)

    def extra_repr(self) -> str:
        """The group, and the mode."""
        return f"{self.group.name}, {self.mode!r}"

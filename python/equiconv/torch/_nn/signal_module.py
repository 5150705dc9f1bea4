# SPDX-License-Identifier: Apache-2.0
"""The base of all modules that read signals."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import Self

from ..._groups.point_group import PointGroup
from .._operators.tensors import check_is_dense
from .._operators.tracing import as_leaf, is_traced
from . import history as _history


class SignalModule(nn.Module):
    """A module that looks at the history of what it reads, and is a step in the programs of `torch.fx`."""

    _has_looked = False

    def train(self, mode: bool = True) -> Self:
        """As `torch.nn.Module.train`."""
        self.__dict__.pop("_has_looked", None)
        return super().train(mode)

    def ordinary(self) -> nn.Module | None:
        """The equal module of PyTorch alone, for `equiconv.torch.expand`; None where this is one already."""
        return None

    def _look_back(self, x: Tensor, group: PointGroup | None) -> None:
        """Raises ValueError as `check_history`, in the first call of a training; later ones do nothing."""
        if self._has_looked or not self.training or not torch.is_grad_enabled():
            return
        _history.check_history(type(self).__name__, x, group)
        self.__dict__["_has_looked"] = True

    def _write_down(self, x: Any) -> Any:
        """The call as a step of a program of `torch.fx`. Raises TypeError for a value that is no tensor."""
        if not is_traced(x):
            check_is_dense("x", x)
        step = as_leaf(self, x)
        return self._traced(x) if step is None else step

    def _traced(self, x: Any) -> Any:
        """The steps of a module that is traced by itself."""
        raise TypeError(f"{type(self).__name__} cannot be traced by itself: trace a network that it is part of")

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A copy may be part of another network.
        kept = {name: value for name, value in state.items() if name != "_has_looked"}
        super().__setstate__(kept)  # type: ignore[no-untyped-call]

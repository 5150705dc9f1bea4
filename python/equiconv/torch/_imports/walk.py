# SPDX-License-Identifier: Apache-2.0
"""The way through a sequential model: the modules made so far, and the signal that they write."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from torch import nn

from ..._groups.point_group import PointGroup
from .._nn.spatial import SpatialMean
from .steps import Step, refuse
from .weights import reordered_linear

POINTWISE: tuple[type[nn.Module], ...] = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Sigmoid, nn.Tanh,
    nn.Hardtanh, nn.Hardsigmoid, nn.Hardswish, nn.Softplus, nn.LogSigmoid, nn.Dropout, nn.AlphaDropout, nn.Identity,
)  # fmt: skip
"""Modules that act on each number alone, wherever it stands."""


@dataclass(frozen=True)
class Signal:
    """A signal of another library, as this package has it.

    Attributes:
        group: H.
        channels: C.
        order: the other library's number of each element of H; None for a signal on the plane.
    """

    group: PointGroup
    channels: int
    order: tuple[int, ...] | None

    @property
    def is_reordered(self) -> bool:
        """Whether elements of H stand in another order there."""
        return self.order is not None and self.order != tuple(range(len(self.order)))

    def __str__(self) -> str:
        kind = "trivial" if self.order is None else "regular"
        return f"{self.channels} {kind} fields of {self.group.name}"


class Walk:
    """Modules, and what the last of them writes.

    Attributes:
        modules: those made so far.
        signal: what the last one writes; None before the first.
        has_space: False after `SpatialMean`, where other libraries keep spatial axes of one place.
        is_ordinary: whether the signal has become a tensor that only modules of PyTorch read.
    """

    def __init__(self) -> None:
        self.modules: list[nn.Module] = []
        self.signal: Signal | None = None
        self.has_space = True
        self.is_ordinary = False
        # What has been flattened, while its elements stand in another order than in the other library.
        self._flattened: Signal | None = None

    def add(self, module: nn.Module, source: Any) -> None:
        """Adds a module, in training or evaluation as the one that it comes from, or as the one before it."""
        before = self.modules[-1].training if self.modules else True
        self.modules.append(module.train(getattr(source, "training", before)))

    def result(self) -> nn.Sequential:
        """The modules, in training if one of them is. Raises ValueError if there are none."""
        if not self.modules:
            raise ValueError("model has no modules that do anything, expected at least one")
        is_training = any(module.training for module in self.modules)
        sequence = nn.Sequential(*self.modules)
        sequence.training = is_training
        return sequence

    def add_mean(self, signal: Signal, source: Any) -> None:
        """Adds the mean over space."""
        self.restore_space(signal)
        self.add(SpatialMean(signal.group), source)
        self.has_space = False

    def restore_space(self, signal: Signal) -> None:
        """Adds spatial axes of one place where a mean has taken them away, for a module that reads them."""
        if not self.has_space:
            axis, size = (1, signal.channels) if signal.order is None else (2, len(signal.order))
            self.add(nn.Unflatten(axis, (size, *(1,) * signal.group.dimension)), None)
        self.has_space = True

    def add_ordinary(self, step: Step, may_be_anything: bool) -> bool:
        """Adds a copy of a module of PyTorch that acts on numbers, on flat signals or behind them.

        Args:
            step: the module.
            may_be_anything: whether other modules may act on (B, C |H|, spatial...), with elements as channels.

        Returns:
            False where the module is another one, and nothing was added.
        """
        module = step.module
        if isinstance(module, POINTWISE):
            self.add(copy.deepcopy(module), module)
        elif self.is_ordinary:
            self.add(self._behind(step), module)
        elif isinstance(module, nn.Flatten) and (module.start_dim, module.end_dim) == (1, -1):
            self.add(copy.deepcopy(module), module)
            self.is_ordinary = True
            self._flattened = self.signal if self.signal is not None and self.signal.is_reordered else None
        elif may_be_anything and self.signal is not None:
            self._leave(step, self.signal)
            self.add(copy.deepcopy(module), module)
        else:
            return False
        return True

    def _behind(self, step: Step) -> nn.Module:
        """The copy of a module that reads an ordinary tensor."""
        module, flattened = step.module, self._flattened
        if flattened is None:
            ordinary: nn.Module = copy.deepcopy(module)
            return ordinary
        if type(module) is not nn.Linear:
            refuse(step, (f"torch.nn.Linear after {flattened}, whose elements have another order here",))
        self._flattened = None
        return reordered_linear(module, flattened.channels, flattened.order or ())

    def _leave(self, step: Step, signal: Signal) -> None:
        """Adds what makes an ordinary tensor (B, C |H|, spatial...) of a signal."""
        if signal.is_reordered:
            raise ValueError(
                f"{step.place} reads {signal} as channels, whose elements have another order here, expected "
                "GroupPooling, or torch.nn.Flatten and torch.nn.Linear, before it"
            )
        self.restore_space(signal)
        if signal.order is not None:
            self.add(nn.Flatten(1, 2), None)
        self.is_ordinary = True

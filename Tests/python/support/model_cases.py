# SPDX-License-Identifier: Apache-2.0
"""Models, small enough to be tested with every element of a group."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import equiconv as eq
import torch
from equiconv.torch import models
from torch import nn

C4, D4 = eq.cyclic(4), eq.dihedral(4)


@dataclass(frozen=True)
class Case:
    """A model with small widths, and two signals that fit it."""

    make: Any
    group: eq.PointGroup
    sizes: tuple[tuple[int, ...], tuple[int, ...]]
    arguments: dict[str, Any] = field(default_factory=dict)
    writes_plane: bool = False

    def model(self, **changes: Any) -> models.P4CNN:
        return self.make(**{"group": self.group, **self.arguments, **changes})


CASES = {
    "p4cnn": Case(models.p4cnn, C4, ((28, 28), (30, 28)), {"widths": 2}),
    "p4cnn-D4": Case(models.p4cnn, D4, ((28, 28), (28, 30)), {"widths": 2, "group_pool": "mean"}),
    "p4cnn-C8": Case(models.p4cnn, eq.cyclic(8), ((28, 28), (30, 30)), {"widths": 2}),
}


def trained(module: nn.Module) -> nn.Module:
    """The module in evaluation, with random norms and statistics."""
    generator = torch.Generator().manual_seed(1)
    for layer in module.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            for name, values in layer.state_dict().items():
                if values.is_floating_point():
                    values.copy_(torch.rand(values.shape, generator=generator) + (0.5 if "var" in name else 0))
    return module.eval()


def signal(model: nn.Module, sizes: tuple[int, ...], batch: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn((batch, model.in_channels, *sizes), generator=generator)


def act(x: torch.Tensor, group: eq.PointGroup, element: int) -> torch.Tensor:
    return torch.from_numpy(eq.act(x.detach().numpy(), group, element))

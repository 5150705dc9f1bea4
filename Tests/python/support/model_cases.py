# SPDX-License-Identifier: Apache-2.0
"""Models, small enough to be tested with every element of a group."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import equiconv as eq
import equiconv.torch as et
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

    def model(self, **changes: Any) -> nn.Module:
        return self.make(**{"group": self.group, **self.arguments, **changes})


UNET = {"widths": (2, 3, 4), "matched_to": None}
SMALL = {"widths": 2, "matched_to": None}
CASES = {
    "p4cnn": Case(models.p4cnn, C4, ((28, 28), (30, 28)), {"widths": 2}),
    "p4cnn-D4": Case(models.p4cnn, D4, ((28, 28), (28, 30)), {"widths": 2, "group_pool": "mean"}),
    "p4cnn-C8": Case(models.p4cnn, eq.cyclic(8), ((28, 28), (30, 30)), {"widths": 2}),
    "resnet18": Case(models.resnet18, D4, ((33, 33), (33, 65)), {**SMALL, "num_classes": 3}),
    "resnet18-pool": Case(models.resnet18, C4, ((32, 32), (64, 32)), {**SMALL, "downsample": "pool"}),
    "resnet18-blur": Case(models.resnet18, C4, ((19, 22), (16, 31)), {**SMALL, "downsample": "blur"}),
    "resnet34-cifar": Case(models.resnet34, C4, ((9, 9), (9, 17)), {**SMALL, "stem": "cifar", "group_pool": "max"}),
    "resnet50-cifar": Case(models.resnet50, C4, ((16, 8), (8, 8)), {**SMALL, "stem": "cifar", "downsample": "pool"}),
    "wrn_16_8": Case(models.wrn_16_8, D4, ((9, 9), (5, 13)), {**SMALL, "dropout": 0.3}),
    "wrn_28_10": Case(models.wrn_28_10, C4, ((8, 8), (12, 4)), {**SMALL, "downsample": "pool"}),
    "p4m_resnet26": Case(models.p4m_resnet26, D4, ((9, 9), (5, 9)), SMALL),
    "p4m_resnet44-blur": Case(models.p4m_resnet44, C4, ((8, 9), (7, 7)), {**SMALL, "downsample": "blur"}),
    "gdensenet": Case(models.gdensenet, D4, ((80, 80), (80, 96)), {"widths": 2}),
    "gdensenet-same": Case(
        models.gdensenet,
        C4,
        ((8, 8), (12, 8)),
        {"widths": 4, "padding": "same", "layers": (2, 1, 2), "compression": 0.5, "bottleneck": True, "dropout": 0.1},
    ),
    "se2cnn": Case(models.se2cnn, eq.cyclic(12), ((32, 32), (36, 36)), {"widths": 2}),
    "se2cnn-C4": Case(models.se2cnn, C4, ((32, 36), (36, 36)), {"widths": 2, "norm": et.BatchNorm}),
    "unet-1d": Case(models.unet, eq.reflection(), ((8,), (12,)), {**UNET, "num_classes": 3}, True),
    "unet": Case(models.unet, D4, ((8, 8), (4, 12)), UNET, True),
    "unet-stride": Case(models.unet, C4, ((5, 9), (9, 9)), {**UNET, "down": "stride"}, True),
    "unet-linear": Case(models.unet, C4, ((8, 4), (8, 8)), {**UNET, "down": "mean", "up": "linear"}, True),
    "unet-nearest": Case(models.unet, C4, ((8, 4), (8, 8)), {**UNET, "down": "blur", "up": "nearest"}, True),
    "unet-plain": Case(models.unet, C4, ((8, 4), (8, 8)), {**UNET, "has_skips": False, "norm": None}, True),
    "unet-3d": Case(models.unet, eq.octahedral(), ((4, 4, 4), (4, 8, 4)), UNET, True),
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

# SPDX-License-Identifier: Apache-2.0
"""The layers of a group network made of other libraries' parts, with the signatures of `equiconv.torch`."""

from __future__ import annotations

import importlib
import math
from types import SimpleNamespace
from typing import Any

import equiconv as eq
import torch
from equiconv_experiments.common.networks import Architecture
from torch import Tensor, nn


def turned(weight: Tensor, group: eq.PointGroup, element: int) -> Tensor:
    """A kernel of the lattice group C4 or D4 turned by an element, on its last two axes."""
    reflection, turns = divmod(element, 4)
    mirrored = weight.flip(-1) if reflection else weight
    return torch.rot90(mirrored, turns, (-2, -1))


class ExpandedConv(nn.Module):
    """A lifting or group layer by torch's conv2d with the filter bank made in each step."""

    def __init__(
        self, reads_group: bool, channels: tuple[int, int], kernel: int, group: eq.PointGroup, padding: int, memory: Any
    ) -> None:
        super().__init__()
        self.group, self.padding, self.memory = group, padding, memory
        fiber = (group.order,) if reads_group else ()
        weight = torch.empty(channels[1], channels[0], *fiber, kernel, kernel)
        self.weight = nn.Parameter(nn.init.normal_(weight, std=math.sqrt(2 / weight[0].numel())))
        # bank[o, h, c, h'] = k[o, c](h^-1 h', h^-1 u)
        self.relative = [torch.from_numpy(group.cayley[group.inverses[h]]).long() for h in range(group.order)]

    def bank(self) -> Tensor:
        """(O |H|, C |X|, k, k)."""
        kernels = []
        for h in range(self.group.order):
            weight = self.weight if self.weight.dim() == 4 else self.weight[:, :, self.relative[h]]
            kernels.append(turned(weight, self.group, h))
        bank = torch.stack(kernels, 1).flatten(0, 1)
        return bank if bank.dim() == 4 else bank.flatten(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, O, |H|, rows, columns)."""
        flat = x if x.dim() == 4 else x.flatten(1, 2)
        flat = flat.contiguous(memory_format=self.memory)
        y = nn.functional.conv2d(flat, self.bank().contiguous(memory_format=self.memory), padding=self.padding)
        # A view, whatever the layout.
        return y.unflatten(1, (-1, self.group.order))


class BatchNorm(nn.BatchNorm3d):
    """Over batch, fiber and space."""


def expanded_layers(memory: Any) -> SimpleNamespace:
    """torch's own layers; the convolutions with expanded filters, in one layout of memory."""

    def convolution(reads_group: bool) -> Any:
        def make(
            inputs: int, outputs: int, kernel: int, group: eq.PointGroup, padding: int = 0, **_: Any
        ) -> ExpandedConv:
            return ExpandedConv(reads_group, (inputs, outputs), kernel, group, padding, memory)

        return make

    return SimpleNamespace(
        LiftingConv=convolution(False),
        GroupConv=convolution(True),
        BatchNorm=BatchNorm,
        SpatialMaxPool=lambda group, kernel, stride: Flat(nn.MaxPool2d(kernel, stride), memory),
        GroupPool=lambda group, mode: Fiber(mode),
        SpatialMean=lambda group: Mean(),
    )


class Flat(nn.Module):
    """A module of the plane on (B, C |H|, rows, columns)."""

    def __init__(self, module: nn.Module, memory: Any) -> None:
        super().__init__()
        self.module, self.memory = module, memory

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, |H|, rows, columns) again."""
        y: Tensor = self.module(x.flatten(1, 2).contiguous(memory_format=self.memory))
        return y.unflatten(1, x.shape[1:3])


class Fiber(nn.Module):
    """The maximum or mean over H."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, rows, columns)."""
        return x.amax(2) if self.mode == "max" else x.mean(2)


class Mean(nn.Module):
    """The mean over space."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C)."""
        return x.mean((-2, -1))


class Steerable(nn.Module):
    """A module of escnn between tensors with or without an axis for H."""

    def __init__(self, module: nn.Module, wrap: Any) -> None:
        super().__init__()
        self.module, self.wrap = module, wrap
        # Types of fields are modules too; in a tuple they do not become modules of this one.
        self._fields = (module.in_type, module.out_type)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, rows, columns) of invariant fields, (B, C, |H|, rows, columns) of regular ones."""
        reads, writes = self._fields
        y: Tensor = self.module(self.wrap(x if x.dim() == 4 else x.flatten(1, 2), reads)).tensor
        return y if writes.size == len(writes) else y.unflatten(1, (len(writes), -1))


def escnn_layers(architecture: Architecture) -> SimpleNamespace:
    """escnn's layers for a network; torch's are the max pool and the mean over space, which escnn does by torch too."""
    from adapters.steerable import without_three_dimensions

    without_three_dimensions()
    spaces, steerable = (importlib.import_module(f"escnn.{name}") for name in ("gspaces", "nn"))
    group = architecture.group
    n = int(group.name[1:])
    space = spaces.rot2dOnR2(n) if group.name[0] == "C" else spaces.flipRot2dOnR2(n)

    def fields(channels: int, regular: bool = True) -> Any:
        return steerable.FieldType(space, channels * [space.regular_repr if regular else space.trivial_repr])

    def between_tensors(module: nn.Module) -> Steerable:
        return Steerable(module, steerable.GeometricTensor)

    def convolution(reads_group: bool) -> Any:
        def make(inputs: int, outputs: int, kernel: int, _: eq.PointGroup, padding: int = 0, **__: Any) -> Steerable:
            reads, writes = fields(inputs, reads_group), fields(outputs)
            layer = steerable.R2Conv(reads, writes, kernel, padding=padding, bias=False, initialize=False)
            nn.init.normal_(layer.weights)
            return between_tensors(layer)

        return make

    own = expanded_layers(torch.contiguous_format)
    # Signatures have no number of channels there: it is that of the last convolution.
    project = steerable.GroupPooling(fields(architecture.widths[-1]))
    return SimpleNamespace(
        LiftingConv=convolution(False),
        GroupConv=convolution(True),
        BatchNorm=lambda channels: between_tensors(steerable.InnerBatchNorm(fields(channels))),
        SpatialMaxPool=own.SpatialMaxPool,
        GroupPool=lambda _, mode: between_tensors(project) if mode == "max" else own.GroupPool(group, mode),
        SpatialMean=own.SpatialMean,
    )

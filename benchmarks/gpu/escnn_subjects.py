# SPDX-License-Identifier: Apache-2.0
"""The works in escnn: R2Conv between regular representations, InnerBatchNorm, GroupPooling."""

from __future__ import annotations

import importlib
import time
from typing import Any

import torch
from adapters.steerable import space_of, without_three_dimensions
from modes import set_arithmetic
from subjects import Place, Subject
from torch import Tensor
from torch_subjects import LAST, layer_calls, network_calls, signals
from works import CLASSES, PLAIN, LayerWork, NetworkWork, Work


def _modules() -> tuple[Any, Any]:
    """The library's modules `gspaces` and `nn`."""
    without_three_dimensions()
    return importlib.import_module("escnn.gspaces"), importlib.import_module("escnn.nn")


def build(label: str, work: Work, mode: str, place: Place) -> Subject:
    """The module for a work, and its calls."""
    torch.manual_seed(0)
    set_arithmetic(mode)
    spaces, nn = _modules()
    start = time.perf_counter()
    module = (_layer if isinstance(work, LayerWork) else _network)(spaces, nn, work).to(place.device)
    seconds = time.perf_counter() - start
    x, grad = signals(PLAIN, work, mode, place.device)
    if isinstance(work, LayerWork):
        return Subject(*layer_calls(module, module, x, grad, mode, place.device), seconds)
    return Subject(*network_calls(module, module, x, mode, place.device), seconds)


class Flat(torch.nn.Module):
    """Modules of escnn between flat tensors."""

    def __init__(self, nn: Any, reads: Any, module: Any) -> None:
        super().__init__()
        self._nn, self._reads, self.module = nn, reads, module

    def forward(self, x: Tensor) -> Tensor:
        """(B, C |X|, rows, columns)."""
        y: Tensor = self.module(self._nn.GeometricTensor(x, self._reads)).tensor
        return y


def _layer(spaces: Any, nn: Any, work: LayerWork) -> torch.nn.Module:
    """An R2Conv."""
    case = work.case
    space = space_of(spaces, case.group)
    reads, writes = (nn.FieldType(space, count * [space.regular_repr]) for count in case.channels)
    return Flat(nn, reads, nn.R2Conv(reads, writes, case.kernel, padding=case.kernel // 2, bias=False))


def _network(spaces: Any, nn: Any, work: NetworkWork) -> torch.nn.Module:
    """The network of `NetworkWork`."""
    space = space_of(spaces, work.group)
    first = reads = nn.FieldType(space, [space.trivial_repr])
    writes = nn.FieldType(space, work.width * [space.regular_repr])
    steps: list[Any] = []
    for _ in range(1 + work.layers):
        steps.append(nn.R2Conv(reads, writes, work.kernel, padding=work.kernel // 2, bias=False))
        steps += [nn.InnerBatchNorm(writes), nn.ReLU(writes)]
        reads = writes
    body = Flat(nn, first, nn.SequentialModule(*steps, nn.GroupPooling(reads)))
    head = (torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(work.width, CLASSES))
    return torch.nn.Sequential(body, *head).to(memory_format=LAST[2])

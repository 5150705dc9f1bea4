# SPDX-License-Identifier: Apache-2.0
"""The works in PyTorch: ordinary convolutions of the same flat width, and the layers of `equiconv.torch`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equiconv.torch as et
import numpy as np
import torch
from adapters.network_torch import OwnLayers, network_of
from calls import group_of
from case import Case
from modes import OUTPUT_DTYPES, autocast, set_arithmetic, signal_dtype
from networks import NetworkCase, data_of
from subjects import Place, Subject, spline_of
from torch import Tensor, nn
from works import CLASSES, COMPILED, DIRECT, GRAPHS, PLAIN, LayerWork, NetworkWork, Work

CONVOLUTIONS: tuple[Any, ...] = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS: tuple[Any, ...] = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
LAST = {2: torch.channels_last, 3: torch.channels_last_3d}


def build(label: str, work: Work, mode: str, place: Place) -> Subject:
    """A contestant's module for a work, and its calls."""
    torch.manual_seed(0)
    set_arithmetic(mode)
    start = time.perf_counter()
    make = _layer if isinstance(work, LayerWork) else _network
    module = make(label, work).to(place.device)
    if place.device == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    x, grad = signals(label, work, mode, place.device)
    called = compiled(label, module, place)
    if isinstance(work, LayerWork):
        return Subject(*layer_calls(module, called, x, grad, mode, place.device), seconds)
    return Subject(*network_calls(module, called, x, mode, place.device), seconds)


def compiled(label: str, module: nn.Module, place: Place) -> Callable[[Tensor], Tensor]:
    """The module, or what `torch.compile` makes of it."""
    if label not in (COMPILED, GRAPHS):
        return module
    if place.compiler != "inductor":
        return torch.compile(module, fullgraph=True, backend=place.compiler)
    made = torch.compile(module, fullgraph=True, mode="reduce-overhead" if label == GRAPHS else None)
    if label == COMPILED:
        return made

    def recorded(x: Tensor) -> Tensor:
        torch.compiler.cudagraph_mark_step_begin()
        return made(x)

    return recorded


def signals(label: str, work: Work, mode: str, device: str) -> tuple[Tensor, Tensor]:
    """The input of a contestant, and for a layer a gradient of its output, channels last."""
    dtype = signal_dtype(mode)
    if isinstance(work, NetworkWork):
        return torch.randn(work.batch, 1, work.size, work.size, device=device).to(dtype), torch.empty(0)
    case = work.case
    memory = LAST[case.dimension]

    def signal(channels: int, flat: int) -> Tensor:
        made = torch.randn(case.batch, flat, *(case.size,) * case.dimension, device=device).to(dtype)
        last = made.contiguous(memory_format=memory)
        return last if label == PLAIN else last.unflatten(1, (channels, -1))

    return signal(case.channels[0], case.flat[0]), signal(case.channels[1], case.flat[1])


def _layer(label: str, work: LayerWork) -> nn.Module:
    """A single layer."""
    case = work.case
    if label == PLAIN:
        made: nn.Module = CONVOLUTIONS[case.dimension - 1](*case.flat, case.kernel, padding="same", bias=False)
        return made.to(memory_format=LAST[case.dimension])
    options: dict[str, Any] = {"padding": "same", "bias": False, "backend": "torch"}
    options |= {"algorithm": "direct"} if label == DIRECT else {}
    kernel: Any = spline_of(case) if work.spline else case.kernel
    return et.GroupConv(*case.channels, kernel, group_of(case), **options)


class PlainLayers(OwnLayers):
    """Ordinary convolutions in a network on the trivial group."""

    def __init__(self) -> None:
        super().__init__("auto")

    def convolution(self, layer: Case, weight: Tensor) -> nn.Module:
        """A convolution of torch's."""
        made: nn.Module = CONVOLUTIONS[layer.dimension - 1](*layer.channels, layer.kernel, padding="same", bias=False)
        made.weight = nn.Parameter(weight.reshape(made.weight.shape))
        return made.to(memory_format=LAST[layer.dimension])

    def norm(self, channels: int) -> nn.Module:
        """A batch norm of torch's."""
        made: nn.Module = NORMS[1](channels)
        return made

    def head(self, layer: Case) -> nn.Module:
        """The mean over space."""
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


@dataclass(frozen=True)
class _Made(NetworkCase):
    """A network that is in no table."""

    network: str = ""
    given: Any = None

    @property
    def made(self) -> Any:
        """It."""
        return self.given


def _network(label: str, work: NetworkWork) -> nn.Module:
    """A whole network."""
    made = work.plain if label == PLAIN else work.made
    parameters = data_of(_Made(given=made))[2]
    if label == PLAIN:
        return network_of(made, parameters, PlainLayers())
    network = network_of(made, parameters, OwnLayers("direct" if label == DIRECT else "auto"))
    et.set_backend(network, "torch")
    return network


def layer_calls(
    module: nn.Module, called: Callable[[Any], Any], x: Any, grad: Tensor, mode: str, device: str
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Forward without gradients, and a step: the output and the gradients of the signal and the weight."""
    weights, grad = [*module.parameters()], grad.to(OUTPUT_DTYPES[mode])
    x.requires_grad_()

    def forward() -> Any:
        _switch(module, False)
        with torch.no_grad(), autocast(mode, device):
            return called(x)

    def step() -> Any:
        _switch(module, True)
        with autocast(mode, device):
            y = called(x)
        return torch.autograd.grad(y, (x, *weights), grad)

    return forward, step


def network_calls(
    module: nn.Module, called: Callable[[Any], Any], x: Any, mode: str, device: str
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The scores in evaluation, and a step: the loss and the gradients of all weights."""
    labels = torch.from_numpy(np.random.default_rng(0).integers(0, CLASSES, len(x))).to(device)
    weights = [*module.parameters()]

    def forward() -> Any:
        _switch(module, False)
        with torch.no_grad(), autocast(mode, device):
            return called(x)

    def step() -> Any:
        _switch(module, True)
        with autocast(mode, device):
            loss = nn.functional.cross_entropy(called(x), labels)
        return torch.autograd.grad(loss, weights)

    return forward, step


def _switch(module: nn.Module, is_training: bool) -> None:
    """Training or evaluation; not again, since it walks through all modules."""
    if module.training != is_training:
        module.train(is_training)

# SPDX-License-Identifier: Apache-2.0
"""The networks in PyTorch: with the layers of `equiconv.torch`, and with ordinary convolutions of expanded filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import equiconv as eq
import numpy as np
import torch
from calls import group_of
from case import Case
from networks import RATE, Conv, MaxPool, Network, Norm, Residual, Step
from torch import Tensor, nn

from adapters import Array, NetworkInputs, Prepared
from adapters.pytorch import CONVOLUTIONS, Expansion, layouts


class Layers:
    """How a network's parts are made."""

    def convolution(self, layer: Case, weight: Tensor) -> nn.Module:
        """A layer with this weight and no bias."""
        raise NotImplementedError

    def norm(self, channels: int) -> nn.Module:
        """Batch norm over batch, fiber and space."""
        raise NotImplementedError

    def pool(self, layer: Case, size: int) -> nn.Module:
        """The maximum of windows of the signal that `layer` reads."""
        raise NotImplementedError

    def head(self, layer: Case) -> nn.Module:
        """The maximum over H, the mean over space."""
        raise NotImplementedError


class OwnLayers(Layers):
    """Those of `equiconv.torch`."""

    def __init__(self, algorithm: str) -> None:
        import equiconv.torch as et

        self._et, self._algorithm = et, algorithm

    def convolution(self, layer: Case, weight: Tensor) -> nn.Module:
        """A LiftingConv or a GroupConv."""
        kind: Any = self._et.LiftingConv if layer.layer == "lifting" else self._et.GroupConv
        module: nn.Module = kind(
            *layer.channels, layer.kernel, group_of(layer), stride=layer.stride, padding="same", bias=False,
            algorithm=self._algorithm,
        )  # fmt: skip
        module.weight = nn.Parameter(weight)
        return module

    def norm(self, channels: int) -> nn.Module:
        """A BatchNorm."""
        return self._et.BatchNorm(channels)

    def pool(self, layer: Case, size: int) -> nn.Module:
        """A SpatialMaxPool."""
        return self._et.SpatialMaxPool(group_of(layer), size, size)

    def head(self, layer: Case) -> nn.Module:
        """A GroupPool and a SpatialMean."""
        group = group_of(layer)
        return nn.Sequential(self._et.GroupPool(group, "max"), self._et.SpatialMean(group))


class ExpandedLayers(Layers):
    """Those of torch, in one layout of memory."""

    def __init__(self, layout: str) -> None:
        self._layout = layout

    def convolution(self, layer: Case, weight: Tensor) -> nn.Module:
        """An ordinary convolution."""
        return ExpandedConv(layer, weight, layouts(layer.dimension)[self._layout])

    def norm(self, channels: int) -> nn.Module:
        """Over (B, C, |H|, ...) with the fiber and all but two axes of space as one."""
        return FiberNorm(channels)

    def pool(self, layer: Case, size: int) -> nn.Module:
        """On (B, C |H|, ...)."""
        kinds: tuple[Any, ...] = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
        return FlatPool(kinds[layer.dimension - 1](size), layouts(layer.dimension)[self._layout])

    def head(self, layer: Case) -> nn.Module:
        """By torch's own reductions."""
        return Head(layer.dimension)


class ExpandedConv(nn.Module):
    """A layer as torch's convolution; its bank is made in each step of training, and once for evaluation."""

    bank: Tensor | None

    def __init__(self, layer: Case, weight: Tensor, memory: Any) -> None:
        super().__init__()
        self.layer, self.memory, self.weight = layer, memory, nn.Parameter(weight)
        self.expansion = self._of_lattice() if layer.is_lattice else self._sampled
        self.bank = None

    def _of_lattice(self) -> Callable[[Tensor], Tensor]:
        """A gather, which a step of training can differentiate."""
        numbers = np.arange(self.weight.numel(), dtype=np.float64).reshape(self.weight.shape)
        kind: Any = self.layer.layer
        return Expansion(eq.expand(numbers, group_of(self.layer), kind).astype(np.int64), self.layer.order)

    def _sampled(self, weight: Tensor) -> Tensor:
        """Of kernels between pixels; for evaluation alone."""
        kind: Any = self.layer.layer
        return torch.from_numpy(eq.expand(weight.detach().numpy(), group_of(self.layer), kind))

    def train(self, mode: bool = True) -> ExpandedConv:
        """Makes the bank for evaluation."""
        with torch.no_grad():
            self.bank = None if mode else self._expanded()
        return super().train(mode)

    def _expanded(self) -> Tensor:
        return self.expansion(self.weight).contiguous(memory_format=self.memory)

    def forward(self, x: Tensor) -> Tensor:
        """(B, O, |H|, outputs...)."""
        flat = x if x.dim() == self.layer.dimension + 2 else x.flatten(1, 2)
        bank = self._expanded() if self.bank is None else self.bank
        y: Tensor = CONVOLUTIONS[self.layer.dimension - 1](
            flat.contiguous(memory_format=self.memory), bank, stride=self.layer.stride, padding=self.layer.kernel // 2
        )
        # A view, whatever the layout.
        return y.unflatten(1, (-1, self.layer.order))


class FiberNorm(nn.BatchNorm3d):
    """Batch norm with one scale and shift a channel."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, |H|, ...) again."""
        return super().forward(x.flatten(2, -3)).view(x.shape) if x.dim() > 5 else super().forward(x)


class FlatPool(nn.Module):
    """A pool of torch's on (B, C, |H|, ...)."""

    def __init__(self, module: nn.Module, memory: Any) -> None:
        super().__init__()
        self.module, self.memory = module, memory

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, |H|, ...) with other sizes."""
        y: Tensor = self.module(x.flatten(1, 2).contiguous(memory_format=self.memory))
        return y.unflatten(1, x.shape[1:3])


class Head(nn.Module):
    """The maximum over H and the mean over space."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.axes = tuple(range(-dimension, 0))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C)."""
        return x.amax(2).mean(self.axes)


class Sum(nn.Module):
    """ReLU of the sum of two branches."""

    def __init__(self, main: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.main, self.shortcut = main, shortcut

    def forward(self, x: Tensor) -> Tensor:
        """The sum."""
        return torch.relu(self.main(x) + self.shortcut(x))


def network_of(made: Network, parameters: list[Array], layers: Layers) -> nn.Module:
    """The network with these parameters."""
    cases, arrays = made.layers(), iter(parameters)
    last = next(made.layers())

    def given(module: nn.Module) -> nn.Module:
        for name in ("weight", "bias"):
            setattr(module, name, nn.Parameter(torch.from_numpy(next(arrays))))
        return module

    def sequence(steps: tuple[Step, ...]) -> nn.Sequential:
        return nn.Sequential(*(module for step in steps for module in modules(step)))

    def modules(step: Step) -> Iterator[nn.Module]:
        nonlocal last
        if isinstance(step, Conv):
            last = next(cases)
            yield layers.convolution(last, torch.from_numpy(next(arrays)))
        elif isinstance(step, Norm):
            yield given(layers.norm(last.channels[1]))
            if step.relu:
                yield nn.ReLU()
        elif isinstance(step, MaxPool):
            yield layers.pool(last, step.size)
        elif isinstance(step, Residual):
            yield Sum(sequence(step.main), sequence(step.shortcut))

    body = sequence(made.steps)
    classes = given(nn.Linear(1, 1))
    return nn.Sequential(body, layers.head(last), classes)


def scores_and_gradient(network: nn.Module, x: Tensor, labels: Tensor | None) -> dict[str, Tensor]:
    """The scores, and with labels the gradient of the loss for the first layer's weight."""
    if labels is None:
        with torch.no_grad():
            return {"scores": network(x)}
    scores = network(x)
    loss = nn.functional.cross_entropy(scores, labels)
    loss.backward()
    return {"scores": scores.detach(), "grad_weight": next(network.parameters()).grad}  # type: ignore[dict-item]


def _prepare(layers: Callable[[NetworkInputs], Layers]) -> Callable[[NetworkInputs], Prepared]:
    """The calls of a network made of some layers."""

    def prepare(inputs: NetworkInputs) -> Prepared:
        torch.set_num_threads(inputs.threads)
        eq.set_num_threads(inputs.threads)
        network = network_of(inputs.case.made, list(inputs.parameters), layers(inputs))
        x, labels = torch.from_numpy(inputs.x), torch.from_numpy(inputs.labels)
        is_step = inputs.case.run == "training"
        network.train(is_step)
        update = torch.optim.SGD(network.parameters(), lr=RATE)

        def step() -> dict[str, Tensor]:
            update.zero_grad(set_to_none=True)
            found = scores_and_gradient(network, x, labels)
            update.step()
            return found

        call = step if is_step else lambda: scores_and_gradient(network, x, None)
        return Prepared({"network": call}, lambda found: {name: part.numpy() for name, part in found.items()})

    return prepare


def _own(algorithm: str) -> Callable[[NetworkInputs], Prepared]:
    return _prepare(lambda _: OwnLayers(algorithm))


def frozen(inputs: NetworkInputs) -> Prepared:
    """The network of ordinary convolutions, traced, frozen and optimized for inference, in both layouts."""
    torch.set_num_threads(inputs.threads)
    x = torch.from_numpy(inputs.x)
    calls: dict[str, Any] = {}
    for layout in ("first", "last"):
        network = network_of(inputs.case.made, list(inputs.parameters), ExpandedLayers(layout)).eval()
        with torch.no_grad():
            traced = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network, x)))
        calls[layout] = lambda traced=traced: _scores(traced, x)
    return Prepared(calls, lambda found: {"scores": found.numpy()}, [x])


def _scores(network: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    with torch.no_grad():
        return network(x)


automatic, exact, group_fourier, direct = _own("auto"), _own("exact"), _own("group-fourier"), _own("direct")
channels_last = _prepare(lambda _: ExpandedLayers("last"))
channels_first = _prepare(lambda _: ExpandedLayers("first"))

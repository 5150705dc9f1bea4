# SPDX-License-Identifier: Apache-2.0
"""Networks without equiconv: the equal ordinary convolutions, which export to ONNX."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from .._functional.convolutions import LayerName
from .._functional.convolutions import expand as expand_weight
from .._layer.layer import LAYERS
from .._layer.sampling import Sampling
from ._modules import Convolution, GroupPool
from ._spatial import SpatialAvgPool, SpatialMaxPool, SpatialMean
from ._tensors import as_array

_CONVOLUTIONS: tuple[Any, ...] = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def expand_convolution(module: Convolution) -> nn.Conv1d | nn.Conv2d | nn.Conv3d:
    """The ordinary convolution that equals a layer: from (B, C |X|, spatial...) to (B, O |Y|, spatial_out...).

    Its weight is the filter bank of `equiconv.expand`, its bias that of each channel for all of H.
    """
    group, d = module.group, module.group.dimension
    name: LayerName = module.layer_name
    # Once: a parametrization computes them each time.
    weight, bias = module.weight.detach(), module.bias
    bank = torch.from_numpy(
        expand_weight(
            as_array("weight", weight),
            group,
            name,
            basis=module.basis,
            interpolation=module.interpolation,
            group_basis=module.group_basis,
            quadrature=module.quadrature,
        )
    )
    sampling = Sampling.checked(
        d, module.stride, module.padding, module.dilation, module.padding_mode, module.algorithm
    )
    # Elements that enlarge the kernel enlarge the bank, about the same center.
    padding = tuple(
        amount + (taps - extent) // 2 * dilation
        for amount, taps, extent, dilation in zip(
            sampling.amounts(module.extents), bank.shape[2:], module.extents, sampling.dilation, strict=True
        )
    )
    plain = _CONVOLUTIONS[d - 1](
        bank.shape[1],
        bank.shape[0],
        tuple(bank.shape[2:]),
        stride=sampling.stride,
        padding=padding,
        dilation=sampling.dilation,
        padding_mode=sampling.padding_mode,
        bias=bias is not None,
        dtype=weight.dtype,
    )
    with torch.no_grad():
        plain.weight.copy_(bank)
        if bias is not None:
            plain.bias.copy_(bias.detach().repeat_interleave(LAYERS[name].output_points(group) or 1))
    convolution: nn.Conv1d | nn.Conv2d | nn.Conv3d = plain
    return convolution


def expand(network: nn.Module) -> nn.Module:
    """A copy of a network in which ordinary modules of torch take the place of this package's.

    Layers become ``Conv2d`` (or 1d, 3d) between reshapes to (B, C |H|, rows, columns) and back, so that signals keep
    their shapes and all other modules work as they are. The copy calls no operator of equiconv, and exports to ONNX. It
    has |H| times the weights of a group layer, and equals the network up to rounding.

    Args:
        network: any module; those of this package may be anywhere in it, by attribute or in containers.

    Returns:
        The copy, in the same mode of training or evaluation.

    Raises:
        TypeError: `network` is no module.

    Example:
        >>> network = torch.nn.Sequential(LiftingConv(3, 8, 5, cyclic(4)), torch.nn.ReLU(), GroupPool(cyclic(4)))
        >>> x = torch.randn(1, 3, 9, 9)
        >>> torch.allclose(expand(network)(x), network(x), atol=1e-5)
        True
    """
    if not isinstance(network, nn.Module):
        raise TypeError(f"network is of type {type(network).__name__}, expected a torch.nn.Module")
    return _expanded(copy.deepcopy(network))


def _expanded(module: nn.Module) -> nn.Module:
    plain = _plain(module)
    if plain is not None:
        return plain.train(module.training)
    for name, child in list(module.named_children()):
        setattr(module, name, _expanded(child))
    return module


def _plain(module: Any) -> nn.Module | None:
    """What takes the place of one of this package's modules; None for others."""
    if isinstance(module, GroupPool):
        return _FiberPool(module.mode)
    if isinstance(module, SpatialMean):
        return _Mean(module.group.dimension)
    if isinstance(module, SpatialMaxPool | SpatialAvgPool):
        return _Windows(module)
    if not isinstance(module, Convolution):
        return None
    layer, order = LAYERS[module.layer_name], module.group.order
    steps: list[nn.Module] = [nn.Flatten(1, 2)] if layer.reads_group else []
    steps.append(expand_convolution(module))
    if layer.writes_group:
        steps.append(nn.Unflatten(1, (module.out_channels, order)))
    return nn.Sequential(*steps)


class _FiberPool(nn.Module):
    """Mean or maximum over the axis of H."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(2) if self.mode == "mean" else x.amax(2)


class _Mean(nn.Module):
    """Mean over the spatial axes."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.dimension = dimension

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(tuple(range(-self.dimension, 0)))


class _Windows(nn.Module):
    """Maximum or mean over windows, on (B, C |H|, spatial...)."""

    def __init__(self, pool: SpatialMaxPool | SpatialAvgPool) -> None:
        super().__init__()
        d = pool.group.dimension
        kinds: tuple[Any, ...] = (
            (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
            if isinstance(pool, SpatialMaxPool)
            else (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
        )
        self.windows = kinds[d - 1](pool.kernel, pool.stride, pool.padding)
        self.dimension = d

    def forward(self, x: Tensor) -> Tensor:
        d = self.dimension
        y: Tensor = self.windows(x.flatten(1, -d - 1))
        return y.reshape(*x.shape[:-d], *y.shape[-d:])

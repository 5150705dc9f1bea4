# SPDX-License-Identifier: Apache-2.0
"""ResNet-18, 34 and 50, as torchvision has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..._checks.arguments import boolean, choice
from ..._functional.pool import PoolMode
from ..._groups.point_group import PointGroup
from ..._nn.blocks import Downsample
from .._nn.norm import BatchNorm
from .._nn.resizing import BlurPool, MaxBlurPool
from .._nn.spatial import SpatialAvgPool, SpatialMaxPool
from .grids import Step, Windows, halving
from .matching import Matching, checked_widths
from .model import Activation, Model, Norm
from .parts import Kernel, Parts, extent_of, pooled_head, residual_stage

_STAGES = 4
# Of a bottleneck: the channels that it writes, for each of its width.
_EXPANSION = 4


class ResNet(Model):
    """A residual network after torchvision's: `resnet18`, `resnet34` and `resnet50` with the published arguments.

    ``stem``, four stages ``layer1`` to ``layer4`` of `ResidualBlock`, and ``head``: the mean or maximum over H, the
    mean over space and a linear layer. For the trivial group it has torchvision's parameters, one for one. Source: He
    et al., "Deep residual learning for image recognition", CVPR 2016.

    Scores do not change when the input is turned, to the last bit in evaluation with ``set_algorithm(model, "exact")``,
    for the sizes of `exact_sizes`. With the stem of ImageNet these are 32 m + 1 with strides, 32 m with pools, and all
    with blurred pools; with that of CIFAR 8 m + 1, 8 m, and all. Network files have it without blurred pools.

    Args:
        group: H, any group.
        layers: the number of blocks of each stage.
        num_classes: of what it writes.
        in_channels: of what it reads.
        bottleneck: whether blocks are bottlenecks, which write four times their width.
        stem: ``"imagenet"``, a lifting convolution of 7 x 7 and stride 2 and maxima of windows of 3 and stride 2; or
            ``"cifar"``, one of 3 x 3.
        widths: of the stages, an int or four; the stem has the first.
        matched_to: ``"parameters"``: `widths` are those of the ordinary network, and are scaled such that the number of
            parameters comes nearest to its. ``"width"``: they are divided by |H|. None: they are those of the model.
        downsample: ``"stride"``, ``"pool"`` or ``"blur"``, as of `ResidualBlock`. With the latter two the convolution
            of the stem has no stride and costs four times as much in the plane; a pool follows it.
        dropout: as of `ResidualBlock`.
        kernel: of the blocks: odd extents, or a basis.
        stem_kernel: of the stem; None for 7 or 3.
        group_pool: ``"mean"`` or ``"max"``, over H.
        norm: makes a norm of its channels; None for biases in place of norms.
        activation: a function of tensors, or a module.
        device, dtype: of the parameters.
        options: more arguments of all convolutions, as of `GroupConv`: padding_mode, algorithm, interpolation,
            group_basis, quadrature, backend.

    Shape:
        (B, in_channels, spatial...) -> (B, num_classes).

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> ResNet(cyclic(4), (1, 1, 1, 1), 10, stem="cifar", widths=8)(torch.zeros(1, 3, 17, 17)).shape
        torch.Size([1, 10])
    """

    def __init__(
        self, group: PointGroup, layers: Sequence[int] = (2, 2, 2, 2), num_classes: int = 1000, in_channels: int = 3, *,
        bottleneck: bool = False, stem: Literal["imagenet", "cifar"] = "imagenet",
        widths: int | Sequence[int] = (64, 128, 256, 512), matched_to: Matching | None = "parameters",
        downsample: Downsample = "stride", dropout: float = 0.0, kernel: Kernel = 3, stem_kernel: Kernel | None = None,
        group_pool: PoolMode = "mean", norm: Norm | None = BatchNorm, activation: Activation = torch.relu,
        device: Any = None, dtype: torch.dtype | None = None, **options: Any,
    ) -> None:  # fmt: skip
        self.layers = checked_widths("layers", layers, _STAGES)
        self.stem_kind = choice("stem", stem, ("imagenet", "cifar"))
        self.downsample = choice("downsample", downsample, ("stride", "pool", "blur"))
        arguments = {
            "layers": layers, "bottleneck": bottleneck, "stem": stem, "downsample": downsample, "dropout": dropout,
            "kernel": kernel, "stem_kernel": stem_kernel, "group_pool": group_pool, "norm": norm,
            "activation": activation, **options,
        }  # fmt: skip
        super().__init__(group, in_channels, num_classes, widths, _STAGES, matched_to, device, dtype, arguments)
        parts = Parts(self.group, norm, activation, self._place, options)
        self.stem = self._stem(parts, stem_kernel)
        expansion = _EXPANSION if boolean("bottleneck", bottleneck) else 1
        last = self.widths[0]
        for stage, (width, count) in enumerate(zip(self.widths, self.layers, strict=True)):
            outputs = width * expansion
            made = residual_stage(
                parts, last, outputs, count, 2 if stage else 1, kernel, bottleneck=bottleneck, downsample=downsample,
                dropout=dropout,
            )  # fmt: skip
            setattr(self, f"layer{stage + 1}", made)
            last = outputs
        self.head = pooled_head(self.group, last, self.num_classes, group_pool, self._place)

    def _stem(self, parts: Parts, kernel: Kernel | None) -> nn.Sequential:
        """Convolution, norm and activation, and the pools of ImageNet's."""
        group, width = self.group, self.widths[0]
        if self.stem_kind == "cifar":
            return parts.unit(parts.lift(self.in_channels, width, 3 if kernel is None else kernel), width)
        pools: dict[str, dict[str, nn.Module]] = {
            "stride": {"pool": SpatialMaxPool(group, 3, 2, 1)},
            "pool": {"down": SpatialAvgPool(group, 2), "pool": SpatialMaxPool(group, 2)},
            "blur": {"down": BlurPool(group), "pool": MaxBlurPool(group, 3)},
        }
        stride = 2 if self.downsample == "stride" else 1
        convolution = parts.lift(self.in_channels, width, 7 if kernel is None else kernel, stride)
        return parts.unit(convolution, width, **pools[self.downsample])

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes."""
        x = self.stem(x)
        for stage in range(1, _STAGES + 1):
            x = getattr(self, f"layer{stage}")(x)
        scores: Tensor = self.head(x)
        return scores

    def _steps(self, axis: int) -> list[Step]:
        steps = [halving(self.downsample)] * (_STAGES - 1)
        if self.stem_kind == "cifar":
            return steps
        if self.downsample != "stride":
            return [halving(self.downsample)] * 2 + steps
        extent = extent_of(self.stem.get_submodule("conv"), axis)
        return [Windows(extent, 2, extent // 2), Windows(3, 2, 1), *steps]


def resnet18(group: PointGroup, **arguments: Any) -> ResNet:
    """ResNet-18, by default with as many parameters as torchvision's: 11,689,512 for 1,000 classes.

    Args:
        group: H.
        arguments: those of `ResNet`.

    Example:
        >>> resnet18(dihedral(4), device="meta").widths
        (23, 46, 92, 184)
    """
    return ResNet(group, **{"layers": (2, 2, 2, 2), **arguments})


def resnet34(group: PointGroup, **arguments: Any) -> ResNet:
    """ResNet-34, by default with as many parameters as torchvision's: 21,797,672 for 1,000 classes.

    Args:
        group: H.
        arguments: those of `ResNet`.

    Example:
        >>> resnet34(dihedral(4), device="meta").widths
        (23, 46, 91, 183)
    """
    return ResNet(group, **{"layers": (3, 4, 6, 3), **arguments})


def resnet50(group: PointGroup, **arguments: Any) -> ResNet:
    """ResNet-50, by default with as many parameters as torchvision's: 25,557,032 for 1,000 classes.

    Args:
        group: H.
        arguments: those of `ResNet`.

    Example:
        >>> resnet50(dihedral(4), device="meta").widths
        (23, 47, 93, 186)
    """
    return ResNet(group, **{"layers": (3, 4, 6, 3), "bottleneck": True, **arguments})

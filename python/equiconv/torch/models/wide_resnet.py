# SPDX-License-Identifier: Apache-2.0
"""Residual networks with preactivation: wide ones, and those of Cohen and Welling's table of CIFAR-10."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..._checks.arguments import choice, integer
from ..._functional.pool import PoolMode
from ..._groups.named import dihedral
from ..._groups.point_group import PointGroup
from ..._nn.blocks import Downsample
from .._nn.norm import BatchNorm
from .grids import Step, halving
from .matching import Matching
from .model import Activation, Model, Norm
from .parts import Kernel, Parts, pooled_head, residual_stage

_STAGES = 3
# More than any network has.
_MOST_BLOCKS = 1000


class WideResNet(Model):
    """A residual network with preactivation for small images: `wrn_16_8`, `wrn_28_10`, `p4m_resnet26`, `p4m_resnet44`.

    ``stem``, a lifting convolution; three stages ``layer1`` to ``layer3`` of `ResidualBlock`, of which the second and
    third begin with a stride of 2; ``norm``, activation, and ``head``: the mean or maximum over H, the mean over space
    and a linear layer. Sources: He et al., "Identity mappings in deep residual networks", ECCV 2016; Zagoruyko and
    Komodakis, "Wide residual networks", BMVC 2016.

    Scores do not change when the input is turned, to the last bit in evaluation with ``set_algorithm(model, "exact")``,
    for the sizes of `exact_sizes`: 4 m + 1 with strides, 4 m with pools, all with blurred pools. Images of CIFAR, of
    32 x 32, want one of the latter. Network files have it without blurred pools.

    Args:
        group: H, any group.
        blocks: of each stage, two convolutions each.
        num_classes: of what it writes.
        in_channels: of what it reads.
        widths: of the stem and the three stages, an int or four.
        matched_to: ``"parameters"``: `widths` are those of the ordinary network, and are scaled such that the number of
            parameters comes nearest to its. ``"width"``: they are divided by |H|. None: they are those of the model.
        downsample: ``"stride"``, ``"pool"`` or ``"blur"``, as of `ResidualBlock`.
        dropout: the probability that a field is dropped between the convolutions of a block.
        kernel: of the blocks and the stem: odd extents, or a basis.
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
        >>> WideResNet(cyclic(4), 1, widths=(4, 4, 8, 16))(torch.zeros(1, 3, 33, 33)).shape
        torch.Size([1, 10])
    """

    def __init__(
        self, group: PointGroup, blocks: int = 4, num_classes: int = 10, in_channels: int = 3, *,
        widths: int | Sequence[int] = (16, 160, 320, 640), matched_to: Matching | None = "parameters",
        downsample: Downsample = "stride", dropout: float = 0.0, kernel: Kernel = 3, group_pool: PoolMode = "mean",
        norm: Norm | None = BatchNorm, activation: Activation = torch.relu, device: Any = None,
        dtype: torch.dtype | None = None, **options: Any,
    ) -> None:  # fmt: skip
        count = integer("blocks", blocks, 1, _MOST_BLOCKS)
        self.downsample = choice("downsample", downsample, ("stride", "pool", "blur"))
        arguments = {
            "blocks": blocks, "downsample": downsample, "dropout": dropout, "kernel": kernel, "group_pool": group_pool,
            "norm": norm, "activation": activation, **options,
        }  # fmt: skip
        super().__init__(group, in_channels, num_classes, widths, 1 + _STAGES, matched_to, device, dtype, arguments)
        parts = Parts(self.group, norm, activation, self._place, options)
        last = self.widths[0]
        self.stem = parts.lift(self.in_channels, last, kernel)
        for stage, width in enumerate(self.widths[1:]):
            made = residual_stage(
                parts, last, width, count, 2 if stage else 1, kernel, preactivation=True, downsample=downsample,
                dropout=dropout,
            )  # fmt: skip
            setattr(self, f"layer{stage + 1}", made)
            last = width
        self.norm, self.activation = parts.normed(last), parts.active()
        self.head = pooled_head(self.group, last, self.num_classes, group_pool, self._place)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes."""
        x = self.stem(x)
        for stage in range(1, _STAGES + 1):
            x = getattr(self, f"layer{stage}")(x)
        scores: Tensor = self.head(self.activation(self.norm(x)))
        return scores

    def _steps(self, axis: int) -> list[Step]:
        return [halving(self.downsample)] * (_STAGES - 1)


def wrn_16_8(group: PointGroup, **arguments: Any) -> WideResNet:
    """WRN-16-8: two blocks a stage, by default with as many parameters as the ordinary network, 10,961,370.

    Args:
        group: H.
        arguments: those of `WideResNet`; dropout of 0.3 is usual.

    Example:
        >>> wrn_16_8(dihedral(4), device="meta").widths
        (6, 45, 91, 181)
    """
    return WideResNet(group, **{"blocks": 2, "widths": (16, 128, 256, 512), **arguments})


def wrn_28_10(group: PointGroup, **arguments: Any) -> WideResNet:
    """WRN-28-10: four blocks a stage, by default with as many parameters as the ordinary network, 36,479,194.

    Args:
        group: H.
        arguments: those of `WideResNet`; dropout of 0.3 is usual.

    Example:
        >>> wrn_28_10(dihedral(4), device="meta").widths
        (6, 57, 113, 226)
    """
    return WideResNet(group, **{"blocks": 4, "widths": (16, 160, 320, 640), **arguments})


def p4m_resnet26(group: PointGroup | None = None, **arguments: Any) -> WideResNet:
    """The ResNet-26 of Cohen and Welling: 25, 50 and 100 channels on D4, or on another group.

    The published network has 7.17 million parameters and errors of 5.74 % on CIFAR-10, and 4.19 % with augmentation.
    Its shortcuts read the signal before norm and activation, its head is a linear map of all of H, and its strides do
    not fit 32 x 32. The ordinary network has 71, 142 and 284 channels.

    Args:
        group: H; `dihedral(4)` if not given.
        arguments: those of `WideResNet`.

    Example:
        >>> p4m_resnet26(device="meta").widths
        (25, 25, 50, 100)
    """
    return _of_cifar(group, 4, (25, 25, 50, 100), arguments)


def p4m_resnet44(group: PointGroup | None = None, **arguments: Any) -> WideResNet:
    """The ResNet-44 of Cohen and Welling: 11, 23 and 45 channels on D4, or on another group.

    The published network has 2.62 million parameters and errors of 6.46 % on CIFAR-10, and 4.94 % with augmentation.
    What differs is as of `p4m_resnet26`. The ordinary network has 32, 64 and 128 channels.

    Args:
        group: H; `dihedral(4)` if not given.
        arguments: those of `WideResNet`.

    Example:
        >>> p4m_resnet44(device="meta").widths
        (11, 11, 23, 45)
    """
    return _of_cifar(group, 7, (11, 11, 23, 45), arguments)


def _of_cifar(group: PointGroup | None, blocks: int, widths: Sequence[int], arguments: dict[str, Any]) -> WideResNet:
    own = {"blocks": blocks, "widths": widths, "matched_to": None}
    return WideResNet(dihedral(4) if group is None else group, **{**own, **arguments})

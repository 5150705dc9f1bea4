# SPDX-License-Identifier: Apache-2.0
"""The dense network of PatchCamelyon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from ..._checks.arguments import integer, items, real
from ..._functional.pool import PoolMode
from ..._groups.named import dihedral
from ..._groups.point_group import PointGroup
from .._nn.blocks import DenseBlock, DenseTransition
from .._nn.norm import BatchNorm
from .grids import Step, Windows
from .matching import Matching
from .model import Activation, Model, Norm
from .parts import Kernel, Parts, extent_of, pooled_head

_MOST_BLOCKS = 64


class DenseNet(Model):
    """A dense network: `gdensenet` with the published arguments.

    ``stem``, a lifting convolution; dense blocks ``block1``, ``block2``, ... with a `DenseTransition` between any two,
    ``transition1``, ...; ``norm``, activation, and ``head``: the mean or maximum over H, the mean over space and a
    linear layer. Sources: Huang et al., "Densely connected convolutional networks", CVPR 2017; Veeling et al.,
    "Rotation equivariant CNNs for digital pathology", MICCAI 2018, and its code.

    Scores do not change when the input is turned, to the last bit in evaluation with ``set_algorithm(model, "exact")``,
    for the sizes of `exact_sizes`. Network files have it with ``padding="same"``.

    Args:
        group: H, any group.
        layers: of each block.
        num_classes: of what it writes.
        in_channels: of what it reads.
        widths: the channels of the stem and those that a layer adds, an int or two.
        matched_to: None: `widths` are those of the model. ``"parameters"``: they are those of the ordinary network, and
            are scaled such that the number of parameters comes nearest to its. ``"width"``: they are divided by |H|.
        compression: which share of the channels a transition keeps, up to 1.
        bottleneck, padding, dropout: as of `DenseBlock`; `padding` also of the stem.
        kernel: of the stem and the layers: odd extents, or a basis.
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
        >>> DenseNet(cyclic(4), (1, 1), widths=4)(torch.zeros(1, 3, 16, 16)).shape
        torch.Size([1, 2])
    """

    def __init__(
        self, group: PointGroup, layers: Sequence[int] = (1, 1, 1, 1, 1), num_classes: int = 2, in_channels: int = 3, *,
        widths: int | Sequence[int] = 9, matched_to: Matching | None = None, compression: float = 1.0,
        bottleneck: bool = False, padding: Literal["same", "valid"] = "valid", dropout: float = 0.0, kernel: Kernel = 3,
        group_pool: PoolMode = "mean", norm: Norm | None = BatchNorm, activation: Activation = torch.relu,
        device: Any = None, dtype: torch.dtype | None = None, **options: Any,
    ) -> None:  # fmt: skip
        self.layers = _checked_layers(layers)
        share = _checked_share(compression)
        arguments = {
            "layers": layers, "compression": compression, "bottleneck": bottleneck, "padding": padding,
            "dropout": dropout, "kernel": kernel, "group_pool": group_pool, "norm": norm, "activation": activation,
            **options,
        }  # fmt: skip
        super().__init__(group, in_channels, num_classes, widths, 2, matched_to, device, dtype, arguments)
        parts = Parts(self.group, norm, activation, self._place, options)
        last, growth = self.widths
        self.stem = parts.lift(self.in_channels, last, kernel, padding=padding)
        for number, count in enumerate(self.layers, start=1):
            block = DenseBlock(
                last, growth, count, self.group, kernel, bottleneck, norm, activation, padding=padding, dropout=dropout,
                **self._place, **options,
            )  # fmt: skip
            setattr(self, f"block{number}", block)
            last = block.out_channels
            if number < len(self.layers):
                kept = max(1, int(last * share))
                more = DenseTransition(last, kept, self.group, 2, norm, activation, **self._place, **options)
                setattr(self, f"transition{number}", more)
                last = kept
        self.norm, self.activation = parts.normed(last), parts.active()
        self.head = pooled_head(self.group, last, self.num_classes, group_pool, self._place)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes."""
        x = self.stem(x)
        for number in range(1, len(self.layers) + 1):
            x = getattr(self, f"block{number}")(x)
            if number < len(self.layers):
                x = getattr(self, f"transition{number}")(x)
        scores: Tensor = self.head(self.activation(self.norm(x)))
        return scores

    def _steps(self, axis: int) -> list[Step]:
        extent = extent_of(self.stem, axis)
        layer = Windows(extent, 1, 0 if self.stem.padding == "valid" else extent // 2)
        steps: list[Step] = [layer]
        for number, count in enumerate(self.layers):
            steps += [Windows(2, 2)] * (number > 0) + [layer] * count
        return steps


def _checked_layers(value: object) -> tuple[int, ...]:
    counts = items("layers", value, "the layers of each block")
    if not 1 <= len(counts) <= _MOST_BLOCKS:
        raise ValueError(f"layers has {len(counts)} numbers, expected 1 to {_MOST_BLOCKS}")
    return tuple(integer(f"layers[{place}]", count, 1, 4096) for place, count in enumerate(counts))


def _checked_share(value: object) -> float:
    share = real("compression", value)
    if not 0 < share <= 1:
        raise ValueError(f"compression is {share}, expected more than 0 and at most 1")
    return share


def gdensenet(group: PointGroup | None = None, **arguments: Any) -> DenseNet:
    """The GDenseNet of PatchCamelyon: five blocks of a layer, 9 channels on D4, without padding, for 96 x 96.

    The published network has an accuracy of 89.8 % and an area under the curve of 0.963. With 13 channels on C4 and 26
    on the trivial group there are nearly as many parameters.

    Args:
        group: H; `dihedral(4)` if not given.
        arguments: those of `DenseNet`.

    Example:
        >>> gdensenet()(torch.zeros(1, 3, 96, 96)).shape
        torch.Size([1, 2])
    """
    return DenseNet(dihedral(4) if group is None else group, **arguments)

# SPDX-License-Identifier: Apache-2.0
"""The networks of the experiments, for any group and any library's layers.

One class, `GroupNetwork`, is all networks: on the trivial group it is the plain convolutional network, since a signal
on R^2 x {e} is a signal on the plane. It is written against a namespace of layers, `LayerNamespace`, which is
`equiconv.torch` unless another is given, so that a benchmark can build the same network from another library's layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import equiconv as eq
import equiconv.torch as et
from torch import Tensor, nn

__all__ = [
    "CELL_NETWORKS",
    "DIGIT_NETWORKS",
    "Architecture",
    "GroupNetwork",
    "HasGroup",
    "LayerNamespace",
    "exact_turns",
    "family",
    "parameter_count",
]


class LayerNamespace(Protocol):
    """What a library must offer, with the signatures of `equiconv.torch`.

    Signals are (B, C, rows, columns) on the plane and (B, C, |H|, rows, columns) on the group, at least as far as these
    modules are concerned: they are only given to each other, to `torch.relu` and, after `SpatialMean`, to `nn.Linear`.
    """

    @property
    def LiftingConv(self) -> Any:  # noqa: N802
        """``(in_channels, out_channels, kernel, group, *, interpolation, bias)``: plane to group."""

    @property
    def GroupConv(self) -> Any:  # noqa: N802
        """``(in_channels, out_channels, kernel, group, *, padding, interpolation, bias)``: group to group.

        `padding` is a number of zeros on each side of each axis.
        """

    @property
    def BatchNorm(self) -> Any:  # noqa: N802
        """``(channels)``: over batch, fiber and space."""

    @property
    def SpatialMaxPool(self) -> Any:  # noqa: N802
        """``(group, kernel, stride)``: the maximum over windows."""

    @property
    def GroupPool(self) -> Any:  # noqa: N802
        """``(group, mode)``: the maximum over H, (B, C, rows, columns)."""

    @property
    def SpatialMean(self) -> Any:  # noqa: N802
        """``(group)``: the mean over space, (B, C)."""


@dataclass(frozen=True)
class Architecture:
    """The numbers of a network.

    Attributes:
        label: what tables and figures call it.
        group: H.
        widths: channels after the lifting and each group convolution.
        kernels: extents of their kernels.
        paddings: zeros about what each group convolution reads, on each side.
        pools: extents and strides of the max pools after each convolution but the last; 1 for none.
        interpolation: how kernels continue between taps, where H is not a lattice group.
    """

    label: str
    group: eq.PointGroup
    widths: tuple[int, ...]
    kernels: tuple[int, ...]
    paddings: tuple[int, ...]
    pools: tuple[int, ...]
    interpolation: str = "bicubic"


def family(
    widths: Mapping[str, tuple[int, ...]], kernels: tuple[int, ...], paddings: tuple[int, ...], pools: tuple[int, ...]
) -> dict[str, Architecture]:
    """Networks that differ in groups and widths only, by the names ``cnn``, ``c4``, ``c8`` and ``d4``."""
    labels = {"cnn": "plain CNN", "c4": "C4 G-CNN", "c8": "C8 G-CNN", "d4": "D4 G-CNN"}
    groups = {"cnn": eq.trivial(2), "c4": eq.cyclic(4), "c8": eq.cyclic(8), "d4": eq.dihedral(4)}
    return {name: Architecture(labels[name], groups[name], widths[name], kernels, paddings, pools) for name in widths}


# A group convolution has |H| times the weights of a plain one of its widths: widths go with 1 / sqrt(|H|), and what
# rounding leaves is made up for in the last, so that networks of a family differ by less than 3 % in parameters.
DIGIT_NETWORKS: Mapping[str, Architecture] = family(
    {"cnn": (16, 32, 32), "c4": (8, 16, 16), "c8": (8, 8, 16), "d4": (8, 8, 16)},
    kernels=(5, 5, 5),
    paddings=(2, 0),
    pools=(1, 1),
)
"""For images of 16 x 16 pixels: maps of 12, 12 and 8 rows; any other size from 9 on will do."""

CELL_NETWORKS: Mapping[str, Architecture] = family(
    {"cnn": (16, 24, 31), "c4": (8, 12, 16), "c8": (6, 8, 12), "d4": (6, 8, 12)},
    kernels=(5, 5, 5),
    paddings=(0, 0),
    pools=(2, 2),
)
"""For color images of 48 x 48 pixels: maps of 44, 22, 18, 9 and 5 rows; other multiples of 4 from 32 on will do."""


class GroupNetwork(nn.Module):
    """Lifting convolution, group convolutions, projection by the maximum over H, mean over space, linear classifier.

    ``lifting - [max pool - batch norm - ReLU - group convolution]... - batch norm - ReLU - max over H - mean over space
    - linear``. Convolutions have no bias, which the batch norm has. Class scores are invariant under the rotations (and
    mirrors) in H that map the grid to itself, on images of which the windows of the pools fill the maps: multiples of 4
    for the networks here that pool.

    Args:
        architecture: group, widths, kernels, paddings and pools.
        in_channels: channels of the images.
        classes: number of scores.
        layers: the library whose layers to use.

    Raises:
        ValueError: widths, kernels, paddings and pools whose numbers do not fit.

    Example:
        >>> import torch
        >>> network = GroupNetwork(DIGIT_NETWORKS["c4"], in_channels=1, classes=10)
        >>> network(torch.zeros(2, 1, 16, 16)).shape
        torch.Size([2, 10])
    """

    def __init__(self, architecture: Architecture, in_channels: int, classes: int, layers: LayerNamespace = et) -> None:
        super().__init__()
        group, widths, kernels = architecture.group, architecture.widths, architecture.kernels
        paddings, pools = architecture.paddings, architecture.pools
        if not len(widths) == len(kernels) == len(paddings) + 1 == len(pools) + 1:
            raise ValueError(
                f"architecture has widths {widths}, kernels {kernels}, paddings {paddings} and pools {pools}, expected "
                "as many kernels as widths, and one padding and one pool less"
            )
        options = {"interpolation": architecture.interpolation, "bias": False}
        blocks: list[nn.Module] = [layers.LiftingConv(in_channels, widths[0], kernels[0], group, **options)]
        for (before, after), kernel, padding, pool in zip(pairwise(widths), kernels[1:], paddings, pools, strict=True):
            if pool > 1:
                # Before the norm, which has a quarter of the work then.
                blocks.append(layers.SpatialMaxPool(group, pool, pool))
            blocks += [layers.BatchNorm(before), nn.ReLU()]
            blocks.append(layers.GroupConv(before, after, kernel, group, padding=padding, **options))
        blocks += [layers.BatchNorm(widths[-1]), nn.ReLU()]
        self.features = nn.Sequential(*blocks)
        self.project = nn.Sequential(layers.GroupPool(group, "max"), layers.SpatialMean(group))
        self.classify = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Scores (B, classes) of images (B, in_channels, rows, columns)."""
        scores: Tensor = self.classify(self.project(self.features(images)))
        return scores


class HasGroup(Protocol):
    """What a network is described by."""

    @property
    def group(self) -> eq.PointGroup:
        """H."""


def exact_turns(network: HasGroup) -> eq.PointGroup:
    """The group whose turns a network is compared under to the last bit: of squares, with mirrors where H has them."""
    square = eq.dihedral(4)
    return square if network.group == square else eq.cyclic(4)


def parameter_count(network: nn.Module) -> int:
    """How many trained numbers a network has."""
    return sum(parameter.numel() for parameter in network.parameters())

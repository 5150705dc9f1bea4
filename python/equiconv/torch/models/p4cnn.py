# SPDX-License-Identifier: Apache-2.0
"""P4CNN and Z2CNN: the networks of rotated digits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..._functional.pool import PoolMode
from ..._groups.named import cyclic, trivial
from ..._groups.point_group import PointGroup
from .._nn.group_pool import GroupPool
from .._nn.norm import BatchNorm, FieldDropout
from .._nn.spatial import SpatialMaxPool
from .grids import Step, Windows
from .matching import Matching
from .model import Activation, Model, Norm
from .parts import Kernel, Parts, SpatialMax, extent_of

_LAYERS = 6
# The layer that windows of 2 come behind.
_POOLED = 2


class P4CNN(Model):
    """Seven convolutions without padding, for images of 28 x 28: `p4cnn` and `z2cnn` with the published arguments.

    ``layer1`` to ``layer6`` are a convolution, norm, activation and dropout each; ``layer2`` has maxima of windows of 2
    in place of dropout. ``top`` is a group convolution to the classes. Then come the maxima over H and over space.
    Source: Cohen and Welling, "Group equivariant convolutional networks", ICML 2016, section 8.1, and the code of its
    experiments.

    Outputs turn with the input, to the last bit in evaluation with ``set_algorithm(model, "exact")``, if ``size - 4``
    is even: `exact_sizes`. Network files have it for fixed sizes of the signal.

    Args:
        group: H, any group.
        num_classes: of what it writes.
        in_channels: of what it reads.
        widths: the channels of each layer, an int or six.
        matched_to: None: `widths` are those of the model. ``"parameters"``: they are those of the ordinary network, and
            are scaled such that the number of parameters comes nearest to its. ``"width"``: they are divided by |H|.
        dropout: the probability that a field is dropped behind the layers.
        kernel, top_kernel: extents of the kernels, odd or even, or bases.
        group_pool: ``"max"`` or ``"mean"``, over H.
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
        >>> P4CNN(cyclic(4))(torch.zeros(1, 1, 28, 28)).shape
        torch.Size([1, 10])
    """

    def __init__(
        self, group: PointGroup, num_classes: int = 10, in_channels: int = 1, *, widths: int | Sequence[int] = 10,
        matched_to: Matching | None = None, dropout: float = 0.0, kernel: Kernel = 3, top_kernel: Kernel = 4,
        group_pool: PoolMode = "max", norm: Norm | None = BatchNorm, activation: Activation = torch.relu,
        device: Any = None, dtype: torch.dtype | None = None, **options: Any,
    ) -> None:  # fmt: skip
        arguments = {
            "dropout": dropout, "kernel": kernel, "top_kernel": top_kernel, "group_pool": group_pool, "norm": norm,
            "activation": activation, **options,
        }  # fmt: skip
        super().__init__(group, in_channels, num_classes, widths, _LAYERS, matched_to, device, dtype, arguments)
        parts = Parts(self.group, norm, activation, self._place, options)
        channels = (self.in_channels, *self.widths)
        for number in range(1, _LAYERS + 1):
            make = parts.lift if number == 1 else parts.conv
            convolution = make(channels[number - 1], channels[number], kernel, padding=0)
            more: dict[str, nn.Module] = {"dropout": FieldDropout(dropout)}
            if number == _POOLED:
                more = {"pool": SpatialMaxPool(self.group, 2)}
            setattr(self, f"layer{number}", parts.unit(convolution, channels[number], **more))
        self.top = parts.conv(channels[-1], self.num_classes, top_kernel, padding=0, bias=True)
        self.group_pool = GroupPool(self.group, group_pool)
        self.maximum = SpatialMax(self.group)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes."""
        for number in range(1, _LAYERS + 1):
            x = getattr(self, f"layer{number}")(x)
        scores: Tensor = self.maximum(self.group_pool(self.top(x)))
        return scores

    def _steps(self, axis: int) -> list[Step]:
        units = [getattr(self, f"layer{number}").conv for number in range(1, _LAYERS + 1)]
        steps: list[Step] = [Windows(extent_of(layer, axis)) for layer in (*units, self.top)]
        return [*steps[:_POOLED], Windows(2, 2), *steps[_POOLED:]]


def p4cnn(group: PointGroup | None = None, **arguments: Any) -> P4CNN:
    """P4CNN with 10 channels on C4, or on another group: 24,490 weights.

    Besides these it has 120 parameters of norms and 10 biases of the classes. The published error on rotated MNIST is
    2.28 %.

    Args:
        group: H; `cyclic(4)` if not given.
        arguments: those of `P4CNN`.

    Example:
        >>> p4cnn()(torch.zeros(1, 1, 28, 28)).shape
        torch.Size([1, 10])
    """
    return P4CNN(cyclic(4) if group is None else group, **arguments)


def z2cnn(**arguments: Any) -> P4CNN:
    """Z2CNN, the ordinary network beside P4CNN: `P4CNN` on the trivial group, with 20 channels and dropout of 0.3.

    21,380 weights, 240 parameters of norms and 10 biases of the classes. Dropout is of fields here, and of single
    numbers in the published network. Its published error on rotated MNIST is 5.03 %.

    Args:
        arguments: those of `P4CNN`.

    Example:
        >>> z2cnn()(torch.zeros(1, 1, 28, 28)).shape
        torch.Size([1, 10])
    """
    return P4CNN(**{"group": trivial(2), "widths": 20, "dropout": 0.3, **arguments})

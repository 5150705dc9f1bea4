# SPDX-License-Identifier: Apache-2.0
"""What models are made of: layers with the options of the model, and heads."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import Tensor, nn

from ..._bases.basis import KernelBasis
from ..._functional.convolutions import Padding
from ..._functional.pool import PoolMode
from ..._groups.point_group import PointGroup
from .._nn.blocks import ResidualBlock
from .._nn.convolutions import GroupConv, LiftingConv
from .._nn.group_pool import GroupPool
from .._nn.spatial import SpatialMean, largest_of_windows
from .model import Activation, Norm

Kernel: TypeAlias = int | tuple[int, ...] | KernelBasis


@dataclass(frozen=True)
class Parts:
    """Makes layers of one group, norm and activation.

    Attributes:
        group: H.
        norm: makes a norm of its channels; None for biases in place of norms.
        activation: a function of tensors, or a module.
        place: ``device`` and ``dtype``.
        options: more arguments of all convolutions.
    """

    group: PointGroup
    norm: Norm | None
    activation: Activation
    place: dict[str, Any]
    options: dict[str, Any]

    def lift(self, inputs: int, outputs: int, kernel: Kernel, stride: int = 1, padding: Padding = "same") -> nn.Module:
        """A lifting convolution, before a norm."""
        return LiftingConv(
            inputs, outputs, kernel, self.group, stride=stride, padding=padding, bias=self.norm is None, **self.place,
            **{name: value for name, value in self.options.items() if name not in ("group_basis", "quadrature")},
        )  # fmt: skip

    def conv(
        self, inputs: int, outputs: int, kernel: Kernel, stride: int = 1, padding: Padding = "same",
        bias: bool | None = None,
    ) -> nn.Module:  # fmt: skip
        """A group convolution, before a norm unless `bias` says so."""
        return GroupConv(
            inputs, outputs, kernel, self.group, stride=stride, padding=padding,
            bias=self.norm is None if bias is None else bias, **self.place, **self.options,
        )  # fmt: skip

    def normed(self, channels: int) -> nn.Module:
        """A norm, or nothing."""
        return nn.Identity() if self.norm is None else self.norm(channels).to(**self.place)

    def active(self) -> nn.Module:
        """The activation as a module."""
        return self.activation if isinstance(self.activation, nn.Module) else Function(self.activation)

    def unit(self, convolution: nn.Module, channels: int, **more: nn.Module) -> nn.Sequential:
        """``conv, norm, activation``, and more by their names."""
        layers = {"conv": convolution, "norm": self.normed(channels), "activation": self.active(), **more}
        return nn.Sequential(OrderedDict(layers))


def residual_stage(
    parts: Parts, inputs: int, outputs: int, blocks: int, stride: int, kernel: Kernel, **options: Any
) -> nn.Sequential:
    """Residual blocks one after the other, the first with the stride; `options` are those of `ResidualBlock`."""
    made = []
    for number in range(blocks):
        block = ResidualBlock(
            outputs if number else inputs, outputs, parts.group, 1 if number else stride, kernel, norm=parts.norm,
            activation=parts.activation, **options, **parts.place, **parts.options,
        )  # fmt: skip
        made.append(block)
    return nn.Sequential(*made)


def extent_of(convolution: nn.Module, axis: int) -> int:
    """The taps of its kernel on an axis of space."""
    extents: tuple[int, ...] = convolution.options.extents  # type: ignore[union-attr, assignment]
    return extents[axis]


class Function(nn.Module):
    """A function of tensors as a module, such as ``torch.relu``."""

    def __init__(self, function: Activation) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """What the function makes of a signal."""
        return self.function(x)

    def extra_repr(self) -> str:
        """The function's name."""
        return getattr(self.function, "__name__", str(self.function))


class SpatialMax(nn.Module):
    """The maximum over all of space, (B, C, spatial...) -> (B, C)."""

    def __init__(self, group: PointGroup) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        """The maxima."""
        d = self.group.dimension
        sizes = tuple(x.shape[axis] for axis in range(-d, 0))
        return largest_of_windows(x, sizes, sizes, (0,) * d).flatten(1)

    def extra_repr(self) -> str:
        """The group."""
        return self.group.name


def pooled_head(group: PointGroup, channels: int, classes: int, mode: PoolMode, place: dict[str, Any]) -> nn.Sequential:
    """``group_pool, mean, fc``: from signals on G to scores that do not change when the input is turned."""
    layers = {
        "group_pool": GroupPool(group, mode), "mean": SpatialMean(group), "fc": nn.Linear(channels, classes, **place)
    }  # fmt: skip
    return nn.Sequential(OrderedDict(layers))

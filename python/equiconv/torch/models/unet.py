# SPDX-License-Identifier: Apache-2.0
"""U-Net in one, two and three dimensions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn

from ..._checks.arguments import boolean, choice, items
from ..._groups.point_group import PointGroup
from .._nn.convolutions import ProjectionConv
from .._nn.norm import BatchNorm, FieldDropout
from .._nn.resizing import BlurPool, Upsample
from .._nn.spatial import SpatialAvgPool, SpatialMaxPool
from .._nn.transposed import TransposedConv
from .grids import Step, Windows, fits
from .matching import Matching
from .model import Activation, Model, Norm
from .parts import Kernel, Parts

Down: TypeAlias = Literal["max", "mean", "blur", "stride"]
Up: TypeAlias = Literal["transposed", "nearest", "linear"]

_MOST_STAGES = 12


class UNet(Model):
    """A U-Net for 1, 2 or 3 axes of space, as many as the group has.

    ``down1`` has two convolutions with norm and activation, and so have ``down2``, ..., each on half the size. From the
    last, ``up1``, ``up2``, ... enlarge the signal again, put the channels of the same size behind its own, and have two
    convolutions more. ``head`` is a projection convolution of 1 x 1 to scores at each pixel. Sources: Ronneberger et
    al., "U-Net", MICCAI 2015; Cicek et al., "3D U-Net", MICCAI 2016; with padding in place of cropping.

    Outputs turn with the input, to the last bit in evaluation with ``set_algorithm(model, "exact")``, for the sizes of
    `exact_sizes`: multiples of 2^(stages - 1), and with ``down="stride"`` such multiples plus 1. Others are errors.
    Network files have it without blurred pools.

    Args:
        group: H, any group.
        num_classes: of what it writes.
        in_channels: of what it reads.
        widths: of the stages, from the largest size to the smallest.
        matched_to: ``"parameters"``: `widths` are those of the ordinary network, and are scaled such that the number of
            parameters comes nearest to its. ``"width"``: they are divided by |H|. None: they are those of the model.
        down: ``"max"`` or ``"mean"`` of windows of 2; ``"blur"``, a `BlurPool`; or ``"stride"``, a convolution of 3 x 3
            and stride 2.
        up: ``"transposed"``, a `TransposedConv` of stride 2; ``"nearest"`` or ``"linear"``, an `Upsample` and a 1 x 1
            convolution. Strides need the first.
        has_skips: whether channels of the same size are put behind.
        dropout: the probability that a field is dropped behind the convolutions of the smallest size.
        kernel: odd extents, or a basis.
        norm: makes a norm of its channels; None for biases in place of norms.
        activation: a function of tensors, or a module.
        device, dtype: of the parameters.
        options: more arguments of all convolutions, as of `GroupConv`: padding_mode, algorithm, interpolation,
            group_basis, quadrature, backend. Transposed convolutions have zeros for padding_mode.

    Shape:
        (B, in_channels, spatial...) -> (B, num_classes, spatial...).

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; a signal of a size that does not fit.

    Example:
        >>> UNet(octahedral(), 3, widths=(1, 2), matched_to=None)(torch.zeros(1, 1, 4, 4, 4)).shape
        torch.Size([1, 3, 4, 4, 4])
    """

    def __init__(
        self, group: PointGroup, num_classes: int = 2, in_channels: int = 1, *,
        widths: Sequence[int] = (64, 128, 256, 512, 1024), matched_to: Matching | None = "parameters",
        down: Down = "max", up: Up = "transposed", has_skips: bool = True, dropout: float = 0.0, kernel: Kernel = 3,
        norm: Norm | None = BatchNorm, activation: Activation = torch.relu, device: Any = None,
        dtype: torch.dtype | None = None, **options: Any,
    ) -> None:  # fmt: skip
        self.down = choice("down", down, ("max", "mean", "blur", "stride"))
        self.up = choice("up", up, ("transposed", "nearest", "linear"))
        if self.down == "stride" and self.up != "transposed":
            raise ValueError(f"up is {up!r}, expected 'transposed' where down is 'stride', for sizes 2 n - 1")
        arguments = {
            "down": down, "up": up, "has_skips": has_skips, "dropout": dropout, "kernel": kernel, "norm": norm,
            "activation": activation, **options,
        }  # fmt: skip
        stages = len(items("widths", widths, "a sequence of integers"))
        if not 1 <= stages <= _MOST_STAGES:
            raise ValueError(f"widths has {stages} numbers, expected 1 to {_MOST_STAGES}")
        super().__init__(group, in_channels, num_classes, widths, stages, matched_to, device, dtype, arguments)
        self.has_skips = boolean("has_skips", has_skips)
        parts = Parts(self.group, norm, activation, self._place, options)
        last = self.in_channels
        for stage, width in enumerate(self.widths, start=1):
            layers = {} if stage == 1 else {"smaller": self._smaller(parts, last)}
            layers.update(_units(parts, last, width, kernel, stage == 1))
            if stage == stages:
                layers["dropout"] = FieldDropout(dropout)
            setattr(self, f"down{stage}", nn.Sequential(OrderedDict(layers)))
            last = width
        for stage, width in enumerate(self.widths[-2::-1], start=1):
            read = 2 * width if self.has_skips else width
            layers = _units(parts, read, width, kernel, False)
            setattr(self, f"up{stage}", _Up(self._larger(parts, last, width), layers, self.has_skips))
            last = width
        self.head = ProjectionConv(last, self.num_classes, 1, self.group, **self._place, **_unpadded(options))

    def _smaller(self, parts: Parts, channels: int) -> nn.Module:
        """What makes sizes half."""
        if self.down == "stride":
            return parts.conv(channels, channels, 3, stride=2, bias=True)
        if self.down == "blur":
            return BlurPool(self.group)
        return SpatialMaxPool(self.group, 2) if self.down == "max" else SpatialAvgPool(self.group, 2)

    def _larger(self, parts: Parts, inputs: int, outputs: int) -> nn.Module:
        """What makes sizes double, or 2 n - 1 behind strides."""
        if self.up == "transposed":
            kernel, padding = (3, 1) if self.down == "stride" else (2, 0)
            return TransposedConv(
                inputs, outputs, kernel, self.group, stride=2, padding=padding, **self._place,
                **_unpadded(parts.options),
            )  # fmt: skip
        mode: Any = self.up
        layers = {"upsample": Upsample(self.group, 2, mode), "conv": parts.conv(inputs, outputs, 1, bias=True)}
        return nn.Sequential(OrderedDict(layers))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes at each pixel."""
        if isinstance(x, Tensor) and not torch.compiler.is_compiling():
            self._check(x)
        before = []
        for stage in range(1, len(self.widths) + 1):
            x = getattr(self, f"down{stage}")(x)
            before.append(x)
        for stage, skip in enumerate(before[-2::-1], start=1):
            x = getattr(self, f"up{stage}")(x, skip)
        scores: Tensor = self.head(x)
        return scores

    def _check(self, x: Tensor) -> None:
        """Raises ValueError for sizes that come back as others."""
        steps = self._steps(0)
        for axis, size in enumerate(x.shape[2:], start=2):
            if not fits(size, steps):
                more = " plus 1" if self.down == "stride" else ""
                raise ValueError(f"x has size {size} on axis {axis}, expected a multiple of {2 ** len(steps)}{more}")

    def _steps(self, axis: int) -> list[Step]:
        one = Windows(3, 2, 1, is_strict=True) if self.down == "stride" else Windows(2, 2, is_strict=True)
        return [one] * (len(self.widths) - 1)


class _Up(nn.Module):
    """A larger signal, with the channels that had its size before."""

    def __init__(self, larger: nn.Module, units: dict[str, nn.Module], has_skip: bool) -> None:
        super().__init__()
        self.larger = larger
        self.units = nn.Sequential(OrderedDict(units))
        self.has_skip = has_skip

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = self.larger(x)
        if self.has_skip:
            x = torch.cat([skip, x], 1)
        y: Tensor = self.units(x)
        return y


def _units(parts: Parts, inputs: int, width: int, kernel: Kernel, lifts: bool) -> dict[str, nn.Module]:
    """Two convolutions with norm and activation."""
    first = parts.lift(inputs, width, kernel) if lifts else parts.conv(inputs, width, kernel)
    return {"unit1": parts.unit(first, width), "unit2": parts.unit(parts.conv(width, width, kernel), width)}


def _unpadded(options: dict[str, Any]) -> dict[str, Any]:
    """The options of layers without padding."""
    return {name: value for name, value in options.items() if name != "padding_mode"}


def unet(group: PointGroup, **arguments: Any) -> UNet:
    """The U-Net of four halvings from 64 to 1,024 channels, by default with as many parameters as the ordinary network.

    Args:
        group: H, on as many axes as the signals have.
        arguments: those of `UNet`.

    Example:
        >>> unet(dihedral(4), device="meta").widths
        (23, 45, 91, 181, 362)
    """
    return UNet(group, **arguments)

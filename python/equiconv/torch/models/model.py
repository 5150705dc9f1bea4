# SPDX-License-Identifier: Apache-2.0
"""What all models share: their widths, their ordinary counterpart and the sizes that fit them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import Self

from ..._checks.arguments import LARGEST, choice, integer
from ..._groups.arguments import point_group
from ..._groups.named import trivial
from ..._groups.point_group import PointGroup
from ..._nn.blocks import checked_functions
from .grids import Step, sizes_that_fit
from .matching import Matching, Widths, by_width, checked_widths, nearest

Norm = Callable[[int], nn.Module]
Activation = Callable[[Tensor], Tensor]

# Options of layers that only fit the group of a model.
_OF_GROUP = ("group_basis", "quadrature")


class Model(nn.Module):
    """A network from signals on the plane, for any group; the trivial one makes the ordinary network.

    Attributes:
        group: H.
        in_channels: of what it reads.
        num_classes: of what it writes.
        widths: the channels of its stages, each with all of H.
    """

    group: PointGroup
    in_channels: int
    num_classes: int
    widths: Widths

    def __init__(
        self, group: object, in_channels: object, num_classes: object, widths: object, count: int,
        matched_to: Matching | None, device: Any, dtype: torch.dtype | None, arguments: dict[str, Any],
    ) -> None:  # fmt: skip
        """Checks what models have in common, and finds the widths.

        Args:
            group, in_channels, num_classes, widths, matched_to: see the models.
            count: how many widths there are.
            device, dtype: of the parameters.
            arguments: all others of the model, by which another one is made.
        """
        super().__init__()
        self.group = point_group(group)
        self.in_channels = integer("in_channels", in_channels, 1, LARGEST)
        self.num_classes = integer("num_classes", num_classes, 1, LARGEST)
        checked_functions(arguments["norm"], arguments["activation"])
        self._arguments = arguments
        self._given = checked_widths("widths", widths, count)
        self._matched_to = None if matched_to is None else choice("matched_to", matched_to, ("parameters", "width"))
        self._place: dict[str, Any] = {"device": device, "dtype": dtype}
        self.widths = self._given
        self.widths = self._found()

    def like(self, **changes: Any) -> Self:
        """The same model with other arguments, and with weights of its own.

        Args:
            changes: arguments of the model, such as ``group=dihedral(4)`` or ``device="meta"``.

        Raises:
            TypeError, ValueError: those of the model.

        Example:
            >>> models.p4cnn().like(group=dihedral(4)).group.name
            'D4'
        """
        own = {
            "group": self.group, "in_channels": self.in_channels, "num_classes": self.num_classes,
            "widths": self.widths, "matched_to": None, **self._place, **self._arguments,
        }  # fmt: skip
        if changes.get("group", self.group) != self.group:
            own = {name: value for name, value in own.items() if name not in _OF_GROUP}
        return type(self)(**{**own, **changes})

    def counterpart(self, **changes: Any) -> Self:
        """The ordinary network of this architecture: that of the trivial group.

        Its widths are those that `matched_to` was given with; without it, those whose number of parameters comes
        nearest to that of this model.

        Args:
            changes: arguments of the model, such as ``device="meta"``.

        Example:
            >>> models.p4cnn().counterpart().widths
            (21, 21, 21, 21, 21, 21)
        """
        ordinary = trivial(self.group.dimension)
        widths = self._given
        if self._matched_to is None and self.group.order > 1:
            widths = self._nearest(ordinary, widths, Fraction(isqrt(self.group.order)), self._count(self.group, widths))
        return self.like(group=ordinary, widths=widths, **changes)

    def exact_sizes(self, smallest: int = 1, largest: int = 256, axis: int = 0) -> tuple[int, ...]:
        """The sizes of a spatial axis for which all strides and windows fit, so that outputs turn with the input.

        For other sizes calls warn with an EquivarianceWarning, or raise ValueError where a kernel finds no room. Each
        axis that the group moves needs such a size. For the others only room is asked for.

        Args:
            smallest, largest: of the sizes that are tried.
            axis: which spatial axis; they differ only for kernels that do.

        Raises:
            TypeError, ValueError: a size is no positive integer.

        Example:
            >>> models.p4cnn().exact_sizes(largest=32)
            (28, 30, 32)
        """
        return sizes_that_fit(self.group, self._steps, smallest, largest, axis)

    def _steps(self, axis: int) -> list[Step]:
        """What layers do to the size of a spatial axis, one after the other."""
        raise NotImplementedError

    def _found(self) -> Widths:
        """The widths that were given, or those that match them."""
        order = self.group.order
        if self._matched_to is None or order == 1:
            return self._given
        if self._matched_to == "width":
            return by_width(self._given, order)
        target = self._count(trivial(self.group.dimension), self._given)
        return self._nearest(self.group, self._given, 1 / Fraction(order**0.5).limit_denominator(1000), target)

    def _nearest(self, group: PointGroup, widths: Widths, guess: Fraction, target: int) -> Widths:
        return nearest(widths, guess, target, cache(lambda tried: self._count(group, tried)))

    def _count(self, group: PointGroup, widths: Widths) -> int:
        """The parameters of such a model."""
        return parameters_of(self.like(group=group, widths=widths, matched_to=None, device="meta"))


def parameters_of(module: nn.Module) -> int:
    """The number of parameters."""
    return sum(parameter.numel() for parameter in module.parameters())

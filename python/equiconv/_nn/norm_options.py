# SPDX-License-Identifier: Apache-2.0
"""Which numbers of a sample a norm takes together, checked: the same for NumPy, PyTorch, Flax and Equinox."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._checks.arguments import LARGEST, integer, real
from .._groups.arguments import point_group
from .._groups.point_group import PointGroup


@dataclass(frozen=True, repr=False)
class NormOptions:
    """The arguments of `GroupNorm`, `InstanceNorm` or `LayerNorm`.

    Attributes:
        user: the name of the layer.
        num_channels: C.
        num_groups: the parts of the channels that have statistics of their own.
        group: H, of a norm that has statistics of each place; None for one that has them of all of space.
        eps: added to the variance.
    """

    user: str
    num_channels: int
    num_groups: int
    group: PointGroup | None
    eps: float

    @classmethod
    def of_groups(cls, num_groups: object, num_channels: object, eps: object) -> NormOptions:
        """Those of `GroupNorm`. Raises TypeError or ValueError for an argument of the wrong kind, or out of range."""
        groups = integer("num_groups", num_groups, 1, LARGEST)
        channels = integer("num_channels", num_channels, 1, LARGEST)
        if channels % groups:
            raise ValueError(f"num_channels is {channels}, expected a multiple of num_groups, {groups}")
        return cls("GroupNorm", channels, groups, None, _checked_eps(eps))

    @classmethod
    def of_instances(cls, num_features: object, eps: object) -> NormOptions:
        """Those of `InstanceNorm`: a group for each channel. Raises as `of_groups`."""
        channels = integer("num_features", num_features, 1, LARGEST)
        return cls("InstanceNorm", channels, channels, None, _checked_eps(eps))

    @classmethod
    def of_places(cls, num_features: object, group: object, eps: object) -> NormOptions:
        """Those of `LayerNorm`. Raises as `of_groups`."""
        channels = integer("num_features", num_features, 1, LARGEST)
        return cls("LayerNorm", channels, 1, point_group(group), _checked_eps(eps))

    def check(self, shape: Sequence[int]) -> None:
        """Raises ValueError unless a signal of `shape` is one that the norm reads."""
        d = None if self.group is None else self.group.dimension
        has_axes = len(shape) >= 3 if d is None else len(shape) in (2 + d, 3 + d)
        # Traced sizes may be symbols: those are not asked whether they are 0.
        if not has_axes or shape[1] != self.num_channels or any(_is_zero(size) for size in shape[2:]):
            axes = "spatial..." if d is None else f"spatial...) with {d} spatial axes"
            end = ") with sizes of at least 1" if d is None else " of at least 1"
            raise ValueError(
                f"x has shape {tuple(shape)}, expected (B, {self.num_channels}, [|H|,] {axes}{end} for {self}"
            )

    def flat(self, shape: Sequence[Any]) -> tuple[tuple[Any, ...], int]:
        """The shape of a signal that has the numbers of each statistic on one axis, and that axis."""
        if self.group is None:
            return (shape[0], self.num_groups, math.prod(shape[1:]) // self.num_groups), 2
        first_of_space = len(shape) - self.group.dimension
        return (shape[0], math.prod(shape[1:first_of_space]), *shape[first_of_space:]), 1

    def __repr__(self) -> str:
        return f"{self.user}({self.arguments})"

    @property
    def arguments(self) -> str:
        """The arguments as a user writes them."""
        groups = f"{self.num_groups}, " if self.user == "GroupNorm" else ""
        group = "" if self.group is None else f", {self.group.name}"
        return f"{groups}{self.num_channels}{group}, eps={self.eps}"


def _is_zero(size: Any) -> bool:
    return isinstance(size, int) and size == 0


def _checked_eps(eps: object) -> float:
    number = real("eps", eps)
    if not number >= 0:
        raise ValueError(f"eps is {number}, expected a number that is not negative")
    return number


@dataclass(frozen=True, repr=False)
class SqueezeOptions:
    """The arguments of `SqueezeExcite`.

    Attributes:
        channels: C.
        reduction: by how much fewer numbers stand between the two linear maps.
        group: H.
    """

    channels: int
    reduction: int
    group: PointGroup

    @classmethod
    def checked(cls, channels: object, reduction: object, group: object) -> SqueezeOptions:
        """Raises TypeError or ValueError for an argument of the wrong kind, or out of range."""
        return cls(
            integer("channels", channels, 1, LARGEST), integer("reduction", reduction, 1, LARGEST), point_group(group)
        )

    @property
    def squeezed(self) -> int:
        """How many numbers stand between the two linear maps: at least 1."""
        return max(1, self.channels // self.reduction)

    def check(self, shape: Sequence[int]) -> None:
        """Raises ValueError unless a signal of `shape` is one that the module reads."""
        d = self.group.dimension
        if len(shape) not in (2 + d, 3 + d) or shape[1] != self.channels or any(_is_zero(size) for size in shape[2:]):
            raise ValueError(
                f"x has shape {tuple(shape)}, expected (B, {self.channels}, [|H|,] spatial...) with {d} spatial axes "
                f"of at least 1 for {self}"
            )

    def __repr__(self) -> str:
        return f"SqueezeExcite({self.arguments})"

    @property
    def arguments(self) -> str:
        """The arguments as a user writes them."""
        return f"{self.channels}, reduction={self.reduction}, {self.group.name}"

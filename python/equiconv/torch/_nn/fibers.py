# SPDX-License-Identifier: Apache-2.0
"""Maps between signals on H, on its quotients and on its subgroups: numbers move, or are pooled over cosets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..._checks.arguments import choice
from ..._functional.pool import PoolMode
from ..._groups.arguments import point_group, stabilizer_of
from ..._groups.cosets import left_cosets, right_cosets
from ..._groups.point_group import PointGroup
from .._functions import group_pool
from .signal_module import SignalModule


class _FiberMap(SignalModule):
    """A map of the axis of H, by a table of places."""

    table: Tensor

    def __init__(self, group: PointGroup, table: Any) -> None:
        super().__init__()
        self.group = group
        self.register_buffer("table", torch.from_numpy(np.array(table, np.int64)), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """The other signal."""
        if not isinstance(x, Tensor) or x.is_nested:
            return self._write_down(x)  # type: ignore[no-any-return]
        points = self._points
        if not 3 <= x.dim() <= 6 or (points is not None and (x.dim() < 4 or x.shape[2] != points)):
            fiber = "" if points is None else f"{points}, "
            raise ValueError(
                f"x has shape {tuple(x.shape)}, expected (B, C, {fiber}spatial...) for {type(self).__name__} on "
                f"{self.group.name}"
            )
        result: Tensor = self._map(x)
        return result

    @property
    def _points(self) -> int | None:
        """The size of the axis of H that it reads; None on the plane."""
        return self.group.order

    def _traced(self, x: Any) -> Any:
        return self._map(x)

    def _map(self, x: Any) -> Any:
        raise NotImplementedError

    def ordinary(self) -> nn.Module | None:
        """None: it is made of operations of PyTorch already."""
        return None


class Restrict(_FiberMap):
    """A signal on H as one on a subgroup L, with a channel for each right coset: `equiconv.restrict` as a module.

    Args:
        group: H, a closed group.
        subgroup: the elements of L in any order.

    Shape:
        (B, C, |H|, spatial...) -> (B, C |H| / |L|, |L|, spatial...): channel ``c |H| / |L| + i`` is coset i of c.

    Raises:
        TypeError, ValueError: an argument of the wrong kind; `subgroup` is not a subgroup.

    Example:
        >>> Restrict(cyclic(4), [0, 2])(torch.zeros(1, 8, 4, 5, 5)).shape
        torch.Size([1, 16, 2, 5, 5])
    """

    def __init__(self, group: PointGroup, subgroup: Sequence[int]) -> None:
        checked = point_group(group)
        if not checked.is_closed:
            raise ValueError(f"group is {checked.name}, expected a group that has all products of its elements")
        cosets = right_cosets(checked, subgroup)
        super().__init__(checked, cosets.ravel())
        # The first is L itself.
        self.subgroup = tuple(map(int, cosets[0]))

    def _map(self, x: Any) -> Any:
        moved = x.index_select(2, self.table)
        return moved.unflatten(2, (-1, len(self.subgroup))).flatten(1, 2)

    def extra_repr(self) -> str:
        """The group and the subgroup."""
        return f"{self.group.name}, {list(self.subgroup)}"


class Induce(_FiberMap):
    """A signal on H/K as one on H that is constant on the cosets of K: `equiconv.induce` as a module.

    Args:
        group: H.
        stabilizer: the elements of K in any order.

    Shape:
        (B, C, |H| / |K|, spatial...), or (B, C, spatial...) if K is all of H -> (B, C, |H|, spatial...).

    Raises:
        TypeError, ValueError: an argument of the wrong kind; `stabilizer` is not a subgroup.

    Example:
        >>> Induce(cyclic(4), [0, 2])(torch.zeros(1, 8, 2, 5, 5)).shape
        torch.Size([1, 8, 4, 5, 5])
    """

    def __init__(self, group: PointGroup, stabilizer: Sequence[int]) -> None:
        checked = point_group(group)
        subgroup = stabilizer_of("stabilizer", stabilizer, checked)
        # Where each element is among all cosets, one after the other.
        places = np.argsort(np.argsort(subgroup.get_left_cosets(), kind="stable"))
        super().__init__(checked, places)
        self.stabilizer = tuple(sorted(map(int, subgroup.get_elements())))

    @property
    def _points(self) -> int | None:
        count = self.group.order // len(self.stabilizer)
        return None if count == 1 else count

    def _map(self, x: Any) -> Any:
        # All elements read from places of their own, so that gradients are added up in one order on every device.
        cosets = x.unsqueeze(2) if self._points is None else x
        return cosets.repeat_interleave(len(self.stabilizer), 2).index_select(2, self.table)

    def extra_repr(self) -> str:
        """The group and the stabilizer."""
        return f"{self.group.name}, {list(self.stabilizer)}"


class PartialProjection(_FiberMap):
    """Mean or maximum over each left coset of K, from H to H/K: `equiconv.partial_projection` as a module.

    Args:
        group: H.
        stabilizer: the elements of K in any order.
        mode: ``"mean"`` or ``"max"``.

    Shape:
        (B, C, |H|, spatial...) -> (B, C, |H| / |K|, spatial...), or (B, C, spatial...) if K is all of H.

    Raises:
        TypeError, ValueError: an argument of the wrong kind; `stabilizer` is not a subgroup.

    Example:
        >>> PartialProjection(dihedral(4), [0, 4], "max")(torch.zeros(1, 8, 8, 5, 5)).shape
        torch.Size([1, 8, 4, 5, 5])
    """

    def __init__(self, group: PointGroup, stabilizer: Sequence[int], mode: PoolMode = "mean") -> None:
        checked = point_group(group)
        subgroup = stabilizer_of("stabilizer", stabilizer, checked)
        super().__init__(checked, left_cosets(subgroup).ravel())
        self.stabilizer = tuple(sorted(map(int, subgroup.get_elements())))
        self.mode = choice("mode", mode, ("mean", "max"))

    def _map(self, x: Any) -> Any:
        if len(self.stabilizer) == self.group.order:
            return self._pool(x)
        cosets = x.index_select(2, self.table).unflatten(2, (-1, len(self.stabilizer)))
        return self._pool(cosets.flatten(1, 2)).unflatten(1, cosets.shape[1:3])

    def _pool(self, x: Any) -> Any:
        return group_pool(x, self.mode)  # type: ignore[arg-type]

    def ordinary(self) -> nn.Module:
        """The same by PyTorch alone."""
        ordinary = _OrdinaryProjection(self.group, self.stabilizer, self.mode)  # type: ignore[arg-type]
        return ordinary.to(self.table.device)

    def extra_repr(self) -> str:
        """The group, the stabilizer and the mode."""
        return f"{self.group.name}, {list(self.stabilizer)}, {self.mode!r}"


class _OrdinaryProjection(PartialProjection):
    """A partial projection whose mean is PyTorch's."""

    def _pool(self, x: Any) -> Any:
        return x.mean(2) if self.mode == "mean" else x.amax(2)

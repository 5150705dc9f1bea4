# SPDX-License-Identifier: Apache-2.0
"""The mean or maximum of a map over the orbit of its input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..._checks.arguments import choice, shape_text, value_text
from ..._functional.pool import PoolMode
from ..._groups.arguments import point_group
from ..._groups.geometry import AxisAction, axis_action, lattice_elements
from ..._groups.point_group import PointGroup
from ..._signals.space import AXES
from .._operators.sums import sorted_sum
from .._operators.tensors import check_is_dense

Output = Literal["auto", "numbers", "map"]
Elements = Literal["all", "lattice"]


class _Invariant(nn.Module):
    """What `invariant` returns."""

    def __init__(self, module: Callable[[Tensor], Tensor], group: PointGroup, mode: str, output: str) -> None:
        super().__init__()
        self.module = module
        self.group, self.mode, self.output = group, mode, output

    def forward(self, x: Tensor) -> Tensor:
        """The mean or maximum over the orbit."""
        d = self.group.dimension
        check_is_dense("x", x)
        if x.dim() != 2 + d:
            raise ValueError(
                f"x has shape {tuple(x.shape)}, expected {shape_text(('B', 'C', *AXES[d]))} for invariant on "
                f"{self.group.name}"
            )
        outputs = torch.stack(self._outputs(x))
        if self.mode == "max":
            return outputs.amax(0)
        return (sorted_sum(outputs, 0) / len(outputs)).to(outputs.dtype)

    def _outputs(self, x: Tensor) -> list[Tensor]:
        """The outputs for all turned copies; maps turned back."""
        turned = {element: _turned(x, axis_action(self.group, element)) for element in lattice_elements(self.group)}
        outputs: dict[int, Tensor] = {}
        for shape in dict.fromkeys(copy.shape for copy in turned.values()):
            elements = [element for element, copy in turned.items() if copy.shape == shape]
            y = self.module(torch.cat([turned[element] for element in elements]))
            is_map = self._is_map(y, len(elements) * len(x))
            for element, part in zip(elements, torch.split(y, len(x)), strict=True):
                back = axis_action(self.group, int(self.group.inverses[element]))
                outputs[element] = _turned(part, back) if is_map else part
        return [outputs[element] for element in turned]

    def _is_map(self, y: Any, batch: int) -> bool:
        """Whether an output has axes of space. Raises TypeError or ValueError for one that cannot be averaged."""
        d = self.group.dimension
        if not isinstance(y, Tensor) or not y.is_floating_point():
            raise TypeError(f"module returned {value_text(y)} ({type(y).__name__}), expected a tensor of real numbers")
        if y.dim() < 1 or len(y) != batch:
            raise ValueError(
                f"module returned shape {tuple(y.shape)} for a batch of {batch}, expected {batch} on axis 0: turned "
                "copies are stacked along the batch"
            )
        is_map = self.output == "map" or (self.output == "auto" and y.dim() == 2 + d)
        if is_map and y.dim() < 1 + d:
            raise ValueError(f"module returned shape {tuple(y.shape)}, expected at least {d} axes of space for a map")
        if not is_map and self.output == "auto" and y.dim() > 2:
            raise ValueError(
                f"module returned shape {tuple(y.shape)}, expected (B, N) or {shape_text(('B', 'N', *AXES[d]))}: pass "
                "output='numbers' for what the group leaves unchanged, or 'map' if the last axes are those of space"
            )
        return is_map

    def extra_repr(self) -> str:
        """The group and the options; the map, where it is no module."""
        map_text = "" if isinstance(self.module, nn.Module) else f"{value_text(self.module)}, "
        return f"{map_text}{self.group.name}, mode={self.mode!r}, output={self.output!r}"


def _turned(x: Tensor, action: AxisAction) -> Tensor:
    """``L_g x``: the last axes exchanged and reversed."""
    d = len(action.axes)
    first = x.dim() - d
    moved = x.permute(*range(first), *(first + axis for axis in action.axes))
    flips = [first + axis for axis, sign in enumerate(action.signs) if sign < 0]
    return moved.flip(flips) if flips else moved


def invariant(
    module: Callable[[Tensor], Tensor], group: PointGroup, mode: PoolMode = "mean", *, output: Output = "auto",
    elements: Elements = "all",
) -> nn.Module:  # fmt: skip
    """Any map of images, made invariant: the mean or maximum of its outputs over the orbit of its input.

    ``y = mean (or max) over g of f(L_g x)`` for outputs without axes of space, and ``y = mean (or max) over g of
    L_g^-1 f(L_g x)`` for maps, which then commute with the group. The turned copies are stacked along the batch, so
    that `module` is called once; where elements exchange axes of different sizes, once for each shape. It costs |H|
    times the operations of `module`. Numbers are sorted before they are added, in double precision where the device has
    it: results are equal to the last bit for all turned inputs, if those of `module` do not depend on the place of an
    image in its batch.

    Args:
        module: a callable from tensors (B, C, spatial...) to (B, N), (B,) or (B, N, spatial...), each image by itself:
            a network in evaluation. It is an attribute of the result, with its parameters and training.
        group: H, whose elements all map the grid to itself.
        mode: ``"mean"`` or ``"max"``.
        output: whether outputs are ``"numbers"``, which are compared as they are, or a ``"map"``, whose last axes are
            those of space; ``"auto"`` is a map where there are as many axes as x has.
        elements: ``"lattice"`` takes those elements alone that map the grid to itself, a subgroup, such as the quarter
            turns of `cyclic(8)`.

    Returns:
        A module with the same inputs and outputs.

    Raises:
        TypeError: `module` is not callable; another argument of the wrong kind; when called, an output that is no
            tensor of real numbers.
        ValueError: the group has elements that need interpolation; when called, a shape that does not fit.

    Example:
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
        >>> x, c4 = torch.randn(2, 1, 8, 8), cyclic(4)
        >>> equivariance_error(network, x, c4) > 0.1
        True
        >>> equivariance_error(lambda x: invariant(network, c4)(x).round(decimals=4), x, c4)
        0.0
    """
    if not callable(module):
        raise TypeError(f"module is {value_text(module)}, expected a callable from a tensor to a tensor")
    checked_group = point_group(group)
    kind = choice("mode", mode, ("mean", "max"))
    form = choice("output", output, ("auto", "numbers", "map"))
    if choice("elements", elements, ("all", "lattice")) == "all" and not checked_group.is_lattice:
        count = len(lattice_elements(checked_group))
        raise ValueError(
            f"group is {checked_group.name}, of whose {checked_group.order} elements {count} map the grid to itself; "
            "others would interpolate. Expected a lattice group, or elements='lattice' for the mean over those alone"
        )
    return _Invariant(module, checked_group, kind, form)

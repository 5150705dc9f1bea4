# SPDX-License-Identifier: Apache-2.0
"""A convolution of escnn as a layer: its expanded filter, read as one kernel turned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._checks.arguments import value_text
from ..._checks.arrays import Array
from ..._functional.convolutions import LayerName
from ..._functional.convolutions import expand as expand_weight
from .._nn.convolutions import GroupConv, IsotropicConv, LiftingConv, ProjectionConv
from .escnn_fields import signal_of
from .weights import layer_of_pixels

_NAMES: dict[tuple[bool, bool], LayerName] = {
    (False, False): "isotropic", (False, True): "lifting", (True, True): "group", (True, False): "projection",
}  # fmt: skip
# The largest difference, in units of the largest weight, between a filter bank and that of one kernel turned: rounding.
_TOLERANCE = 1e-5


def convolution(place: str, module: Any) -> IsotropicConv | LiftingConv | GroupConv | ProjectionConv:
    """The layer that equals an ``R2Conv`` or ``R3Conv``.

    The kernel of the identity is read off escnn's expanded filter, and the filter bank of the layer is compared with
    all of that filter: they agree for the groups that map the grid to itself.

    Args:
        place: where the module stands, for errors.
        module: the convolution.

    Raises:
        TypeError: it has no fields or filter.
        ValueError: fields of another kind, a group that turns the grid into another one, a padding mode or groups of
            channels that layers do not have.
    """
    for attribute in ("in_type", "out_type", "expand_parameters", "stride", "padding", "dilation"):
        if not hasattr(module, attribute):
            raise TypeError(
                f"{place} is {value_text(module)} without {attribute}, expected a layer such as escnn.nn.R2Conv"
            )
    if getattr(module, "groups", 1) != 1 or module.padding_mode not in ("zeros", "circular"):
        raise ValueError(
            f"{place} has groups {module.groups} and padding mode {module.padding_mode!r}, expected 1, and 'zeros' or "
            "'circular'"
        )
    reads, writes = signal_of(place, "in_type", module.in_type), signal_of(place, "out_type", module.out_type)
    group, name = reads.group, _NAMES[(reads.order is not None, writes.order is not None)]
    expanded, biases = module.expand_parameters()
    bank = _reordered(expanded.detach().cpu().numpy(), writes.order or (0,), reads.order or (0,))
    fiber = () if reads.order is None else (group.order,)
    weight = np.ascontiguousarray(
        bank[:: len(writes.order or (0,))].reshape(writes.channels, reads.channels, *fiber, *bank.shape[2:])
    )
    difference = float(np.max(np.abs(expand_weight(weight, group, name) - bank), initial=0))
    if difference > _TOLERANCE * float(np.max(np.abs(bank), initial=0)):
        raise ValueError(
            f"{place} has a filter that is not one kernel turned by {group.name} in this package's order of elements "
            f"(the largest difference is {difference:.2g}): {group.name} does not map the grid to itself, or its "
            "mirrors are at other axes"
        )
    bias = None if biases is None else biases.detach().cpu().numpy()[:: len(writes.order or (0,))]
    layer: IsotropicConv | LiftingConv | GroupConv | ProjectionConv = layer_of_pixels(
        name, weight, group, bias, stride=module.stride, padding=module.padding, dilation=module.dilation,
        padding_mode=module.padding_mode,
    )  # fmt: skip
    return layer


def _reordered(bank: Array, targets: Sequence[int], sources: Sequence[int]) -> Array:
    """A filter bank whose elements of H, on either side, are put in another order."""
    rows = bank.reshape(-1, len(targets), *bank.shape[1:])[:, list(targets)]
    columns = rows.reshape(bank.shape[0], -1, len(sources), *bank.shape[2:])[:, :, list(sources)]
    return np.ascontiguousarray(columns.reshape(bank.shape))

# SPDX-License-Identifier: Apache-2.0
"""The spaces that layers with weights and pools read and write, in every framework."""

from __future__ import annotations

from .._groups.point_group import PointGroup
from .._signals.space import SignalSpace
from .layer import LAYERS


class ConvolutionSpaces:
    """Those of a layer that has a name in `LAYERS`."""

    layer_name: str
    group: PointGroup

    @property
    def input_space(self) -> SignalSpace:
        """What the layer reads."""
        return SignalSpace.of(self.group, LAYERS[self.layer_name].reads_group)

    @property
    def output_space(self) -> SignalSpace:
        """What the layer writes."""
        return SignalSpace.of(self.group, LAYERS[self.layer_name].writes_group)


class PoolSpaces:
    """Those of a pool over H."""

    group: PointGroup

    @property
    def input_space(self) -> SignalSpace:
        """What the layer reads."""
        return SignalSpace.of(self.group, True)

    @property
    def output_space(self) -> SignalSpace:
        """What the layer writes."""
        return SignalSpace.of(self.group, False)

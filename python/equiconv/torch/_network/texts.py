# SPDX-License-Identifier: Apache-2.0
"""The convolutions of PyTorch as texts of layers."""

from __future__ import annotations

from collections.abc import Sequence

from ..._bases.group_bases import localized
from ..._groups.named import trivial
from ..._groups.point_group import PointGroup
from .._operators.layers import text_of


def plain_text(
    stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int], padding_mode: str, groups: int
) -> str:
    """The text of an ordinary convolution of signals on the plane."""
    group = trivial(len(stride))
    sampling = (tuple(stride), tuple(padding), tuple(dilation), padding_mode, "auto")
    return str(text_of("isotropic", group, *sampling, None, "bilinear", None, False, groups))


def mixing_text(group: PointGroup) -> str:
    """The text of a layer that mixes the channels of a signal on H, at each point by itself."""
    d = group.dimension
    sampling = ((1,) * d, (0,) * d, (1,) * d, "zeros", "auto")
    return str(text_of("group", group, *sampling, None, "bilinear", localized([0]), False, 1))

# SPDX-License-Identifier: Apache-2.0
"""What torch's operators cannot pass on as a tensor: layers with all their options, as text (docs/LayerFormat.md).

A compiled program holds such texts, which make the same layers in any process.
"""

from __future__ import annotations

from functools import lru_cache

from ..._groups.arguments import plain_stabilizer
from ..._groups.point_group import PointGroup
from ..._layer.layer import LAYERS, Layer
from ..._layer.spec import LayerSpec, layer_of

_NAMES = {layer: name for name, layer in LAYERS.items()}


@lru_cache(maxsize=4096)
def configuration_of(text: str) -> LayerSpec:
    """The layer of a text. Raises ValueError for what is no such text."""
    return LayerSpec.parse(text)


@lru_cache(maxsize=4096)
def output_shape_of(text: str, x: tuple[int, ...], weight: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape of the output for operands of these shapes; None if they do not fit, which their checks explain."""
    try:
        return configuration_of(text).find_output_shape(x, weight)
    except (TypeError, ValueError):
        return None


def name_of(layer: Layer, group: PointGroup, *options: object) -> str:
    """The text of a layer with these options. Raises TypeError or ValueError for options that do not fit.

    Args:
        layer, group: of the layer.
        options: stride, padding, dilation, padding_mode, algorithm, basis, interpolation, group_basis, quadrature.
    """
    return _text_of(layer_of(_NAMES[layer], group, *options))


def name_between(
    input_stabilizer: object, output_stabilizer: object, depthwise: object, group: PointGroup, *options: object
) -> str:
    """The text of the layer between the quotients by two stabilizers; otherwise as `name_of`."""
    spaces = plain_stabilizer(input_stabilizer), plain_stabilizer(output_stabilizer)
    return _text_of(layer_of("conv", group, *options, *spaces, depthwise))


@lru_cache(maxsize=1024)
def _text_of(spec: LayerSpec) -> str:
    return spec.text

# SPDX-License-Identifier: Apache-2.0
"""Modules of this package with the numbers of other ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..._checks.arrays import Array
from ..._functional.convolutions import LayerName
from ..._groups.point_group import PointGroup
from .._nn.convolutions import GroupConv, IsotropicConv, LiftingConv, ProjectionConv
from .._nn.norm import BatchNorm

_LAYERS: dict[LayerName, Any] = {
    "isotropic": IsotropicConv, "lifting": LiftingConv, "group": GroupConv, "projection": ProjectionConv,
}  # fmt: skip


def float_numbers(name: str, value: Any) -> Array:
    """The numbers of a tensor or array. Raises TypeError unless they are float32 or float64."""
    array = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype not in (np.float32, np.float64):
        raise TypeError(f"{name} has dtype {array.dtype}, expected float32 or float64")
    return np.asarray(array)


def layer_of_pixels(name: LayerName, weight: Array, group: PointGroup, bias: Array | None, **options: Any) -> Any:
    """A layer of pixels with copies of these weights. Raises ValueError unless there is one bias for each channel."""
    extents = tuple(weight.shape[-group.dimension :])
    values = torch.from_numpy(np.ascontiguousarray(weight))
    layer = _LAYERS[name](
        weight.shape[1], weight.shape[0], extents, group, bias=bias is not None, dtype=values.dtype, **options
    )
    with torch.no_grad():
        layer.weight.copy_(values)
        if bias is not None:
            if bias.shape != layer.bias.shape:
                raise ValueError(
                    f"bias has shape {bias.shape}, expected {tuple(layer.bias.shape)}, one for each channel"
                )
            layer.bias.copy_(torch.from_numpy(np.ascontiguousarray(bias)))
    return layer


def batch_norm_of(norm: nn.modules.batchnorm._BatchNorm) -> BatchNorm:
    """The batch norm with the numbers of one of PyTorch: its statistics, momentum, epsilon and parameters."""
    numbers = norm.running_mean if norm.running_mean is not None else norm.weight
    copy = BatchNorm(
        norm.num_features,
        norm.eps,
        norm.momentum,
        norm.affine,
        norm.track_running_stats,
        dtype=None if numbers is None else numbers.dtype,
    )
    copy.load_state_dict(norm.state_dict())
    return copy


def reordered_linear(linear: nn.Linear, channels: int, order: tuple[int, ...]) -> nn.Linear:
    """The linear map of a flat signal on the group whose elements stand in another order.

    Args:
        linear: reads C |H| n numbers, in the order of channels, elements, places.
        channels: C.
        order: for each element of the group here, its number in what `linear` reads.
    """
    weight = linear.weight.detach()
    rows = weight.reshape(weight.shape[0], channels, len(order), -1)[:, :, list(order)]
    copy = nn.Linear(linear.in_features, linear.out_features, linear.bias is not None, device="cpu", dtype=weight.dtype)
    with torch.no_grad():
        copy.weight.copy_(rows.reshape(weight.shape))
        if linear.bias is not None:
            copy.bias.copy_(linear.bias)
    return copy

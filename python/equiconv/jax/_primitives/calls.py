# SPDX-License-Identifier: Apache-2.0
"""Calls of the layers: every check of equiconv's functions, then a primitive of JAX."""

from __future__ import annotations

from ..._groups.arguments import point_group
from ..._layer.calls import checked_sampling
from ..._layer.layer import Kernel, KernelArguments, Layer
from ..._layer.sampling import SamplingArguments, warn_of_remainders
from . import lowering as lowering  # The passes cannot be compiled before.
from .operands import JaxArray, float_operand
from .passes import biased
from .passes import forward as linear
from .program import Program


def forward(
    layer: Layer,
    x: object,
    weight: object,
    group: object,
    bias: object,
    sampling_arguments: SamplingArguments,
    kernel_arguments: KernelArguments,
) -> JaxArray:
    """layer(x, weight) + bias, after every check. Warns of strides that break equivariance."""
    checked_group = point_group(group)
    kernel = Kernel.checked(checked_group, layer, kernel_arguments)
    x_array, weight_array = float_operand("x", x), float_operand("weight", weight)
    bias_array = None if bias is None else float_operand("bias", bias)
    sampling, extents = checked_sampling(
        layer, x_array, weight_array, bias_array, checked_group, kernel, sampling_arguments
    )
    program = Program.of(layer, x_array, weight_array, checked_group, sampling, kernel)
    batch = x_array.shape[0]
    program.check("forward", batch)
    warn_of_remainders(x_array, extents, checked_group, sampling)
    if bias_array is None:
        return linear(x_array, weight_array, program=program, mapped=(False,) * 2, batch=batch)
    return biased(x_array, weight_array, bias_array, program=program, mapped=(False,) * 3, batch=batch)

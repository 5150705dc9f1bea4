# SPDX-License-Identifier: Apache-2.0
"""Calls of the layers: every check of equiconv's functions, then a primitive of JAX."""

from __future__ import annotations

import jax

from ..._layer.spec import LayerSpec, check_bias
from . import lowering as lowering  # The passes cannot be compiled before.
from .backends import Backend, checked_backend
from .operands import JaxArray, float_operand
from .passes import biased, input_gradient
from .passes import forward as linear
from .program import Program


def forward(spec: LayerSpec, x: object, weight: object, bias: object, backend: Backend | None = None) -> JaxArray:
    """layer(x, weight) + bias, after every check. Warns of strides that break equivariance."""
    checked_backend(backend)
    x_array, weight_array = float_operand("x", x), float_operand("weight", weight)
    bias_array = None if bias is None else float_operand("bias", bias)
    spec = spec.sized(x_array, weight_array)
    program = Program.of(spec, x_array, weight_array, backend)
    check_bias(bias_array, x_array, weight_array)
    batch = x_array.shape[0]
    program.check("forward", batch)
    spec.warn_of_remainders(x_array, weight_array)
    if bias_array is None:
        return linear(x_array, weight_array, program=program, mapped=(False,) * 2, batch=batch)
    return biased(x_array, weight_array, bias_array, program=program, mapped=(False,) * 3, batch=batch)


def adjoint(
    spec: LayerSpec, x: JaxArray, weight: JaxArray, shape: tuple[int, ...], backend: Backend | None = None
) -> JaxArray:
    """The adjoint of a layer in its signal.

    Args:
        spec: the layer.
        x: a signal on what it writes, checked.
        weight: of the layer, checked.
        shape: of the result, a signal on what it reads.
        backend: what computes it, checked.
    """
    program = Program.of(spec, jax.ShapeDtypeStruct(shape, x.dtype), weight, backend)
    program.check("input_gradient", shape[0])
    return input_gradient(x, weight, program=program, mapped=(False,) * 2, batch=shape[0])

# SPDX-License-Identifier: Apache-2.0
"""The layers by the engine, as torch's operators."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ... import _native
from ..._checks.arrays import Array
from .bilinear import Kernels, define_layer
from .layers import output_shape_of, spec_of
from .tensors import as_array, check_same_dtype, check_tensor, result_like

_Wanted = tuple[bool | Array, bool | Array, bool | Array]


def _forward(x: Tensor, weight: Tensor, bias: Tensor | None, layer: str) -> Tensor:
    spec = spec_of(layer)
    signal, weights = as_array("x", x), as_array("weight", weight)
    biases = None if bias is None else as_array("bias", bias)
    check_same_dtype("weight", weight, "x", x)
    check_same_dtype("bias", bias, "x", x)
    shape = output_shape_of(layer, x.shape, weight.shape)
    if shape is None:
        _native.forward(spec, signal, weights, biases, None, False)
        raise AssertionError("operands that do not fit were no error")
    result, out = result_like(x, shape)
    # The caller has been warned where that is of use.
    _native.forward(spec, signal, weights, biases, out, False)
    return result


def _input_gradient(grad_out: Tensor, weight: Tensor, shape: Sequence[int], layer: str) -> Tensor:
    gradient, weights = as_array("grad_out", grad_out), as_array("weight", weight)
    check_same_dtype("weight", weight, "grad_out", grad_out)
    result, out = result_like(grad_out, shape)
    _write_gradients(layer, gradient, out, weights, (out, False, False))
    return result


def _weight_gradient(grad_out: Tensor, x: Tensor, shape: Sequence[int], layer: str) -> Tensor:
    gradient, signal = as_array("grad_out", grad_out), as_array("x", x)
    check_same_dtype("x", x, "grad_out", grad_out)
    result, out = result_like(grad_out, shape)
    _write_gradients(layer, gradient, signal, out, (False, out, False))
    return result


def _both_gradients(grad_out: Tensor, x: Tensor, weight: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """What the operators of the two gradients compute, by one call of the engine."""
    (grad_x, out_x), (grad_weight, out_weight) = result_like(x, x.shape), result_like(weight, weight.shape)
    arrays = as_array("grad_out", grad_out), as_array("x", x), as_array("weight", weight)
    _write_gradients(layer, *arrays, (out_x, out_weight, False))
    return grad_x, grad_weight


def _write_gradients(layer: str, gradient: Array, x: Array, weight: Array, wanted: _Wanted) -> None:
    """Writes the gradients that are wanted. Of an array that no gradient needs the shape matters alone."""
    _native.vjp(spec_of(layer), gradient, x, weight, *wanted)


forward, input_gradient, weight_gradient = define_layer(
    "", Kernels(_forward, _input_gradient, _weight_gradient, _both_gradients, check_tensor, is_single=True)
)

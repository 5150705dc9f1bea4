# SPDX-License-Identifier: Apache-2.0
"""The layers as torch's operators: on tensors, on fake ones, and their derivatives of all orders.

A layer is bilinear: y = K(x, w) + bias. The three operators are K and its two adjoints, each linear in both tensors,

    forward          K(x, w)
    input_gradient   G(g, w) with <g, K(v, w)> = <G(g, w), v>
    weight_gradient  W(g, x) with <g, K(x, u)> = <W(g, x), u>

and so the derivatives of each are again these three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ... import _native
from ..._checks.arrays import Array
from ..._layer.operands import check_operands
from ..._layer.sampling import check_fit, output_shape
from ..._layer.spec import LayerSpec
from .dispatch import calls_kernel
from .layers import output_shape_of, spec_of
from .library import define, unfolded
from .tensors import Form, as_array, check_same_device, check_same_dtype, result_like

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


def _fake_forward(x: Tensor, weight: Tensor, bias: Tensor | None, layer: str) -> Tensor:
    signal, weights = Form.of("x", x), Form.of("weight", weight)
    check_same_device("weight", weight, "x", x)
    check_same_device("bias", bias, "x", x)
    check_same_dtype("weight", weight, "x", x)
    check_same_dtype("bias", bias, "x", x)
    return x.new_empty(_shape(spec_of(layer), signal, weights))


def _shape(spec: LayerSpec, x: Form, weight: Form) -> tuple[int, ...]:
    """The shape of the output, whose sizes may be symbols: the engine knows numbers only."""
    if all(type(size) is int for size in (*x.shape, *weight.shape)):
        return spec.check_operands(x, weight)
    check_operands(x, weight, spec.group, spec.layer, spec.kernel, spec.layer.function)
    extents = spec.kernel.extents(weight, spec.group.dimension)
    check_fit(x, weight, extents, spec.sampling)
    return output_shape(x, weight.shape[0], extents, spec.group, spec.layer, spec.sampling)


def _fake_gradient(grad_out: Tensor, other: Tensor, shape: Sequence[int], layer: str) -> Tensor:
    check_same_device("grad_out", grad_out, "the other operand", other)
    return grad_out.new_empty(tuple(shape))


def _saves(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    """Keeps what the derivatives need: each tensor for that in the other, so none for one that is frozen."""
    needs_first, needs_second = ctx.needs_input_grad[:2]
    ctx.save_for_backward(inputs[0] if needs_second else None, inputs[1] if needs_first else None)
    ctx.shapes = (inputs[0].shape, inputs[1].shape, output.shape)
    ctx.rest = inputs[2:]
    ctx.layer = inputs[-1]


def _forward_derivative(ctx: Any, g: Tensor) -> tuple[Any, ...]:
    x, weight = ctx.saved_tensors
    needs_x, needs_weight, needs_bias = ctx.needs_input_grad[:3]
    grad_x: Tensor | None
    grad_weight: Tensor | None
    if needs_x and needs_weight and calls_kernel((g, x, weight)):
        grad_x, grad_weight = _both_gradients(g, x, weight, ctx.layer)
    else:
        grad_x = input_gradient(g, weight, ctx.shapes[0], ctx.layer) if needs_x else None
        grad_weight = weight_gradient(g, x, ctx.shapes[1], ctx.layer) if needs_weight else None
    return grad_x, grad_weight, g.sum((0, *range(2, g.dim()))) if needs_bias else None, None


def _input_gradient_derivative(ctx: Any, v: Tensor) -> tuple[Any, ...]:
    grad_out, weight = ctx.saved_tensors
    needs_grad_out, needs_weight = ctx.needs_input_grad[:2]
    return (
        forward(v, weight, None, ctx.layer) if needs_grad_out else None,
        weight_gradient(grad_out, v, ctx.shapes[1], ctx.layer) if needs_weight else None,
        None,
        None,
    )


def _weight_gradient_derivative(ctx: Any, u: Tensor) -> tuple[Any, ...]:
    grad_out, x = ctx.saved_tensors
    needs_grad_out, needs_x = ctx.needs_input_grad[:2]
    return (
        forward(x, u, None, ctx.layer) if needs_grad_out else None,
        input_gradient(grad_out, u, ctx.shapes[1], ctx.layer) if needs_x else None,
        None,
        None,
    )


def _forward_tangent(ctx: Any, dx: Tensor | None, dw: Tensor | None, db: Tensor | None, _layer: None) -> Tensor:
    x, weight = ctx.saved_tensors
    terms = [] if dx is None else [forward(dx, weight, None, ctx.layer)]
    if dw is not None:
        terms.append(forward(x, dw, None, ctx.layer))
    if db is not None:
        shape = ctx.shapes[2]
        terms.append(db.reshape(1, -1, *(1,) * (len(shape) - 2)).expand(shape))
    return _total(terms)


def _adjoint_tangent(name: str) -> Callable[..., Tensor]:
    """G(dg, w) + G(g, dw), and the same of W."""

    def tangent(ctx: Any, first: Tensor | None, second: Tensor | None, *_rest: None) -> Tensor:
        a, b = ctx.saved_tensors
        adjoint = input_gradient if name == "input_gradient" else weight_gradient
        terms = [] if first is None else [adjoint(first, b, *ctx.rest)]
        return _total(terms if second is None else [*terms, adjoint(a, second, *ctx.rest)])

    return tangent


def _total(terms: list[Tensor]) -> Tensor:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _mapped(name: str) -> Callable[..., tuple[Tensor, int]]:
    """The rule of `torch.vmap`: one call for all of a mapped axis of signals, else one for each of its entries."""

    def rule(call: Callable[..., Tensor], info: Any, in_dims: tuple[Any, ...], *arguments: Any) -> tuple[Tensor, int]:
        mapped = [isinstance(axis, int) for axis in in_dims]
        if name != "weight_gradient" and mapped[0] and not any(mapped[1:]):
            signals = arguments[0].movedim(in_dims[0], 0)
            rest = list(arguments[1:])
            if name == "input_gradient":
                rest[1] = (signals.shape[0] * rest[1][0], *rest[1][1:])
            return unfolded(call(signals.flatten(0, 1), *rest), signals), 0
        results = [
            call(*(a.select(axis, i) if m else a for a, axis, m in zip(arguments, in_dims, mapped, strict=True)))
            for i in range(info.batch_size)
        ]
        return torch.stack(results), 0

    return rule


_ADJOINT = "(Tensor grad_out, Tensor {}, SymInt[] shape, str layer) -> Tensor"

forward = define(
    "forward",
    "(Tensor x, Tensor weight, Tensor? bias, str layer) -> Tensor",
    kernel=_forward,
    fake=_fake_forward,
    derivative=_forward_derivative,
    tangent=_forward_tangent,
    setup=_saves,
    mapped=_mapped("forward"),
)
input_gradient = define(
    "input_gradient",
    _ADJOINT.format("weight"),
    kernel=_input_gradient,
    fake=_fake_gradient,
    derivative=_input_gradient_derivative,
    tangent=_adjoint_tangent("input_gradient"),
    setup=_saves,
    mapped=_mapped("input_gradient"),
)
weight_gradient = define(
    "weight_gradient",
    _ADJOINT.format("x"),
    kernel=_weight_gradient,
    fake=_fake_gradient,
    derivative=_weight_gradient_derivative,
    tangent=_adjoint_tangent("weight_gradient"),
    setup=_saves,
    mapped=_mapped("weight_gradient"),
)

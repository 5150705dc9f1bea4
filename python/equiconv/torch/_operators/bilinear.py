# SPDX-License-Identifier: Apache-2.0
"""Layers as torch's operators: their derivatives of all orders, whatever computes them.

A layer is bilinear: y = K(x, w) + bias. The three operators are K and its two adjoints, each linear in both tensors,

    forward          K(x, w)
    input_gradient   G(g, w) with <g, K(v, w)> = <G(g, w), v>
    weight_gradient  W(g, x) with <g, K(x, u)> = <W(g, x), u>

and so the derivatives of each are again these three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..._layer.operands import check_operands
from ..._layer.sampling import check_fit, output_shape
from ..._layer.spec import LayerSpec
from .dispatch import calls_kernel
from .layers import spec_of
from .library import define, unfolded
from .tensors import Form, check_same_device, check_same_dtype


class Kernels(NamedTuple):
    """What computes a layer and its adjoints.

    Attributes:
        forward: of (x, weight, bias or None, text).
        input_gradient: of (grad_out, weight, shape of x, text).
        weight_gradient: of (grad_out, x, shape of the weight, text).
        both_gradients: of (grad_out, x, weight, text), the two at once; None where that saves nothing.
        check: of (name, tensor): raises TypeError or ValueError for a tensor that the kernels cannot read.
        is_single: whether they compute in float32 under autocast on the CPU.
    """

    forward: Callable[..., Tensor]
    input_gradient: Callable[..., Tensor]
    weight_gradient: Callable[..., Tensor]
    both_gradients: Callable[..., tuple[Tensor, Tensor]] | None
    check: Callable[[str, Tensor], object]
    is_single: bool


class Operators(NamedTuple):
    """The three operators, as functions that can be differentiated and mapped in every way of torch."""

    forward: Callable[..., Tensor]
    input_gradient: Callable[..., Tensor]
    weight_gradient: Callable[..., Tensor]


def define_layer(prefix: str, kernels: Kernels) -> Operators:
    """Makes the operators ``equiconv::<prefix>forward`` and so on."""
    rules = _Rules(kernels)
    adjoint = "(Tensor grad_out, Tensor {}, SymInt[] shape, str layer) -> Tensor"
    common: dict[str, Any] = {"setup": _saves, "is_single": kernels.is_single}
    rules.operators = Operators(
        define(
            f"{prefix}forward",
            "(Tensor x, Tensor weight, Tensor? bias, str layer) -> Tensor",
            kernel=kernels.forward,
            fake=rules.fake_forward,
            derivative=rules.forward_derivative,
            tangent=rules.forward_tangent,
            mapped=_mapped("forward"),
            **common,
        ),
        define(
            f"{prefix}input_gradient",
            adjoint.format("weight"),
            kernel=kernels.input_gradient,
            fake=_fake_gradient,
            derivative=rules.input_gradient_derivative,
            tangent=rules.adjoint_tangent("input_gradient"),
            mapped=_mapped("input_gradient"),
            **common,
        ),
        define(
            f"{prefix}weight_gradient",
            adjoint.format("x"),
            kernel=kernels.weight_gradient,
            fake=_fake_gradient,
            derivative=rules.weight_gradient_derivative,
            tangent=rules.adjoint_tangent("weight_gradient"),
            mapped=_mapped("weight_gradient"),
            **common,
        ),
    )
    return rules.operators


class _Rules:
    """The derivatives of the operators, by the operators."""

    operators: Operators

    def __init__(self, kernels: Kernels) -> None:
        self.kernels = kernels

    def fake_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None, layer: str) -> Tensor:
        """An empty tensor of the output's form. Raises TypeError or ValueError for tensors that do not fit."""
        for name, tensor in (("x", x), ("weight", weight)):
            self.kernels.check(name, tensor)
        check_same_device("weight", weight, "x", x)
        check_same_device("bias", bias, "x", x)
        check_same_dtype("weight", weight, "x", x)
        check_same_dtype("bias", bias, "x", x)
        return x.new_empty(_shape(spec_of(layer), Form.of_shape(x.shape), Form.of_shape(weight.shape)))

    def forward_derivative(self, ctx: Any, g: Tensor) -> tuple[Any, ...]:
        """Of the forward operator, in x, weight and bias."""
        x, weight = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        grad_x: Tensor | None
        grad_weight: Tensor | None
        both = self.kernels.both_gradients
        if both is not None and needs_x and needs_weight and calls_kernel((g, x, weight)):
            grad_x, grad_weight = both(g, x, weight, ctx.layer)
        else:
            grad_x = self.operators.input_gradient(g, weight, ctx.shapes[0], ctx.layer) if needs_x else None
            grad_weight = self.operators.weight_gradient(g, x, ctx.shapes[1], ctx.layer) if needs_weight else None
        return grad_x, grad_weight, g.sum((0, *range(2, g.dim()))) if needs_bias else None, None

    def input_gradient_derivative(self, ctx: Any, v: Tensor) -> tuple[Any, ...]:
        """Of the input gradient, in grad_out and weight."""
        grad_out, weight = ctx.saved_tensors
        needs_grad_out, needs_weight = ctx.needs_input_grad[:2]
        return (
            self.operators.forward(v, weight, None, ctx.layer) if needs_grad_out else None,
            self.operators.weight_gradient(grad_out, v, ctx.shapes[1], ctx.layer) if needs_weight else None,
            None,
            None,
        )

    def weight_gradient_derivative(self, ctx: Any, u: Tensor) -> tuple[Any, ...]:
        """Of the weight gradient, in grad_out and x."""
        grad_out, x = ctx.saved_tensors
        needs_grad_out, needs_x = ctx.needs_input_grad[:2]
        return (
            self.operators.forward(x, u, None, ctx.layer) if needs_grad_out else None,
            self.operators.input_gradient(grad_out, u, ctx.shapes[1], ctx.layer) if needs_x else None,
            None,
            None,
        )

    def forward_tangent(
        self, ctx: Any, dx: Tensor | None, dw: Tensor | None, db: Tensor | None, _layer: None
    ) -> Tensor:
        """K(dx, w) + K(x, dw) + db."""
        x, weight = ctx.saved_tensors
        terms = [] if dx is None else [self.operators.forward(dx, weight, None, ctx.layer)]
        if dw is not None:
            terms.append(self.operators.forward(x, dw, None, ctx.layer))
        if db is not None:
            shape = ctx.shapes[2]
            terms.append(db.reshape(1, -1, *(1,) * (len(shape) - 2)).expand(shape))
        return _total(terms)

    def adjoint_tangent(self, name: str) -> Callable[..., Tensor]:
        """G(dg, w) + G(g, dw), and the same of W."""

        def tangent(ctx: Any, first: Tensor | None, second: Tensor | None, *_rest: None) -> Tensor:
            a, b = ctx.saved_tensors
            adjoint = getattr(self.operators, name)
            terms = [] if first is None else [adjoint(first, b, *ctx.rest)]
            return _total(terms if second is None else [*terms, adjoint(a, second, *ctx.rest)])

        return tangent


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

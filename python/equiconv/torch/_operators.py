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

from .. import _calls, _native
from .._arguments import Array
from .._pool import group_pool
from .._sampling import output_shape
from ._configuration import configuration_of
from ._library import define, folded, operators
from ._tensors import as_array, as_tensor, unread


def _forward(x: Tensor, weight: Tensor, bias: Tensor | None, layer: str) -> Tensor:
    made = configuration_of(layer)
    signal, weights = as_array("x", x), as_array("weight", weight)
    biases = None if bias is None else as_array("bias", bias)
    result = None
    if made.layer.spaces is None:
        # The extension declines what is wrong or to be warned of. The caller has been warned where that is of use.
        result = _native.forward(
            made.layer.code, signal, weights, made.group, biases, *made.sampling_arguments, None,
            *made.kernel_arguments, None, False,
        )  # fmt: skip
    if result is None:
        arguments = made.sampling_arguments, made.kernel_arguments, None
        result = _calls.forward(made.layer, signal, weights, made.group, biases, *arguments, stacklevel=None)
    return as_tensor(result)


def _input_gradient(grad_out: Tensor, weight: Tensor, shape: Sequence[int], layer: str) -> Tensor:
    gradient, weights = as_array("grad_out", grad_out), as_array("weight", weight)
    return _gradient(layer, gradient, unread(tuple(shape), gradient), weights, (True, False, False))


def _weight_gradient(grad_out: Tensor, x: Tensor, shape: Sequence[int], layer: str) -> Tensor:
    gradient, signal = as_array("grad_out", grad_out), as_array("x", x)
    return _gradient(layer, gradient, signal, unread(tuple(shape), gradient), (False, True, False))


def _gradient(layer: str, gradient: Array, x: Array, weight: Array, wanted: tuple[bool, bool, bool]) -> Tensor:
    """The one gradient that is wanted; of the other array the shape matters alone."""
    made = configuration_of(layer)
    gradients = None
    if made.layer.spaces is None:
        gradients = _native.vjp(
            made.layer.code, gradient, x, weight, made.group, *made.sampling_arguments, *made.kernel_arguments, None,
            *wanted, False,
        )  # fmt: skip
    if gradients is None:
        arguments = made.sampling_arguments, made.kernel_arguments, wanted
        gradients = _calls.vjp(made.layer, gradient, x, weight, made.group, *arguments)
    result = gradients[wanted.index(True)]
    assert result is not None
    return as_tensor(result)


def _pool_mean(x: Tensor) -> Tensor:
    return as_tensor(group_pool(as_array("x", x), "mean"))


def _fake_pool_mean(x: Tensor) -> Tensor:
    return x.new_empty((*x.shape[:2], *x.shape[3:]))


def _fake_forward(x: Tensor, weight: Tensor, bias: Tensor | None, layer: str) -> Tensor:
    made = configuration_of(layer)
    extents = made.kernel.extents(weight, made.group.dimension)  # type: ignore[arg-type]
    shape = output_shape(x, weight.shape[0], extents, made.group, made.layer, made.sampling)  # type: ignore[arg-type]
    return x.new_empty(shape)


def _fake_gradient(grad_out: Tensor, other: Tensor, shape: Sequence[int], layer: str) -> Tensor:
    return grad_out.new_empty(tuple(shape))


def _saves_shape(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    """Keeps the shape of the signal."""
    ctx.shape = inputs[0].shape


def _saves(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    """Keeps both tensors, and the name of the layer, for the derivatives."""
    ctx.save_for_backward(inputs[0], inputs[1])
    ctx.layer = inputs[-1]


def _forward_derivative(ctx: Any, g: Tensor) -> tuple[Any, ...]:
    x, weight = ctx.saved_tensors
    needs_x, needs_weight, needs_bias = ctx.needs_input_grad[:3]
    return (
        operators.input_gradient(g, weight, x.shape, ctx.layer) if needs_x else None,
        operators.weight_gradient(g, x, weight.shape, ctx.layer) if needs_weight else None,
        g.sum((0, *range(2, g.dim()))) if needs_bias else None,
        None,
    )


def _input_gradient_derivative(ctx: Any, v: Tensor) -> tuple[Any, ...]:
    grad_out, weight = ctx.saved_tensors
    needs_grad_out, needs_weight = ctx.needs_input_grad[:2]
    return (
        operators.forward(v, weight, None, ctx.layer) if needs_grad_out else None,
        operators.weight_gradient(grad_out, v, weight.shape, ctx.layer) if needs_weight else None,
        None,
        None,
    )


def _weight_gradient_derivative(ctx: Any, u: Tensor) -> tuple[Any, ...]:
    grad_out, x = ctx.saved_tensors
    needs_grad_out, needs_x = ctx.needs_input_grad[:2]
    return (
        operators.forward(x, u, None, ctx.layer) if needs_grad_out else None,
        operators.input_gradient(grad_out, u, x.shape, ctx.layer) if needs_x else None,
        None,
        None,
    )


def _pool_mean_derivative(ctx: Any, g: Tensor) -> Tensor:
    share: Tensor = g / ctx.shape[2]
    return share.unsqueeze(2).expand(ctx.shape)


def _mapped(name: str) -> Callable[..., tuple[Tensor, int]]:
    """The rule of `torch.vmap`: one call for all of a mapped axis of signals, else one for each of its entries."""

    def rule(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> tuple[Tensor, int]:
        operator = getattr(operators, name)
        has_signals = name != "weight_gradient" and in_dims[0] is not None
        if has_signals and all(axis is None for axis in in_dims[1:]):
            signals = arguments[0].movedim(in_dims[0], 0)
            rest = list(arguments[1:])
            if name == "input_gradient":
                rest[1] = (signals.shape[0] * rest[1][0], *rest[1][1:])
            return operator(signals.flatten(0, 1), *rest).unflatten(0, signals.shape[:2]), 0
        results = [
            operator(*(a if axis is None else a.select(axis, i) for a, axis in zip(arguments, in_dims, strict=True)))
            for i in range(info.batch_size)
        ]
        return torch.stack(results), 0

    return rule


def _define() -> None:
    of_two = "(Tensor grad_out, Tensor {}, SymInt[] shape, str layer) -> Tensor"
    parts: dict[str, tuple[str, Any, Any, Any]] = {
        "forward": (
            "(Tensor x, Tensor weight, Tensor? bias, str layer) -> Tensor",
            _forward, _fake_forward, _forward_derivative,
        ),
        "input_gradient": (of_two.format("weight"), _input_gradient, _fake_gradient, _input_gradient_derivative),
        "weight_gradient": (of_two.format("x"), _weight_gradient, _fake_gradient, _weight_gradient_derivative),
    }  # fmt: skip
    for name, (schema, kernel, fake, derivative) in parts.items():
        define(name, schema, kernel=kernel, fake=fake, derivative=derivative, setup=_saves, mapped=_mapped(name))
    define(
        "pool_mean",
        "(Tensor x) -> Tensor",
        kernel=_pool_mean,
        fake=_fake_pool_mean,
        derivative=_pool_mean_derivative,
        setup=_saves_shape,
        mapped=folded("pool_mean"),
    )


_define()

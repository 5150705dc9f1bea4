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

from .. import _calls
from .._pool import group_pool
from .._sampling import output_shape
from ._configuration import configuration_of
from ._tensors import as_array, as_tensor, unread

_NAMESPACE = "equiconv"
# mypy: torch has no types for some of its own functions.
_LIBRARY: Any = torch.library.Library(_NAMESPACE, "DEF")  # type: ignore[no-untyped-call]
_SCHEMAS = {
    "forward": "(Tensor x, Tensor weight, Tensor? bias, str layer) -> Tensor",
    "input_gradient": "(Tensor grad_out, Tensor weight, SymInt[] shape, str layer) -> Tensor",
    "weight_gradient": "(Tensor grad_out, Tensor x, SymInt[] shape, str layer) -> Tensor",
    "pool_mean": "(Tensor x) -> Tensor",
}


def _forward(x: Tensor, weight: Tensor, bias: Tensor | None, layer: str) -> Tensor:
    made = configuration_of(layer)
    biases = None if bias is None else as_array("bias", bias)
    arrays = as_array("x", x), as_array("weight", weight), made.group, biases
    # The caller has been warned where the warning is of use.
    return as_tensor(
        _calls.forward(made.layer, *arrays, made.sampling_arguments, made.kernel_arguments, None, stacklevel=None)
    )


def _input_gradient(grad_out: Tensor, weight: Tensor, shape: Sequence[int], layer: str) -> Tensor:
    made = configuration_of(layer)
    gradient, weights = as_array("grad_out", grad_out), as_array("weight", weight)
    x = unread(tuple(shape), gradient)
    arguments = made.sampling_arguments, made.kernel_arguments
    grad_x, _, _ = _calls.vjp(made.layer, gradient, x, weights, made.group, *arguments, (True, False, False))
    assert grad_x is not None
    return as_tensor(grad_x)


def _weight_gradient(grad_out: Tensor, x: Tensor, shape: Sequence[int], layer: str) -> Tensor:
    made = configuration_of(layer)
    gradient, signal = as_array("grad_out", grad_out), as_array("x", x)
    weights = unread(tuple(shape), gradient)
    arguments = made.sampling_arguments, made.kernel_arguments
    _, grad_weight, _ = _calls.vjp(made.layer, gradient, signal, weights, made.group, *arguments, (False, True, False))
    assert grad_weight is not None
    return as_tensor(grad_weight)


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
    return (g / ctx.shape[2]).unsqueeze(2).expand(ctx.shape)


def _mapped(name: str) -> Callable[..., tuple[Tensor, int]]:
    """The rule of `torch.vmap`: one call for each entry of the mapped axis; of signals alone, one call for all."""

    def rule(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> tuple[Tensor, int]:
        operator = getattr(operators, name)
        folds = name != "weight_gradient" and in_dims[0] is not None
        if folds and all(axis is None for axis in in_dims[1:]):
            signals = arguments[0].movedim(in_dims[0], 0)
            rest = list(arguments[1:])
            if name == "input_gradient":
                rest[1] = (signals.shape[0] * rest[1][0], *rest[1][1:])
            result = operator(signals.flatten(0, 1), *rest)
            return result.unflatten(0, signals.shape[:2]), 0
        results = [
            operator(*(a if axis is None else a.select(axis, i) for a, axis in zip(arguments, in_dims, strict=True)))
            for i in range(info.batch_size)
        ]
        return torch.stack(results), 0

    return rule


def _define() -> Any:
    # The operator, the same on fake tensors, its derivative, and what that needs.
    parts: dict[str, tuple[Any, Any, Any, Any]] = {
        "forward": (_forward, _fake_forward, _forward_derivative, _saves),
        "input_gradient": (_input_gradient, _fake_gradient, _input_gradient_derivative, _saves),
        "weight_gradient": (_weight_gradient, _fake_gradient, _weight_gradient_derivative, _saves),
        "pool_mean": (_pool_mean, _fake_pool_mean, _pool_mean_derivative, _saves_shape),
    }
    for name, schema in _SCHEMAS.items():
        qualified = f"{_NAMESPACE}::{name}"
        kernel, fake, derivative, setup = parts[name]
        _LIBRARY.define(name + schema, tags=(torch.Tag.pt2_compliant_tag, torch.Tag.needs_fixed_stride_order))
        _LIBRARY.impl(name, kernel, "CPU")
        torch.library.register_fake(qualified, fake, lib=_LIBRARY)
        torch.library.register_autograd(qualified, derivative, setup_context=setup, lib=_LIBRARY)
        torch.library.register_vmap(qualified, _mapped(name), lib=_LIBRARY)
        # Half precision of torch.autocast is not the engine's: layers run in float32 there.
        torch.library.register_autocast(qualified, "cpu", torch.float32, lib=_LIBRARY)
    return getattr(torch.ops, _NAMESPACE)


operators: Any = _define()

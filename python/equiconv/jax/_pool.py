# SPDX-License-Identifier: Apache-2.0
"""Pooling over the fiber H."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.ffi
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching

from .._checks.arguments import check_not_empty, choice
from .._functional.pool import PoolMode
from ._lowering import register_lowering, target
from ._operands import JaxArray, float_operand
from ._partition import is_partitioned, lower_partitioned
from ._types import AxisNames, Rule, result_type


def group_pool(x: JaxArray, mode: PoolMode = "mean") -> JaxArray:
    """Mean or maximum over H: from signals on the group to signals on the plane.

    ``y[c, x] = mean (or max) over h of f[c, h, x]``. Both commute with the action of the group to the last bit. A
    maximum over values with a NaN is NaN.

    Args:
        x: signal of shape (B, C, |H|, spatial...), float32 or float64.
        mode: ``"mean"`` or ``"max"``.

    Returns:
        Shape (B, C, spatial...), with the dtype of `x`. The gradient of the mean spreads evenly over H; that of the
        maximum goes to the largest value, in equal parts if several are equal.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, dtype or shape.

    Example:
        >>> group_pool(jax.numpy.arange(8.0).reshape(1, 1, 4, 2), "max").tolist()
        [[[6.0, 7.0]]]
    """
    name = choice("mode", mode, ("mean", "max"))
    array = float_operand("x", x)
    if not 4 <= array.ndim <= 6:
        raise ValueError(f"x has shape {array.shape}, expected (B, C, |H|, spatial...) for group_pool: 4 to 6 axes")
    check_not_empty("x", array, first_axis=1)
    return jnp.max(array, axis=2) if name == "max" else _mean.bind(array, order=array.shape[2])


def _mean_shape(x: Any, order: int) -> tuple[int, ...]:
    return (*x.shape[:2], *x.shape[3:])


def _adjoint_shape(gradient: Any, order: int) -> tuple[int, ...]:
    return (*gradient.shape[:2], order, *gradient.shape[2:])


def _pooled_axes(axes: int) -> AxisNames:
    return ("batch", "channel", *(f"space{axis}" for axis in range(axes - 2)))


def _mean_rule(axes: int) -> Rule:
    """All axes but that of H may be cut."""
    pooled = _pooled_axes(axes - 1)
    return Rule(((*pooled[:2], None, *pooled[2:]),), pooled)


def _adjoint_rule(axes: int) -> Rule:
    pooled = _pooled_axes(axes)
    return Rule((pooled,), (*pooled[:2], None, *pooled[2:]))


def _primitive(name: str, shape: Callable[[Any, int], tuple[int, ...]], rule: Callable[[int], Rule]) -> Any:
    primitive = Primitive(target(name))
    primitive.def_abstract_eval(
        lambda x, *, order: result_type(primitive.name, [x], rule(x.ndim), shape(x, order), x.dtype)
    )
    primitive.def_impl(jax.jit(primitive.bind, static_argnames="order"))
    call = jax.ffi.ffi_lowering(target(name))

    def lower(ctx: Any, operand: Any, *, order: int) -> Any:
        if not is_partitioned(ctx):
            return call(ctx, operand)
        axes = ctx.avals_in[0].ndim
        return lower_partitioned(ctx, [operand], rule(axes), partial(primitive.bind, order=order), name.encode())

    register_lowering(primitive, lower)

    def vmap(operands: Sequence[JaxArray], axes: Sequence[int], *, order: int) -> tuple[JaxArray, int]:
        """As images of the batch."""
        x = jnp.moveaxis(operands[0], axes[0], 0)
        y = primitive.bind(x.reshape(x.shape[0] * x.shape[1], *x.shape[2:]), order=order)
        return y.reshape(*x.shape[:2], *y.shape[1:]), 0

    batching.primitive_batchers[primitive] = vmap
    return primitive


# The mean over H, whose sum in double does not depend on the order of H, and its adjoint.
_mean = _primitive("pool_mean", _mean_shape, _mean_rule)
_mean_adjoint = _primitive("pool_mean_adjoint", _adjoint_shape, _adjoint_rule)
ad.deflinear2(_mean, lambda cotangent, _x, *, order: [_mean_adjoint.bind(cotangent, order=order)])
ad.deflinear2(_mean_adjoint, lambda cotangent, _x, *, order: [_mean.bind(cotangent, order=order)])

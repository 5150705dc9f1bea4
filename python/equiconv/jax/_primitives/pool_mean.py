# SPDX-License-Identifier: Apache-2.0
"""The mean over the fiber H as a primitive of JAX, and its adjoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.ffi
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching

from .lowering import register_lowering, target
from .operands import JaxArray
from .partition import is_partitioned, lower_partitioned
from .types import AxisNames, Rule, result_type


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
        return lower_partitioned(ctx, [operand], rule(axes), partial(primitive.bind, order=order), name)

    register_lowering(primitive, lower)

    def vmap(operands: Sequence[JaxArray], axes: Sequence[int], *, order: int) -> tuple[JaxArray, int]:
        """As images of the batch."""
        x = jnp.moveaxis(operands[0], axes[0], 0)
        y = primitive.bind(x.reshape(x.shape[0] * x.shape[1], *x.shape[2:]), order=order)
        return y.reshape(*x.shape[:2], *y.shape[1:]), 0

    batching.primitive_batchers[primitive] = vmap
    return primitive


# The mean over H, whose sum in double does not depend on the order of H, and its adjoint.
pool_mean = _primitive("pool_mean", _mean_shape, _mean_rule)
_pool_mean_adjoint = _primitive("pool_mean_adjoint", _adjoint_shape, _adjoint_rule)
ad.deflinear2(pool_mean, lambda cotangent, _x, *, order: [_pool_mean_adjoint.bind(cotangent, order=order)])
ad.deflinear2(_pool_mean_adjoint, lambda cotangent, _x, *, order: [pool_mean.bind(cotangent, order=order)])

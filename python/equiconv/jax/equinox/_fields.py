# SPDX-License-Identifier: Apache-2.0
"""Modules that act on fields, the channels of a signal on the group: pools over H, batch normalization, dropout."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp

from ..._checks.arguments import probability
from ..._nn.options import PoolOptions
from .._nn.layers import FiberPool, parameter_dtype
from .._nn.norm import NormOptions, check_fields, drop_fields, running_dtype
from .._primitives.backends import Backend
from .._primitives.operands import JaxArray, float_operand


class GroupPool(FiberPool, eqx.Module):  # type: ignore[misc]
    """Mean or maximum over H, G -> R^d: `equiconv.jax.group_pool` as a module.

    Example:
        >>> GroupPool(cyclic(4), "max")(jax.numpy.zeros((1, 8, 4, 5, 5))).shape
        (1, 8, 5, 5)
    """

    options: PoolOptions = eqx.field(static=True)
    backend: Backend | None = eqx.field(static=True)

    def __call__(self, x: JaxArray, *, key: JaxArray | None = None) -> JaxArray:
        """The pooled signal."""
        return self.pooled(x)


class BatchNorm(eqx.nn.StatefulLayer):  # type: ignore[misc]
    """Batch normalization over (batch, fiber, space), one mean and one variance for each channel.

    ``y = (x - mean) / sqrt(variance + eps) * weight + bias``. All of H shares the numbers of a channel, and so does all
    of the plane: the layer commutes with the group, in evaluation to the last bit. Running numbers are in an
    `equinox.nn.State`, made by `equinox.nn.make_with_state`. After `equinox.nn.inference_mode` the layer uses them.

    Args:
        num_features: C, the number of channels (fields), not C |H|.
        eps: added to the variance.
        momentum: the share of a batch in the running numbers, as torch has it.
        affine: whether there are a weight and a bias.
        inference: whether to start in evaluation.
        dtype: of the parameters: float32, float64, bfloat16 or float16. Running numbers are at least float32, and
            signals of bfloat16 and float16 are normalized in it.

    Shape:
        (B, C, |H|, spatial...) or (B, C, spatial...), and a state, in and out.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; the input has another dtype or number of
            channels, fewer than 3 axes, or one number for each channel in training.

    Example:
        >>> norm, state = eqx.nn.make_with_state(BatchNorm)(8)
        >>> y, state = norm(jax.numpy.zeros((2, 8, 4, 5, 5)), state)
        >>> y.shape
        (2, 8, 4, 5, 5)
    """

    weight: JaxArray | None
    bias: JaxArray | None
    running: eqx.nn.StateIndex
    inference: bool
    options: NormOptions = eqx.field(static=True)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        *,
        inference: bool = False,
        dtype: Any = jnp.float32,
    ) -> None:
        self.options = NormOptions.checked(num_features, eps, momentum)
        count, number_type = self.options.num_features, parameter_dtype(dtype)
        self.inference = inference
        self.weight = jnp.ones(count, number_type) if affine else None
        self.bias = jnp.zeros(count, number_type) if affine else None
        running = running_dtype(number_type)
        self.running = eqx.nn.StateIndex((jnp.zeros(count, running), jnp.ones(count, running)))

    def __call__(
        self,
        x: JaxArray,
        state: eqx.nn.State,
        *,
        key: JaxArray | None = None,
        inference: bool | None = None,
    ) -> tuple[JaxArray, eqx.nn.State]:
        """The normalized signal, and the state with the running numbers after it."""
        array = float_operand("x", x)
        running = statistics = state.get(self.running)
        self.options.check(array, running[0])
        if not (self.inference if inference is None else inference):
            statistics = self.options.statistics(array)
            state = state.set(self.running, self.options.updated(running, statistics, array))
        return self.options.normalized(array, statistics, self.weight, self.bias), state


class FieldDropout(eqx.Module):  # type: ignore[misc]
    """Dropout of whole fields: a channel of a sample is 0 on all of the group, or scaled by 1 / (1 - p).

    Dropping single elements of the fiber would not commute with the group. In evaluation the identity.

    Args:
        p: the probability that a field is dropped, 0 to 1.
        inference: whether to start in evaluation; `equinox.nn.inference_mode` sets it.

    Shape:
        (B, C, [|H|,] spatial...), in and out.

    Raises:
        TypeError, ValueError: `p` is no number from 0 to 1, or the input has fewer than 3 axes; there is no `key` in
            training.

    Example:
        >>> FieldDropout(0.5, inference=True)(jax.numpy.ones((1, 8, 4, 5, 5))).sum().item()
        800.0
    """

    p: float = eqx.field(static=True)
    inference: bool

    def __init__(self, p: float = 0.5, *, inference: bool = False) -> None:
        self.p = probability("p", p)
        self.inference = inference

    def __call__(self, x: JaxArray, *, key: JaxArray | None = None, inference: bool | None = None) -> JaxArray:
        """The signal with some of its fields dropped, if in training."""
        array = float_operand("x", x)
        check_fields(array)
        if self.p == 0 or (self.inference if inference is None else inference):
            return array
        if key is None:
            raise TypeError("key is None, expected one of jax.random for FieldDropout in training")
        return drop_fields(array, self.p, key)

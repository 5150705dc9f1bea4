# SPDX-License-Identifier: Apache-2.0
"""Modules that act on fields, the channels of a signal on the group: pools over H, batch normalization, dropout."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx

from ..._checks.arguments import probability
from .._nn.layers import FiberPool, parameter_dtype
from .._nn.norm import NormOptions, check_fields, drop_fields, running_dtype
from .._primitives.operands import JaxArray, float_operand
from ._module import Module


class GroupPool(FiberPool, Module):
    """Mean or maximum over H, G -> R^d: `equiconv.jax.group_pool` as a module.

    Example:
        >>> GroupPool(cyclic(4), "max")(jax.numpy.zeros((1, 8, 4, 5, 5))).shape
        (1, 8, 5, 5)
    """

    def __call__(self, x: JaxArray) -> JaxArray:
        """The pooled signal."""
        return self.pooled(x)


class BatchNorm(nnx.Module):  # type: ignore[misc]
    """Batch normalization over (batch, fiber, space), one mean and one variance for each channel.

    ``y = (x - mean) / sqrt(variance + eps) * weight + bias``. All of H shares the numbers of a channel, and so does all
    of the plane: the layer commutes with the group, in evaluation to the last bit. After ``model.train()`` it
    uses mean and variance of the batch, and updates the running ones, `nnx.BatchStat`; after ``model.eval()`` it uses
    the running ones.

    Args:
        num_features: C, the number of channels (fields), not C |H|.
        eps: added to the variance.
        momentum: the share of a batch in the running numbers, as torch has it (not 1 less it, as `flax.nnx.BatchNorm`).
        affine: whether there are a weight and a bias.
        use_running_average: whether to start in evaluation.
        dtype: of the parameters: float32, float64, bfloat16 or float16. Running numbers are at least float32, and
            signals of bfloat16 and float16 are normalized in it.

    Shape:
        (B, C, |H|, spatial...) or (B, C, spatial...), in and out.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range; the input has another dtype or number of
            channels, fewer than 3 axes, or one number for each channel in training.

    Example:
        >>> BatchNorm(8)(jax.numpy.zeros((2, 8, 4, 5, 5))).shape
        (2, 8, 4, 5, 5)
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        *,
        use_running_average: bool = False,
        dtype: Any = jnp.float32,
    ) -> None:
        self.options = NormOptions.checked(num_features, eps, momentum)
        count, number_type = self.options.num_features, parameter_dtype(dtype)
        self.use_running_average = use_running_average
        self.weight = nnx.Param(jnp.ones(count, number_type)) if affine else None
        self.bias = nnx.Param(jnp.zeros(count, number_type)) if affine else None
        self.running_mean = nnx.BatchStat(jnp.zeros(count, running_dtype(number_type)))
        self.running_var = nnx.BatchStat(jnp.ones(count, running_dtype(number_type)))

    def __call__(self, x: JaxArray) -> JaxArray:
        """The normalized signal."""
        array = float_operand("x", x)
        running = statistics = (self.running_mean[...], self.running_var[...])
        self.options.check(array, running[0])
        if not self.use_running_average:
            statistics = self.options.statistics(array)
            self.running_mean[...], self.running_var[...] = self.options.updated(running, statistics, array)
        weight, bias = (None if parameter is None else parameter[...] for parameter in (self.weight, self.bias))
        return self.options.normalized(array, statistics, weight, bias)


class FieldDropout(nnx.Module):  # type: ignore[misc]
    """Dropout of whole fields: a channel of a sample is 0 on all of the group, or scaled by 1 / (1 - p).

    Dropping single elements of the fiber would not commute with the group. After ``model.eval()`` the identity.

    Args:
        p: the probability that a field is dropped, 0 to 1.
        deterministic: whether to start in evaluation.
        rngs: whose stream `dropout` is drawn from.

    Shape:
        (B, C, [|H|,] spatial...), in and out.

    Raises:
        TypeError, ValueError: `p` is no number from 0 to 1, or the input has fewer than 3 axes.

    Example:
        >>> FieldDropout(0.5, deterministic=True, rngs=nnx.Rngs(0))(jax.numpy.ones((1, 8, 4, 5, 5))).sum().item()
        800.0
    """

    def __init__(self, p: float = 0.5, *, deterministic: bool = False, rngs: nnx.Rngs) -> None:
        self.p = probability("p", p)
        self.deterministic = deterministic
        self.rngs = rngs.dropout.fork()

    def __call__(self, x: JaxArray) -> JaxArray:
        """The signal with some of its fields dropped, if in training."""
        array = float_operand("x", x)
        check_fields(array)
        return array if self.deterministic or self.p == 0 else drop_fields(array, self.p, self.rngs())

# SPDX-License-Identifier: Apache-2.0
"""Batch normalization and dropout that commute with the group, as functions of arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..._checks.arguments import LARGEST, integer, real
from ..._checks.arrays import check_same_dtype
from .._primitives.operands import JaxArray, is_half


@dataclass(frozen=True)
class NormOptions:
    """The arguments of batch normalization, checked."""

    num_features: int
    eps: float
    momentum: float

    @classmethod
    def checked(cls, num_features: object, eps: object, momentum: object) -> NormOptions:
        """Raises TypeError or ValueError for an argument of the wrong kind, or out of range."""
        found = cls(integer("num_features", num_features, 1, LARGEST), real("eps", eps), real("momentum", momentum))
        if not found.eps >= 0:
            raise ValueError(f"eps is {found.eps}, expected at least 0")
        if not 0 <= found.momentum <= 1:
            raise ValueError(f"momentum is {found.momentum}, expected a number from 0 to 1")
        return found

    def check(self, x: JaxArray, running_mean: JaxArray) -> None:
        """Raises ValueError for a signal with another number of channels, TypeError for one of another dtype.

        Signals of bfloat16 and float16 are normalized in float32.
        """
        if x.ndim < 3 or x.shape[1] != self.num_features:
            raise ValueError(
                f"x has shape {x.shape}, expected (B, {self.num_features}, [|H|,] spatial...) for "
                f"BatchNorm({self.num_features})"
            )
        if not (is_half(x.dtype) and running_mean.dtype == jnp.float32):
            check_same_dtype("x", x, "running_mean", running_mean)

    def statistics(self, x: JaxArray) -> tuple[JaxArray, JaxArray]:
        """The mean and the variance of each channel, over all but channels."""
        axes, values = (0, *range(2, x.ndim)), _at_least_float32(x)
        mean = values.mean(axes)
        return mean, jnp.square(values - _column(mean, x)).mean(axes)

    def updated(
        self, running: tuple[JaxArray, JaxArray], statistics: tuple[JaxArray, JaxArray], x: JaxArray
    ) -> tuple[JaxArray, JaxArray]:
        """Running mean and variance after a batch with these statistics; the variance is that of a sample."""
        count = x.size // self.num_features
        if count < 2:
            raise ValueError(f"x has shape {x.shape}, expected more than one number for each channel in training")
        mean, variance = map(jax.lax.stop_gradient, statistics)
        before, after = 1 - self.momentum, self.momentum
        unbiased = variance * (count / (count - 1))
        return before * running[0] + after * mean, before * running[1] + after * unbiased

    def normalized(
        self,
        x: JaxArray,
        statistics: tuple[JaxArray, JaxArray],
        weight: JaxArray | None,
        bias: JaxArray | None,
    ) -> JaxArray:
        """(x - mean) / sqrt(variance + eps) * weight + bias, with one number of each for all of a channel."""
        mean, variance = statistics
        scale = jax.lax.rsqrt(variance + self.eps) if weight is None else weight * jax.lax.rsqrt(variance + self.eps)
        y = (_at_least_float32(x) - _column(mean, x)) * _column(scale, x)
        return (y if bias is None else y + _column(bias, x)).astype(x.dtype)


def running_dtype(dtype: Any) -> Any:
    """That of running numbers beside parameters of a dtype: a step of theirs is too small for bfloat16 and float16."""
    return np.dtype(np.float32) if is_half(dtype) else dtype


def _at_least_float32(x: JaxArray) -> JaxArray:
    return x.astype(jnp.float32) if is_half(x.dtype) else x


def _column(numbers: JaxArray, x: JaxArray) -> JaxArray:
    """Numbers of channels along the channels of x."""
    return numbers.reshape(1, -1, *(1,) * (x.ndim - 2))


def drop_fields(x: JaxArray, p: float, key: JaxArray) -> JaxArray:
    """Some channels of each sample are 0 on all of the group, the others scaled by 1 / (1 - p)."""
    check_fields(x)
    if p == 1:
        return jnp.zeros_like(x)
    kept = jax.random.bernoulli(key, 1 - p, x.shape[:2]).reshape(*x.shape[:2], *(1,) * (x.ndim - 2))
    return jnp.where(kept, x / (1 - p), jnp.zeros((), x.dtype))


def check_fields(x: JaxArray) -> None:
    """Raises ValueError for what has no fields to drop."""
    if x.ndim < 3:
        raise ValueError(f"x has shape {x.shape}, expected (B, C, [|H|,] spatial...) for FieldDropout")

# SPDX-License-Identifier: Apache-2.0
"""Norms with the statistics of each sample, and channels that are scaled by what a sample is as a whole.

Functions of arrays, with all that modules of Flax and of Equinox have in common but their arrays.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from ..._checks.arguments import boolean
from ..._checks.arrays import check_same_dtype
from ..._nn.norm_options import NormOptions, SqueezeOptions
from .._primitives.operands import JaxArray, float_operand, is_half
from .layers import parameter_dtype
from .spatial import exact_mean


def drawn_affine(options: NormOptions, affine: object, dtype: Any) -> tuple[JaxArray, JaxArray] | None:
    """Weights of 1 and biases of 0; None if there are to be none. Raises TypeError for an argument of another kind."""
    number_type = parameter_dtype(dtype)
    if not boolean("affine", affine):
        return None
    return jnp.ones(options.num_channels, number_type), jnp.zeros(options.num_channels, number_type)


def normalized(
    options: NormOptions, x: object, weight: JaxArray | None, bias: JaxArray | None, exact: bool
) -> JaxArray:
    """(x - mean) / sqrt(variance + eps) * weight + bias; in float32 for bfloat16 and float16.

    Args:
        options: which numbers a mean is of.
        x: the signal, checked here.
        weight, bias: one number for each channel, or None.
        exact: whether means are those of `SpatialMean`.
    """
    array = float_operand("x", x)
    options.check(array.shape)
    if weight is not None and not (is_half(array.dtype) and weight.dtype == jnp.float32):
        check_same_dtype("x", array, "weight", weight)
    shape, axis = options.flat(array.shape)
    wide = (array.astype(jnp.float32) if is_half(array.dtype) else array).reshape(shape)
    centered = wide - _mean(wide, axis, exact)
    variance = _mean(centered * centered, axis, exact)
    # Division and square root are rounded as they should be wherever a number stands in memory.
    y = (centered / jnp.sqrt(variance + options.eps)).reshape(array.shape)
    if weight is not None and bias is not None:
        column = (-1, *(1,) * (array.ndim - 2))
        y = y * weight.reshape(column) + bias.reshape(column)
    return y.astype(array.dtype)


def _mean(x: JaxArray, axis: int, exact: bool) -> JaxArray:
    """The mean over an axis, which stays."""
    if not exact:
        return x.mean(axis, keepdims=True)
    total = partial(jnp.sum, axis=axis, keepdims=True)
    return exact_mean(x, lambda values: total(values, dtype=values.dtype), x.shape[axis], (axis,))


def drawn_linear(key: JaxArray, inputs: int, outputs: int, dtype: Any) -> tuple[JaxArray, JaxArray]:
    """A weight (O, I) and a bias (O,) between -1 / sqrt(I) and 1 / sqrt(I), as PyTorch draws them."""
    number_type, bound = parameter_dtype(dtype), 1 / math.sqrt(inputs)
    keys = jax.random.split(key)
    shapes = (outputs, inputs), (outputs,)
    weight, bias = (
        jax.random.uniform(one, shape, number_type, -bound, bound) for one, shape in zip(keys, shapes, strict=True)
    )
    return weight, bias


def scaled_channels(
    options: SqueezeOptions, x: object, maps: tuple[tuple[JaxArray, JaxArray], tuple[JaxArray, JaxArray]], exact: bool
) -> JaxArray:
    """The signal times sigmoid(fc2(relu(fc1(means)))), one number for each channel of a sample.

    Args:
        options: the arguments of the module.
        x: the signal, checked here.
        maps: weight and bias of fc1 and of fc2.
        exact: whether the means are those of `SpatialMean`.
    """
    array = float_operand("x", x)
    options.check(array.shape)
    (first, first_bias), (second, second_bias) = maps
    if not (is_half(array.dtype) and first.dtype == jnp.float32):
        check_same_dtype("x", array, "weight", first)
    wide = array.astype(jnp.float32) if is_half(array.dtype) else array
    numbers = wide.reshape(*array.shape[:2], math.prod(array.shape[2:]))
    means = _mean(numbers, 2, exact)[..., 0]
    hidden = jax.nn.relu(_linear(means, first, first_bias))
    scale = jax.nn.sigmoid(_linear(hidden, second, second_bias)).astype(array.dtype)
    return array * scale.reshape(*scale.shape, *(1,) * (array.ndim - 2))


def _linear(x: JaxArray, weight: JaxArray, bias: JaxArray) -> JaxArray:
    return x @ weight.T.astype(x.dtype) + bias.astype(x.dtype)

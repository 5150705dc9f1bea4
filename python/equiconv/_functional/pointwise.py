# SPDX-License-Identifier: Apache-2.0
"""Functions of each number, and over channels: those between layers that network files know."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from .._checks.arguments import real
from .._checks.arrays import Array, float_array


def relu(x: ArrayLike) -> Array:
    """``max(x, 0)`` for each number.

    Args:
        x: array of float32 or float64.

    Raises:
        TypeError: another dtype.

    Example:
        >>> relu(numpy.array([-1.0, 2.0]))
        array([0., 2.])
    """
    array = float_array("x", x)
    result: Array = np.maximum(array, array.dtype.type(0))
    return result


def leaky_relu(x: ArrayLike, slope: float = 0.01) -> Array:
    """``x``, or ``slope x`` where x is negative. In a `Sequential`: ``functools.partial(leaky_relu, slope=0.1)``.

    Args:
        x: array of float32 or float64.
        slope: of negative numbers, finite.

    Raises:
        TypeError, ValueError: another dtype, or `slope` is no finite number.

    Example:
        >>> leaky_relu(numpy.array([-1.0, 2.0]), 0.5)
        array([-0.5,  2. ])
    """
    array = float_array("x", x)
    return np.where(array > 0, array, array.dtype.type(_finite("slope", slope)) * array)


def elu(x: ArrayLike, alpha: float = 1.0) -> Array:
    """``x``, or ``alpha (exp(x) - 1)`` where x is negative. In a `Sequential`: ``functools.partial(elu, alpha=0.5)``.

    Args:
        x: array of float32 or float64.
        alpha: minus the limit at minus infinity, finite.

    Raises:
        TypeError, ValueError: another dtype, or `alpha` is no finite number.

    Example:
        >>> elu(numpy.array([-numpy.inf, 2.0]))
        array([-1.,  2.])
    """
    array = float_array("x", x)
    return np.where(array > 0, array, array.dtype.type(_finite("alpha", alpha)) * np.expm1(np.minimum(array, 0)))


def gelu_tanh(x: ArrayLike) -> Array:
    """``x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2``: `jax.nn.gelu`, and torch's with ``approximate="tanh"``.

    Args:
        x: array of float32 or float64.

    Raises:
        TypeError: another dtype.

    Example:
        >>> gelu_tanh(numpy.array([0.0, 100.0]))
        array([  0., 100.])
    """
    array = float_array("x", x)
    number = array.dtype.type
    # Beyond, the factor is 0 or 1; cubes would overflow, and an infinity times 0 would be no number.
    inside = np.clip(array, number(-50), number(50))
    inner = number(math.sqrt(2 / math.pi)) * (inside + number(0.044715) * inside**3)
    result: Array = np.maximum(array, number(-50)) * ((1 + np.tanh(inner)) * number(0.5))
    return result


def sigmoid(x: ArrayLike) -> Array:
    """``1 / (1 + exp(-x))`` for each number.

    Args:
        x: array of float32 or float64.

    Raises:
        TypeError: another dtype.

    Example:
        >>> sigmoid(numpy.array([-1000.0, 0.0, 1000.0]))
        array([0. , 0.5, 1. ])
    """
    array = float_array("x", x)
    # Of the half angle: no power overflows.
    half = array.dtype.type(0.5)
    result: Array = half + half * np.tanh(half * array)
    return result


def silu(x: ArrayLike) -> Array:
    """``x sigmoid(x)`` for each number.

    Args:
        x: array of float32 or float64.

    Raises:
        TypeError: another dtype.

    Example:
        >>> silu(numpy.array([0.0, 1000.0]))
        array([   0., 1000.])
    """
    array = float_array("x", x)
    result: Array = array * sigmoid(array)
    return result


def softmax(x: ArrayLike) -> Array:
    """``exp(x) / sum of exp(x) over channels``, for each point and element by itself.

    Args:
        x: array (B, C, ...) of float32 or float64.

    Raises:
        TypeError, ValueError: another dtype, or fewer than 2 axes.

    Example:
        >>> softmax(numpy.zeros((1, 4)))
        array([[0.25, 0.25, 0.25, 0.25]])
    """
    array = float_array("x", x)
    if array.ndim < 2:
        raise ValueError(f"x has shape {array.shape}, expected (B, C, ...)")
    powers = np.exp(array - array.max(1, keepdims=True, initial=-np.inf))
    result: Array = powers / powers.sum(1, keepdims=True)
    return result


def _finite(name: str, value: object) -> float:
    """`value` as a float. Raises TypeError or ValueError."""
    number = real(name, value)
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number}, expected a finite number")
    return number

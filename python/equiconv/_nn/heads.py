# SPDX-License-Identifier: Apache-2.0
"""What stands between and behind the convolutions of a trained network: norms and linear maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .._checks.arguments import LARGEST, boolean, integer, real
from .._checks.arrays import Array, check_same_dtype, float_array, float_dtype
from .held import Held


class BatchNorm(Held):
    """Batch normalization with the statistics of a training: ``(x - mean) / sqrt(variance + eps) * weight + bias``.

    One number for each channel, shared by all of H and of space. Parameters have the names of PyTorch: ``weight``,
    ``bias``, ``running_mean`` and ``running_var``.

    Args:
        num_features: C, the number of channels.
        eps: added to the variance, not negative.
        dtype: float32 or float64.

    Shape:
        (B, C, [|H|,] spatial...), or (B, C), in and out.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> BatchNorm(8)(numpy.zeros((2, 8, 4, 5, 5), "float32")).shape
        (2, 8, 4, 5, 5)
    """

    names = ("weight", "bias", "running_mean", "running_var")

    def __init__(self, num_features: int, eps: float = 1e-5, dtype: DTypeLike = np.float32) -> None:
        count, number_type = integer("num_features", num_features, 1, LARGEST), float_dtype("dtype", dtype)
        self.num_features, self.eps = count, real("eps", eps)
        if not self.eps >= 0:
            raise ValueError(f"eps is {self.eps}, expected a number that is not negative")
        self.weight, self.running_var = np.ones(count, number_type), np.ones(count, number_type)
        self.bias, self.running_mean = np.zeros(count, number_type), np.zeros(count, number_type)

    def __call__(self, x: ArrayLike) -> Array:
        """The normalized signal."""
        array = float_array("x", x)
        if array.ndim < 2 or array.shape[1] != self.num_features:
            raise ValueError(
                f"x has shape {array.shape}, expected (B, {self.num_features}, ...) for BatchNorm({self.num_features})"
            )
        check_same_dtype("x", array, "weight", self.weight)
        shape = (-1,) + (1,) * (array.ndim - 2)
        scale = self.weight / np.sqrt(self.running_var + self.weight.dtype.type(self.eps))
        mean, bias = self.running_mean.reshape(shape), self.bias.reshape(shape)
        result: Array = (array - mean) * scale.reshape(shape) + bias
        return result

    def __repr__(self) -> str:
        return f"BatchNorm({self.num_features}, eps={self.eps})"


class Linear(Held):
    """A linear map of vectors, ``y = x weight^T + bias``, such as the scores of classes.

    Args:
        in_features, out_features: F and O.
        bias: whether there is one.
        dtype: float32 or float64.

    Shape:
        (B, F) -> (B, O). `weight` is (O, F), zeros until `load`.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.

    Example:
        >>> Linear(8, 3)(numpy.zeros((2, 8), "float32")).shape
        (2, 3)
    """

    names = ("weight", "bias")

    def __init__(self, in_features: int, out_features: int, bias: bool = True, dtype: DTypeLike = np.float32) -> None:
        inputs = integer("in_features", in_features, 1, LARGEST)
        outputs = integer("out_features", out_features, 1, LARGEST)
        number_type = float_dtype("dtype", dtype)
        self.weight = np.zeros((outputs, inputs), number_type)
        self.bias = np.zeros(outputs, number_type) if boolean("bias", bias) else None

    def __call__(self, x: ArrayLike) -> Array:
        """The map of each vector."""
        array = float_array("x", x)
        if array.ndim != 2 or array.shape[1] != self.weight.shape[1]:
            raise ValueError(f"x has shape {array.shape}, expected (B, {self.weight.shape[1]}) for Linear")
        check_same_dtype("x", array, "weight", self.weight)
        result: Array = array @ self.weight.T
        return result if self.bias is None else result + self.bias

    def __repr__(self) -> str:
        return f"Linear({self.weight.shape[1]}, {self.weight.shape[0]}, bias={self.bias is not None})"

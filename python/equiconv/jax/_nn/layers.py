# SPDX-License-Identifier: Apache-2.0
"""Layers with weights and pools over H as modules of Flax and of Equinox need them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..._functional.pool import PoolMode
from ..._groups.point_group import PointGroup
from ..._layer.spec import layer_of
from ..._nn.attributes import PoolAttributes
from ..._nn.options import ConvolutionOptions, PoolOptions, TransposedOptions
from .._functions import group_pool
from .._primitives import calls as _calls
from .._primitives.backends import Backend, checked_backend
from .._primitives.operands import JaxArray, check_dtype, float_operand
from .._transposed import adjoint


def drawn_weight(options: ConvolutionOptions, key: JaxArray, dtype: Any) -> JaxArray:
    """Weights with He's deviation for such kernels, as `equiconv.GroupConv`."""
    return jax.random.normal(key, options.weight_shape, dtype) * jnp.asarray(options.deviation, dtype)


def layer_output(
    options: ConvolutionOptions, user: str, x: object, weight: JaxArray, bias: JaxArray | None, backend: Backend | None
) -> JaxArray:
    """The layer's output for a signal on its input space; `user` is its name in messages."""
    array = float_operand("x", x)
    options.check(user, array.shape)
    spec = layer_of(options.layer_name, options.group, *options.sampling_arguments, *options.kernel_arguments)
    return _calls.forward(spec, array, weight, bias, backend)


def transposed_output(
    options: TransposedOptions, user: str, x: object, weight: JaxArray, bias: JaxArray | None, backend: Backend | None
) -> JaxArray:
    """The same of a transposed convolution."""
    array = float_operand("x", x)
    options.check(user, array.shape)
    spec = layer_of(options.layer_name, options.group, *options.sampling_arguments, *options.kernel_arguments)
    return adjoint(spec, array, weight, bias, options.more, backend)


class FiberPool(PoolAttributes):
    """The base of modules that pool over H."""

    backend: Backend | None

    def __init__(self, group: PointGroup, mode: PoolMode = "mean", *, backend: Backend | None = None) -> None:
        """Pools (B, C, |H|, spatial...) to (B, C, spatial...).

        Args:
            group: H.
            mode: ``"mean"`` or ``"max"``.
            backend: as of `equiconv.jax.group_pool`.

        Raises:
            TypeError, ValueError: an argument of the wrong kind.
        """
        self.options = PoolOptions(group, mode)
        self.backend = checked_backend(backend)

    def pooled(self, x: object) -> JaxArray:
        """The mean or the maximum over H of a signal on the group."""
        array = float_operand("x", x)
        self.options.check(array.shape)
        return group_pool(array, self.options.mode, backend=self.backend)


def parameter_dtype(dtype: Any) -> Any:
    """One that layers compute in. Raises TypeError for another dtype, and for float64 where JAX has none."""
    found = np.dtype(dtype)
    check_dtype("dtype", found)
    if found == np.float64 and not jax.config.jax_enable_x64:
        raise TypeError('dtype is float64, which JAX would round: use jax.config.update("jax_enable_x64", True)')
    return found

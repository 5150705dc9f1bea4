# SPDX-License-Identifier: Apache-2.0
"""The layers as modules of Equinox, to train; with what else such networks need.

Names and arguments are those of `equiconv.torch`, with `key` in place of a device. Unlike Equinox's own, layers take
signals with a batch, (B, C, [|H|,] spatial...), as the functions of `equiconv.jax` do. `signature` says which layer
and group the weights of a checkpoint are of.

Example:
    >>> import equiconv.jax.equinox as ee
    >>> import equiconv as eq, jax
    >>> H, key = eq.cyclic(4), jax.random.key(0)
    >>> network = ee.Sequential(
    ...     ee.LiftingConv(1, 8, 5, H, key=key), jax.nn.relu, ee.GroupPool(H, "max"), ee.SpatialMean(H)
    ... )
    >>> network(jax.numpy.zeros((2, 1, 16, 16))).shape
    (2, 8)
"""

try:
    import equinox as _equinox  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "equinox":
        raise
    raise ModuleNotFoundError(
        'equiconv.jax.equinox needs Equinox, which is not installed: pip install "equiconv[equinox]"', name="equinox"
    ) from None

from ._algorithm import with_algorithm
from ._blocks import DenseBlock, DenseTransition, ResidualBlock
from ._convolution import GroupConv, IsotropicConv, LiftingConv, ProjectionConv
from ._fields import BatchNorm, FieldDropout, GroupPool
from ._sample_norm import GroupNorm, InstanceNorm, LayerNorm, SqueezeExcite
from ._sequential import Sequential
from ._signature import check_signature, signature
from ._spatial import AdaptiveMean, BlurPool, MaxBlurPool, SpatialAvgPool, SpatialMaxPool, SpatialMean, Upsample
from ._transposed import TransposedConv

__all__ = [
    "AdaptiveMean", "BatchNorm", "BlurPool", "DenseBlock", "DenseTransition", "FieldDropout", "GroupConv",
    "GroupNorm", "GroupPool", "InstanceNorm", "IsotropicConv", "LayerNorm", "LiftingConv", "MaxBlurPool",
    "ProjectionConv", "ResidualBlock", "Sequential", "SpatialAvgPool", "SpatialMaxPool", "SpatialMean",
    "SqueezeExcite", "TransposedConv", "Upsample", "check_signature", "signature", "with_algorithm",
]  # fmt: skip

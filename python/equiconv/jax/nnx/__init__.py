# SPDX-License-Identifier: Apache-2.0
"""The layers as modules of Flax (`flax.nnx`), with the pools, normalization and dropout that networks of them need.

Names and arguments are those of `equiconv.torch`, with `rngs` in place of a device. A weight knows its layer and group:
`nnx.update` with the state of another network is an error at the next call, which names both. `signature` is the same
for checkpoints in files, whose formats keep numbers alone.

Example:
    >>> import equiconv.jax.nnx as enn
    >>> import equiconv as eq, jax
    >>> from flax import nnx
    >>> H, rngs = eq.cyclic(4), nnx.Rngs(0)
    >>> network = enn.Sequential(
    ...     enn.LiftingConv(1, 8, 5, H, rngs=rngs), enn.BatchNorm(8), jax.nn.relu, enn.GroupPool(H, "max"),
    ...     enn.SpatialMean(H)
    ... )
    >>> network(jax.numpy.zeros((2, 1, 16, 16))).shape
    (2, 8)
"""

try:
    import flax.nnx as _nnx  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "flax":
        raise
    raise ModuleNotFoundError(
        'equiconv.jax.nnx needs Flax, which is not installed: pip install "equiconv[flax]"', name="flax"
    ) from None

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
    "SqueezeExcite", "TransposedConv", "Upsample", "check_signature", "signature",
]  # fmt: skip

# SPDX-License-Identifier: Apache-2.0
"""Group convolutions for G = R^d x| H on the CPU: fast, and on request equivariant to the last bit.

Signals live on the plane R^d, as arrays (B, C, spatial...), or on the group G, as arrays (B, C, |H|, spatial...), where
H is a finite group of matrices: `cyclic`, `dihedral`, `octahedral` and others. Four layers connect them, cases of
`conv`, which goes between the quotients of H by any subgroups:

    isotropic_conv   R^d -> R^d        lifting_conv      R^d -> G
    group_conv       G   -> G          projection_conv   G   -> R^d

Each has gradients (`lifting_conv_vjp` and so on). `transposed_conv` is the adjoint of each in its signal.
``algorithm="exact"`` is equivariant to the last bit; ``"auto"``, the default, is so where that costs at most 10 %, and
`explain` says where. `prepare` copies and transforms a weight once for many calls. Kernels are pixels or made of a
basis such as `bspline_basis`.
`LiftingConv`, `GroupConv` and so on are layers that hold their weights, and `Sequential` a network of them, which its
`save` writes as a file; to train, see `equiconv.torch` and `equiconv.jax`. `group_pool` takes the mean or maximum over
H, `upsample`, `blur_pool` and `adaptive_mean` change the sizes of space, `act` turns signals, and `equivariance_error`
measures whether a map commutes with that. `receptive_field` says which pixels a network reads, and `dense` makes a
network of maps of a classifier. The module `theory` has the theorem behind the layers as running code, `slides`
computes networks over whole slides, and `dask` over arrays of Dask.

Example:
    >>> import numpy, equiconv as eq
    >>> H = eq.cyclic(4)
    >>> x = numpy.random.default_rng(0).normal(size=(1, 3, 16, 16))
    >>> weight = numpy.random.default_rng(1).normal(size=(8, 3, 5, 5))
    >>> eq.equivariance_error(lambda x: eq.lifting_conv(x, weight, H, algorithm="direct"), x, H)
    0.0
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

from . import _native
from . import theory as theory
from ._bases.basis import GroupBasis as GroupBasis
from ._bases.basis import KernelBasis as KernelBasis
from ._bases.group_bases import group_bspline as group_bspline
from ._bases.group_bases import localized as localized
from ._bases.kernel_bases import atrous_bspline_basis as atrous_bspline_basis
from ._bases.kernel_bases import bspline_basis as bspline_basis
from ._bases.kernel_bases import circular_harmonics as circular_harmonics
from ._bases.kernel_bases import gaussian_derivatives as gaussian_derivatives
from ._bases.kernel_bases import pixel_basis as pixel_basis
from ._bases.kernel_bases import round_bspline_basis as round_bspline_basis
from ._checks.warnings import EquivarianceWarning as EquivarianceWarning
from ._functional.convolutions import expand as expand
from ._functional.convolutions import group_conv as group_conv
from ._functional.convolutions import isotropic_conv as isotropic_conv
from ._functional.convolutions import lifting_conv as lifting_conv
from ._functional.convolutions import projection_conv as projection_conv
from ._functional.explain import explain as explain
from ._functional.fibers import induce as induce
from ._functional.fibers import partial_projection as partial_projection
from ._functional.fibers import restrict as restrict
from ._functional.general import conv as conv
from ._functional.general import conv_vjp as conv_vjp
from ._functional.gradients import group_conv_vjp as group_conv_vjp
from ._functional.gradients import isotropic_conv_vjp as isotropic_conv_vjp
from ._functional.gradients import lifting_conv_vjp as lifting_conv_vjp
from ._functional.gradients import projection_conv_vjp as projection_conv_vjp
from ._functional.pointwise import elu as elu
from ._functional.pointwise import gelu_tanh as gelu_tanh
from ._functional.pointwise import leaky_relu as leaky_relu
from ._functional.pointwise import relu as relu
from ._functional.pointwise import sigmoid as sigmoid
from ._functional.pointwise import silu as silu
from ._functional.pointwise import softmax as softmax
from ._functional.pool import group_pool as group_pool
from ._functional.pool import group_pool_vjp as group_pool_vjp
from ._functional.separable import separable_conv as separable_conv
from ._functional.separable import separable_conv_vjp as separable_conv_vjp
from ._functional.transposed import transposed_conv as transposed_conv
from ._functional.transposed import transposed_conv_vjp as transposed_conv_vjp
from ._groups.named import axial_cyclic as axial_cyclic
from ._groups.named import axial_dihedral as axial_dihedral
from ._groups.named import cyclic as cyclic
from ._groups.named import dihedral as dihedral
from ._groups.named import full_icosahedral as full_icosahedral
from ._groups.named import full_octahedral as full_octahedral
from ._groups.named import icosahedral as icosahedral
from ._groups.named import octahedral as octahedral
from ._groups.named import pyritohedral as pyritohedral
from ._groups.named import reflection as reflection
from ._groups.named import scaling as scaling
from ._groups.named import similarity as similarity
from ._groups.named import tetrahedral as tetrahedral
from ._groups.named import trivial as trivial
from ._groups.point_group import PointGroup as PointGroup
from ._layer.explanation import Explanation as Explanation
from ._layer.weights import PreparedWeight as PreparedWeight
from ._layer.weights import prepare as prepare
from ._machine.config import config as config
from ._machine.config import get_num_threads as get_num_threads
from ._machine.config import set_num_threads as set_num_threads
from ._machine.config import set_workspace_limit as set_workspace_limit
from ._machine.config import show_config as show_config
from ._machine.config import workspace_limit as workspace_limit
from ._machine.thread_limits import follow_limits as _follow_limits
from ._network.network import Network as Network
from ._network.network import load_network as load_network
from ._nn.algorithm import set_algorithm as set_algorithm
from ._nn.heads import BatchNorm as BatchNorm
from ._nn.heads import Linear as Linear
from ._nn.modules import GroupConv as GroupConv
from ._nn.modules import GroupPool as GroupPool
from ._nn.modules import IsotropicConv as IsotropicConv
from ._nn.modules import LiftingConv as LiftingConv
from ._nn.modules import ProjectionConv as ProjectionConv
from ._nn.norms import GroupNorm as GroupNorm
from ._nn.norms import InstanceNorm as InstanceNorm
from ._nn.norms import LayerNorm as LayerNorm
from ._nn.norms import SqueezeExcite as SqueezeExcite
from ._nn.resizing import BlurPool as BlurPool
from ._nn.resizing import MaxBlurPool as MaxBlurPool
from ._nn.resizing import Upsample as Upsample
from ._nn.resizing_functions import adaptive_mean as adaptive_mean
from ._nn.resizing_functions import adaptive_mean_vjp as adaptive_mean_vjp
from ._nn.resizing_functions import blur_pool as blur_pool
from ._nn.resizing_functions import blur_pool_vjp as blur_pool_vjp
from ._nn.resizing_functions import max_blur_pool as max_blur_pool
from ._nn.resizing_functions import max_blur_pool_vjp as max_blur_pool_vjp
from ._nn.resizing_functions import upsample as upsample
from ._nn.resizing_functions import upsample_vjp as upsample_vjp
from ._nn.sequential import Sequential as Sequential
from ._nn.spatial import AdaptiveMean as AdaptiveMean
from ._nn.spatial import SpatialAvgPool as SpatialAvgPool
from ._nn.spatial import SpatialMaxPool as SpatialMaxPool
from ._nn.spatial import SpatialMean as SpatialMean
from ._nn.transposed import TransposedConv as TransposedConv
from ._reach.dense import dense as dense
from ._reach.field import ReceptiveField as ReceptiveField
from ._reach.field import receptive_field as receptive_field
from ._signals.action import act as act
from ._signals.action import equivariance_error as equivariance_error
from ._signals.space import SignalSpace as SignalSpace

if _TYPE_CHECKING:
    from . import dask as dask
    from . import slides as slides
else:

    def __getattr__(name: str) -> object:
        """The modules `dask` and `slides`, imported when they are first asked for."""
        if name in ("dask", "slides"):
            return _import_module(f".{name}", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__version__ = _native.VERSION

_follow_limits()

__all__ = [
    "AdaptiveMean",
    "BatchNorm",
    "BlurPool",
    "EquivarianceWarning",
    "Explanation",
    "GroupBasis",
    "GroupConv",
    "GroupNorm",
    "GroupPool",
    "InstanceNorm",
    "IsotropicConv",
    "KernelBasis",
    "LayerNorm",
    "LiftingConv",
    "Linear",
    "MaxBlurPool",
    "Network",
    "PointGroup",
    "PreparedWeight",
    "ProjectionConv",
    "ReceptiveField",
    "Sequential",
    "SignalSpace",
    "SpatialAvgPool",
    "SpatialMaxPool",
    "SpatialMean",
    "SqueezeExcite",
    "TransposedConv",
    "Upsample",
    "__version__",
    "act",
    "adaptive_mean",
    "adaptive_mean_vjp",
    "atrous_bspline_basis",
    "axial_cyclic",
    "axial_dihedral",
    "blur_pool",
    "blur_pool_vjp",
    "bspline_basis",
    "circular_harmonics",
    "config",
    "conv",
    "conv_vjp",
    "cyclic",
    "dense",
    "dihedral",
    "elu",
    "equivariance_error",
    "expand",
    "explain",
    "full_icosahedral",
    "full_octahedral",
    "gaussian_derivatives",
    "gelu_tanh",
    "get_num_threads",
    "group_bspline",
    "group_conv",
    "group_conv_vjp",
    "group_pool",
    "group_pool_vjp",
    "icosahedral",
    "induce",
    "isotropic_conv",
    "isotropic_conv_vjp",
    "leaky_relu",
    "lifting_conv",
    "lifting_conv_vjp",
    "load_network",
    "localized",
    "max_blur_pool",
    "max_blur_pool_vjp",
    "octahedral",
    "partial_projection",
    "pixel_basis",
    "prepare",
    "projection_conv",
    "projection_conv_vjp",
    "pyritohedral",
    "receptive_field",
    "reflection",
    "relu",
    "restrict",
    "round_bspline_basis",
    "scaling",
    "separable_conv",
    "separable_conv_vjp",
    "set_algorithm",
    "set_num_threads",
    "set_workspace_limit",
    "show_config",
    "sigmoid",
    "silu",
    "similarity",
    "softmax",
    "tetrahedral",
    "theory",
    "transposed_conv",
    "transposed_conv_vjp",
    "trivial",
    "upsample",
    "upsample_vjp",
    "workspace_limit",
]

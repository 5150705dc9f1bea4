# SPDX-License-Identifier: Apache-2.0
"""Group convolutions in PyTorch, on any device: functions and modules to train with.

The functions are those of `equiconv` on tensors, with derivatives of all orders. float32 and float64 on the CPU are
computed by the engine, all else by PyTorch's own convolutions.
The modules hold weights; their names and arguments are those of `equiconv.LiftingConv` and the other layers. There are
also `BatchNorm`, `FieldDropout`, and pools over H and over space. `expand` turns a network into one of ordinary
convolutions, for export. `save_network` writes one as a file, which Equiconv runs without Python, and `load_network`
reads it.

Example:
    >>> import equiconv as eq, equiconv.torch as et
    >>> H = eq.cyclic(4)
    >>> network = torch.nn.Sequential(
    ...     et.LiftingConv(1, 8, 5, H), et.BatchNorm(8), torch.nn.ReLU(), et.GroupPool(H, "max"), et.SpatialMean(H)
    ... )
    >>> network(torch.zeros(2, 1, 16, 16)).shape
    torch.Size([2, 8])
"""

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise ModuleNotFoundError(
        'equiconv.torch needs PyTorch, which is not installed: pip install "equiconv[torch]"', name="torch"
    ) from None

from . import models as models
from ._convert.conversion import convert as convert
from ._convert.invariance import invariant as invariant
from ._convert.report import conversion_report as conversion_report
from ._distributed.checkpoints import Checkpoints as Checkpoints
from ._distributed.loader import Patches as Patches
from ._distributed.loader import PatchLoader as PatchLoader
from ._distributed.sync_norm import sync_batch_norm as sync_batch_norm
from ._exactness import check_exactness as check_exactness
from ._export.bioimage import export_bioimage as export_bioimage
from ._export.wsinfer import export_wsinfer as export_wsinfer
from ._functions import conv as conv
from ._functions import group_conv as group_conv
from ._functions import group_pool as group_pool
from ._functions import isotropic_conv as isotropic_conv
from ._functions import lifting_conv as lifting_conv
from ._functions import projection_conv as projection_conv
from ._functions import transposed_conv as transposed_conv
from ._imports.escnn import from_escnn as from_escnn
from ._imports.groupy import from_groupy as from_groupy
from ._network.loading import NetworkModule as NetworkModule
from ._network.loading import load_network as load_network
from ._network.saving import save_network as save_network
from ._nn.backend import set_backend as set_backend
from ._nn.blocks import DenseBlock as DenseBlock
from ._nn.blocks import DenseTransition as DenseTransition
from ._nn.blocks import ResidualBlock as ResidualBlock
from ._nn.convolutions import GroupConv as GroupConv
from ._nn.convolutions import IsotropicConv as IsotropicConv
from ._nn.convolutions import LiftingConv as LiftingConv
from ._nn.convolutions import ProjectionConv as ProjectionConv
from ._nn.expansion import expand as expand
from ._nn.explain import explain as explain
from ._nn.fibers import Induce as Induce
from ._nn.fibers import PartialProjection as PartialProjection
from ._nn.fibers import Restrict as Restrict
from ._nn.group_pool import GroupPool as GroupPool
from ._nn.norm import BatchNorm as BatchNorm
from ._nn.norm import FieldDropout as FieldDropout
from ._nn.resizing import AdaptiveMean as AdaptiveMean
from ._nn.resizing import BlurPool as BlurPool
from ._nn.resizing import MaxBlurPool as MaxBlurPool
from ._nn.resizing import Upsample as Upsample
from ._nn.resizing_functions import adaptive_mean as adaptive_mean
from ._nn.resizing_functions import blur_pool as blur_pool
from ._nn.resizing_functions import max_blur_pool as max_blur_pool
from ._nn.resizing_functions import upsample as upsample
from ._nn.sample_norm import GroupNorm as GroupNorm
from ._nn.sample_norm import InstanceNorm as InstanceNorm
from ._nn.sample_norm import LayerNorm as LayerNorm
from ._nn.sample_norm import SqueezeExcite as SqueezeExcite
from ._nn.spatial import SpatialAvgPool as SpatialAvgPool
from ._nn.spatial import SpatialMaxPool as SpatialMaxPool
from ._nn.spatial import SpatialMean as SpatialMean
from ._nn.transposed import TransposedConv as TransposedConv
from ._operators import flops as _flops

_flops.register()

__all__ = [
    "AdaptiveMean",
    "BatchNorm",
    "BlurPool",
    "Checkpoints",
    "DenseBlock",
    "DenseTransition",
    "FieldDropout",
    "GroupConv",
    "GroupNorm",
    "GroupPool",
    "Induce",
    "InstanceNorm",
    "IsotropicConv",
    "LayerNorm",
    "LiftingConv",
    "MaxBlurPool",
    "NetworkModule",
    "PartialProjection",
    "PatchLoader",
    "Patches",
    "ProjectionConv",
    "ResidualBlock",
    "Restrict",
    "SpatialAvgPool",
    "SpatialMaxPool",
    "SpatialMean",
    "SqueezeExcite",
    "TransposedConv",
    "Upsample",
    "adaptive_mean",
    "blur_pool",
    "check_exactness",
    "conv",
    "conversion_report",
    "convert",
    "expand",
    "explain",
    "export_bioimage",
    "export_wsinfer",
    "from_escnn",
    "from_groupy",
    "group_conv",
    "group_pool",
    "invariant",
    "isotropic_conv",
    "lifting_conv",
    "load_network",
    "max_blur_pool",
    "models",
    "projection_conv",
    "save_network",
    "set_backend",
    "sync_batch_norm",
    "transposed_conv",
    "upsample",
]

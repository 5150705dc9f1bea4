# SPDX-License-Identifier: Apache-2.0
"""Networks of the literature, for any group: the trivial one makes the ordinary networks.

`summary` lists the parameters and operations of a model beside those of its ordinary counterpart.

Example:
    >>> models.p4cnn(dihedral(4), matched_to="parameters", widths=20).widths
    (6, 6, 6, 6, 6, 6)
"""

from .densenet import DenseNet as DenseNet
from .densenet import gdensenet as gdensenet
from .model import Model as Model
from .p4cnn import P4CNN as P4CNN
from .p4cnn import p4cnn as p4cnn
from .p4cnn import z2cnn as z2cnn
from .resnet import ResNet as ResNet
from .resnet import resnet18 as resnet18
from .resnet import resnet34 as resnet34
from .resnet import resnet50 as resnet50
from .se2cnn import SE2CNN as SE2CNN
from .se2cnn import se2cnn as se2cnn
from .summary import Summary as Summary
from .summary import summary as summary
from .unet import UNet as UNet
from .unet import unet as unet
from .wide_resnet import WideResNet as WideResNet
from .wide_resnet import p4m_resnet26 as p4m_resnet26
from .wide_resnet import p4m_resnet44 as p4m_resnet44
from .wide_resnet import wrn_16_8 as wrn_16_8
from .wide_resnet import wrn_28_10 as wrn_28_10

__all__ = [
    "P4CNN",
    "SE2CNN",
    "DenseNet",
    "Model",
    "ResNet",
    "Summary",
    "UNet",
    "WideResNet",
    "gdensenet",
    "p4cnn",
    "p4m_resnet26",
    "p4m_resnet44",
    "resnet18",
    "resnet34",
    "resnet50",
    "se2cnn",
    "summary",
    "unet",
    "wrn_16_8",
    "wrn_28_10",
    "z2cnn",
]

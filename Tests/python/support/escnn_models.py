# SPDX-License-Identifier: Apache-2.0
"""Sequential models of escnn, made of it or of stand-ins, and what escnn computes with them.

``torch/data/escnn_models.npz`` has what escnn 1.0.11 computed, in evaluation and in training. To write it again, with
escnn installed: ``python Tests/python/support/escnn_models.py``.
"""

from __future__ import annotations

import math
import sys
import types
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

RECORDED = Path(__file__).parents[1] / "torch" / "data" / "escnn_models.npz"
SIZES = {"C4": (8, 8), "D4": (9, 9), "D4 at pi/4": (7, 7), "pooled": (7, 7)}
"""Of the models' images: those that strides fit."""


def fields(nn, space, regular, count):
    return nn.FieldType(space, count * [space.regular_repr if regular else space.trivial_repr])


def c4(nn, gspaces):
    """All that networks for images commonly have."""
    space = gspaces.rot2dOnR2(4)
    image, first, second, pooled = (
        fields(nn, space, *arguments) for arguments in ((False, 2), (True, 3), (True, 4), (False, 4))
    )
    return [
        nn.SequentialModule(
            nn.R2Conv(image, first, 5, padding=2, bias=False),
            nn.InnerBatchNorm(first, momentum=0.3, eps=1e-3),
            nn.ReLU(first, inplace=True),
            nn.PointwiseMaxPool2D(first, 2),
        ),
        nn.SequentialModule(
            nn.R2Conv(first, second, 3, padding=1),
            nn.InnerBatchNorm(second),
            nn.ELU(second, alpha=0.7),
            nn.PointwiseDropout(second, p=0.0),
            nn.PointwiseAvgPool2D(second, 2, stride=2),
        ),
        nn.GroupPooling(second),
        nn.PointwiseAdaptiveAvgPool2D(pooled, 1),
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 5)),
    ]


def d4(nn, gspaces):
    """Other functions, a stride, upsampling, all four kinds of layers; it ends on the plane."""
    space = gspaces.flipRot2dOnR2(4)
    image, group, plane = (fields(nn, space, *arguments) for arguments in ((False, 1), (True, 2), (False, 3)))
    return [
        nn.SequentialModule(
            nn.R2Conv(image, group, 3),
            nn.LeakyReLU(group),
            nn.R2Conv(group, group, 3, stride=2, padding=1),
            nn.R2Upsampling(group, scale_factor=2, mode="bilinear", align_corners=True),
            nn.InnerBatchNorm(group, affine=False),
            nn.PointwiseNonLinearity(group, "p_tanh"),
            nn.IdentityModule(group),
            nn.FieldDropout(group, p=0.0),
            nn.R2Conv(group, plane, 3),
        ),
        nn.SequentialModule(
            nn.InnerBatchNorm(plane),
            nn.PointwiseNonLinearity(plane, "p_sigmoid"),
            nn.R2Conv(plane, plane, 3, padding=1, padding_mode="circular"),
            nn.R2Upsampling(plane, scale_factor=2, mode="nearest"),
        ),
    ]


def d4_at_an_angle(nn, gspaces):
    """Elements stand in another order here, and are flattened."""
    space = gspaces.flipRot2dOnR2(4, axis=math.pi / 4)
    image, group = fields(nn, space, False, 1), fields(nn, space, True, 2)
    return [
        nn.R2Conv(image, group, 3),
        nn.ReLU(group),
        nn.R2Conv(group, group, 3),
        nn.PointwiseAdaptiveAvgPool2D(group, 1),
        torch.nn.Flatten(),
        torch.nn.ReLU(),
        torch.nn.Linear(16, 3),
        torch.nn.Linear(3, 2),
    ]


def pooled(nn, gspaces):
    """The mean over space comes before other modules that read space."""
    space = gspaces.rot2dOnR2(4)
    image, group, plane = fields(nn, space, False, 1), fields(nn, space, True, 2), fields(nn, space, False, 2)
    return [
        nn.R2Conv(image, group, 3),
        nn.PointwiseAdaptiveAvgPool2D(group, 1),
        nn.GroupPooling(group),
        nn.R2Conv(plane, plane, 1),
        torch.nn.Flatten(),
        torch.nn.Linear(2, 2),
    ]


MODELS = {"C4": c4, "D4": d4, "D4 at pi/4": d4_at_an_angle, "pooled": pooled}


class StandIn(torch.nn.Module):
    """A module of escnn as far as an import reads it: fields, and attributes of escnn's names."""

    def __init__(self, in_type, out_type=None, **attributes):
        super().__init__()
        self.in_type, self.out_type = in_type, in_type if out_type is None else out_type
        for name, value in attributes.items():
            setattr(self, name, value)


class R2Conv(StandIn):
    def __init__(self, in_type, out_type, kernel_size, stride=1, padding=0, padding_mode="zeros", bias=True):
        super().__init__(in_type, out_type, stride=stride, padding=padding, padding_mode=padding_mode)
        self.dilation, self.groups, self.filter, self.expanded_bias = 1, 1, None, None

    def expand_parameters(self):
        return self.filter, self.expanded_bias


class R3Conv(R2Conv):
    pass


class InnerBatchNorm(StandIn):
    def __init__(self, in_type, eps=1e-5, momentum=0.1, affine=True):
        super().__init__(in_type)
        size = in_type.size // len(in_type.representations)
        norm = torch.nn.BatchNorm3d(len(in_type.representations), eps, momentum, affine)
        self.add_module(f"batch_norm_[{size}]", norm)


class ReLU(StandIn):
    def __init__(self, in_type, inplace=False):
        super().__init__(in_type, _inplace=inplace)


class ELU(StandIn):
    def __init__(self, in_type, alpha=1.0):
        super().__init__(in_type, alpha=alpha, _inplace=False)


class LeakyReLU(StandIn):
    def __init__(self, in_type, negative_slope=0.01):
        super().__init__(in_type, _negative_slope=negative_slope, _inplace=False)


class PointwiseNonLinearity(StandIn):
    def __init__(self, in_type, function):
        super().__init__(in_type, _function=getattr(torch.nn.functional, function.removeprefix("p_")))


class PointwiseMaxPool2D(StandIn):
    def __init__(self, in_type, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
        d = in_type.gspace.dimensionality
        super().__init__(in_type, kernel_size=(kernel_size,) * d, stride=(stride or kernel_size,) * d)
        self.padding, self.dilation, self.ceil_mode = (padding,) * d, (dilation,) * d, ceil_mode


class PointwiseMaxPool3D(PointwiseMaxPool2D):
    pass


class PointwiseMaxPoolAntialiased2D(PointwiseMaxPool2D):
    pass


class PointwiseAvgPool2D(PointwiseMaxPool2D):
    pass


class PointwiseAdaptiveAvgPool2D(StandIn):
    def __init__(self, in_type, output_size):
        super().__init__(in_type, output_size=(output_size,) * in_type.gspace.dimensionality)


class PointwiseAdaptiveAvgPool3D(PointwiseAdaptiveAvgPool2D):
    pass


class GroupPooling(StandIn):
    def __init__(self, in_type):
        space = in_type.gspace
        super().__init__(in_type, FieldType(space, [space.trivial_repr] * len(in_type.representations)))


class PointwiseDropout(StandIn):
    def __init__(self, in_type, p=0.5):
        super().__init__(in_type, p=p, inplace=False)


class FieldDropout(PointwiseDropout):
    pass


class R2Upsampling(StandIn):
    def __init__(self, in_type, scale_factor=None, size=None, mode="bilinear", align_corners=False):
        super().__init__(in_type, _scale_factor=scale_factor, _size=size, _mode=mode)
        self._align_corners = None if mode == "nearest" else align_corners


class IdentityModule(StandIn):
    pass


class SequentialModule(torch.nn.Module):
    def __init__(self, *modules):
        super().__init__()
        for index, module in enumerate(modules):
            self.add_module(str(index), module)
        self.in_type, self.out_type = modules[0].in_type, modules[-1].out_type

    def forward(self, x):
        raise NotImplementedError


class FieldType:
    def __init__(self, gspace, representations):
        self.gspace, self.representations = gspace, representations
        self.size = sum(each.size for each in representations)


class Representation(SimpleNamespace):
    def is_trivial(self):
        return self.name == "irrep_0"


def stand_in_space(matrices):
    """A gspace whose elements act by these matrices."""
    return SimpleNamespace(
        fibergroup=SimpleNamespace(name="named otherwise", elements=range(len(matrices))),
        basespace_action=matrices.__getitem__,
        dimensionality=matrices.shape[-1],
        regular_repr=Representation(name="regular", size=len(matrices)),
        trivial_repr=Representation(name="irrep_0", size=1),
    )


def stand_ins(name, table):
    """A recorded model made of stand-ins: the list of its modules, with their numbers."""
    space = stand_in_space(table[f"{name}/matrices"])
    makers = {key: lambda *_, **__: space for key in ("rot2dOnR2", "flipRot2dOnR2")}
    modules = MODELS[name](SimpleNamespace(**globals()), SimpleNamespace(**makers))
    for key, module in numbered(modules):
        numbers = {
            entry.rsplit("/", 1)[1]: torch.from_numpy(value)
            for entry, value in table.items()
            if entry.startswith(f"{name}/{key}/")
        }
        if isinstance(module, R2Conv):
            module.filter, module.expanded_bias = numbers["filter"], numbers.get("bias")
        else:
            module.load_state_dict(numbers)
    return modules


def numbered(modules):
    """The modules that have numbers, and where they stand."""
    kinds = (torch.nn.modules.batchnorm._BatchNorm, torch.nn.Linear)
    for name, module in torch.nn.ModuleList(modules).named_modules():
        if hasattr(module, "expand_parameters") or isinstance(module, kinds):
            yield name, module


def run(nn, modules, x):
    """What escnn computes: fields up to the first module of PyTorch, tensors from there on."""
    value = nn.GeometricTensor(x, modules[0].in_type)
    for module in modules:
        is_ordinary = not hasattr(module, "in_type") and hasattr(value, "tensor")
        value = module(value.tensor if is_ordinary and type(value) is not torch.Tensor else value)
    return value if type(value) is torch.Tensor else value.tensor


def without_three_dimensions():
    """Replaces lie_learn if it cannot be imported: escnn uses one function of it, for rotations of space alone."""
    try:
        import lie_learn  # noqa: F401
    except ImportError:
        parts = ["lie_learn", "representations", "SO3", "wigner_d"]
        for length in range(1, len(parts) + 1):
            name = ".".join(parts[:length])
            sys.modules[name] = types.ModuleType(name)
        sys.modules[name].wigner_D_matrix = None


def made(name, nn, gspaces):
    """A model of escnn with statistics and parameters that are not the initial ones, and an image for it."""
    torch.manual_seed(20200426)
    modules = MODELS[name](nn, gspaces)
    for _, module in numbered(modules):
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(std=0.3)
            module.running_var.uniform_(0.5, 2)
            for parameter in module.parameters():
                torch.nn.init.uniform_(parameter, 0.5, 1.5)
    return modules, torch.randn(2, modules[0].in_type.size, *SIZES[name])


def record(nn, gspaces):
    """What is in the file."""
    table = {}
    for name in MODELS:
        modules, x = made(name, nn, gspaces)
        space = modules[0].in_type.gspace
        table[f"{name}/matrices"] = np.array([space.basespace_action(each) for each in space.fibergroup.elements])
        for key, module in numbered(modules):
            if hasattr(module, "expand_parameters"):
                parameters = zip(("filter", "bias"), module.expand_parameters(), strict=True)
                numbers = {part: value for part, value in parameters if value is not None}
            else:
                numbers = module.state_dict()
            table |= {f"{name}/{key}/{part}": value.detach().numpy().copy() for part, value in numbers.items()}
        everything = torch.nn.ModuleList(modules)
        with torch.no_grad():
            table[f"{name}/x"] = x.numpy()
            everything.eval()
            table[f"{name}/y"] = run(nn, modules, x).numpy()
            everything.train()
            table[f"{name}/y in training"] = run(nn, modules, x).numpy()
        for key, module in numbered(modules):
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                table[f"{name} trained/{key}/running_mean"] = module.running_mean.numpy().copy()
                table[f"{name} trained/{key}/running_var"] = module.running_var.numpy().copy()
    return table


if __name__ == "__main__":
    without_three_dimensions()
    from escnn import gspaces as installed_gspaces
    from escnn import nn as installed_nn

    np.savez_compressed(RECORDED, **record(installed_nn, installed_gspaces))

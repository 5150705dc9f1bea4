"""Networks of PyTorch with every operation of network files, and those of users."""

from __future__ import annotations

import atexit
import copy
import shutil
import tempfile
from functools import cache, partial
from pathlib import Path

import equiconv as eq
import equiconv.torch as et
import torch
from equiconv_experiments.common.networks import CELL_NETWORKS, DIGIT_NETWORKS, GroupNetwork
from torch import nn

C4, D4, C8 = eq.cyclic(4), eq.dihedral(4), eq.cyclic(8)
OCTAHEDRAL = eq.octahedral()


class Residual(nn.Module):
    """Blocks with a sum, in place as in torchvision's."""

    def __init__(self, channels, group, in_place):
        super().__init__()
        self.first = et.GroupConv(channels, channels, 3, group, padding=1, bias=False)
        self.norm = et.BatchNorm(channels)
        self.second = et.GroupConv(channels, channels, 3, group, padding=1)
        self.relu = nn.ReLU(inplace=in_place)
        self.in_place = in_place

    def forward(self, x):
        y = self.second(self.relu(self.norm(self.first(x))))
        if self.in_place:
            y += x
            return self.relu(y)
        return nn.functional.relu(y + x)


class ResidualNetwork(nn.Module):
    def __init__(self, group=C4, in_place=False):
        super().__init__()
        self.lift = et.LiftingConv(3, 4, 3, group, padding="same")
        self.blocks = nn.Sequential(Residual(4, group, in_place), Residual(4, group, in_place))
        self.down = et.GroupConv(4, 6, 3, group, stride=2, padding=1)
        self.pool = et.GroupPool(group, "max")
        self.mean = et.SpatialMean(group)
        self.classify = nn.Linear(6, 5)

    def forward(self, x):
        return self.classify(self.mean(self.pool(self.down(self.blocks(self.lift(x))))))


class UNet(nn.Module):
    """Down, up and concatenation on the group, with a projection to the plane."""

    def __init__(self, mode="bilinear"):
        super().__init__()
        self.mode = mode
        self.lift = et.LiftingConv(2, 3, 3, D4, padding=1)
        self.pool = et.SpatialMaxPool(D4, 2)
        self.deep = et.GroupConv(3, 4, 3, D4, padding=1)
        self.join = et.ProjectionConv(7, 2, 3, D4, padding=1)

    def forward(self, x):
        wide = torch.relu(self.lift(x))
        deep = torch.relu(self.deep(self.pool(wide)))
        corners = None if self.mode == "nearest" else False
        up = nn.functional.interpolate(deep.flatten(1, 2), scale_factor=2, mode=self.mode, align_corners=corners)
        return self.join(torch.cat([wide, up.unflatten(1, (4, 8))], dim=1))


class Functional(nn.Module):
    """Functions on parameters of the user's own."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 2, 3, 3))
        self.group_weight = nn.Parameter(torch.randn(2, 3, 4, 3, 3) / 4)
        self.bias = nn.Parameter(torch.randn(3))
        self.matrix = nn.Parameter(torch.randn(5, 2))
        self.offset = nn.Parameter(torch.randn(5))

    def forward(self, x):
        y = torch.tanh(et.lifting_conv(x, self.weight, C4, self.bias, padding="same"))
        y = nn.functional.silu(et.group_conv(y, self.group_weight, C4, stride=1))
        y = et.group_pool(y).mean((-1, -2))
        return torch.addmm(self.offset, y, self.matrix.t())


class Quotients(nn.Module):
    """From the plane to D4/K and on, depthwise and with a basis on H."""

    def __init__(self):
        super().__init__()
        self.first = nn.Parameter(torch.randn(3, 2, 3, 3))
        self.second = nn.Parameter(torch.randn(4, 3, 4, 3, 3) / 4)
        self.third = nn.Parameter(torch.randn(4, 1, 2, 3, 3))

    def forward(self, x):
        y = et.conv(x, self.first, D4, input_stabilizer=range(8), output_stabilizer=[0, 4], padding=1)
        y = et.conv(y.relu(), self.second, D4, input_stabilizer=[0, 4], output_stabilizer=[0], padding=1)
        return et.conv(
            y.relu(), self.third, D4, input_stabilizer=[0], output_stabilizer=[0], groups=4,
            padding_mode="replicate", padding=1,
            group_basis=eq.localized([0, 1]), algorithm="direct",
        )  # fmt: skip


class Transposed(nn.Module):
    """Adjoints of all layers, as modules and as functions; the first has the weight of its layer."""

    def __init__(self):
        super().__init__()
        self.lift = et.LiftingConv(1, 2, 3, D4, padding=1)
        self.down = et.GroupConv(2, 3, 3, D4, stride=2, padding=1)
        self.up = et.TransposedConv(3, 2, 3, D4, stride=2, padding=1)
        self.up.weight = self.down.weight
        self.plane = et.TransposedConv(2, 2, 4, D4, layer="lifting", stride=2, padding=1)
        self.again = et.TransposedConv(2, 2, 3, D4, layer="projection", padding_mode="circular", padding=1, bias=False)
        self.weight = nn.Parameter(torch.randn(2, 2, 8, 3, 3) / 4)
        self.bias = nn.Parameter(torch.randn(2))
        self.end = et.TransposedConv(2, 1, (2, 3), eq.dihedral(1), layer="isotropic", stride=3, output_padding=(2, 0))

    def forward(self, x):
        y = torch.relu(self.up(self.down(torch.relu(self.lift(x)))))
        y = self.again(torch.relu(self.plane(y)))
        y = torch.tanh(et.transposed_conv(y, self.weight, D4, self.bias, dilation=2))
        return self.end(et.group_pool(et.transposed_conv(y, self.weight, D4), "max"))


class Fibers(nn.Module):
    def __init__(self):
        super().__init__()
        self.lift = et.LiftingConv(1, 2, 3, D4)
        self.restrict = et.Restrict(D4, [0, 1, 2, 3])
        self.conv = et.GroupConv(4, 3, 3, eq.PointGroup.from_matrices(D4.matrices[:4]))
        self.pool = et.PartialProjection(D4, [0, 4], "max")
        self.mean = et.PartialProjection(D4, [4, 0])
        self.induce = et.Induce(D4, [0, 4])
        self.raise_ = et.Induce(D4, range(8))

    def forward(self, x):
        y = self.lift(x)
        return {
            "restricted": self.conv(self.restrict(y)),
            "cosets": self.mean(y),
            "induced": self.induce(self.pool(y)),
            "constant": self.raise_(x),
        }


class Functions(nn.Module):
    """Each function of numbers, as a module and as a function."""

    def __init__(self):
        super().__init__()
        self.steps = nn.Sequential(
            nn.LeakyReLU(0.2), nn.ELU(0.7), nn.GELU(), nn.GELU("tanh"), nn.SiLU(), nn.Sigmoid(), nn.Tanh(),
            nn.Softmax(1), nn.Dropout(), nn.Identity(), et.FieldDropout(), nn.Dropout2d(),
        )  # fmt: skip

    def forward(self, x):
        f = nn.functional
        y = self.steps(x) + f.leaky_relu(x, 0.3) + f.elu(x, 1.5)
        y = torch.softmax(f.gelu(y) + f.gelu(x, approximate="tanh") + f.silu(x) + x.sigmoid() + x.tanh() + f.relu(x), 1)
        return f.dropout(y, 0.5, self.training)


class Ordinary(nn.Module):
    """Convolutions of PyTorch."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=2, padding_mode="circular"), nn.BatchNorm2d(4), nn.ReLU(),
            nn.Conv2d(4, 4, (3, 2), stride=(1, 2), dilation=(2, 1), padding=(1, 2), groups=4, bias=False),
            nn.MaxPool2d(3, 2, 1), nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1),
            nn.AvgPool2d((2, 1)), nn.ZeroPad2d(1), nn.Conv2d(3, 3, 3, padding="same"),
            nn.ConvTranspose2d(3, 3, 2, 2, groups=3, bias=False), nn.Upsample(scale_factor=(2, 3)),
        )  # fmt: skip
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(3, affine=False), nn.Linear(3, 4, bias=False)
        )

    def forward(self, x):
        return self.head(self.body(x))


class Flat(nn.Module):
    def __init__(self):
        super().__init__()
        self.lift = et.LiftingConv(1, 2, 3, C4)
        self.mix = nn.Conv3d(2, 3, 1)
        self.norm = nn.BatchNorm3d(3)
        self.pool = nn.MaxPool3d((1, 2, 2))
        self.first = nn.Linear(3 * 4 * 3 * 3, 7)
        self.second = nn.Linear(7, 3)

    def forward(self, x):
        y = self.pool(self.norm(self.mix(self.lift(x))))
        y = nn.functional.dropout(torch.flatten(y, 1), training=self.training).relu()
        return self.second(torch.tanh(self.first(y)))


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.lift = et.LiftingConv(1, 2, 3, C4)

    def forward(self, x):
        y = self.lift(x)
        return y.mean((2, 3, 4)), (y.mean((3, 4)).amax(2), y.max(2)[0]), y.mean((-1, -2))


def sequential(*layers):
    return nn.Sequential(*layers)


def _cases():
    yield "p4", partial(
        sequential, et.LiftingConv(1, 4, 3, C4, padding="same"), et.BatchNorm(4), nn.ReLU(), et.SpatialMaxPool(C4, 2),
        et.GroupConv(4, 4, 3, C4), et.SpatialAvgPool(C4, 4, 2, 1), et.GroupPool(C4, "max"), et.SpatialMean(C4),
        nn.Linear(4, 3),
    ), (2, 1, 16, 16)  # fmt: skip
    for name, architecture in DIGIT_NETWORKS.items():
        yield f"digits-{name}", partial(GroupNetwork, architecture, 1, 10), (2, 1, 16, 16)
    yield "cells", partial(GroupNetwork, CELL_NETWORKS["c4"], 3, 2), (1, 3, 48, 48)
    # On the trivial group, whose only element has no axis in what pools read.
    yield "cells-cnn", partial(GroupNetwork, CELL_NETWORKS["cnn"], 3, 2), (1, 3, 48, 48)
    yield "residual", ResidualNetwork, (2, 3, 9, 9)
    yield "residual-in-place", partial(ResidualNetwork, D4, True), (1, 3, 9, 9)
    yield "unet", UNet, (1, 2, 8, 8)
    yield "unet-nearest", partial(UNet, "nearest"), (2, 2, 8, 8)
    yield "upsampling", partial(
        sequential, et.LiftingConv(1, 2, 3, D4), et.Upsample(D4, 2, "linear"), nn.ReLU(), et.GroupConv(2, 2, 3, D4),
        et.Upsample(D4, 2), et.GroupPool(D4), et.Upsample(D4, 3, "linear", True), nn.Conv2d(2, 3, 1),
        et.AdaptiveMean(D4, 1), nn.Flatten(), nn.Linear(3, 4),
    ), (2, 1, 7, 8)  # fmt: skip
    yield "functional", Functional, (3, 2, 6, 7)
    yield "quotients", Quotients, (2, 2, 6, 6)
    yield "transposed", Transposed, (2, 1, 9, 9)
    yield "transposed-exact", partial(
        sequential, et.LiftingConv(1, 3, 3, C8, padding=1), nn.ReLU(),
        et.TransposedConv(3, 2, eq.bspline_basis(5), C8, layer="lifting", stride=2, padding=1, algorithm="direct"),
        nn.ReLU(), et.TransposedConv(2, 2, 3, C8, layer="isotropic", algorithm="direct", stride=2, bias=False),
    ), (1, 1, 5, 6)  # fmt: skip
    yield "fibers", Fibers, (2, 1, 8, 8)
    yield "functions", Functions, (2, 3, 4, 5)
    yield "ordinary", Ordinary, (2, 2, 8, 9)
    yield "flat", Flat, (2, 1, 8, 8)
    yield "heads", Heads, (2, 1, 6, 6)
    yield "line", partial(
        sequential, et.LiftingConv(2, 3, 3, eq.reflection()), nn.ELU(), et.GroupConv(3, 2, 3, eq.reflection()),
        et.SpatialAvgPool(eq.reflection(), 2), et.ProjectionConv(2, 3, 3, eq.reflection()), nn.Conv1d(3, 2, 3),
        nn.MaxPool1d(2), nn.AvgPool1d(2), nn.ConvTranspose1d(2, 3, 3), nn.Upsample(scale_factor=2, mode="linear"),
    ), (2, 2, 24)  # fmt: skip
    yield "volume", partial(
        sequential, et.LiftingConv(1, 2, 3, OCTAHEDRAL), nn.ReLU(), et.SpatialMaxPool(OCTAHEDRAL, 2),
        et.GroupPool(OCTAHEDRAL), nn.Conv3d(2, 3, 3, padding=1, groups=1), nn.AvgPool3d(2), nn.BatchNorm3d(3),
        nn.ConvTranspose3d(3, 2, 3), nn.Upsample(scale_factor=2, mode="trilinear"),
        et.IsotropicConv(2, 1, 3, OCTAHEDRAL), et.SpatialMean(OCTAHEDRAL),
    ), (1, 1, 10, 10, 10)  # fmt: skip
    yield "bases", partial(
        sequential, et.LiftingConv(1, 2, eq.bspline_basis(5), C8, padding=2), nn.ReLU(),
        et.GroupConv(2, 2, 3, C8, interpolation="bicubic", group_basis=eq.localized([0, 1]), algorithm="direct"),
        et.GroupConv(2, 1, eq.circular_harmonics(3), C8, padding_mode="circular", padding=1, dilation=1),
    ), (2, 1, 8, 8)  # fmt: skip
    yield "from-group", partial(
        sequential, et.BatchNorm(2), et.GroupConv(2, 2, 3, C4), et.GroupPool(C4)
    ), (2, 2, 4, 6, 6)  # fmt: skip
    yield "align-corners", partial(
        sequential, nn.Conv2d(1, 2, 3), nn.UpsamplingBilinear2d(scale_factor=3), nn.UpsamplingNearest2d(scale_factor=2)
    ), (2, 1, 5, 6)  # fmt: skip


CASES = {name: (make, shape) for name, make, shape in _cases()}


def trained(make, dtype=torch.float32):
    """A network of a case in evaluation, with statistics of batch norm that are not those of a new one."""
    torch.manual_seed(0)
    # Layers of a case may have been made when it was read.
    network = copy.deepcopy(make())
    for part in network.modules():
        if hasattr(part, "reset_parameters"):
            part.reset_parameters()
    network.to(dtype)
    for part in network.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            if part.affine:
                part.weight.data.uniform_(0.5, 2)
                part.bias.data.normal_()
    return network.eval()


def signal(shape, dtype=torch.float32):
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(1))


@cache
def saved(name):
    """A network of a case, its example, and its file, for all tests of a process."""
    make, shape = CASES[name]
    network, x = trained(make), signal(shape)
    path = _folder() / f"{name}.safetensors"
    et.save_network(network, path, x, name="a network", description="of a test", pixel_size=0.5)
    return network, x, path


@cache
def _folder():
    folder = Path(tempfile.mkdtemp(prefix="networks-"))
    atexit.register(shutil.rmtree, folder)
    return folder

# SPDX-License-Identifier: Apache-2.0
"""What cannot be converted is refused with the place, the line of the code, and what to use instead."""

from __future__ import annotations

import re

import equiconv as eq
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from torch import nn  # noqa: E402 (torch may be missing)
from torch.nn import functional  # noqa: E402

C4 = eq.cyclic(4)


class Network(nn.Module):
    """Two convolutions with something between them."""

    def __init__(self, between, head=None, **modules):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 2, 3)
        self.between, self.head = between, head
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, x):
        y = self.first(x)
        y = self.between(self, y)
        return self.last(y) if self.head is None else self.head(self, y)


def of(between, **modules):
    return Network(between, **modules)


def module(between):
    """One that calls a module."""
    return Network(lambda self, y: self.inner(y), inner=between)


def headed(head, **modules):
    return Network(lambda self, y: y.relu(), head, **modules)


# What the message has: the step, its place, and the remedy.
REFUSED = {
    "flatten of space": (
        nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8 * 36, 5)),
        ["Flatten at 1 (Flatten)", "flattens space", "put torch.nn.AdaptiveAvgPool2d(1) before it"],
    ),
    "flatten of space by view": (
        headed(lambda self, y: self.fc(y.view(y.size(0), -1)), fc=nn.Linear(8 * 36, 5)),
        ["view at", "y.view(y.size(0), -1)", "flattens space", "AdaptiveAvgPool2d(1)"],
    ),
    "flatten of windows of one place": (
        headed(lambda self, y: self.fc(torch.flatten(functional.avg_pool2d(y, 6), 1)), fc=nn.Linear(8, 5)),
        ["flatten at", "flattens space", "AdaptiveAvgPool2d(1)"],
    ),
    "linear map of the last axis": (
        headed(lambda self, y: self.fc(y), fc=nn.Linear(6, 5)),
        ["Linear at fc (Linear)", "acts on the last axis of space", "torch.nn.Flatten()"],
    ),
    "tokens": (
        of(lambda self, y: y.flatten(2)),
        ["flatten at", "flattens axes 2 to -1", "expected 1 to -1"],
    ),
    "position embedding": (
        of(lambda self, y: y + self.position, position=nn.Parameter(torch.zeros(1, 8, 6, 6))),
        ["add at", "y + self.position", "constant of shape (1, 8, 6, 6)", "embeddings of positions", "take it out"],
    ),
    "coordinates in a buffer": (
        of(lambda self, y: torch.cat([y, self.grid.expand(1, 1, 6, 6)], 1), grid=nn.Parameter(torch.zeros(6, 6))),
        ["expand at", "rearranges axes or places"],
    ),
    "constant made in the forward": (
        of(lambda self, y: y + torch.arange(6.0)),
        ["add at", "uses a constant, parameter or buffer of shape (6,)", "places turn"],
    ),
    "constant of the sizes": (
        of(lambda self, y: y + torch.linspace(0, 1, y.shape[-1])),
        ["linspace at", "is nothing that can be converted"],
    ),
    "scale of each channel": (
        of(lambda self, y: y * self.scale, scale=nn.Parameter(torch.ones(8, 1, 1))),
        ["mul at", "uses a constant, parameter or buffer of shape (8, 1, 1)", "batch norm"],
    ),
    "permutation": (
        of(lambda self, y: y.permute(0, 2, 3, 1)),
        ["permute at", "y.permute(0, 2, 3, 1)", "rearranges axes", "take it out"],
    ),
    "transposition": (of(lambda self, y: torch.transpose(y, 2, 3)), ["transpose at", "rearranges axes"]),
    "reshape": (
        of(lambda self, y: y.reshape(y.shape[0], 2, 4, 6, 6)),
        ["reshape at", "gives a signal another shape", "torch.flatten(x, 1)"],
    ),
    "pixel shuffle": (module(nn.PixelShuffle(2)), ["PixelShuffle at inner", "rearranges axes or places"]),
    "part of space": (of(lambda self, y: y[:, :, 1:-1, 1:-1]), ["getitem at", "takes parts of a signal"]),
    "part of the channels": (of(lambda self, y: y.chunk(2, 1)), ["chunk at", "rearranges axes"]),
    "layer norm": (
        module(nn.LayerNorm([8, 6, 6])),
        ["LayerNorm at inner (LayerNorm)", "of sizes (8, 6, 6)", "use BatchNorm1d, 2d or 3d, or GroupNorm(1, C)"],
    ),
    "instance norm with running statistics": (
        module(nn.InstanceNorm2d(8, track_running_stats=True)),
        ["InstanceNorm2d at inner", "has track_running_stats=True, expected False"],
    ),
    "response norm": (module(nn.LocalResponseNorm(2)), ["LocalResponseNorm at inner", "use the modules BatchNorm1d"]),
    "layer norm as a function": (
        of(lambda self, y: functional.layer_norm(y, (6, 6))),
        ["layer_norm at", "use the modules BatchNorm1d"],
    ),
    "attention": (
        of(lambda self, y: y @ y),
        ["matmul at", "mixes places or channels by products of matrices"],
    ),
    "softmax over space": (of(lambda self, y: y.softmax(-1)), ["softmax at", "over axis -1, expected 1, the channels"]),
    "mean over a row": (of(lambda self, y: y - y.mean(3, keepdim=True)), ["mean at", "is over axes 3", "all of space"]),
    "concatenation along rows": (of(lambda self, y: torch.cat([y, y], 2)), ["cat at", "axis 2, expected 1"]),
    "groups of the image's channels": (
        nn.Sequential(nn.Conv2d(2, 8, 3, groups=2), nn.ReLU(), nn.Conv2d(8, 4, 1)),
        ["Conv2d at 0", "has groups=2, and of 2 and 4 channels none of 1 and 4 can be made", "make it groups=1"],
    ),
    "oblong kernel": (
        module(nn.Conv2d(8, 8, (1, 3))),
        ["Conv2d at inner", "has kernel_size=(1, 3)", "axes that C4 exchanges"],
    ),
    "stride of one axis": (
        module(nn.Conv2d(8, 8, 3, stride=(1, 2))),
        ["has stride=(1, 2), expected one value for the axes"],
    ),
    "oblong windows": (module(nn.MaxPool2d((2, 1))), ["MaxPool2d at inner", "has kernel_size=(2, 1)"]),
    "dilated windows": (module(nn.MaxPool2d(2, dilation=2)), ["has dilation=2, expected 1"]),
    "ceil mode": (of(lambda self, y: functional.max_pool2d(y, 2, ceil_mode=True)), ["has ceil_mode=True"]),
    "means without the border": (
        module(nn.AvgPool2d(3, 1, 1, count_include_pad=False)),
        ["has count_include_pad=False, expected True, or padding=0"],
    ),
    "adaptive to several places": (module(nn.AdaptiveAvgPool2d(2)), ["has output_size=2, expected 1"]),
    "upsampling to a size": (
        of(lambda self, y: functional.interpolate(y, size=(12, 12))),
        ["interpolate at", "has a size, expected scale_factor with an integer"],
    ),
    "upsampling by a fraction": (module(nn.Upsample(scale_factor=1.5)), ["has scale_factor=1.5, expected integers"]),
    "cubic upsampling": (
        module(nn.Upsample(scale_factor=2, mode="bicubic")),
        ["has mode='bicubic', expected 'nearest' or 'bilinear'"],
    ),
    "weights of its own": (
        of(lambda self, y: functional.conv2d(y, self.weight), weight=nn.Parameter(torch.zeros(8, 8, 3, 3))),
        ["conv2d at", "function of weights that the module holds itself", "use torch.nn.Conv2d"],
    ),
    "padding of its own": (
        of(lambda self, y: functional.pad(y, (1, 0, 1, 0))),
        ["pad at", "pads by itself, expected the padding of a convolution"],
    ),
    "unknown module": (module(nn.GLU(1)), ["GLU at inner (GLU)", "is nothing that can be converted. Networks may be"]),
    "unknown function": (of(lambda self, y: y.cumsum(1)), ["cumsum at", "is nothing that can be converted"]),
    "layer of this package": (module(et.GroupPool(C4)), ["GroupPool at inner", "is a layer of equiconv already"]),
    "volumes": (
        nn.Sequential(nn.Conv3d(1, 2, 3)),
        ["Conv3d at 0 (Conv3d)", "acts on 3 axes of space, expected 2, the axes of C4"],
    ),
    "sum of other channels": (
        of(lambda self, y: y + self.more(y), more=nn.Conv2d(8, 4, 1)),
        ["add at", "joins signals of 8 and 4 channels"],
    ),
    "number of features": (module(nn.BatchNorm2d(4)), ["has num_features=4 for a signal of 8 channels"]),
    "sum of a signal and a vector": (
        of(lambda self, y: y + y.mean((2, 3))),
        ["add at", "joins a signal with a vector", "reshape the vector to (B, C, 1, 1)"],
    ),
    "change in place": (
        of(lambda self, y: (y.relu_(), y)[1]),
        ["relu_ at", "changes a signal in place and its result is not used"],
    ),
    "dropout in evaluation": (
        of(lambda self, y: functional.dropout(y, 0.5, True)).eval(),
        ["dropout at", "drops numbers in evaluation too: pass training=self.training"],
    ),
    "sizes that are returned": (headed(lambda self, y: y.size(0)), ["returns what is no signal"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_converted_is_refused_with_its_place_and_remedy(name):
    network, texts = REFUSED[name]
    with pytest.raises(ValueError, match=re.escape(texts[0])) as caught:
        et.convert(network, C4)
    for text in texts:
        assert text in str(caught.value), str(caught.value)


def test_refusal_names_the_line_of_the_code():
    with pytest.raises(ValueError, match=r"permute at .*test_conversion_errors\.py\", line \d+: .*permute"):
        et.convert(REFUSED["permutation"][0], C4)


def test_module_of_the_image_and_of_features_is_refused():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.same = nn.Conv2d(3, 3, 3)

        def forward(self, x):
            return self.same(self.same(x))

    with pytest.raises(ValueError, match=r"Conv2d at same .* is called for the image and again for features"):
        et.convert(Twice(), C4)


def test_forward_that_depends_on_numbers_is_refused_with_its_line():
    def between(self, y):
        return y if y.sum() > 0 else -y

    with pytest.raises(ValueError, match="cannot be traced") as caught:
        et.convert(of(between), C4)
    for text in (
        "module (Network) cannot be traced by torch.fx",
        "y if y.sum() > 0 else -y",
        "take branches and loops",
    ):
        assert text in str(caught.value)


def test_network_without_convolutions_is_refused():
    with pytest.raises(ValueError, match=r"module \(Sequential\) calls no convolution of PyTorch"):
        et.convert(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), C4)


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "text"),
    [
        (("network", C4), {}, TypeError, "module is 'network' .str., expected a torch.nn.Module"),
        ((nn.Conv2d(1, 1, 1), "C4"), {}, TypeError, "group is 'C4'"),
        ((nn.Conv2d(1, 1, 1), C4, "weights"), {}, ValueError, "keep is 'weights', expected 'parameters' or 'width'"),
        ((nn.Conv2d(1, 1, 1), C4, 2), {}, TypeError, "keep is 2"),
        ((nn.Conv2d(1, 1, 1), C4), {"pool": "sum"}, ValueError, "pool is 'sum', expected 'mean' or 'max'"),
    ],
)
def test_arguments_of_the_wrong_kind_are_refused(arguments, keywords, error, text):
    with pytest.raises(error, match=text):
        et.convert(*arguments, **keywords)


def test_convolution_alone_is_refused_as_its_weights_are_its_own():
    with pytest.raises(ValueError, match="calls no convolution"):
        et.convert(nn.Conv2d(1, 1, 1), C4)

"""What cannot be a network file is an error that says what it is and where it stands."""

from __future__ import annotations

import re
from pathlib import Path

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch")
import equiconv.torch as et  # noqa: E402
from equiconv._network.file import read_file, write_file  # noqa: E402
from torch import nn  # noqa: E402

f = nn.functional
C4, D2 = eq.cyclic(4), eq.dihedral(2)


class Lambda(nn.Module):
    """A function as a network."""

    def __init__(self, function, *layers):
        super().__init__()
        self.function = function
        self.layers = nn.ModuleList(layers)
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, *inputs):
        return self.function(self, *inputs)


def of(function, *layers):
    return Lambda(lambda network, x: function(x), *layers)


LIFT = et.LiftingConv(3, 3, 3, C4)
UNSUPPORTED = {
    "cumsum": (of(lambda x: x.cumsum(1)), "aten.cumsum.default .* is no operation of a network file"),
    "product": (of(lambda x: x * x), r"aten.mul.Tensor .* is no operation"),
    "difference": (of(lambda x: x.relu() - x), "aten.sub.Tensor .* is no operation"),
    "transposition": (of(lambda x: x.transpose(2, 3)), "aten.transpose.int .* is no operation"),
    "slice": (of(lambda x: x[:, :, 1:]), "aten.slice.Tensor .* is no operation"),
    "parts": (of(lambda x: x.chunk(3, 1)[0]), "aten.chunk.default .* is no operation"),
    "layer norm": (nn.LayerNorm(8), r"aten.layer_norm.default at the module itself \(LayerNorm\)"),
    "group norm": (nn.Sequential(nn.ReLU(), nn.GroupNorm(3, 3)), r"aten.group_norm.default at 1 \(GroupNorm\)"),
    "instance norm": (nn.InstanceNorm2d(3), "aten.instance_norm.default .* is no operation"),
    "relu6": (nn.Sequential(nn.ReLU6()), r"aten.hardtanh.default at 0 \(ReLU6\)"),
    "prelu": (nn.Sequential(nn.PReLU()), "aten.prelu.default at 0"),
    "selu": (of(f.selu), "aten.selu.default .* is no operation"),
    "log softmax": (of(lambda x: x.log_softmax(1)), "aten.log_softmax.int .* is no operation"),
    "softmax of rows": (of(lambda x: x.softmax(2)), "is over axis 2, expected 1, the channels"),
    "groups": (nn.Conv2d(3, 3, 3, groups=3), None),
    "some groups": (nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 3, groups=2)), None),
    "more outputs than channels": (nn.Conv2d(3, 6, 3, groups=3), None),
    "even kernel, same": (nn.Conv2d(3, 3, 2, padding="same"), "padding 'same' with an even kernel"),
    "reflected": (nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"), None),
    "replicated": (nn.Conv2d(3, 3, 3, padding=1, padding_mode="replicate"), None),
    "one side": (nn.Sequential(nn.ZeroPad2d((1, 0, 0, 0)), nn.Conv2d(3, 3, 3)), "as much on both sides"),
    "padded alone": (nn.Sequential(nn.ZeroPad2d(1), nn.ReLU()), "reads a padded signal"),
    "batch statistics": (nn.BatchNorm2d(3, track_running_stats=False), "uses the statistics of the batch"),
    "pool with a ceiling": (nn.MaxPool2d(3, ceil_mode=True), "has dilation or ceil_mode"),
    "pool of equiconv": (nn.Sequential(LIFT, et.SpatialMaxPool(C4, 3, ceil_mode=True)), "has dilation or ceil_mode"),
    "dilated pool": (nn.MaxPool2d(2, dilation=2), "has dilation or ceil_mode"),
    "means without padding": (nn.AvgPool2d(3, 1, 1, count_include_pad=False), "count_include_pad=True"),
    "largest of all": (nn.AdaptiveMaxPool2d(1), "aten.adaptive_max_pool2d.default .* is no operation"),
    "means of parts": (nn.AdaptiveAvgPool2d(2), r"has output_size \[2, 2\]"),
    "bicubic": (nn.Upsample(scale_factor=2, mode="bicubic"), "aten.upsample_bicubic2d"),
    "half again": (nn.Upsample(scale_factor=1.5), "resizes 8 to 12, expected a multiple of it"),
    "over channels": (of(lambda x: x.mean(1)), "is a mean over channels, expected one over H or space"),
    "largest pixel": (of(lambda x: x.amax((2, 3))), "is a maximum over space, expected one over H"),
    "constant term": (Lambda(lambda n, x: x + n.scale.view(1, 3, 1, 1)), "adds a constant"),
    "number": (of(lambda x: x + 1), "adds a constant"),
    "broadcast": (of(lambda x: x + x.mean((2, 3), keepdim=True)), "adds a signal on R.2 and a vector"),
    "scaled term": (of(lambda x: torch.add(x, x.relu(), alpha=2)), "scales a term"),
    "dropout in evaluation": (of(lambda x: f.dropout(x, 0.5)), "drops numbers in evaluation"),
    "noise": (of(lambda x: x + torch.randn_like(x)), "aten.randn_like.default .* is no operation"),
    "half precision": (of(lambda x: x.half().float()), "converts torch.float32 to torch.float16"),
    "elements as rows": (
        Lambda(lambda n, x: f.max_pool3d(n.layers[0](x), 2), LIFT), "windows over 3 axes of a signal on C4",
    ),
    "elements as depth": (nn.Sequential(LIFT, nn.Conv3d(3, 3, 3)), "convolution over 3 axes of a signal on C4"),
    "resized elements": (nn.Sequential(LIFT, nn.Upsample(scale_factor=2)), "resizes 3 axes of a signal on C4"),
    "numbers of elements": (
        nn.Sequential(LIFT, nn.Flatten(1, 2), nn.BatchNorm2d(12)),
        "reads a signal on C4 and R.2 as .*expected a vector",
    ),
    "convolution of elements": (
        nn.Sequential(LIFT, nn.Flatten(1, 2), nn.Conv2d(12, 3, 3)), "over 2 axes of a signal on C4",
    ),
    "another group": (
        Lambda(lambda n, x: et.group_conv(n.layers[0](x), torch.ones(3, 3, 4, 3, 3), D2), LIFT),
        "wants a signal on D2 and R.2, reads a signal on C4 and R.2",
    ),
    "weight of the input": (of(lambda x: f.conv2d(x, x)), "weight that depends on the input"),
    "linear on rows": (of(lambda x: f.linear(x, torch.ones(2, 8))), "expected a vector"),
    "split channels": (of(lambda x: x.reshape(-1, 1, 3, 8, 8).relu()), "gives output y another shape"),
    "batch and channels": (of(lambda x: x.flatten(0, 1).relu()), "another shape, expected one that keeps the batch"),
    "rows joined": (of(lambda x: torch.cat([x, x], 2)), "is along axis 2, expected 1, the channels"),
    "reshaped output": (nn.Sequential(LIFT, nn.Flatten(1, 2)), "gives output y another shape than that of a signal"),
    "kept axes": (of(lambda x: x.mean((2, 3), keepdim=True)), "gives output y axes of size 1"),
    "no operation": (nn.Identity(), "an output of the network is its input 'x'"),
    "constant output": (Lambda(lambda n, x: {"a": x.relu(), "b": n.scale}), "output b of the module does not depend"),
    "fixed batch": (of(lambda x: x.reshape(2, -1, 8, 8).relu()), "another shape|fixes the size of its batch"),
    "no number": (nn.LeakyReLU(float("inf")), "has slope inf, expected a finite number"),
    "two inputs": (Lambda(lambda n, x, y=None: x.relu() if y is None else y), None),
    "decision": (of(lambda x: x.relu() if x.sum() > 0 else x.tanh()), "module cannot be traced by torch.export"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_files_do_not_have_is_an_error_that_says_so(name, tmp_path):
    network, message = UNSUPPORTED[name]
    path, x = tmp_path / "network", torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    if message is None:
        et.save_network(network, path, x)
        return
    with pytest.raises(ValueError, match=re.compile(message, re.DOTALL)):
        et.save_network(network, path, x)
    assert not path.exists()
    assert list(tmp_path.iterdir()) == []


class Block(nn.Module):
    def forward(self, x):
        y = torch.relu(x)
        return torch.sort(y, 2)[0]  # the line


def test_errors_name_module_file_and_line(tmp_path):
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.ReLU(), Block()))
    line = next(i for i, text in enumerate(Path(__file__).read_text().splitlines(), 1) if text.endswith("# the line"))
    with pytest.raises(ValueError, match="is no operation of a network file") as caught:
        et.save_network(network, tmp_path / "network", torch.zeros(1, 1, 8, 8))
    text = str(caught.value)
    assert text.startswith(
        f'aten.sort.default at 1.1 (Block), File "{__file__}", line {line}: return torch.sort(y, 2)[0]'
    )
    assert "A network file has: convolutions of equiconv" in text


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"module": 3}, TypeError, "module is of type int"),
        ({"example": np.zeros((1, 1, 8, 8))}, TypeError, "example is .*expected a torch.Tensor"),
        ({"example": torch.zeros(1, 1, 8, 8).int()}, TypeError, "example has dtype torch.int32"),
        ({"example": torch.zeros(1, 8)}, ValueError, "example has shape .1, 8., expected"),
        ({"example": torch.zeros(0, 1, 8, 8)}, ValueError, "not empty"),
        ({"example": torch.zeros(1, 1, 8, 8).double()}, (ValueError, TypeError), "float"),
        ({"classes": ["a", "b"]}, ValueError, "expected 3 names"),
        ({"classes": {"z": ["a", "b", "c"]}}, ValueError, "expected names of outputs: .'y'."),
        ({"classes": [1, 2, 3]}, TypeError, "classes.0. is 1"),
        ({"name": 3}, TypeError, "name is 3"),
        ({"normalization": 3}, TypeError, "normalization is 3"),
        (
            {"normalization": {"mean": [0, 0]}},
            ValueError,
            "normalization.'mean'. is .0.0, 0.0., expected a number, or 1",
        ),
        ({"normalization": {"deviation": 0}}, ValueError, "expected positive numbers"),
        ({"normalization": {"scale": float("nan")}}, ValueError, "expected a finite number"),
        ({"pixel_size": [1, 1, 1]}, ValueError, "expected a number, or 2"),
        ({"pixel_size": -1}, ValueError, "expected positive numbers"),
        ({"dynamic": 1}, TypeError, "dynamic is 1"),
        ({"input_name": ""}, ValueError, "input_name is ''"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message, tmp_path):
    keywords = {"module": nn.Conv2d(1, 3, 3), "example": torch.zeros(1, 1, 8, 8), **arguments}
    with pytest.raises(error, match=message):
        et.save_network(keywords.pop("module"), tmp_path / "network", keywords.pop("example"), **keywords)


def test_a_file_that_cannot_be_written_leaves_the_one_before(tmp_path):
    path = tmp_path / "network"
    et.save_network(nn.ReLU(), path, torch.zeros(1, 1, 8, 8))
    before = path.read_bytes()
    with pytest.raises(ValueError, match="cumsum"):
        et.save_network(of(lambda x: x.cumsum(1)), path, torch.zeros(1, 1, 8, 8))
    assert path.read_bytes() == before
    with pytest.raises(OSError, match="nowhere"):
        et.save_network(nn.ReLU(), tmp_path / "nowhere" / "network", torch.zeros(1, 1, 8, 8))


WRONG = {
    "format": (lambda d: d.update(format="equiconv-network/2"), "equiconv-network/2"),
    "kind": (lambda d: d["operations"][0].update(kind="sort"), "sort"),
    "key": (lambda d: d["operations"][0].update(speed=3), "speed"),
    "tensor": (lambda d: d["operations"][0].update(weight="0.wait"), "0.wait"),
    "value": (lambda d: d["operations"][1].update(inputs=["v9"]), "v9"),
    "twice": (lambda d: d["operations"][1].update(output="v0"), "v0"),
    "layer": (lambda d: d["operations"][0].update(layer="equiconv-layer/2"), "expected version 1 of equiconv-layer"),
    "function": (lambda d: d["operations"][1].update(function="relu6"), "relu6"),
    "output": (lambda d: d["outputs"][0].update(value="v9"), "v9"),
    "space": (lambda d: d["operations"][2].update(kind="linear", weight="0.weight"), "linear|mode"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_documents_are_errors(name, tmp_path):
    path = tmp_path / "network"
    network = nn.Sequential(et.LiftingConv(1, 2, 3, C4), nn.ReLU(), et.GroupPool(C4))
    et.save_network(network, path, torch.zeros(1, 1, 8, 8))
    document, tensors = read_file(path)
    change, message = WRONG[name]
    change(document)
    try:
        write_file(document, tensors, path)
    except ValueError as error:
        assert re.search(message, str(error))  # noqa: PT017
        return
    with pytest.raises(ValueError, match=message):
        et.load_network(path)


def test_files_that_are_no_networks_are_errors(tmp_path):
    path = tmp_path / "network"
    path.write_bytes(b"no network")
    with pytest.raises(ValueError, match="header"):
        et.load_network(path)
    with pytest.raises(FileNotFoundError):
        et.load_network(tmp_path / "nothing")

# SPDX-License-Identifier: Apache-2.0
"""A layer equals the ordinary convolution that it expands to, and networks of those run in ONNX Runtime."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

C4, D4, C8 = eq.cyclic(4), eq.dihedral(4), eq.cyclic(8)
CASES = {
    "C4": (C4, 3, {"padding": "same"}),
    "D4 stride": (D4, 4, {"stride": 2, "padding": 1}),
    "C4 even": (C4, 2, {"stride": 2}),
    "C8 dilation": (C8, 3, {"dilation": 2, "padding": (2, 2)}),
    "C8 circular": (C8, 5, {"padding": "same", "padding_mode": "circular", "interpolation": "bicubic"}),
    "C8 splines": (C8, eq.bspline_basis(5), {"padding": 2}),
    "line": (eq.reflection(), 3, {"padding": "valid"}),
    "space": (eq.octahedral(), 3, {"padding": 1}),
    # The filter bank is larger than the kernel, which scaling enlarges.
    "scalings": (eq.scaling([1, 2]), eq.bspline_basis(3), {"padding": "same", "dilation": 2, "quadrature": True}),
}
LAYERS = (et.IsotropicConv, et.LiftingConv, et.GroupConv, et.ProjectionConv)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("make", LAYERS)
@pytest.mark.parametrize("name", CASES)
def test_a_layer_equals_its_ordinary_convolution(name, make, bias):
    group, kernel, options = CASES[name]
    layer = make(2, 3, kernel, group, bias=bias, dtype=torch.float64, **options)
    if bias:
        torch.nn.init.normal_(layer.bias)
    fiber = (group.order,) if layer.input_space.group is not None else ()
    x = torch.randn(2, 2, *fiber, *(8,) * group.dimension, dtype=torch.float64)
    y = layer(x)
    plain = layer.expand()
    assert type(plain) is (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)[group.dimension - 1]
    flat = plain(x.reshape(2, -1, *x.shape[-group.dimension :]))
    assert torch.allclose(flat.reshape(y.shape), y, rtol=1e-12, atol=1e-12)
    assert torch.allclose(et.expand(layer)(x), y, rtol=1e-12, atol=1e-12)


def test_expansion_takes_functions_on_the_group():
    layer = et.GroupConv(2, 3, 3, C8, group_basis=eq.localized([0, 1, 7]), dtype=torch.float64)
    x = torch.randn(1, 2, 8, 6, 6, dtype=torch.float64)
    assert torch.allclose(et.expand(layer)(x), layer(x), rtol=1e-12, atol=1e-12)


class Network(torch.nn.Module):
    """All that a network may be made of, in attributes and in containers."""

    def __init__(self, group):
        super().__init__()
        self.lift = et.LiftingConv(1, 6, 5, group, padding="same")
        self.blocks = torch.nn.ModuleList(
            torch.nn.Sequential(et.GroupConv(6, 6, 3, group, padding=1, bias=False), et.BatchNorm(6), torch.nn.ReLU())
            for _ in range(2)
        )
        self.shrink = torch.nn.ModuleDict({"max": et.SpatialMaxPool(group, 2), "mean": et.SpatialAvgPool(group, 2)})
        self.drop = et.FieldDropout(0.2)
        self.project = et.ProjectionConv(6, 4, 3, group, padding=1)
        self.plane = et.IsotropicConv(4, 4, 3, group)
        self.pool = et.GroupPool(group, "max")
        self.mean = et.SpatialMean(group)
        self.head = torch.nn.Linear(10, 3)

    def forward(self, x):
        x = self.shrink["max"](torch.relu(self.lift(x)))
        for block in self.blocks:
            x = x + block(x)
        x = self.drop(self.shrink["mean"](x))
        parts = [self.mean(self.pool(x)), self.mean(self.plane(torch.relu(self.project(x))))]
        return self.head(torch.cat(parts, 1))


@pytest.fixture(params=["C4", "C8"])
def trained(request):
    """A network after some steps, so that its statistics and weights are not those it was made with."""
    network = Network({"C4": C4, "C8": C8}[request.param])
    optimizer = torch.optim.SGD(network.parameters(), 0.01)
    for _ in range(3):
        optimizer.zero_grad()
        network(torch.randn(8, 1, 16, 16)).square().mean().backward()
        optimizer.step()
    return network.eval()


def test_a_network_equals_its_expansion_and_stays_as_it_is(trained):
    x = torch.randn(4, 1, 16, 16)
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    plain = et.expand(trained)
    assert not any(type(module).__module__ == "equiconv.torch._nn.convolutions" for module in plain.modules())
    assert torch.allclose(plain(x), trained(x), rtol=1e-5, atol=1e-5)
    assert not plain.training
    assert all(torch.equal(value, before[name]) for name, value in trained.state_dict().items())
    with pytest.raises(TypeError, match="network is of type int"):
        et.expand(3)


# The exporter warns of torch's own deprecations and of packages it would like to find.
@pytest.mark.filterwarnings("ignore")
def test_an_expanded_network_runs_in_onnx_runtime(trained, tmp_path):
    pytest.importorskip("onnxscript", reason="export to ONNX is not tested: pip install onnxscript")
    runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not tested: pip install onnxruntime")
    x = torch.randn(4, 1, 16, 16)
    path = tmp_path / "network.onnx"
    batch = {0: torch.export.Dim("B")}
    torch.onnx.export(et.expand(trained), (x,), path, dynamo=True, dynamic_shapes=(batch,), verbose=False)
    session = runtime.InferenceSession(path)
    name = session.get_inputs()[0].name
    for count in (4, 2):
        (scores,) = session.run(None, {name: x[:count].numpy()})
        expected = trained(x[:count]).detach().numpy()
        assert np.max(np.abs(scores - expected)) <= 1e-5 * max(1, np.max(np.abs(expected)))

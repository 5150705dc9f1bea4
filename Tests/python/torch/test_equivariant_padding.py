# SPDX-License-Identifier: Apache-2.0
"""Padding "equivariant" in PyTorch: NumPy's numbers, by both backends, under compilers, expanded and in files."""

from __future__ import annotations

import copy
import pickle

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

C4 = eq.cyclic(4)
FITTED = {"padding": "equivariant"}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)
    torch._dynamo.reset()


def network(stride=2):
    return torch.nn.Sequential(
        et.LiftingConv(2, 4, 4 if stride == 2 else 3, C4, stride=stride, **FITTED),
        et.SpatialMaxPool(C4, 2, **FITTED),
        et.GroupConv(4, 3, 4, C4, stride=2, algorithm="direct", **FITTED),
        et.TransposedConv(3, 2, 4, C4, stride=2, **FITTED),
        et.SpatialAvgPool(C4, 2, 1, **FITTED),
    ).eval()


@pytest.mark.parametrize("backend", ["engine", "torch"])
@pytest.mark.parametrize(
    ("size", "kernel", "stride", "amount"), [(8, 4, 2, 1), (9, 3, 2, 1), (10, 3, 3, 1), (8, 4, 4, 0)]
)
def test_both_backends_have_numpys_numbers(backend, size, kernel, stride, amount):
    layer = et.GroupConv(2, 3, kernel, C4, stride=stride, backend=backend, dtype=torch.float64, **FITTED)
    x = torch.randn(2, 2, 4, size, size, dtype=torch.float64, requires_grad=True)
    y = layer(x)
    weight = layer.weight.detach().numpy()
    expected = eq.group_conv(x.detach().numpy(), weight, C4, stride=stride, padding=amount)
    assert np.allclose(y.detach().numpy(), expected, rtol=0, atol=1e-12)
    assert torch.equal(et.group_conv(x, layer.weight, C4, stride=stride, backend=backend, **FITTED), y)
    assert et.explain(layer, x).operations > 0
    (slope,) = torch.autograd.grad(y.square().sum(), x)
    by_hand = eq.group_conv_vjp(2 * expected, x.detach().numpy(), weight, C4, stride=stride, padding=amount)[0]
    assert np.allclose(slope.numpy(), by_hand, rtol=0, atol=1e-11)


@pytest.mark.parametrize("backend", ["engine", "torch"])
def test_transposed_convolutions_enlarge_by_their_stride(backend):
    x, weight = torch.randn(1, 3, 4, 5, 5), torch.randn(3, 2, 4, 4, 4)
    y = et.transposed_conv(x, weight, C4, stride=2, backend=backend, **FITTED)
    assert torch.equal(y, et.transposed_conv(x, weight, C4, stride=2, padding=1, backend=backend))
    layer = et.TransposedConv(3, 2, 4, C4, stride=2, backend=backend, **FITTED)
    assert "padding=[1,1]" in layer.text_for(x)
    assert et.explain(layer, x).operations > 0
    with pytest.raises(ValueError, match="output_padding is 1"):
        et.transposed_conv(x, weight, C4, stride=2, output_padding=1, backend=backend, **FITTED)


def test_errors_name_sizes_and_kernels_that_fit():
    layer, pool = et.LiftingConv(2, 3, 3, C4, stride=2, **FITTED), et.SpatialMaxPool(C4, 2, **FITTED)
    with pytest.raises(ValueError, match=r"size 8 of x on axis 2 .*Expected size 7 or 9 or kernel 2 or 4"):
        layer(torch.zeros(1, 2, 8, 8))
    with pytest.raises(ValueError, match=r"size 9 of x on axis 3 .*Expected size 8 or 10 or kernel 1 or 3"):
        pool(torch.zeros(1, 2, 4, 9, 9))


def test_networks_are_copied_pickled_and_traced_with_it():
    net, x = network(), torch.randn(1, 2, 24, 24)
    y = net(x)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), torch.fx.symbolic_trace(net)):
        assert torch.equal(other(x), y)
    assert eq.equivariance_error(net.double(), x.double(), C4) < 1e-12


def test_expanded_networks_have_the_padding_of_all_sizes_or_refuse():
    net = network()
    expanded = et.expand(net)
    for size in (24, 40):
        x = torch.randn(1, 2, size, size)
        assert torch.allclose(expanded(x), net(x), atol=1e-5)
    layer = et.LiftingConv(2, 4, 3, C4, stride=3, **FITTED)
    with pytest.raises(ValueError, match="padding is 'equivariant' for stride 3, which is another for each size"):
        layer.expand()
    layer.padding = 1
    assert layer.expand().padding == (1, 1)


@pytest.mark.parametrize("stride", [2, 3])
def test_files_have_the_numbers(tmp_path, stride):
    net, size = network(stride), {2: 24, 3: 22}[stride]
    x = torch.randn(1, 2, size, size)
    et.save_network(net, tmp_path / "network", x)
    assert np.allclose(eq.load_network(tmp_path / "network")(x.numpy()), net(x).detach().numpy(), atol=1e-5)
    other = torch.randn(1, 2, 40, 40)
    if stride == 2:
        loaded = eq.load_network(tmp_path / "network")
        assert np.allclose(loaded(other.numpy()), net(other).detach().numpy(), atol=1e-5)
    else:
        with pytest.raises(ValueError, match="40"):
            eq.load_network(tmp_path / "network")(other.numpy())


@pytest.mark.parametrize("kernel", [3, 5])
def test_compiled_layers_find_the_padding_of_each_size(kernel):
    layer = et.GroupConv(2, 3, kernel, C4, stride=3, **FITTED)
    compiled = torch.compile(layer, backend="eager", fullgraph=True, dynamic=True)
    for size in (9, 10, 11, 16):
        x = torch.randn(2, 2, 4, size, size)
        assert torch.equal(compiled(x), layer(x))


def test_compiled_networks_with_strides_of_two_keep_their_padding():
    net = network()
    compiled = torch.compile(net, backend="eager", fullgraph=True, dynamic=True)
    for size in (24, 40):
        x = torch.randn(1, 2, size, size)
        assert torch.equal(compiled(x), net(x))

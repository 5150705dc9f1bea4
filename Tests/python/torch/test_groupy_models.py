# SPDX-License-Identifier: Apache-2.0
"""Sequential models of GrouPy give their results, with stand-ins for its layers that compute by its definition."""

from __future__ import annotations

from functools import partial

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from groupy_models import (  # noqa: E402
    P4ConvP4,
    P4ConvZ2,
    P4MConvP4M,
    P4MConvZ2,
    plane_group_spatial_max_pooling,
    run,
)

nn = torch.nn
C4, D4 = eq.cyclic(4), eq.dihedral(4)
# GrouPy's number of each of this package's elements of D4.
THEIRS = [0, 1, 2, 3, 6, 5, 4, 7]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)


def p4_network():
    return nn.Sequential(
        nn.Sequential(P4ConvZ2(2, 3, 3, bias=False), nn.BatchNorm3d(3, eps=1e-3, momentum=0.3), nn.ReLU()),
        nn.MaxPool3d((1, 2, 2)),
        P4ConvP4(3, 4, 3, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.AvgPool3d((1, 2, 2), (1, 1, 1)),
        nn.Dropout3d(0.0),
        nn.Flatten(),
        nn.Linear(4 * 4 * 1, 5),
    )


def p4m_network():
    return [
        P4MConvZ2(1, 2, 3),
        nn.BatchNorm3d(2),
        nn.ELU(0.7),
        partial(plane_group_spatial_max_pooling, ksize=2, stride=2),
        P4MConvP4M(2, 3, 3),
        nn.Flatten(),
        nn.Dropout(0.0),
        nn.Linear(3 * 8 * 1, 4),
        nn.Tanh(),
        nn.Linear(4, 2),
    ]


def pooled_network():
    return [P4MConvZ2(1, 2, 3), P4MConvP4M(2, 3, 3), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(3, 2)]


NETWORKS = {"p4": (p4_network, (2, 8)), "p4m": (p4m_network, (1, 8)), "pooled": (pooled_network, (1, 7))}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_models_give_their_results_in_evaluation_and_in_training(name, training):
    make, (channels, size) = NETWORKS[name]
    theirs = make()
    modules = nn.ModuleList(module for module in theirs if isinstance(module, nn.Module))
    for module in modules.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.running_mean.normal_(), module.running_var.uniform_(0.5, 2)
    modules.train(training)
    if isinstance(theirs, nn.Sequential):
        theirs.train(training)
    ours = et.from_groupy(theirs)
    assert ours.training == training
    x = torch.randn(4, channels, size, size)
    assert torch.allclose(ours(x), run(theirs, x), rtol=1e-4, atol=1e-5)
    statistics = [module.running_var for module in modules.modules() if isinstance(module, nn.BatchNorm3d)]
    ours_found = [module.running_var for module in ours.modules() if isinstance(module, et.BatchNorm)]
    assert len(ours_found) == len(statistics)
    for found, expected in zip(ours_found, statistics, strict=True):
        assert torch.allclose(found, expected, rtol=1e-4)


def test_elements_stand_in_the_order_of_this_package():
    theirs = [P4MConvZ2(1, 2, 3), P4MConvP4M(2, 3, 3)]
    x = torch.randn(1, 1, 9, 9)
    assert torch.allclose(et.from_groupy(theirs)(x), run(theirs, x)[:, :, THEIRS], atol=1e-5)


def test_imported_models_are_copies_and_commute_with_the_group():
    theirs = [P4MConvZ2(1, 2, 3), nn.ReLU(), P4MConvP4M(2, 3, 3)]
    ours = et.from_groupy(theirs)
    x = torch.randn(1, 1, 9, 9)
    y = ours(x).detach().numpy()
    for element in range(8):
        turned = ours(torch.from_numpy(eq.act(x.numpy(), D4, element).copy()))
        assert np.allclose(turned.detach().numpy(), eq.act(y, D4, element), atol=1e-5)
    with torch.no_grad():
        ours[0].weight.zero_()
    assert theirs[0].weight.abs().min() > 0


@pytest.mark.parametrize("name", NETWORKS)
def test_imported_models_become_files(name, tmp_path):
    make, (channels, size) = NETWORKS[name]
    ours, x = et.from_groupy(make()).eval(), torch.randn(2, channels, size, size)
    et.save_network(ours, tmp_path / "network.safetensors", x)
    with torch.no_grad():
        assert torch.allclose(et.load_network(tmp_path / "network.safetensors")(x), ours(x), rtol=1e-4, atol=1e-5)


def test_a_layer_alone_is_a_layer():
    layer = et.from_groupy(P4ConvP4(2, 3, 3, stride=2, padding=1).eval())
    assert isinstance(layer, et.GroupConv)
    assert (layer.stride, layer.padding, layer.training) == ((2, 2), (1, 1), False)


def test_links_of_chainer_stand_in_lists():
    """As far as an import reads them: W, b, stride and pad, arrays behind ``array``."""

    class Variable:
        def __init__(self, array):
            self.array = array

    class P4ConvZ2Link:
        input_stabilizer_size, output_stabilizer_size = 1, 4
        stride, pad, filter_mask, flat_channels = (1, 1), (1, 1), None, False
        W = Variable(np.arange(18, dtype=np.float32).reshape(2, 1, 1, 3, 3))
        b = Variable(np.ones(2, np.float32))

    ours = et.from_groupy([P4ConvZ2Link(), nn.ReLU()])
    expected = et.from_groupy(P4ConvZ2Link.W.array, C4, P4ConvZ2Link.b.array, padding=1)
    x = torch.randn(1, 1, 5, 5)
    assert torch.equal(ours(x), expected(x).relu())
    P4ConvZ2Link.flat_channels = True
    with pytest.raises(ValueError, match=r"model\[0\] has a filter_mask, or flat_channels"):
        et.from_groupy([P4ConvZ2Link()])


@pytest.mark.parametrize(
    ("modules", "error", "message"),
    [
        ([P4ConvZ2(1, 2, 3), nn.MaxPool3d(2)], ValueError, r"model\[1\] is a MaxPool3d .* along the axis of H"),
        (
            [P4ConvZ2(1, 2, 3), nn.AvgPool3d((1, 2, 2), ceil_mode=True)],
            ValueError,
            "with ceil_mode True, expected False",
        ),
        ([P4ConvZ2(1, 2, 3), nn.Conv3d(2, 2, 1)], ValueError, r"model\[1\] is a Conv3d, which has no counterpart"),
        ([P4ConvZ2(1, 2, 3), P4MConvP4M(2, 2, 3)], ValueError, "reads a signal on G for D4, expected .* for C4"),
        ([P4ConvP4(1, 2, 3), P4ConvZ2(2, 2, 3)], ValueError, "reads a signal on the plane, expected .* G for C4"),
        ([P4MConvZ2(1, 1, 3), nn.Flatten(), nn.BatchNorm1d(8)], ValueError, r"model\[2\] is a BatchNorm1d"),
        ([P4ConvZ2(1, 2, 3), torch.relu], TypeError, r"model\[1\] is <built-in method relu"),
        ([P4ConvZ2(1, 2, 3), partial(plane_group_spatial_max_pooling)], TypeError, r"model\[1\] is functools.partial"),
        ([nn.BatchNorm3d(2)], ValueError, r"model\[0\] is a BatchNorm3d, which has no counterpart"),
        ([], ValueError, "model has no modules"),
        (np.zeros((1, 1, 4, 3, 3), np.float32), TypeError, "group is None, expected cyclic"),
    ],
)
def test_modules_without_a_counterpart_are_named_with_their_place(modules, error, message):
    with pytest.raises(error, match=message):
        et.from_groupy(modules)


def test_a_model_with_a_forward_of_its_own_is_refused():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = P4ConvZ2(1, 2, 3)

        def forward(self, x):
            return self.first(x).relu()

    with pytest.raises(TypeError, match=r"model is a Model, whose forward is its own, .* pass its modules in a list"):
        et.from_groupy(Model())

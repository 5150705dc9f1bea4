# SPDX-License-Identifier: Apache-2.0
"""Ordinary networks as equivariant ones: shapes, equivariance to the last bit, counts, names and training."""

from __future__ import annotations

import copy
import math
import pickle
import warnings

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

import torch_networks as networks  # noqa: E402 (torch may be missing)
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

C4, D4 = eq.cyclic(4), eq.dihedral(4)
# Networks, groups, and the shapes of images whose sizes fit all strides.
CASES = {
    "resnet C4": (networks.ResNet18, C4, (2, 3, 33, 33)),
    "resnet D4": (networks.ResNet18, D4, (1, 3, 33, 33)),
    "unet C4": (networks.UNet, C4, (2, 2, 16, 16)),
    "unet D4": (networks.UNet, D4, (1, 2, 8, 12)),
    "convnet C4": (networks.ConvNet, C4, (3, 1, 16, 16)),
    "convnet D4": (networks.ConvNet, D4, (2, 1, 12, 8)),
    "squeezed C4": (networks.Squeezed, C4, (2, 3, 7, 8)),
    "squeezed D4": (networks.Squeezed, D4, (2, 3, 8, 8)),
    "normed C4": (networks.Normed, C4, (2, 3, 7, 8)),
    "normed D4": (networks.Normed, D4, (2, 3, 8, 8)),
    "autoencoder C4": (networks.autoencoder, C4, (2, 2, 9, 13)),
    "autoencoder D4": (networks.autoencoder, D4, (1, 2, 9, 9)),
    "dense C4": (networks.Dense, C4, (2, 3, 8, 8)),
    "unet 1-D": (lambda: networks.UNet(1), eq.reflection(), (2, 2, 16)),
    "volumes": (networks.volumes, eq.octahedral(), (1, 1, 4, 4, 6)),
}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)


def trained(network):
    """With statistics and parameters of batch norm that are not those of a new one, in evaluation."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            nn.init.normal_(module.weight, 1, 0.2)
            nn.init.normal_(module.bias, 0, 0.2)
    return network.eval()


def converted(name, **keywords):
    make, group, shape = CASES[name]
    plain = trained(make())
    return plain, trained(et.convert(plain, group, **keywords)), group, torch.randn(shape)


@pytest.mark.parametrize("keep", ["parameters", "width"])
@pytest.mark.parametrize("name", CASES)
def test_outputs_have_the_shape_they_had(name, keep):
    plain, network, _, x = converted(name, keep=keep)
    with torch.no_grad():
        assert network(x).shape == plain(x).shape


@pytest.mark.parametrize("backend", [None, "torch"])
@pytest.mark.parametrize("name", CASES)
def test_converted_networks_commute_with_the_group_to_the_last_bit(name, backend):
    """No warning either: sizes fit."""
    plain, network, group, x = converted(name, keep="width")
    eq.set_algorithm(network, "exact")
    et.set_backend(network, backend)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert eq.equivariance_error(network, x, group) == 0
    assert eq.equivariance_error(plain, x, group) > 1e-3
    with torch.no_grad():
        assert network(x).std() > 1e-3


def test_linear_upsampling_commutes_to_the_last_bit():
    network = trained(et.convert(networks.UNet(mode="bilinear"), D4, "width"))
    eq.set_algorithm(network, "exact")
    assert eq.equivariance_error(network, torch.randn(1, 2, 8, 8), D4) == 0


@pytest.mark.parametrize("pool", ["max", "mean"])
def test_fiber_is_pooled_as_asked_before_the_head(pool):
    network = trained(et.convert(networks.ResNet18(), C4, pool=pool))
    eq.set_algorithm(network, "exact")
    assert network.group_pool.mode == pool
    assert eq.equivariance_error(network, torch.randn(1, 3, 33, 33), C4) == 0


@pytest.mark.parametrize("name", CASES)
def test_parameters_have_the_names_they_had(name):
    plain, network, _, _ = converted(name)
    assert {key for key, _ in network.named_parameters()} == {key for key, _ in plain.named_parameters()}
    added = set(network.state_dict()) - set(plain.state_dict())
    assert set(plain.state_dict()) <= set(network.state_dict())
    assert all(key.endswith("._extra_state") for key in added)


def test_keep_parameters_keeps_the_weights_of_group_convolutions():
    """sqrt(4) divides all widths: a group convolution has C/2 O/2 4 k^2 weights, as many as before."""
    plain = networks.ResNet18((8, 16, 24, 32))
    network = et.convert(plain, C4)
    for name, module in network.named_modules():
        if isinstance(module, et.GroupConv):
            before = plain.get_submodule(name)
            assert module.weight.numel() == before.weight.numel()
            assert (module.in_channels, module.out_channels) == (before.in_channels // 2, before.out_channels // 2)
    assert network.conv1.weight.numel() == plain.conv1.weight.numel() // 2
    report = et.conversion_report(network)
    assert abs(report.parameters_after / report.parameters_before - 1) < 0.03


def test_keep_width_keeps_the_numbers_of_signals():
    plain = networks.ResNet18((8, 16, 24, 32))
    network = et.convert(plain, D4, keep="width")
    for name, module in network.named_modules():
        if isinstance(module, et.GroupConv):
            assert module.out_channels * D4.order == plain.get_submodule(name).out_channels


@pytest.mark.parametrize("keep", ["parameters", "width"])
def test_channels_are_divided_rounded_and_at_least_one(keep):
    divisor = {"parameters": math.sqrt(8), "width": 8}[keep]
    for width in (1, 2, 3, 7, 16, 30):
        plain = nn.Sequential(nn.Conv2d(3, width, 3), nn.Conv2d(width, 2 * width, 3), nn.Conv2d(2 * width, 4, 3))
        network = et.convert(plain, D4, keep)
        first, second, last = (network.get_submodule(str(number)) for number in range(3))
        assert first.out_channels == max(1, round(width / divisor)) == second.in_channels
        assert second.out_channels == max(1, round(2 * width / divisor)) == last.in_channels
        assert (first.in_channels, last.out_channels) == (3, 4)


def test_groups_of_channels_keep_their_size_and_there_are_fewer():
    """8 groups of 3 channels become 4 of 3 for C4, and write 4 groups of 2."""
    plain = nn.Sequential(
        nn.Conv2d(3, 24, 3), nn.Conv2d(24, 16, 3, padding=1, groups=8), nn.ReLU(),
        nn.ConvTranspose2d(16, 16, 2, 2, groups=4), nn.Conv2d(16, 16, 3, groups=16), nn.Conv2d(16, 4, 1),
    )  # fmt: skip
    network = et.convert(plain, C4).eval()
    first, groups, _, back, depthwise, last = (network.get_submodule(str(number)) for number in range(6))
    assert (first.out_channels, groups.in_channels, groups.out_channels, groups.groups) == (12, 12, 8, 4)
    assert (back.in_channels, back.out_channels, back.groups) == (8, 8, 2)
    assert (depthwise.groups, depthwise.weight.shape[1], last.in_channels) == (8, 1, 8)
    eq.set_algorithm(network, "exact")
    x = torch.randn(1, 3, 9, 9)
    with torch.no_grad():
        y = network(x)
        assert y.shape == plain(x).shape
        assert torch.equal(network(torch.rot90(x, 1, (2, 3))), torch.rot90(y, 1, (2, 3)))


def test_concatenated_channels_are_the_sum_of_their_parts_also_where_one_convolution_meets_them():
    """5 channels become 2 (of 5 / 2), 10 of two parts 4 and not 5, and the image keeps its 3."""
    network = et.convert(networks.Dense(), C4)
    assert (network.one.out_channels, network.two.out_channels) == (2, 2)
    assert (network.mix.in_channels, network.mix.out_channels) == (4, 4)
    assert network.last.in_channels == 4 + 3


def test_layers_have_the_place_that_the_signal_gives_them():
    network = et.convert(networks.UNet(), C4)
    kinds = {name: type(module) for name, module in network.named_modules()}
    assert kinds["down1.0"] is et.LiftingConv
    assert kinds["last"] is et.ProjectionConv
    assert kinds["bottom.0"] is et.GroupConv
    assert kinds["bottom.1"] is et.BatchNorm
    assert kinds["pool"] is et.SpatialMaxPool
    single = et.convert(nn.Sequential(nn.Conv2d(1, 2, 3)), C4)
    assert type(single.get_submodule("0")) is et.IsotropicConv


def test_features_that_leave_the_network_keep_their_channels_on_the_plane():
    class Features(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Conv2d(2, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)

        def forward(self, x):
            y = self.one(x).relu()
            return {"features": y + self.two(y), "first": (y,)}

    network = et.convert(Features(), C4)
    x = torch.randn(1, 2, 6, 6)
    y = network(x)
    assert y["features"].shape == y["first"][0].shape == (1, 6, 6, 6)
    eq.set_algorithm(network, "exact")
    assert eq.equivariance_error(lambda z: network(z)["features"], x, C4) == 0


def test_linear_maps_keep_their_outputs_unless_they_meet_channels_of_a_convolution():
    """Hidden numbers stay; gates of channels are as many as the channels, which are divided."""
    network = et.convert(networks.ConvNet(), C4)
    assert (network.fc1.in_features, network.fc1.out_features, network.fc2.in_features) == (10, 16, 16)
    squeezed = et.convert(networks.Squeezed(), C4)
    first, last = squeezed.get_submodule("gate.0"), squeezed.get_submodule("gate.2")
    assert (first.in_features, first.out_features, last.in_features, last.out_features) == (4, 4, 4, 4)
    assert squeezed.first.out_channels == squeezed.last.in_features == 4


def test_norms_have_parts_that_divide_their_channels():
    """12 channels in 4 parts become 6 in 3 (of at most 4, 3 divides 6)."""
    network = et.convert(networks.Normed(), C4)
    assert (network.groups.options.num_groups, network.groups.options.num_channels) == (3, 6)
    assert type(network.instances) is et.InstanceNorm
    assert network.layer.normalized_shape == (4,)


def test_normalization_of_the_image_stays():
    """One number for each channel of the image, whose channels stay."""

    class Normalized(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mean", torch.tensor([0.1, 0.2, 0.3]).reshape(3, 1, 1))
            self.register_buffer("deviation", torch.tensor([0.5, 2.0, 1.0]).reshape(1, 3, 1, 1))
            self.scale = nn.Parameter(torch.tensor(3.0))
            self.first = nn.Conv2d(3, 4, 3)

        def forward(self, x):
            return self.first((x - self.mean) / self.deviation) * self.scale

    network = et.convert(Normalized(), C4)
    x = torch.randn(1, 3, 6, 6)
    other = (x - network.mean) / network.deviation
    assert torch.equal(network(x), network.first(other) * 3)
    assert dict(network.named_parameters()).keys() == {"scale", "first.weight", "first.bias"}
    assert dict(network.named_buffers()).keys() == {"mean", "deviation"}


def test_dropout_that_never_drops_goes():
    class Never(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(1, 4, 3)

        def forward(self, x):
            return functional.dropout(self.first(x), 0.9, training=False)

    network = et.convert(Never(), C4)
    assert [name for name, _ in network.named_children()] == ["first"]


def test_modules_called_twice_share_their_weights_and_channels():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.step, self.last = nn.Conv2d(1, 7, 3), nn.Conv2d(7, 7, 3, padding=1), nn.Conv2d(7, 2, 3)

        def forward(self, x):
            x = self.first(x)
            return self.last(self.step(self.step(x).relu()).relu())

    network = et.convert(Recurrent(), D4)
    assert network.step.in_channels == network.step.out_channels == 2
    assert sum(row.name == "step" for row in et.conversion_report(network).rows) == 1
    eq.set_algorithm(network, "exact")
    assert eq.equivariance_error(network, torch.randn(1, 1, 9, 9), D4) == 0


def test_weights_have_the_deviation_of_he():
    network = et.convert(nn.Sequential(nn.Conv2d(3, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.Conv2d(64, 1, 1)), C4)
    weight = network.get_submodule("2").weight
    assert abs(float(weight.detach().std()) / math.sqrt(2 / (32 * 4 * 9)) - 1) < 0.05


def test_training_flags_dtype_and_device_are_those_of_the_module():
    plain = networks.ConvNet().double().eval()
    network = et.convert(plain, C4)
    assert not any(module.training for module in network.modules())
    assert {p.dtype for p in network.parameters()} == {torch.float64}
    meta = et.convert(networks.ConvNet().to("meta"), C4)
    assert {p.device.type for p in meta.parameters()} == {"meta"}
    assert all(module.training for module in et.convert(networks.ConvNet(), C4).modules())


def test_dropout_as_a_function_follows_the_mode():
    network = et.convert(networks.ConvNet().eval(), C4)
    x = torch.randn(2, 1, 8, 8)
    assert torch.equal(network(x), network(x))
    network.train()
    assert isinstance(network.drop, et.FieldDropout)
    assert not torch.equal(network(x), network(x))


@pytest.mark.parametrize("name", ["resnet C4", "unet C4", "convnet D4"])
def test_training_one_epoch_improves_the_loss(name):
    """Bars of two directions, or the brightness of pixels: 64 images in batches of 16."""
    make, group, shape = CASES[name]
    network = et.convert(make(), group)
    rng = np.random.default_rng(20200426)
    labels = torch.from_numpy(rng.integers(0, 2, 64))
    x = torch.from_numpy(rng.normal(size=(64, *shape[1:])).astype(np.float32)) * (1 + 2 * labels.reshape(-1, 1, 1, 1))
    target = labels if "unet" not in name else (x[:, 0] > 0.5).long()

    def loss(rows):
        return functional.cross_entropy(network(x[rows]), target[rows])

    with torch.no_grad():
        before = loss(slice(None))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for start in range(0, 64, 16):
        optimizer.zero_grad()
        loss(slice(start, start + 16)).backward()
        optimizer.step()
    with torch.no_grad():
        assert loss(slice(None)) < 0.9 * before


@pytest.mark.parametrize("name", ["resnet C4", "unet C4", "unet D4", "convnet C4", "autoencoder C4", "dense C4"])
def test_converted_networks_are_saved_as_files(name, tmp_path):
    _, network, _, x = converted(name)
    path = tmp_path / "network.safetensors"
    et.save_network(network, path, x)
    with torch.no_grad():
        expected = network(x).numpy()
    assert np.allclose(eq.load_network(path)(x.numpy()), expected, atol=1e-4 * np.abs(expected).max())


def test_converted_networks_are_copied_pickled_and_expanded():
    _, network, _, x = converted("squeezed C4")
    with torch.no_grad():
        expected = network(x)
        twin = copy.deepcopy(network)
        assert torch.equal(twin(x), expected)
        assert repr(et.conversion_report(twin)) == repr(et.conversion_report(network))
        assert torch.equal(pickle.loads(pickle.dumps(network))(x), expected)
        assert torch.allclose(et.expand(network)(x), expected, atol=1e-5)
    other = et.convert(networks.Squeezed(), C4).eval()
    other.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert torch.equal(other(x), expected)


def test_module_does_not_change():
    plain = networks.UNet()
    before = copy.deepcopy(plain.state_dict())
    et.convert(plain, C4)
    assert all(torch.equal(value, before[key]) for key, value in plain.state_dict().items())


def test_sizes_that_do_not_fit_warn_at_the_line_of_the_user():
    network = et.convert(networks.ResNet18(), C4).eval()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        network(torch.randn(1, 3, 32, 32))
    assert caught
    assert {warning.category for warning in caught} == {eq.EquivarianceWarning}
    assert {warning.filename for warning in caught} == {__file__}
    assert "Nearest sizes that fit: 31 or 33" in str(caught[0].message)


def test_other_groups_convert_too():
    network = et.convert(networks.ResNet18(), eq.cyclic(8), keep="width").eval()
    eq.set_algorithm(network, "exact")
    assert eq.equivariance_error(network, torch.randn(1, 3, 33, 33), eq.cyclic(8)) == 0


def test_trivial_group_gives_a_network_of_the_same_sizes_that_computes_the_same():
    """With the weights of the ordinary network, whose group has one element."""
    plain = trained(networks.ResNet18())
    network = et.convert(plain, eq.trivial(2))
    own = network.state_dict()
    weights = {key: value.reshape(own[key].shape) for key, value in plain.state_dict().items()}
    network.load_state_dict(own | weights)
    x = torch.randn(2, 3, 33, 33)
    with torch.no_grad():
        expected = plain(x)
        assert torch.allclose(network(x), expected, atol=1e-4 * float(expected.abs().max()))


def test_report_lists_what_was_done():
    report = et.conversion_report(et.convert(networks.ResNet18(), C4))
    text = repr(report)
    assert text.splitlines()[0] == 'C4, keep="parameters"; weights are drawn anew'
    rows = {row.name: row for row in report.rows}
    assert (rows["conv1"].before, rows["conv1"].after) == ("Conv2d(3, 8)", "LiftingConv(3, 4)")
    assert (rows["conv1"].parameters_before, rows["conv1"].parameters_after) == (3 * 8 * 49, 3 * 4 * 49)
    assert (rows["group_pool"].before, rows["group_pool"].after) == ("", "GroupPool(max)")
    assert report.parameters_before == sum(p.numel() for p in networks.ResNet18().parameters())
    for row in report.rows:
        assert row.name in text


@pytest.mark.parametrize(
    ("value", "error"), [("network", TypeError), (nn.Conv2d(1, 1, 1), ValueError), (None, TypeError)]
)
def test_report_of_another_value_is_refused(value, error):
    with pytest.raises(error, match=r"network is .*expected"):
        et.conversion_report(value)

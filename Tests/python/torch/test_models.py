# SPDX-License-Identifier: Apache-2.0
"""Models of the literature: they turn with their input, have the parameters they should, and build for any group."""

from __future__ import annotations

import copy
import pickle
import warnings

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch")
import equiconv.torch as et  # noqa: E402
from devices import on_accelerators  # noqa: E402
from equiconv.torch import models  # noqa: E402
from model_cases import C4, CASES, D4, act, signal, trained  # noqa: E402


def lattice(group):
    """The elements that map the grid to itself."""
    matrices = np.asarray(group.matrices)
    return [int(e) for e in np.flatnonzero(np.all(np.abs(matrices - np.rint(matrices)) < 1e-12, axis=(1, 2)))]


def counted(module):
    return sum(parameter.numel() for parameter in module.parameters())


def weights_of(module):
    """The numbers of kernels and matrices, without norms and biases."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.dim() > 1)


@pytest.mark.parametrize("name", CASES)
def test_models_in_direct_turn_with_their_input_to_the_last_bit(name):
    case = CASES[name]
    model = trained(case.model())
    eq.set_algorithm(model, "direct")
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("error")
        for sizes in case.sizes:
            x = signal(model, sizes)
            y = model(x)
            assert len(set(y.flatten().tolist())) > 1
            for element in lattice(case.group):
                expected = act(y, case.group, element) if case.writes_plane else y
                assert torch.equal(model(act(x, case.group, element)), expected)


@pytest.mark.parametrize("name", CASES)
def test_exact_sizes_are_those_that_calls_do_not_warn_of(name):
    case = CASES[name]
    model = case.model(device="meta").eval()
    smallest, largest = max(1, case.sizes[0][0] - 4), case.sizes[0][0] + 4
    sizes = []
    for size in range(smallest, largest + 1):
        x = torch.zeros(1, model.in_channels, *(size,) * case.group.dimension, device="meta")
        with warnings.catch_warnings():
            warnings.simplefilter("error", eq.EquivarianceWarning)
            try:
                model(x)
            except (eq.EquivarianceWarning, ValueError):
                continue
        sizes.append(size)
    assert model.exact_sizes(smallest, largest) == tuple(sizes)
    assert sizes


@pytest.mark.parametrize("name", CASES)
def test_models_expand_pickle_and_load_their_state(name):
    case = CASES[name]
    model = trained(case.model())
    x = signal(model, case.sizes[0])
    with torch.no_grad():
        y = model(x)
        torch.testing.assert_close(et.expand(model)(x), y, atol=1e-4 * float(y.abs().max()), rtol=0)
        assert torch.equal(pickle.loads(pickle.dumps(model))(x), y)
        other = case.model().eval()
        assert not torch.equal(other(x), y)
        other.load_state_dict(copy.deepcopy(model.state_dict()))
        assert torch.equal(other(x), y)


@pytest.mark.parametrize("name", CASES)
def test_models_are_traced_and_their_layers_explained(name):
    case = CASES[name]
    model = trained(case.model())
    x = signal(model, case.sizes[0])
    with torch.no_grad():
        assert torch.equal(torch.fx.symbolic_trace(model)(x), model(x))
    lift = next(module for module in model.modules() if isinstance(module, et.LiftingConv))
    assert et.explain(lift, x).operations > 0


@on_accelerators
@pytest.mark.parametrize("name", CASES)
def test_models_on_another_device_compute_what_they_do_on_the_cpu(name, device):
    case = CASES[name]
    model = trained(case.model(dtype=torch.float64))
    x = signal(model, case.sizes[0]).double()
    with torch.no_grad():
        y = model(x)
        found = model.to(device)(x.to(device)).cpu()
    torch.testing.assert_close(found, y, atol=1e-10 * float(y.abs().max()), rtol=0)


@pytest.mark.parametrize("name", CASES)
def test_models_train(name):
    case = CASES[name]
    torch.manual_seed(0)
    model = case.model()
    x = signal(model, case.sizes[0], batch=2)
    model(x).square().mean().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("name", CASES)
def test_matched_models_have_the_parameters_that_come_nearest_and_the_trivial_group_all(name):
    case = CASES[name]
    given = tuple(4 * width for width in case.model().widths)
    model = case.model(widths=given, matched_to="parameters")
    plain = model.counterpart()
    assert plain.widths == given
    assert plain.group.order == 1
    error = abs(counted(model) - counted(plain))
    for factor in (0.9, 1.1):
        widths = tuple(max(1, round(width * factor)) for width in model.widths)
        if widths != model.widths:
            assert error <= abs(counted(case.model(widths=widths)) - counted(plain))
    assert case.model(widths=given, matched_to="width").widths == tuple(
        max(1, int(width / case.group.order + 0.5)) for width in given
    )


def test_p4cnn_has_the_published_weights():
    # 10 channels: a lifting layer, five group layers of 3 x 3 and one of 4 x 4; the paper counts nothing else.
    assert weights_of(models.p4cnn()) == 10 * 9 + 5 * 10 * 10 * 4 * 9 + 10 * 10 * 4 * 16 == 24_490
    assert counted(models.p4cnn()) == 24_490 + 6 * 2 * 10 + 10
    assert weights_of(models.z2cnn()) == 20 * 9 + 5 * 20 * 20 * 9 + 20 * 10 * 16 == 21_380
    assert models.z2cnn().layer3.dropout.p == 0.3


def test_z2cnn_is_an_ordinary_network():
    model = trained(models.z2cnn(widths=3))
    layers = [torch.nn.Conv2d(1 if number == 0 else 3, 3, 3) for number in range(6)]
    x = y = signal(model, (28, 28))
    with torch.no_grad():
        for number, layer in enumerate(layers, start=1):
            own = getattr(model, f"layer{number}")
            layer.weight.copy_(own.conv.weight.reshape(layer.weight.shape))
            norm = own.norm
            y = layer(y) - layer.bias.reshape(-1, 1, 1)
            y = torch.nn.functional.batch_norm(y, norm.running_mean, norm.running_var, norm.weight, norm.bias)
            y = torch.relu(y)
            y = torch.nn.functional.max_pool2d(y, 2) if number == 2 else y
        y = torch.nn.functional.conv2d(y, model.top.weight.reshape(10, 3, 4, 4), model.top.bias)
        torch.testing.assert_close(model(x), y.amax((2, 3)), atol=1e-5, rtol=1e-5)


def test_resnets_of_the_trivial_group_have_torchvisions_parameters():
    group = eq.trivial(2)
    counts = {models.resnet18: 11_689_512, models.resnet34: 21_797_672, models.resnet50: 25_557_032}
    for make, expected in counts.items():
        assert counted(make(group, device="meta")) == expected
        assert abs(counted(make(D4, device="meta")) / expected - 1) < 0.005
    assert counted(models.wrn_28_10(group, device="meta")) == 36_479_194
    assert counted(models.wrn_16_8(group, device="meta")) == 10_961_370


def test_networks_of_the_table_of_cifar_have_the_published_parameters():
    # In millions; the published heads read all of H.
    for make, plain, published, published_plain in (
        (models.p4m_resnet26, 71, 7.17, 7.24),
        (models.p4m_resnet44, 32, 2.62, 2.64),
    ):
        model = make(device="meta")
        head = 7 * 10 * model.widths[-1]
        assert round((counted(model) + head) / 1e6, 2) == published
        widths = (plain, plain, 2 * plain, 4 * plain)
        ordinary = model.like(group=eq.trivial(2), widths=widths)
        assert abs(counted(ordinary) / 1e6 - published_plain) < 0.01
        assert ordinary.like(group=D4, matched_to="parameters").widths[:3] == model.widths[:3]


def test_gdensenet_and_se2cnn_have_the_published_weights():
    # The kernels that Romero et al. count, 124.21 thousand, with the head on all of H; and the ordinary 130.60.
    assert counted(models.gdensenet()) - 2 - 2 * 54 + 2 * 8 * 54 == 124_209
    assert counted(models.gdensenet(eq.trivial(2), widths=26)) - 2 == 130_598
    assert weights_of(models.se2cnn()) == 51_428
    assert counted(models.se2cnn()) == 51_428 + 4 + 8 + 16 + 128 + 10


class Ordinary(torch.nn.Module):
    """A residual network after torchvision's, with one block a stage, from the weights of a model."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        f, model = torch.nn.functional, self.model

        def normed(layer, y):
            return f.batch_norm(y, layer.running_mean, layer.running_var, layer.weight, layer.bias)

        def conv(layer, y, stride=1):
            weight = layer.weight if layer.weight.dim() == 4 else layer.weight[:, :, 0]
            return f.conv2d(y, weight, stride=stride, padding=weight.shape[-1] // 2)

        x = normed(model.stem.norm, conv(model.stem.conv, x, 2)).relu()
        x = f.max_pool2d(x, 3, 2, 1)
        for stage in range(1, 5):
            block, stride = getattr(model, f"layer{stage}")[0], 1 if stage == 1 else 2
            y = normed(block.norm1, conv(block.conv1, x, stride)).relu()
            y = normed(block.norm2, conv(block.conv2, y))
            if block.shortcut is not None:
                x = normed(block.shortcut_norm, conv(block.shortcut, x, stride))
            x = (x + y).relu()
        return f.linear(x.mean((2, 3)), model.head.fc.weight, model.head.fc.bias)


def test_resnets_of_the_trivial_group_compute_what_torchvisions_do():
    model = models.ResNet(eq.trivial(2), (1, 1, 1, 1), 5, widths=(4, 6, 8, 10), dtype=torch.float64)
    x = signal(trained(model), (47, 64), batch=2).double()
    torch.testing.assert_close(model(x), Ordinary(model)(x), atol=1e-11, rtol=0)


def test_unets_of_the_trivial_group_compute_what_ordinary_ones_do():
    model = trained(models.UNet(eq.trivial(2), 3, widths=(2, 3), dtype=torch.float64))
    f = torch.nn.functional

    def double(units, y):
        for unit in (units.unit1, units.unit2):
            weight = unit.conv.weight if unit.conv.weight.dim() == 4 else unit.conv.weight[:, :, 0]
            norm = unit.norm
            y = f.conv2d(y, weight, padding=1)
            y = f.batch_norm(y, norm.running_mean, norm.running_var, norm.weight, norm.bias).relu()
        return y

    x = signal(model, (6, 8), batch=2).double()
    first = double(model.down1, x)
    y = double(model.down2, f.max_pool2d(first, 2))
    y = f.conv_transpose2d(y, model.up1.larger.weight[:, :, 0], model.up1.larger.bias, stride=2)
    y = double(model.up1.units, torch.cat([first, y], 1))
    y = f.conv2d(y, model.head.weight[:, :, 0], model.head.bias)
    torch.testing.assert_close(model(x), y, atol=1e-11, rtol=0)


@pytest.mark.parametrize("name", ["p4cnn", "resnet18", "wrn_16_8", "gdensenet-same", "se2cnn-C4", "unet", "unet-1d"])
def test_network_files_have_models(name, tmp_path):
    case = CASES[name]
    model = trained(case.model())
    x = signal(model, case.sizes[0])
    path = tmp_path / "model.safetensors"
    et.save_network(model, path, x)
    with torch.no_grad():
        y = model(x)
    np.testing.assert_allclose(eq.load_network(path)(x.numpy()), y, atol=1e-5 * float(y.abs().max()))
    assert torch.equal(et.load_network(path)(x), y)


def test_network_files_refuse_dense_blocks_without_padding(tmp_path):
    model = models.gdensenet(C4, widths=1, layers=(1,)).eval()
    with pytest.raises(ValueError, match=r"narrow.* at block1 \(DenseBlock\)"):
        et.save_network(model, tmp_path / "model.safetensors", signal(model, (8, 8)))


def test_options_reach_all_convolutions():
    basis = eq.bspline_basis(3)
    for make in (models.p4cnn, models.resnet18, models.wrn_16_8, models.gdensenet, models.se2cnn, models.unet):
        widths = (2, 2) if make is models.unet else 2
        model = make(eq.cyclic(8), widths=widths, matched_to=None, kernel=basis, algorithm="direct", backend="torch")
        layers = [module for module in model.modules() if hasattr(module, "algorithm")]
        assert {(layer.algorithm, layer.backend) for layer in layers} == {("direct", "torch")}
        assert sum(layer.options.basis == basis for layer in layers) >= 3
        ordinary = model.counterpart()
        assert ordinary.group.order == 1


def test_matched_models_count_the_weights_of_bases_on_the_group():
    basis = eq.localized([0, 1, 7])
    model = models.wrn_16_8(eq.cyclic(8), widths=8, matched_to="parameters", group_basis=basis)
    # Three weights for each pair of channels in place of eight: nearly 8 / sqrt(3) channels.
    assert model.widths == (5, 5, 5, 5)
    assert model.layer1[0].conv1.group_basis == model.like(dropout=0.5).layer1[0].conv1.group_basis == basis
    assert model.counterpart().layer1[0].conv1.group_basis is None
    assert models.p4cnn(widths=np.int64(3)).widths == (3,) * 6


def test_summaries_count_what_the_model_has_and_does():
    model = models.se2cnn(C4)
    text = models.summary(model, (2, 1, 32, 32))
    assert text.parameters == counted(model) == sum(row.parameters for row in text.rows)
    assert text.operations == sum(row.operations for row in text.rows)
    by_name = {row.name: row for row in text.rows}
    # Two images, two for a multiply-add: 28 x 28 outputs of 4 channels and 4 elements, each of 25 products.
    assert by_name["layer1.conv"].operations == 2 * 2 * 28 * 28 * 4 * 4 * 25
    assert by_name["layer2.conv"].operations == 2 * 2 * 10 * 10 * 8 * 4 * (4 * 4 * 25)
    ordinary = model.counterpart()
    assert text.ordinary_parameters == counted(ordinary)
    assert text.residual == counted(model) / counted(ordinary) - 1
    assert by_name["layer1.conv"].ordinary_operations == 2 * 2 * 28 * 28 * ordinary.widths[0] * 25
    assert str(text).splitlines()[0] == "SE2CNN on C4 for (2, 1, 32, 32)"
    assert model.training


def test_summaries_of_other_modules_have_no_counterpart():
    network = torch.nn.Sequential(et.LiftingConv(1, 2, 3, C4), et.GroupPool(C4), torch.nn.Conv2d(2, 1, 3))
    text = models.summary(network, (1, 1, 9, 9))
    assert text.residual is None
    assert [row.name for row in text.rows] == ["0", "2"]
    assert text.operations == 2 * 49 * 2 * 4 * 9 + 2 * 25 * 2 * 9
    with pytest.raises(TypeError, match="model is 3"):
        models.summary(3, (1,))
    with pytest.raises(ValueError, match=r"shape\[1\] is 0"):
        models.summary(network, (1, 0, 9, 9))


def test_counterparts_of_models_of_their_own_widths_have_nearly_as_many_parameters():
    model = models.p4cnn()
    assert abs(counted(model.counterpart()) / counted(model) - 1) < 0.05


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"group": "C4"}, "group is 'C4'"),
        ({"widths": 0}, "widths is 0"),
        ({"widths": (1, 2)}, "widths has 2 numbers, expected 6"),
        ({"widths": "wide"}, "widths is 'wide'"),
        ({"num_classes": 0}, "num_classes is 0"),
        ({"in_channels": 1.5}, "in_channels is 1.5"),
        ({"matched_to": "flops"}, "matched_to is 'flops', expected 'parameters' or 'width'"),
        ({"dropout": 2}, "is 2.0, expected a probability"),
        ({"norm": et.BatchNorm(3)}, "norm is "),
        ({"activation": 3}, "activation is 3"),
        ({"group_pool": "sum"}, "mode is 'sum'"),
    ],
)
def test_arguments_of_the_wrong_kind_are_errors_that_name_them(arguments, words):
    with pytest.raises((TypeError, ValueError), match=words):
        models.P4CNN(**{"group": C4, **arguments})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: models.ResNet(C4, (2, 2, 2)), "layers has 3 numbers, expected 4"),
        (lambda: models.ResNet(C4, stem="wide"), "stem is 'wide', expected 'imagenet' or 'cifar'"),
        (lambda: models.ResNet(C4, downsample="max"), "downsample is 'max'"),
        (lambda: models.ResNet(C4, bottleneck=1), "bottleneck is 1"),
        (lambda: models.ResNet(C4, kernel=2, widths=2), "kernel is 2 on axis 0, expected an odd extent"),
        (lambda: models.WideResNet(C4, 0), "blocks is 0"),
        (lambda: models.DenseNet(C4, ()), "layers has 0 numbers"),
        (lambda: models.DenseNet(C4, compression=0), "compression is 0.0, expected more than 0 and at most 1"),
        (lambda: models.UNet(C4, widths=3), "widths is 3"),
        (lambda: models.UNet(C4, widths=()), "widths has 0 numbers"),
        (lambda: models.UNet(C4, down="stride", up="linear"), "up is 'linear', expected 'transposed'"),
        (lambda: models.UNet(C4, has_skips=2), "has_skips is 2"),
        (
            lambda: models.UNet(C4, widths=(1, 1, 1))(torch.zeros(1, 1, 6, 8)),
            "size 6 on axis 2, expected a multiple of 4",
        ),
        (
            lambda: models.UNet(C4, widths=(1, 1, 1), down="stride")(torch.zeros(1, 1, 5, 8)),
            "size 8 on axis 3, expected a multiple of 4 plus 1",
        ),
    ],
)
def test_errors_of_models_name_arguments_and_sizes(make, words):
    with pytest.raises((TypeError, ValueError), match=words):
        make()


def test_exact_sizes_check_their_arguments():
    model = models.p4cnn(D4, widths=1)
    with pytest.raises(ValueError, match="largest is 3, expected an integer from 5"):
        model.exact_sizes(5, 3)
    with pytest.raises(ValueError, match="axis is 2"):
        model.exact_sizes(axis=2)

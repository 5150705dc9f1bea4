# SPDX-License-Identifier: Apache-2.0
"""Residual and dense blocks: equivariant, with as many weights as they say, and ordinary ones for the trivial group."""

from __future__ import annotations

import functools
import itertools
import warnings

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch")
import equiconv.torch as et  # noqa: E402
from torch import nn  # noqa: E402

C4, D4 = eq.cyclic(4), eq.dihedral(4)
# Sizes that fit strides of 2 twice, and windows of 2 where a block keeps them.
GROUPS = {
    "reflection": (eq.reflection(), (9,), (8,)),
    "C4": (C4, (9, 5), (6, 4)),
    "D4": (D4, (5, 9), (4, 6)),
    "octahedral": (eq.octahedral(), (3, 5, 3), (2, 4, 2)),
}
RESIDUAL = [
    {"stride": stride, "bottleneck": bottleneck, "preactivation": preactivation}
    for stride, bottleneck, preactivation in itertools.product((1, 2), (False, True), (False, True))
]


def trained(module):
    """The module in evaluation, with random parameters and statistics."""
    generator = torch.Generator().manual_seed(1)
    for layer in module.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm | et.GroupNorm | et.LayerNorm):
            for name, values in layer.state_dict().items():
                if values.is_floating_point():
                    values.copy_(torch.rand(values.shape, generator=generator) + (0.5 if "var" in name else 0))
    return module.eval()


def act(x, group, element):
    return torch.from_numpy(eq.act(x.detach().numpy(), group, element))


def signal(group, channels, sizes, dtype=torch.float32):
    shape = (2, channels, group.order, *sizes)
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(0))


def assert_commutes(module, x, group):
    y = module(x)
    for element in range(group.order):
        assert torch.equal(module(act(x, group, element)), act(y, group, element))


@pytest.mark.parametrize("options", RESIDUAL, ids=str)
@pytest.mark.parametrize("name", GROUPS)
def test_residual_blocks_in_evaluation_commute_with_the_group_to_the_last_bit(name, options):
    group, sizes, _ = GROUPS[name]
    for out_channels in (4, 8):
        block = trained(et.ResidualBlock(4, out_channels, group, **options))
        eq.set_algorithm(block, "exact")
        x = signal(group, 4, sizes)
        assert block(x).shape == (2, out_channels, group.order, *((n - 1) // options["stride"] + 1 for n in sizes))
        assert_commutes(block, x, group)


@pytest.mark.parametrize("options", RESIDUAL[len(RESIDUAL) // 2 :], ids=str)
@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("downsample", ["pool", "blur"])
def test_residual_blocks_with_pools_commute_on_the_sizes_of_their_pools(downsample, name, options):
    group, odd, even = GROUPS[name]
    block = trained(et.ResidualBlock(4, 8, group, downsample=downsample, dropout=0.5, **options))
    eq.set_algorithm(block, "exact")
    for sizes in (even,) if downsample == "pool" else (even, odd):
        x = signal(group, 4, sizes)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert block(x).shape == (2, 8, group.order, *(-(-n // 2) for n in sizes))
            assert_commutes(block, x, group)


def test_pools_of_residual_blocks_stand_where_the_stride_would_be():
    early = et.ResidualBlock(4, 8, C4, 2, downsample="pool", preactivation=True, dropout=0.5)
    assert early.plan.branch == ("conv1", "norm2", "activation", "pool", "dropout", "conv2")
    assert early.plan.shortcut == ("pool", "shortcut")
    late = et.ResidualBlock(4, 8, C4, 2, bottleneck=True, downsample="blur")
    assert late.plan.branch[3:8] == ("conv2", "norm2", "activation", "pool", "conv3")
    assert late.plan.shortcut == ("pool", "shortcut", "shortcut_norm")
    assert isinstance(early.pool, et.SpatialAvgPool)
    assert isinstance(late.pool, et.BlurPool)
    assert not hasattr(et.ResidualBlock(4, 8, C4, downsample="pool"), "pool")
    assert counted(early) == counted(et.ResidualBlock(4, 8, C4, 2, preactivation=True))


def test_dropout_of_blocks_drops_fields_in_training_alone():
    for block in (et.ResidualBlock(4, 4, C4, dropout=0.5), et.DenseBlock(4, 4, 2, C4, dropout=0.5)):
        x = signal(C4, 4, (5, 5))
        assert not torch.equal(block(x), block(x))
        block.eval()
        assert torch.equal(block(x), block(x))
    added = et.DenseBlock(4, 8, 1, C4, dropout=0.5)(x)[:, 4:]
    dropped = added.flatten(2).abs().amax(2) == 0
    assert 0 < int(dropped.sum()) < dropped.numel()


def test_dense_blocks_without_padding_crop_what_they_read():
    block = trained(et.DenseBlock(3, 2, 2, D4, padding="valid"))
    eq.set_algorithm(block, "exact")
    x = signal(D4, 3, (9, 8))
    y = block(x)
    assert y.shape == (2, 7, 8, 5, 4)
    assert torch.equal(y[:, :3], x[..., 2:-2, 2:-2])
    assert_commutes(block, x, D4)


@pytest.mark.parametrize("name", GROUPS)
def test_dense_blocks_and_transitions_in_evaluation_commute_with_the_group_to_the_last_bit(name):
    group, _, sizes = GROUPS[name]
    for bottleneck in (False, True):
        network = nn.Sequential(et.DenseBlock(3, 2, 2, group, bottleneck=bottleneck), et.DenseTransition(7, 3, group))
        eq.set_algorithm(trained(network), "exact")
        x = signal(group, 3, sizes)
        assert network(x).shape == (2, 3, group.order, *(n // 2 for n in sizes))
        assert_commutes(network, x, group)


@pytest.mark.parametrize(
    "norm", [None, functools.partial(et.GroupNorm, 2), lambda channels: et.LayerNorm(channels, D4)]
)
def test_blocks_with_other_norms_commute_to_the_last_bit(norm):
    block = trained(et.ResidualBlock(4, 8, D4, 2, 5, norm=norm, activation=nn.SiLU()))
    eq.set_algorithm(block, "exact")
    assert_commutes(block, signal(D4, 4, (9, 5)), D4)
    assert (block.conv1.bias is None) is (norm is not None)


def test_blocks_of_other_groups_and_bases_are_made_of_their_layers():
    group = eq.cyclic(8)
    block = et.ResidualBlock(2, 3, group, kernel=eq.bspline_basis(3), padding_mode="circular").eval()
    x = signal(group, 2, (5, 5))
    branch = block.norm2(block.conv2(torch.relu(block.norm1(block.conv1(x)))))
    assert torch.equal(block(x), torch.relu(branch + block.shortcut_norm(block.shortcut(x))))
    assert {block.conv1.padding_mode, block.shortcut.padding_mode} == {"circular"}


def counted(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("options", RESIDUAL, ids=str)
def test_residual_blocks_have_the_weights_that_follow_from_their_arguments(options, name):
    group, kernel = GROUPS[name][0], 5
    h, taps = group.order, kernel**group.dimension
    for inputs, outputs in ((4, 4), (4, 8)):
        width = outputs // 4 if options["bottleneck"] else outputs
        if options["bottleneck"]:
            weights = h * (inputs * width + width * width * taps + width * outputs)
            written, read = 2 * width + outputs, inputs + 2 * width
        else:
            weights = h * taps * (inputs * outputs + outputs * outputs)
            written, read = 2 * outputs, inputs + outputs
        norms = read if options["preactivation"] else written
        has_shortcut = inputs != outputs or options["stride"] > 1
        if has_shortcut:
            weights += h * inputs * outputs
            norms += 0 if options["preactivation"] else outputs
        block = et.ResidualBlock(inputs, outputs, group, kernel=kernel, **options)
        assert (block.shortcut is not None) is has_shortcut
        assert counted(block) == weights + 2 * norms


def test_dense_blocks_have_the_weights_that_follow_from_their_arguments():
    plain = et.DenseBlock(6, 3, 4, C4)
    reads = [6, 9, 12, 15]
    assert counted(plain) == sum(4 * 9 * 3 * read + 2 * read for read in reads)
    narrow = et.DenseBlock(6, 3, 4, C4, kernel=5, bottleneck=True)
    assert counted(narrow) == sum(4 * 12 * read + 4 * 25 * 12 * 3 + 2 * (read + 12) for read in reads)
    assert (plain.in_channels, plain.out_channels) == (6, 18)
    assert counted(et.DenseTransition(18, 9, C4)) == 4 * 18 * 9 + 2 * 18


class Ordinary(nn.Module):
    """A residual block of the plane, after torchvision's."""

    def __init__(self, inputs, outputs, stride, bottleneck, preactivation):
        super().__init__()
        width = outputs // 4 if bottleneck else outputs
        shapes = [(inputs, outputs, 3, stride), (outputs, outputs, 3, 1)]
        if bottleneck:
            shapes = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
        self.convs = nn.ModuleList(nn.Conv2d(c, o, k, s, k // 2, bias=False) for c, o, k, s in shapes)
        self.norms = nn.ModuleList(nn.BatchNorm2d(shape[0 if preactivation else 1]) for shape in shapes)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.shortcut_norm = nn.BatchNorm2d(outputs)
        self.preactivation = preactivation

    def forward(self, x):
        if self.preactivation:
            y = self.norms[0](x).relu()
            shortcut = self.shortcut(y)
            y = self.convs[0](y)
            for norm, conv in zip(self.norms[1:], self.convs[1:], strict=True):
                y = conv(norm(y).relu())
            return y + shortcut
        y = x
        for number, (norm, conv) in enumerate(zip(self.norms, self.convs, strict=True), start=1):
            y = norm(conv(y))
            y = y.relu() if number < len(self.convs) else y
        return (y + self.shortcut_norm(self.shortcut(x))).relu()


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("options", RESIDUAL, ids=str)
def test_residual_blocks_of_the_trivial_group_are_ordinary_ones(options, training):
    ours = et.ResidualBlock(4, 8, eq.trivial(2), dtype=torch.float64, **options)
    theirs = Ordinary(4, 8, **options).double()
    trained(ours)
    for number, (conv, norm) in enumerate(zip(theirs.convs, theirs.norms, strict=True), start=1):
        conv.weight.data.copy_(getattr(ours, f"conv{number}").weight[:, :, 0])
        norm.load_state_dict(getattr(ours, f"norm{number}").state_dict())
    theirs.shortcut.weight.data.copy_(ours.shortcut.weight[:, :, 0])
    if not options["preactivation"]:
        theirs.shortcut_norm.load_state_dict(ours.shortcut_norm.state_dict())
    ours.train(training)
    theirs.train(training)
    x = signal(eq.trivial(2), 4, (9, 7), torch.float64)
    expected = theirs(x[:, :, 0])
    # Sums of at most 72 products, in three layers, of numbers of about 1.
    assert torch.allclose(ours(x)[:, :, 0], expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("bottleneck", [False, True])
def test_dense_blocks_of_the_trivial_group_are_ordinary_ones(bottleneck):
    block = trained(et.DenseBlock(3, 2, 2, eq.trivial(2), bottleneck=bottleneck, dtype=torch.float64))
    transition = trained(et.DenseTransition(7, 3, eq.trivial(2), dtype=torch.float64))
    x = signal(eq.trivial(2), 3, (4, 6), torch.float64)
    f = nn.functional

    def conv(layer, y):
        return f.conv2d(y, layer.weight[:, :, 0], padding=layer.weight.shape[-1] // 2)

    def norm(layer, y):
        return f.batch_norm(y, layer.running_mean, layer.running_var, layer.weight, layer.bias).relu()

    y = x[:, :, 0]
    for layer in (block.layer1, block.layer2):
        more = conv(layer.conv1, norm(layer.norm1, y))
        y = torch.cat([y, conv(layer.conv2, norm(layer.norm2, more)) if bottleneck else more], 1)
    assert torch.allclose(block(x)[:, :, 0], y, rtol=0, atol=1e-12)
    y = f.avg_pool2d(conv(transition.conv, norm(transition.norm, y)), 2)
    assert torch.allclose(transition(block(x))[:, :, 0], y, rtol=0, atol=1e-12)


def test_sizes_that_do_not_fit_are_named_and_break_equivariance():
    block = trained(et.ResidualBlock(4, 8, C4, stride=2))
    x = signal(C4, 4, (8, 9))
    with pytest.warns(eq.EquivarianceWarning, match="stride 2 does not fit size 8 .*Nearest sizes that fit: 7 or 9"):
        y = block(x)
    with pytest.warns(eq.EquivarianceWarning):
        assert not torch.allclose(block(act(x, C4, 2)), act(y, C4, 2), atol=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        block(signal(C4, 4, (7, 9)))
    with pytest.warns(eq.EquivarianceWarning, match="stride 2 does not fit size 7 .*Nearest sizes that fit: 6 or 8"):
        et.DenseTransition(4, 2, C4)(signal(C4, 4, (7, 8)))


def test_keys_of_states_are_the_names_of_layers():
    def names(module):
        return list(dict.fromkeys(key.rpartition(".")[0] for key in module.state_dict()))

    assert names(et.ResidualBlock(4, 8, C4)) == ["conv1", "norm1", "conv2", "norm2", "shortcut", "shortcut_norm"]
    assert names(et.ResidualBlock(4, 4, C4, bottleneck=True)) == [
        f"{kind}{i}" for i in "123" for kind in ("conv", "norm")
    ]
    early = et.ResidualBlock(4, 8, C4, preactivation=True)
    assert names(early) == ["norm1", "conv1", "norm2", "conv2", "shortcut"]
    assert names(et.DenseBlock(4, 2, 2, C4)) == [f"layer{i}.{kind}1" for i in "12" for kind in ("norm", "conv")]
    assert names(et.DenseTransition(4, 2, C4)) == ["norm", "conv"]
    with pytest.raises(RuntimeError, match="weights are for C4, expected weights for D2"):
        et.ResidualBlock(4, 8, eq.dihedral(2), preactivation=True).load_state_dict(early.state_dict())


@pytest.mark.parametrize("norm", [et.BatchNorm, functools.partial(et.GroupNorm, 2)])
def test_gradients_are_right_and_blocks_train(norm):
    group = eq.reflection()
    network = nn.Sequential(
        et.ResidualBlock(2, 4, group, 2, norm=norm, activation=torch.tanh), et.DenseBlock(4, 2, 1, group, norm=norm),
    ).double().eval()  # fmt: skip
    network[1].layer1.activation = torch.tanh
    x = signal(group, 2, (5,), torch.float64)[:1].requires_grad_()
    assert torch.autograd.gradcheck(network, (x,))
    assert torch.autograd.gradgradcheck(network, (x,))
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), 0.01)
    losses = []
    for _ in range(10):
        loss = (network(x.detach()) - 1).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert all(parameter.grad is not None for parameter in network.parameters())


def network_of_blocks():
    return trained(
        nn.Sequential(
            et.LiftingConv(3, 4, 3, C4, padding=1), et.ResidualBlock(4, 8, C4, 2), et.ResidualBlock(8, 8, C4),
            et.ResidualBlock(8, 8, C4, bottleneck=True, preactivation=True), et.DenseBlock(8, 4, 2, C4),
            et.DenseTransition(16, 4, C4, 3), et.GroupPool(C4, "max"), et.SpatialMean(C4), nn.Linear(4, 2),
        )
    )  # fmt: skip


def test_networks_of_blocks_are_files_that_run_without_torch(tmp_path):
    network = network_of_blocks()
    x = torch.randn(2, 3, 11, 11, generator=torch.Generator().manual_seed(0))
    y = network(x).detach().numpy()
    et.save_network(network, tmp_path / "network", x)
    # As many digits as files promise.
    assert np.allclose(eq.load_network(tmp_path / "network")(x.numpy()), y, rtol=0, atol=1e-5 * np.abs(y).max())
    loaded = et.load_network(tmp_path / "network")
    assert set(loaded.state_dict()) == set(network.state_dict())
    assert np.allclose(loaded(x).detach(), y, rtol=0, atol=1e-5 * np.abs(y).max())
    refused = nn.Sequential(et.LiftingConv(3, 4, 3, C4), et.ResidualBlock(4, 4, C4, norm=et.InstanceNorm)).eval()
    with pytest.raises(ValueError, match=r"at 1.norm1 \(InstanceNorm\).* is of a InstanceNorm, no operation"):
        et.save_network(refused, tmp_path / "refused", x)


def test_networks_of_blocks_are_traced_exported_and_expanded():
    network = network_of_blocks()
    x = torch.randn(2, 3, 11, 11, generator=torch.Generator().manual_seed(0))
    y = network(x)
    assert torch.equal(torch.fx.symbolic_trace(network)(x), y)
    assert torch.equal(torch.export.export(network, (x,)).module()(x), y)
    assert torch.allclose(et.expand(network)(x), y, rtol=0, atol=1e-5 * y.abs().max().item())
    et.set_backend(network, "torch")
    assert torch.allclose(network(x), y, rtol=0, atol=1e-5 * y.abs().max().item())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_blocks_have_any_dtype_and_device(dtype):
    block = trained(et.ResidualBlock(4, 8, C4, 2, dtype=dtype))
    assert {parameter.dtype for parameter in block.parameters()} == {dtype}
    assert block(signal(C4, 4, (5, 5)).to(dtype)).dtype is dtype
    empty = nn.Sequential(et.DenseBlock(4, 2, 2, C4, device="meta"), et.DenseTransition(8, 2, C4, device="meta"))
    assert all(value.is_meta for value in empty.parameters())
    assert empty(torch.empty(1, 4, 4, 6, 6, device="meta")).shape == (1, 2, 4, 3, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: et.ResidualBlock(0, 4, C4), ValueError, "in_channels is 0"),
        (lambda: et.ResidualBlock(4, "4", C4), TypeError, "out_channels is '4'"),
        (lambda: et.ResidualBlock(4, 4, 4), TypeError, "group is 4"),
        (lambda: et.ResidualBlock(4, 4, C4, (1, 2, 3)), ValueError, "stride is"),
        (lambda: et.ResidualBlock(4, 4, C4, 0), ValueError, "stride is 0"),
        (lambda: et.ResidualBlock(4, 4, C4, kernel=4), ValueError, "kernel is 4 on axis 0, expected an odd extent"),
        (lambda: et.ResidualBlock(4, 6, C4, bottleneck=True), ValueError, "out_channels is 6, expected a multiple"),
        (lambda: et.ResidualBlock(4, 4, C4, bottleneck=2), TypeError, "bottleneck is 2"),
        (lambda: et.ResidualBlock(4, 4, C4, preactivation=None), TypeError, "preactivation is None"),
        (lambda: et.ResidualBlock(4, 4, C4, downsample="max"), ValueError, "downsample is 'max', expected 'stride', "),
        (lambda: et.ResidualBlock(4, 4, C4, dropout=2), ValueError, "dropout is 2.0, expected a probability"),
        (lambda: et.DenseBlock(4, 4, 1, C4, padding=1), TypeError, "padding is 1, expected 'same' or 'valid'"),
        (lambda: et.DenseBlock(4, 4, 1, C4, dropout=-1), ValueError, "dropout is -1.0, expected a probability"),
        (lambda: et.ResidualBlock(4, 4, C4, norm=et.BatchNorm(4)), TypeError, "norm is .*expected a function"),
        (lambda: et.ResidualBlock(4, 4, C4, activation=nn.ReLU), TypeError, "activation is .*expected a function"),
        (lambda: et.ResidualBlock(4, 4, C4, activation=None), TypeError, "activation is None"),
        (lambda: et.ResidualBlock(4, 4, C4, algorithm="fast"), ValueError, "algorithm is 'fast'"),
        (lambda: et.ResidualBlock(4, 4, C4, dtype=torch.int8), TypeError, "weight has dtype torch.int8"),
        (lambda: et.ResidualBlock(4, 4, C4)(torch.zeros(1, 3, 4, 5, 5)), ValueError, "GroupConv wants"),
        (lambda: et.DenseBlock(4, 0, 1, C4), ValueError, "growth is 0"),
        (lambda: et.DenseBlock(4, 1, 2**40, C4), ValueError, "layers is"),
        (lambda: et.DenseBlock(4, 1, 1, C4, kernel=2), ValueError, "kernel is 2"),
        (lambda: et.DenseTransition(4, 2, C4, 0), ValueError, "kernel is 0"),
        (lambda: et.DenseTransition(4, -2, C4), ValueError, "out_channels is -2"),
    ],
)  # fmt: skip
def test_wrong_calls_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()

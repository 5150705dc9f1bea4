# SPDX-License-Identifier: Apache-2.0
"""The first step of a training refuses signals of another group and windows along H, and no correct network."""

from __future__ import annotations

import copy
import pickle
import warnings

import equiconv as eq
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from torch import nn  # noqa: E402 (torch may be missing)
from torch.nn import functional  # noqa: E402

C4, D2, C8, LINE = eq.cyclic(4), eq.dihedral(2), eq.cyclic(8), eq.reflection()


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)


class Call(nn.Module):
    """A function of tensors among modules."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


def through(step, group=C4, end=None):
    """A lifting, a step, and what reads the signal."""
    return nn.Sequential(et.LiftingConv(1, 2, 3, group, padding=1), step, end or et.GroupPool(group))


# Steps that keep the number of elements, so that no shape gives them away.
ALONG_H = {
    "max pool": nn.MaxPool3d(3, stride=1, padding=1),
    "mean pool": nn.AvgPool3d(3, stride=1, padding=1),
    "power pool": nn.Sequential(nn.ConstantPad3d(1, 1.0), nn.LPPool3d(2, 3, stride=1)),
    "convolution": nn.Conv3d(2, 2, 3, padding=1),
    "convolution of frozen weights": nn.Conv3d(2, 2, 3, padding=1).requires_grad_(False),
    "transposed convolution": nn.ConvTranspose3d(2, 2, 3, padding=1),
    "even windows": nn.Sequential(nn.ReflectionPad3d((0, 0, 0, 0, 1, 0)), nn.MaxPool3d((2, 1, 1), stride=1)),
    "shift": nn.ConstantPad3d((0, 0, 0, 0, 1, -1), 0.0),
    "resampling there and back": nn.Sequential(nn.Upsample(scale_factor=2), nn.MaxPool3d(2)),
    "trilinear": nn.Sequential(
        nn.Upsample(scale_factor=2, mode="trilinear"), nn.AdaptiveAvgPool3d((4, 9, 9)), nn.Sigmoid()
    ),
    "grid": Call(lambda x: functional.grid_sample(x, torch.zeros(2, 4, 9, 9, 3), align_corners=False)),
}


@pytest.mark.parametrize("name", ALONG_H)
def test_windows_along_the_group_are_an_error_that_names_them(name):
    network = through(nn.Sequential(nn.ReLU(), et.BatchNorm(2), copy.deepcopy(ALONG_H[name]), nn.GELU()))
    x = torch.randn(2, 1, 9, 9)
    with pytest.raises(
        ValueError, match=r"x comes from a signal on G for C4 by \w+3D|for C4 by (Convolution|ConstantPad)"
    ):
        network(x)
    with torch.no_grad():
        network(x)  # no record, no error


SIZES = {
    "upsampling": (nn.Upsample(scale_factor=2), C4, C8),
    "pooling": (nn.MaxPool3d(2), C8, C4),
    "cropping": (nn.ConstantPad3d((0, 0, 0, 0, -2, -2), 0.0), C8, C4),
}


@pytest.mark.parametrize("name", SIZES)
def test_other_numbers_of_elements_do_not_pass_for_another_group(name):
    step, before, after = SIZES[name]
    with pytest.raises(ValueError, match=rf"signal on G for {before.name} by .*axis of H as space .* at GroupConv"):
        through(step, before, et.GroupConv(2, 2, 3, after))(torch.randn(2, 1, 10, 10))


READERS = {
    "GroupConv": et.GroupConv(2, 2, 3, D2),
    "ProjectionConv": et.ProjectionConv(2, 2, 3, D2),
    "GroupPool": et.GroupPool(D2),
    "SpatialMean": et.SpatialMean(D2),
    "SpatialMaxPool": et.SpatialMaxPool(D2, 3),
    "SpatialAvgPool": et.SpatialAvgPool(D2, 3),
}
BETWEEN = {
    "nothing": nn.Identity(),
    "activation": nn.Sequential(nn.ReLU(inplace=True), et.BatchNorm(2), et.FieldDropout(0.5), nn.Softplus()),
    "pool": et.SpatialMaxPool(C4, 3, stride=3),
    "sum": Call(lambda x: x + 0.1 * torch.tanh(x)),
    "selection": Call(lambda x: torch.where(x > 0, x, torch.cat([x[:, :1] * 0, -x[:, 1:]], 1))),
}


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("reader", READERS)
def test_readers_refuse_the_signal_of_another_group_of_equal_order(reader, between):
    network = through(copy.deepcopy(BETWEEN[between]), C4, copy.deepcopy(READERS[reader]))
    with pytest.raises(ValueError, match=f"signal on G for C4, .*: {reader} wants one on G for D2"):
        network(torch.randn(2, 1, 9, 9))


def test_signals_of_two_groups_do_not_mix():
    c4, d2 = et.LiftingConv(1, 2, 3, C4), et.LiftingConv(1, 2, 3, D2)
    x = torch.randn(1, 1, 7, 7)
    for mixed in (c4(x) + d2(x), c4(x) * d2(x), torch.cat([c4(x), d2(x)], 1)):
        with pytest.raises(ValueError, match=r"signals on G for C4 and D2, which (Add|Mul|Cat) mixes, at GroupConv"):
            et.GroupConv(mixed.shape[1], 2, 3, C4)(mixed)


def test_functions_and_quotients_are_on_record():
    x, weight = torch.randn(1, 1, 7, 7), torch.randn(2, 1, 3, 3, requires_grad=True)
    with pytest.raises(ValueError, match=r"signal on G for D2"):
        et.GroupPool(C4)(et.lifting_conv(x, weight, D2))
    on_quotient = et.conv(x, weight, eq.dihedral(4), input_stabilizer=range(8), output_stabilizer=[0, 4])
    with pytest.raises(ValueError, match=r"signal on G for D4/\{0, 4\}"):
        et.GroupPool(C4)(on_quotient)


ON_THE_LINE = {
    "max pool": nn.MaxPool2d(3, stride=1, padding=1),
    "convolution": nn.Conv2d(2, 2, 3, padding=1),
    "three axes": nn.MaxPool3d(3, stride=1, padding=1),
}


@pytest.mark.parametrize("name", ON_THE_LINE)
def test_on_the_line_windows_of_the_plane_are_refused(name):
    with pytest.raises(ValueError, match=r"axis of H as space"):
        through(ON_THE_LINE[name], LINE)(torch.randn(2, 1, 9))
    through(nn.MaxPool2d((1, 3), stride=1, padding=(0, 1)), LINE)(torch.randn(2, 1, 9))


RIGHT = {
    "windows of one element": nn.MaxPool3d((1, 3, 3), stride=1, padding=(0, 1, 1)),
    "mean of one element": nn.AvgPool3d((1, 3, 3)),
    "mixing of channels": nn.Conv3d(2, 2, 1),
    "windows of space": nn.Conv3d(2, 2, (1, 3, 3), padding=(0, 1, 1)),
    "resampling of space": nn.Upsample(scale_factor=(1, 2, 2)),
    "padding of space": nn.ZeroPad3d((1, 1, 1, 1, 0, 0)),
    "adaptive pool of space": nn.AdaptiveMaxPool3d((None, 3, 3)),
    "batch norm": nn.BatchNorm3d(2),
    "instance norm": nn.InstanceNorm3d(2),
    "dropout": nn.Dropout3d(0.5),
    "spatial pools": nn.Sequential(et.SpatialMaxPool(C4, 3), et.SpatialAvgPool(C4, 3, stride=1)),
    "views on purpose": Call(lambda x: functional.max_pool2d(x.flatten(1, 2), 3).unflatten(1, (2, 4))),
    "another group on purpose": Call(lambda x: x.reshape(x.shape)[:, :, [0, 2, 1, 3]]),
    "fields of a group": nn.Sequential(et.GroupConv(2, 2, 3, C4, padding=1), nn.ReLU()),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_commutes_or_is_on_purpose_stays_possible(name):
    through(RIGHT[name])(torch.randn(2, 1, 9, 9)).square().sum().backward()


def test_restriction_to_a_subgroup_stays_possible():
    """Elements 0 to 3 of D4 are the rotations."""
    network = through(Call(lambda x: x[:, :, :4]), eq.dihedral(4), et.GroupConv(2, 2, 3, C4))
    assert network(torch.randn(2, 1, 9, 9)).shape == (2, 2, 4, 7, 7)


def test_looks_in_the_first_call_of_a_training_alone(monkeypatch):
    looks = []
    monkeypatch.setattr("equiconv.torch._nn.history.check_history", lambda *arguments: looks.append(arguments[0]))
    network, x = through(nn.ReLU(), end=et.GroupConv(2, 2, 3, C4)), torch.randn(1, 1, 9, 9)
    with torch.no_grad():
        network(x)
    network.eval()(x)
    assert looks == []
    network.train()
    network(x)
    network(x)
    assert looks == ["LiftingConv", "GroupConv"]
    network.train()(x)
    assert len(looks) == 4
    for again in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        again(x)
    assert len(looks) == 8


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_compilers_and_transformations_do_not_look():
    """Their steps are not recorded; results are those of other calls."""
    network, x = through(nn.ReLU(), end=et.GroupConv(2, 2, 3, C4)), torch.randn(3, 1, 9, 9)
    expected = network(x)
    graphs = []

    def backend(graph, _inputs):
        graphs.append(graph)
        return graph.forward

    torch._dynamo.reset()
    fresh = through(nn.ReLU(), end=et.GroupConv(2, 2, 3, C4))
    fresh.load_state_dict(network.state_dict())
    compiled = torch.compile(fresh, fullgraph=True, backend=backend)
    for _ in range(3):
        assert torch.equal(compiled(x), expected)
    fresh(x)
    assert torch.equal(compiled(x), expected)
    assert len(graphs) == 1
    parameters = {name: value.detach() for name, value in fresh.train().named_parameters()}
    call = torch.func.vmap(lambda x: torch.func.functional_call(fresh, parameters, (x[None],))[0])
    torch.testing.assert_close(call(x), expected)


def test_long_histories_are_followed():
    """Without recursion."""
    signal = et.LiftingConv(1, 2, 3, C4)(torch.randn(1, 1, 5, 5))
    for _ in range(3000):
        signal = signal + 1
    with pytest.raises(ValueError, match=r"signal on G for C4"):
        et.GroupPool(D2)(signal)


def test_checkpoints_are_computed_once_again_and_no_more():
    """The search reads no saved tensor, which would make them compute at once."""
    calls = []
    block = nn.Sequential(
        et.GroupConv(2, 2, 3, C4, padding=1), Call(lambda x: calls.append(1) or x), nn.MaxPool3d((1, 3, 3))
    )
    signal = et.LiftingConv(1, 2, 3, C4)(torch.randn(1, 1, 11, 11))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = torch.utils.checkpoint.checkpoint(block, signal, use_reentrant=False)
    et.GroupPool(C4)(y).sum().backward()
    assert len(calls) == 2

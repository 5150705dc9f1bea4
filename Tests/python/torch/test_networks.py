# SPDX-License-Identifier: Apache-2.0
"""Layers within what PyTorch has for modules: containers, parametrizations, checkpoints, files of weights."""

from __future__ import annotations

import warnings

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from torch import nn  # noqa: E402 (torch may be missing)
from torch.nn.utils import parametrizations, parametrize, prune  # noqa: E402
from torch.utils.checkpoint import checkpoint  # noqa: E402

C4, D4 = eq.cyclic(4), eq.dihedral(4)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)


class Block(nn.Module):
    """A module of torch's kind, whose code is torch's."""

    forward = nn.Sequential.forward

    def __init__(self, *modules):
        super().__init__()
        self.inner = nn.Sequential(*modules)

    def __iter__(self):
        return iter(self.inner)


STRIDED = et.GroupConv(2, 2, 3, C4, stride=2)
CALLS = {
    "function": lambda x: et.group_conv(x, STRIDED.weight, C4, stride=2),
    "general function": lambda x: et.conv(x, STRIDED.weight, C4, stride=2, input_stabilizer=[0], output_stabilizer=[0]),
    "module": STRIDED,
    "sequential": nn.Sequential(nn.ReLU(), nn.Sequential(STRIDED)),
    "checkpoint": lambda x: checkpoint(STRIDED, x, use_reentrant=False),
    "data parallel": nn.DataParallel(nn.Sequential(STRIDED)),
    "functional call": lambda x: torch.func.functional_call(STRIDED, dict(STRIDED.named_parameters()), (x,)),
    "pool": et.SpatialMaxPool(C4, 3, stride=2),
    "pool in a sequence": nn.Sequential(et.SpatialAvgPool(C4, 3, stride=2)),
    "module of torch's code": Block(STRIDED),
}


@pytest.mark.parametrize("name", CALLS)
def test_warning_is_about_the_line_of_the_user(name):
    """Once for each axis, from any depth of torch's own modules; the stack of frames ends at this file."""
    x = torch.randn(1, 2, 4, 8, 8)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CALLS[name](x)
    assert [warning.category for warning in caught] == [eq.EquivarianceWarning] * 2
    assert {warning.filename for warning in caught} == {__file__}


def test_no_warning_for_strides_that_fit():
    for call in CALLS.values():
        call(torch.randn(1, 2, 4, 9, 9))


@pytest.mark.parametrize("name", ["group", "in_channels", "out_channels", "extents", "basis"])
def test_what_shapes_of_weights_follow_from_cannot_be_set(name):
    module = et.GroupConv(2, 3, 3, C4)
    before = getattr(module, name)
    with pytest.raises(AttributeError, match=f"{name} of GroupConv cannot be set: make a new layer"):
        setattr(module, name, before)
    assert getattr(module, name) is before


def test_list_that_changes_later_changes_no_layer():
    stride = [2, 2]
    module = et.GroupConv(2, 3, 3, C4, stride=stride)
    stride[0] = 1
    assert module.stride == (2, 2)
    module.padding = stride
    assert module.padding == (1, 2)


@pytest.mark.parametrize("dtype", [torch.float8_e5m2, torch.int32, torch.complex64])
def test_parameters_of_another_dtype_are_refused(dtype):
    with pytest.raises(
        TypeError, match=f"weight has dtype {dtype}, expected torch.float32, float64, bfloat16 or float"
    ):
        et.LiftingConv(2, 3, 3, C4, dtype=dtype)


def test_weights_of_another_shape_or_name_are_refused_and_change_nothing():
    module = et.GroupConv(2, 3, 3, C4)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    for state, message in [
        ({"weight": before["weight"]}, 'Missing key.*"bias"'),
        (before | {"other": torch.zeros(1)}, 'Unexpected key.*"other"'),
        (before | {"weight": torch.zeros(3, 2, 4, 5, 5)}, "size mismatch for weight"),
    ]:
        with pytest.raises(RuntimeError, match=message):
            module.load_state_dict(state)
    assert torch.equal(module.weight, before["weight"])


def test_trained_weights_go_to_numpy_and_back():
    def network(library, step, **keywords):
        layers = (
            library.LiftingConv(1, 4, 5, D4, padding="same", **keywords),
            step,
            library.GroupConv(4, 3, eq.bspline_basis(3), D4, group_basis=eq.localized([0, 4]), **keywords),
            library.GroupPool(D4, "max"),
            library.IsotropicConv(3, 2, 1, D4, bias=False, **keywords),
        )
        return (eq.Sequential if library is eq else nn.Sequential)(*layers)

    trained, twin, again = network(et, nn.ReLU()), network(eq, lambda x: np.maximum(x, 0)), network(et, nn.ReLU())
    optimizer = torch.optim.SGD(trained.parameters(), 0.1)
    x = torch.randn(4, 1, 9, 9)
    for _ in range(3):
        optimizer.zero_grad()
        trained(x).square().mean().backward()
        optimizer.step()
    assert [name for name, _ in trained.named_parameters()] == list(twin.parameters())
    twin.load({name: value.detach().numpy() for name, value in trained.named_parameters()})
    np.testing.assert_array_equal(twin(x.numpy()), trained(x).detach().numpy())
    weights = {name: torch.from_numpy(value) for name, value in twin.parameters().items()}
    again.load_state_dict(again.state_dict() | weights)
    assert torch.equal(again(x), trained(x))


def test_parametrized_weights_are_those_of_the_layer():
    """Weight normalization, over all axes but that of the output channels."""
    module = et.GroupConv(2, 3, 3, C4, bias=False)
    x = torch.randn(1, 2, 4, 6, 6)
    expected = module(x).detach()
    parametrizations.weight_norm(module)
    torch.testing.assert_close(module(x), expected)
    module(x).square().sum().backward()
    assert sorted(name for name, p in module.named_parameters() if p.grad is not None) == [
        "parametrizations.weight.original0",
        "parametrizations.weight.original1",
    ]
    module.algorithm = "direct"
    torch.testing.assert_close(module(x), expected)


class Counts(nn.Module):
    """A parametrization that counts its evaluations, and changes with each, as random masks and power iterations do."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def forward(self, value):
        self.count += 1
        return value * self.count

    def right_inverse(self, value):
        return value / (self.count + 1)


LAYERS = {
    "IsotropicConv": (2, 6, 6),
    "LiftingConv": (2, 6, 6),
    "GroupConv": (2, 4, 6, 6),
    "ProjectionConv": (2, 4, 6, 6),
}


@pytest.mark.parametrize("name", LAYERS)
def test_parametrizations_are_evaluated_once_a_call_and_never_to_look(name):
    module, x = getattr(et, name)(2, 3, 3, C4, stride=3), torch.randn(1, *LAYERS[name])
    counts = {key: Counts() for key in ("weight", "bias")}
    for key, value in counts.items():
        parametrize.register_parametrization(module, key, value)
        value.count = 0
    steps = {
        "call": lambda: module(x),
        "step": lambda: module(x).sum().backward(),
        "expand": module.expand,
        "expand of a network": lambda: et.expand(nn.Sequential(module)),
    }
    for step, run in steps.items():
        for value in counts.values():
            value.count = 0
        run()
        # A copy has counters of its own.
        assert [value.count for value in counts.values()] == ([0, 0] if "network" in step else [1, 1]), step
    for value in counts.values():
        value.count = 0
    repr(module)
    module.state_dict()
    module.to(torch.float32)
    assert [value.count for value in counts.values()] == [0, 0]


def test_power_iterations_of_the_spectral_norm_run_once_a_call():
    """As under torch's convolution of the same matrix."""
    module = et.GroupConv(2, 3, 3, C4)
    plain = nn.Linear(2 * 4 * 9, 3)
    with torch.no_grad():
        plain.weight.copy_(module.weight.flatten(1))
    for layer in (module, plain):
        torch.manual_seed(0)
        parametrizations.spectral_norm(layer, n_power_iterations=1)
    for _ in range(3):
        module(torch.randn(1, 2, 4, 6, 6))
        plain(torch.randn(1, 72))
        ours, theirs = (layer.parametrizations.weight[0]._u for layer in (module, plain))
        torch.testing.assert_close(ours, theirs)


def test_pruned_weights_are_those_of_the_layer():
    module, x = et.GroupConv(2, 3, 3, C4), torch.randn(1, 2, 4, 6, 6)
    prune.l1_unstructured(module, "weight", amount=0.5)
    expected = et.group_conv(x, module.weight_orig * module.weight_mask, C4, module.bias)
    assert torch.equal(module(x), expected)
    assert "weight (3, 2, 4, 3, 3), bias (3,)" in repr(module)
    prune.remove(module, "weight")
    assert torch.equal(module(x), expected)


def test_parametrized_weights_are_drawn_anew():
    module = et.GroupConv(16, 16, 3, C4)
    deviation = module.weight.std().item()
    for key in ("weight", "bias"):
        parametrize.register_parametrization(module, key, Counts())
    with torch.no_grad():
        for value in module.parameters():
            value.fill_(7.0)
    module.reset_parameters()
    for value in (module.parametrizations.weight[0], module.parametrizations.bias[0]):
        value.count = 0
    assert module.weight.std().item() == pytest.approx(deviation, rel=0.9)
    assert module.bias.abs().max() == 0


@pytest.mark.parametrize("group", [C4, D4, eq.octahedral(), eq.reflection()], ids=lambda group: group.name)
def test_direct_modules_and_pools_commute_to_the_last_bit(group):
    """In float32 on random numbers, under every element: signals on the group in between, on the plane at the end."""
    size = {1: 9, 2: 9, 3: 5}[group.dimension]
    direct = {"algorithm": "direct"}
    network = nn.Sequential(
        et.LiftingConv(1, 3, 3, group, padding="same", **direct),
        et.BatchNorm(3),
        nn.ReLU(),
        et.GroupConv(3, 2, 3, group, padding=1, stride=2, padding_mode="circular", **direct),
        et.SpatialMaxPool(group, 2, stride=1),
    )
    x = torch.randn(2, 1, *(size,) * group.dimension)
    network(x)  # statistics
    network.eval()
    for end in (et.GroupPool(group, "mean"), et.GroupPool(group, "max")):
        y = network(x).detach()
        for element in range(group.order):
            turned = network(torch.from_numpy(eq.act(x.numpy(), group, element))).detach()
            np.testing.assert_array_equal(turned.numpy(), eq.act(y.numpy(), group, element))
            np.testing.assert_array_equal(end(turned).numpy(), eq.act(end(y).numpy(), group, element))


def test_pool_of_nothing_is_an_error():
    for shape in [(1, 2, 0, 3, 3), (1, 0, 4, 3, 3), (1, 2, 4, 0, 3)]:
        for mode in ("mean", "max"):
            with pytest.raises(ValueError, match=r"x has shape .*expected at least 1 on all axes but the first"):
                et.group_pool(torch.zeros(shape), mode)
    assert et.group_pool(torch.zeros(0, 2, 4, 3, 3)).shape == (0, 2, 3, 3)


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_autocast_pools_in_float32(mode):
    x = torch.randn(1, 2, 4, 3, 3)
    half = x.bfloat16()
    with torch.autocast("cpu"):
        y = et.group_pool(half, mode)
    assert torch.equal(y, et.group_pool(half.float(), mode))
    assert et.group_pool(half, mode).dtype is torch.bfloat16


def test_torch_has_no_synchronized_batch_norm_on_the_cpu(monkeypatch):
    """As the guide says: with processes to synchronize, SyncBatchNorm needs another device."""
    synchronized = nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(et.BatchNorm(2)))
    assert isinstance(synchronized[0], nn.SyncBatchNorm)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    with pytest.raises(ValueError, match="SyncBatchNorm expected input tensor to be on"):
        synchronized(torch.randn(2, 2, 4, 3, 3))

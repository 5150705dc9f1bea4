# SPDX-License-Identifier: Apache-2.0
"""Modules between layers: signals with channels last in memory, half precision, devices without double precision."""

from __future__ import annotations

import copy
import math

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from devices import on_devices  # noqa: E402 (torch may be missing)
from equiconv.torch._operators import pools  # noqa: E402

C4, D4, LINE, CUBE = eq.cyclic(4), eq.dihedral(4), eq.reflection(), eq.octahedral()
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
GROUPS = [LINE, C4, CUBE]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)


def signal(group, size=6, dtype=torch.float32, channels=5):
    return torch.randn(2, channels, group.order, *(size,) * group.dimension).to(dtype)


def channels_last(x):
    """The same signal (B, C, |H|, spatial...), in memory (B, spatial..., C, |H|)."""
    return x.detach().movedim((1, 2), (-2, -1)).contiguous().movedim((-2, -1), (1, 2))


def has_channels_last(x):
    return x.movedim((1, 2), (-2, -1)).is_contiguous()


class Copies(torch.utils._python_dispatch.TorchDispatchMode):
    """Counts the operations that write a whole signal to another place."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.name()
        if name.split("::")[1].split(".")[0] in ("clone", "copy_", "contiguous", "_to_copy"):
            self.names.append(name)
        return function(*args, **(kwargs or {}))


def close(a, b, dtype):
    # The order of sums differs with the memory; numbers are about 1.
    return torch.allclose(a.double(), b.double(), rtol=0, atol=64 * torch.finfo(dtype).eps)


@on_devices
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_neither_moves_nor_copies_a_signal_with_channels_last(group, training, device):
    norm, same = et.BatchNorm(5, device=device), et.BatchNorm(5, device=device)
    x = 3 * signal(group).to(device) + 1
    expected = same.train(training)(x)
    moved = channels_last(x)
    with Copies() as copies:
        y = norm.train(training)(moved)
    assert copies.names == []
    assert has_channels_last(y)
    assert close(y, expected, torch.float32)
    for name, value in norm.state_dict().items():
        assert torch.allclose(value, same.state_dict()[name], atol=1e-6), name


def test_batch_norm_has_one_derivative_whatever_the_memory():
    norm = et.BatchNorm(3, dtype=torch.float64)
    for x in (signal(C4, 3, torch.float64, 3), channels_last(signal(C4, 3, torch.float64, 3))):
        assert torch.autograd.gradcheck(norm, x.requires_grad_())
    x = signal(D4, 4, torch.float64)
    module = et.BatchNorm(5, dtype=torch.float64)
    gradients = []
    for values in (x, channels_last(x)):
        values = values.detach().requires_grad_()
        (module(values) ** 3).sum().backward()
        gradients.append(values.grad)
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-11)


@on_devices
@pytest.mark.parametrize("dtype", DTYPES)
def test_batch_norm_has_the_statistics_of_torch_in_every_dtype(dtype, device):
    ours, theirs = (kind(4, device=device, dtype=dtype) for kind in (et.BatchNorm, torch.nn.BatchNorm3d))
    x = signal(C4, 5, dtype, 4).to(device)
    assert torch.equal(ours(x), theirs(x))
    assert ours.running_mean.dtype is dtype
    assert torch.equal(ours.running_var, theirs.running_var)
    assert close(ours(channels_last(x)), theirs(x), dtype)
    if dtype in (torch.bfloat16, torch.float16):
        # Parameters and statistics in single precision, as under autocast.
        ours, theirs = et.BatchNorm(4, device=device), torch.nn.BatchNorm3d(4, device=device)
        assert torch.equal(ours(x), theirs(x))
        assert ours.running_mean.dtype is torch.float32


def test_batch_norm_with_channels_last_keeps_the_history_of_a_signal():
    lift = et.LiftingConv(1, 4, 3, C4, backend="torch")
    other = torch.nn.Sequential(lift, et.BatchNorm(4), et.GroupConv(4, 2, 3, eq.dihedral(2)))
    x = torch.randn(1, 1, 9, 9)
    assert has_channels_last(lift(x))
    with pytest.raises(ValueError, match="signal on G for C4, written by a layer of that group"):
        other(x)


@on_devices
@pytest.mark.parametrize("group", [C4, CUBE], ids=lambda group: group.name)
@pytest.mark.parametrize("kind", ["SpatialMaxPool", "SpatialAvgPool"])
def test_windows_keep_the_memory_of_a_signal(kind, group, device):
    pool = getattr(et, kind)(group, 2)
    x = signal(group).to(device)
    moved = channels_last(x)
    with Copies() as copies:
        y = pool(moved)
    # The mean converts to double precision and back. PyTorch's mean of windows of volumes has no such memory.
    if (group, kind) != (CUBE, "SpatialAvgPool"):
        assert [name for name in copies.names if "_to_copy" not in name] == []
    assert has_channels_last(y)
    assert torch.equal(y, pool(x))
    assert pool(x).is_contiguous()


@pytest.mark.parametrize("name", ["max_pool", "avg_pool"])
@pytest.mark.parametrize("windows", [((2, 2, 2), (2, 2, 2), (0, 0, 0)), ((3, 2, 1), (1, 2, 2), (1, 0, 0))], ids=str)
def test_windows_of_volumes_are_those_of_their_axes(name, windows):
    """What a device other than the CPU computes where a program asks for deterministic algorithms."""
    from equiconv.torch._nn.spatial import _windows_of_volumes

    flat, volumes = (getattr(torch.nn.functional, f"{name}{d}d") for d in (2, 3))
    x = torch.randn(2, 3, 5, 4, 6, dtype=torch.float64, requires_grad=True)
    y, expected = _windows_of_volumes(flat, x, *windows), volumes(x, *windows)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-14)
    slopes = torch.randn_like(y)
    gradients = [torch.autograd.grad(value, x, slopes)[0] for value in (y, expected)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-14)


@on_devices
@pytest.mark.parametrize("kind", ["SpatialMaxPool", "SpatialAvgPool"])
@pytest.mark.parametrize("group", [C4, CUBE], ids=lambda group: group.name)
def test_gradients_of_windows_have_the_same_bits_in_every_run(kind, group, device):
    pool = getattr(et, kind)(group, 3, 2)
    x = signal(group, 7).to(device).requires_grad_()
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        y = pool(x)
        slopes = torch.randn_like(y)
        first, *others = [torch.autograd.grad(pool(x), x, slopes)[0] for _ in range(3)]
    finally:
        torch.use_deterministic_algorithms(before)
    torch.testing.assert_close(y, pool(x))
    assert all(torch.equal(first, other) for other in others)


@on_devices
def test_the_mean_over_space_reads_a_signal_where_it_is(device):
    x = signal(C4, dtype=torch.float64).to(device)
    moved = channels_last(x)
    with Copies() as copies:
        y = et.SpatialMean(C4)(moved)
    assert torch.equal(y, et.SpatialMean(C4)(x))
    assert copies.names == []


MODULES = {
    "mean over H": et.GroupPool(D4),
    "max over H": et.GroupPool(D4, "max"),
    "mean over cosets": et.PartialProjection(D4, [0, 4]),
    "restriction": et.Restrict(D4, [0, 2, 4, 6]),
    "mean over space": et.SpatialMean(D4),
    "max of windows": et.SpatialMaxPool(D4, 2),
    "mean of windows": et.SpatialAvgPool(D4, 2),
}


@on_devices
@pytest.mark.parametrize("memory", [torch.clone, channels_last], ids=["plain", "channels last"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", MODULES)
def test_half_precision_is_single_precision_rounded_once(name, dtype, memory, device):
    module, x = copy.deepcopy(MODULES[name]).to(device), memory(signal(D4, 6, dtype).to(device))
    y = module(x)
    assert y.dtype is dtype
    assert torch.equal(y, module(x.float()).to(dtype))


@on_devices
@pytest.mark.parametrize("dtype", DTYPES)
def test_dropout_drops_whole_fields_in_every_dtype_and_memory(dtype, device):
    x = torch.ones(8, 16, 4, 3, 3, device=device, dtype=dtype)
    for signals in (x, channels_last(x)):
        y = et.FieldDropout(0.5)(signals)
        assert y.dtype is dtype
        assert torch.equal(y.flatten(2).amin(2), y.flatten(2).amax(2))
        assert y.unique().tolist() == [0, 2]
        assert y.stride() == signals.stride()


@on_devices
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("group", [C4, D4, CUBE], ids=lambda group: group.name)
def test_the_mean_over_h_does_not_depend_on_the_order(group, dtype, device):
    x = signal(group, 3, dtype).to(device)
    y = et.group_pool(x)
    for _ in range(5):
        assert torch.equal(et.group_pool(x[:, :, torch.randperm(group.order)]), y)
    exact = x.double().mean(2)
    assert torch.all((y.double() - exact).abs() <= torch.finfo(dtype).eps * exact.abs() + 1e-15)


@on_devices
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("memory", [torch.clone, channels_last], ids=["plain", "channels last"])
def test_compilers_are_told_the_memory_of_means(dtype, memory, device):
    x = memory(signal(C4, 5, dtype).to(device))
    checks = {"test_utils": ("test_schema", "test_faketensor")}
    torch.library.opcheck(torch.ops.equiconv.pool_mean, (x,), **checks)
    torch.library.opcheck(torch.ops.equiconv.spatial_mean, (x.flatten(-2),), **checks)
    torch.library.opcheck(torch.ops.equiconv.spatial_mean, (x.movedim(1, 3).flatten(-2),), **checks)
    assert et.group_pool(x, "mean").shape == (2, 5, 5, 5)


@on_devices
def test_induction_copies_numbers_and_adds_up_gradients_in_every_dtype(device):
    module = et.Induce(D4, [0, 4]).to(device)
    for dtype in DTYPES:
        x = torch.randn(1, 2, 4, 3, 3).to(dtype)
        assert torch.equal(
            module(x.to(device)).cpu().float(), torch.from_numpy(eq.induce(x.float().numpy(), D4, [0, 4]))
        )
    x = torch.randn(1, 2, 4, 3, 3, dtype=torch.float64, device=device, requires_grad=True)
    assert torch.autograd.gradcheck(module, x)
    assert torch.autograd.gradgradcheck(module, x)


@pytest.fixture
def single_precision(monkeypatch):
    """The means as on a device without double precision: nothing there may be converted to it."""
    from equiconv.torch._nn import spatial
    from equiconv.torch._operators import sums

    for module in (pools, sums, spatial):
        monkeypatch.setattr(module, "has_double", lambda device: False)

    def refuse(self):
        raise TypeError("no double precision here")

    monkeypatch.setattr(torch.Tensor, "double", refuse)


@pytest.mark.usefixtures("single_precision")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_device_without_double_precision_adds_sorted_numbers(dtype):
    x = signal(D4, 7, dtype)
    flat = x.flatten(-2)
    for shuffled in (flat, flat[..., torch.randperm(flat.shape[-1])]):
        assert torch.equal(pools.spatial_mean(shuffled), pools.spatial_mean(flat))
    assert torch.equal(pools._exact_mean(x[:, :, torch.randperm(8)], 2), pools._exact_mean(x, 2))
    tolerance = 8 * torch.finfo(dtype).eps
    assert torch.allclose(et.SpatialMean(D4)(x), x.float().mean((-2, -1)).to(dtype), atol=tolerance)
    assert torch.allclose(pools._exact_mean(x, 2), x.float().mean(2).to(dtype), atol=tolerance)
    assert et.SpatialAvgPool(D4, 7)(x).shape == (2, 5, 8, 1, 1)


@on_devices
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [1, 2, 3, 24, 120])
def test_exact_means_do_not_depend_on_the_order_of_numbers_of_any_size(count, dtype, device):
    x = torch.randn(3, 4, count, 5, dtype=torch.float64) * torch.exp(2 * torch.randn(3, 4, count, 5))
    x = x.to(device, dtype)
    y = pools._exact_mean(x, 2)
    for _ in range(5):
        assert torch.equal(pools._exact_mean(x[:, :, torch.randperm(count)], 2), y)
    exact = np.apply_along_axis(math.fsum, 2, x.cpu().double().numpy()) / count
    # A rounding of the sum, one of the quotient and one to the dtype, which may be of a subnormal number.
    info = torch.finfo(dtype)
    assert np.all(np.abs(y.cpu().double().numpy() - exact) <= info.eps * (1.5 * np.abs(exact) + info.tiny))


@pytest.mark.parametrize("dtype", DTYPES)
def test_exact_means_of_numbers_without_bounds(dtype):
    inf, nan, largest = float("inf"), float("nan"), torch.finfo(dtype).max
    x = torch.tensor([[inf, 1, 2], [nan, 0, 0], [inf, -inf, 0], [-inf, 0, 1], [largest] * 3, [0, 0, 0]], dtype=dtype)
    y = pools._exact_mean(x, 1)
    assert torch.equal(y[[0, 3, 4, 5]], torch.tensor([inf, -inf, largest, 0], dtype=dtype))
    assert torch.isnan(y[1:3]).all()


def test_the_mean_over_h_off_the_engine_is_that_of_the_engine():
    """The engine adds sorted numbers in double precision; the sums here do not round."""
    x = signal(CUBE, 3)
    assert (pools._exact_mean(x, 2) - et.group_pool(x)).abs().max() <= 2**-24 * et.group_pool(x).abs().max()
    small = torch.randint(-8, 9, (2, 3, 8, 4, 4)).float()
    assert torch.equal(pools._exact_mean(small, 2), et.group_pool(small))


@pytest.mark.parametrize("pool", [et.group_pool, et.SpatialMean(C4)])
def test_pools_refuse_what_is_no_number(pool):
    with pytest.raises(TypeError, match=r"x has dtype torch.int64, expected torch.float32, float64, bfloat16"):
        pool(torch.zeros(1, 2, 4, 3, 3, dtype=torch.int64))

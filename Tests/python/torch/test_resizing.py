# SPDX-License-Identifier: Apache-2.0
"""Upsampling, blurred pools, adaptive means and pools that round up, in PyTorch: NumPy's bits, and derivatives."""

from __future__ import annotations

import copy
import math
import pickle

import equiconv as eq
import numpy as np
import pytest
from resizing_cases import GROUPS, LAYERS, bound, elements_of, signal

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from devices import on_devices  # noqa: E402 (torch may be missing)

C4, D4, LINE, CUBE = eq.cyclic(4), eq.dihedral(4), eq.reflection(), eq.octahedral()
functional = torch.nn.functional


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)


def made(layer, group, library=et):
    name, arguments, keywords = LAYERS[layer]
    return getattr(library, name)(group, *arguments, **keywords)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("group", GROUPS)
def test_layers_have_the_bits_of_numpy_or_pytorch(group, layer):
    group, (name, arguments, _) = GROUPS[group], LAYERS[layer]
    for size in (5, 6):
        x = signal(group, size)
        y, expected = made(layer, group)(torch.from_numpy(x)).numpy(), made(layer, group, eq)(x)
        if group.name == "{e}" or group.order == 1:
            assert np.abs(y - expected).max() <= bound(x, name, arguments)
        else:
            assert np.array_equal(y, expected)


@on_devices
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("group", [LINE, D4, CUBE], ids=lambda group: group.name)
def test_layers_of_any_dtype_commute_with_the_group_to_the_last_bit(group, dtype, device):
    x = torch.from_numpy(signal(group, 5)).to(dtype)
    act = lambda y, g: torch.from_numpy(eq.act(y.cpu().double().numpy(), group, g)).to(dtype)  # noqa: E731
    for layer in LAYERS:
        module = made(layer, group)
        y = module(x.to(device))
        assert y.dtype is dtype
        assert y.device.type == device.type
        for element in elements_of(group)[::3]:
            assert torch.equal(module(act(x, element).to(device)).cpu(), act(y, element)), layer


def test_batches_may_be_empty():
    x = torch.zeros(0, 2, 8, 6, 6)
    for call in [et.SpatialMaxPool(D4, 2), et.SpatialAvgPool(D4, 2), *(made(layer, D4) for layer in LAYERS)]:
        assert call(x).shape == (0, *call(torch.zeros(1, *x.shape[1:])).shape[1:])


def test_half_precision_is_rounded_once():
    for dtype in (torch.bfloat16, torch.float16):
        x = torch.randn(1, 2, 4, 6, 6).to(dtype)
        for layer in LAYERS:
            module = made(layer, C4)
            assert torch.equal(module(x), module(x.float()).to(dtype)), layer


@on_devices
@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_upsampling_is_that_of_pytorch(dimension, factor, corners, device):
    mode = ("linear", "bilinear", "trilinear")[dimension - 1]
    group = (LINE, D4, CUBE)[dimension - 1]
    for size in (1, 2, 5):
        x = torch.randn(2, 3, *(size,) * dimension, device=device)
        near, linear = (functional.interpolate(x, scale_factor=factor, mode=m) for m in ("nearest", mode))
        if corners:
            linear = functional.interpolate(x, scale_factor=factor, mode=mode, align_corners=True)
        for own in (group, eq.trivial(dimension)):
            assert torch.equal(et.Upsample(own, factor)(x), near)
            y = et.Upsample(own, factor, "linear", corners)(x)
            if own.order == 1:
                assert torch.equal(y, linear)
            # Weights of PyTorch are differences of places of up to so many pixels, which round.
            limit = dimension * (5 + 2 * size) * torch.finfo(torch.float32).eps * x.abs().max()
            assert (y - linear).abs().max() <= limit


@pytest.mark.parametrize("taps", [2, 3, 4, 5])
@pytest.mark.parametrize("mode", ["replicate", "zeros"])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_blur_is_a_depthwise_convolution_of_pytorch(dimension, mode, taps):
    padding = (taps - 1) // 2
    x = torch.randn(2, 3, *(6 + taps % 2,) * dimension, dtype=torch.float64)
    row = torch.tensor([math.comb(taps - 1, tap) / 2 ** (taps - 1) for tap in range(taps)], dtype=torch.float64)
    bank = row
    for _ in range(dimension - 1):
        bank = bank.unsqueeze(-1) * row
    padded = functional.pad(x, (padding,) * 2 * dimension, "replicate" if mode == "replicate" else "constant")
    convolution = getattr(functional, f"conv{dimension}d")
    expected = convolution(padded, bank.expand(3, 1, *bank.shape), stride=2, groups=3)
    for group in (eq.trivial(dimension), (LINE, D4, CUBE)[dimension - 1]):
        y = et.BlurPool(group, 2, taps, padding_mode=mode)(x)
        torch.testing.assert_close(y, expected, rtol=0, atol=1e-14)
        largest = getattr(functional, f"max_pool{dimension}d")(x, 3, 1, 1)
        blurred = et.MaxBlurPool(group, 3, 2, taps, padding_mode=mode)(x)
        assert torch.equal(blurred, et.BlurPool(group, 2, taps, padding_mode=mode)(largest))


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_adaptive_means_are_those_of_pytorch(dimension):
    x = torch.randn(2, 3, *(7,) * dimension, dtype=torch.float64)
    for size in (1, 2, 3, 5, 7, 9):
        expected = getattr(functional, f"adaptive_avg_pool{dimension}d")(x, size)
        for group in (eq.trivial(dimension), (LINE, D4, CUBE)[dimension - 1]):
            torch.testing.assert_close(et.AdaptiveMean(group, size)(x), expected, rtol=0, atol=1e-14)
    mean = et.SpatialMean(eq.trivial(dimension))(x)
    assert torch.equal(et.AdaptiveMean(eq.trivial(dimension), 1)(x).flatten(2), mean.unsqueeze(-1))


WINDOWS = [(2, 2, 0), (3, 2, 1), (3, 2, 0), (4, 3, 2), (2, 3, 1), (5, 1, 2)]


@pytest.mark.parametrize("windows", WINDOWS, ids=str)
@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.filterwarnings("ignore::equiconv.EquivarianceWarning")
def test_pools_that_round_up_are_those_of_pytorch(dimension, windows):
    largest, mean = (getattr(functional, f"{name}_pool{dimension}d") for name in ("max", "avg"))
    for size in (5, 6, 7, 8):
        array = np.random.default_rng(size).normal(size=(2, 3, *(size,) * dimension))
        x = torch.from_numpy(array)
        for group in (eq.trivial(dimension), (LINE, D4, CUBE)[dimension - 1]):
            expected = largest(x, *windows, ceil_mode=True)
            assert torch.equal(et.SpatialMaxPool(group, *windows, ceil_mode=True)(x), expected)
            assert np.array_equal(eq.SpatialMaxPool(group, *windows, ceil_mode=True)(array), expected.numpy())
            for flags in ((True, True), (True, False), (False, False)):
                expected = mean(x, *windows, *flags)
                # PyTorch adds up in an order of its own for each memory format.
                torch.testing.assert_close(et.SpatialAvgPool(group, *windows, *flags)(x), expected, rtol=0, atol=1e-14)
                found = eq.SpatialAvgPool(group, *windows, *flags)(array)
                np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-14)


@pytest.mark.parametrize("flags", [(True, True), (True, False), (False, False)])
def test_windows_of_volumes_that_round_up_are_those_of_their_axes(flags):
    from equiconv.torch._nn.spatial import _windows_of_volumes

    x = torch.randn(2, 3, 5, 4, 7, dtype=torch.float64)
    windows, names = ((3, 2, 2), (2, 3, 2), (1, 0, 1)), {"ceil_mode": flags[0], "count_include_pad": flags[1]}
    y = _windows_of_volumes(functional.avg_pool2d, x, *windows, **names)
    torch.testing.assert_close(y, functional.avg_pool3d(x, *windows, **names), rtol=0, atol=1e-14)


@on_devices
@pytest.mark.parametrize("layer", LAYERS)
def test_derivatives_of_both_orders_are_those_of_differences(layer, device):
    for group, size in ((LINE, 5), (D4, 4), (CUBE, 3)):
        module = made(layer, group)
        shape = (1, 1, *(size + (layer == "blur" and group is not CUBE),) * group.dimension)
        # No two numbers are equal, so that maxima have derivatives.
        x = torch.randperm(math.prod(shape), device=device).double().reshape(shape).div(7).requires_grad_()
        assert torch.autograd.gradcheck(module, x, fast_mode=True)
        assert torch.autograd.gradgradcheck(module, x, fast_mode=True)


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if "max" not in layer])
def test_gradients_commute_with_the_group_up_to_rounding(layer):
    module, x = made(layer, D4), torch.randn(1, 1, 8, 6, 6, dtype=torch.float64, requires_grad=True)
    slopes = torch.randn_like(module(x))
    (gradient,) = torch.autograd.grad(module(x), x, slopes)
    for element in range(D4.order):
        turned = torch.from_numpy(eq.act(slopes.numpy(), D4, element))
        (found,) = torch.autograd.grad(module(x), x, turned)
        torch.testing.assert_close(found, torch.from_numpy(eq.act(gradient.numpy(), D4, element)), rtol=0, atol=1e-14)


@on_devices
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("group", [C4, CUBE], ids=lambda group: group.name)
def test_layers_keep_the_memory_of_a_signal(group, layer, device):
    x = torch.from_numpy(signal(group, 6)[(..., *[slice(6)] * group.dimension)]).to(device)
    moved = x.movedim((1, 2), (-2, -1)).contiguous().movedim((-2, -1), (1, 2))
    module = made(layer, group)
    y = module(moved)
    assert torch.equal(y, module(x))
    assert module(x).is_contiguous()
    assert y.movedim((1, 2), (-2, -1)).is_contiguous()


@on_devices
@pytest.mark.parametrize("layer", LAYERS)
def test_gradients_have_the_same_bits_in_every_run(layer, device):
    module = made(layer, CUBE)
    x = torch.randn(1, 2, 24, 6, 6, 6, device=device, requires_grad=True)
    if device.type != "cpu" and layer in ("nearest",):
        pytest.skip("PyTorch's own gradient of interpolate")
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        slopes = torch.randn_like(module(x))
        first, second = (torch.autograd.grad(module(x), x, slopes)[0] for _ in range(2))
    finally:
        torch.use_deterministic_algorithms(before)
    assert torch.equal(first, second)


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_are_mapped_and_compiled(layer):
    module, x = made(layer, D4), torch.from_numpy(signal(D4, 6)[..., :6])
    mapped = torch.vmap(module)(torch.stack([x, 2 * x], 1).movedim(1, 0))
    assert torch.equal(mapped[0], module(x))
    assert torch.equal(mapped[1], module(2 * x))
    torch._dynamo.reset()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(x), module(x))


@pytest.mark.parametrize("layer", ["linear", "linear, corners", "blur", "max and blur"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compilers_that_fuse_additions_change_no_symmetry(layer):
    module, x = made(layer, D4), torch.from_numpy(signal(D4, 6)[..., :6])
    torch._dynamo.reset()
    compiled = torch.compile(module, fullgraph=True)
    y = compiled(x)
    for element in range(D4.order):
        turned = torch.from_numpy(eq.act(x.numpy(), D4, element))
        assert torch.equal(compiled(turned), torch.from_numpy(eq.act(y.numpy(), D4, element)))


@pytest.mark.parametrize("layer", LAYERS)
def test_expansions_and_copies_are_equal(layer):
    name, arguments, _ = LAYERS[layer]
    module, x = made(layer, D4), torch.from_numpy(signal(D4, 6)[..., :6])
    plain = et.expand(module)
    assert (plain(x) - module(x)).abs().max() <= bound(x.numpy(), name, arguments)
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(other(x), module(x))
        assert repr(other) == repr(module)


@pytest.mark.parametrize("layer", ["nearest", "linear", "linear by 3", "linear, corners", "one mean"])
def test_files_have_upsampling_and_one_mean(layer, tmp_path):
    end = [torch.nn.Flatten(), torch.nn.Linear(8, 3)] if layer == "one mean" else [et.GroupPool(C4)]
    network = torch.nn.Sequential(et.LiftingConv(1, 2, 3, C4), made(layer, C4), *end)
    path, x = tmp_path / "network", torch.randn(2, 1, 8, 9)
    et.save_network(network, path, x)
    y, loaded = network(x), et.load_network(path)
    assert (torch.from_numpy(eq.load_network(path)(x.numpy())) - y).abs().max() <= 1e-5 * y.abs().max()
    torch.testing.assert_close(loaded(x), y, rtol=1e-6, atol=1e-6)
    if layer != "one mean":
        assert isinstance(loaded.get_submodule("1"), et.Upsample)
        assert loaded.get_submodule("1").group == C4


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("blur", "is of a BlurPool, no operation of a network file"),
        ("max and blur", "is of a MaxBlurPool, no operation of a network file"),
        ("means", r"has size \[3, 3\], expected 1 for each axis"),
    ],
)
def test_what_files_do_not_have_is_named(layer, message, tmp_path):
    network = torch.nn.Sequential(et.LiftingConv(1, 2, 3, C4), made(layer, C4))
    with pytest.raises(ValueError, match=message):
        et.save_network(network, tmp_path / "network", torch.randn(2, 1, 8, 8))


def test_factors_of_files_that_differ_on_exchanged_axes_are_read(tmp_path):
    up = torch.nn.Upsample(scale_factor=(1, 2, 3))
    network = torch.nn.Sequential(et.LiftingConv(1, 2, 3, C4), up)
    path, x = tmp_path / "network", torch.randn(2, 1, 8, 9)
    et.save_network(network, path, x)
    torch.testing.assert_close(et.load_network(path)(x), network(x), rtol=1e-6, atol=1e-6)


def test_layers_write_down_their_group():
    for layer in LAYERS:
        network = torch.nn.Sequential(
            et.LiftingConv(1, 2, 3, C4), made(layer, C4), et.GroupConv(2, 2, 1, eq.dihedral(2))
        )
        with pytest.raises(ValueError, match=r"signal on G for C4, .*: GroupConv wants one on G for D2"):
            network(torch.randn(1, 1, 8, 8))
        with pytest.raises(ValueError, match="wants one on G for D2"):
            torch.nn.Sequential(et.LiftingConv(1, 2, 3, C4), made(layer, eq.dihedral(2)))(torch.randn(1, 1, 8, 8))


def test_strides_that_do_not_fit_warn_and_name_sizes_that_do():
    for module in (et.BlurPool(C4, 2, 3), et.SpatialMaxPool(C4, 3, 2, ceil_mode=True)):
        with pytest.warns(eq.EquivarianceWarning, match="size 6 .*Nearest sizes that fit: 5 or 7") as seen:
            module(torch.zeros(1, 1, 4, 6, 6))
        assert {warning.filename for warning in seen} == {__file__}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: et.Upsample(C4, (2, 3)), ValueError, r"factor is \(2, 3\), expected equal numbers"),
        (lambda: et.Upsample(C4, 2, "cubic"), ValueError, "mode is 'cubic'"),
        (lambda: et.Upsample(C4, 2)(torch.zeros(1, 2, 0, 3)), ValueError, "of at least 1 for Upsample"),
        (lambda: et.Upsample(C4, 2)(torch.zeros(1, 2, 3, 3, dtype=torch.int64)), TypeError, "dtype torch.int64"),
        (lambda: et.Upsample(C4, 2)(np.zeros((1, 2, 3, 3))), TypeError, "x is"),
        (lambda: et.BlurPool(C4, 2, 3, 2), ValueError, "padding is 2 on axis 0, expected at most 1"),
        (lambda: et.BlurPool(C4, 2, 5, 0)(torch.zeros(1, 1, 4, 4)), ValueError, "taps is 5, expected at most 4"),
        (lambda: et.MaxBlurPool(C4, 2.0), TypeError, "kernel is 2.0"),
        (lambda: et.AdaptiveMean(C4, 0), ValueError, "size is 0"),
        (lambda: et.AdaptiveMean(C4, 2)(torch.zeros(2, 2)), ValueError, "for AdaptiveMean on C4"),
        (lambda: et.SpatialMaxPool(C4, 2, ceil_mode=1), TypeError, "ceil_mode is 1"),
        (lambda: et.SpatialAvgPool(C4, 2, count_include_pad=1), TypeError, "count_include_pad is 1"),
    ],
)
def test_wrong_calls_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()

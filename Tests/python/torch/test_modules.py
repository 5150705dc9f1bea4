# SPDX-License-Identifier: Apache-2.0
"""Modules keep the definition of a layer through copies, files and settings; those of torch and of NumPy are equal."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
import subprocess
import sys

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

C4, D4, C8 = eq.cyclic(4), eq.dihedral(4), eq.cyclic(8)
LAYERS = {"isotropic": "IsotropicConv", "lifting": "LiftingConv", "group": "GroupConv", "projection": "ProjectionConv"}
READS_GROUP = {"isotropic": False, "lifting": False, "group": True, "projection": True}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)


def module_of(layer, *arguments, **keywords):
    return getattr(et, LAYERS[layer])(*arguments, **keywords)


def signal(layer, group, size=7, channels=3, **keywords):
    fiber = (group.order,) if READS_GROUP[layer] else ()
    return torch.randn(2, channels, *fiber, *(size,) * group.dimension, **keywords)


OPTIONS = {
    "C4": (C4, 3, {}),
    "D4 strided": (D4, (3, 3), {"stride": (2, 2), "padding": 1, "padding_mode": "circular", "bias": False}),
    "C8 in a basis": (C8, eq.circular_harmonics(5), {"padding": "same", "algorithm": "direct"}),
    "octahedral": (eq.octahedral(), 2, {"dilation": 2}),
    "matrices": (eq.PointGroup.from_matrices([np.eye(2), -np.eye(2)]), 3, {"interpolation": "bicubic"}),
}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", OPTIONS)
def test_module_is_the_module_of_numpy(layer, name):
    """With the same weights it gives the same bits; arguments, spaces and texts are the same."""
    group, kernel, keywords = OPTIONS[name]
    module = module_of(layer, 3, 4, kernel, group, **keywords)
    twin = getattr(eq, LAYERS[layer])(3, 4, kernel, group, **keywords)
    assert {key: value.shape for key, value in module.named_parameters()} == {
        key: torch.Size(value.shape) for key, value in twin.parameters().items()
    }
    twin.load({key: value.detach().numpy() for key, value in module.named_parameters()})
    x = signal(layer, group)
    np.testing.assert_array_equal(module(x).detach().numpy(), twin(x.numpy()))
    assert (module.input_space, module.output_space) == (twin.input_space, twin.output_space)
    # Torch closes the bracket after all that a module says of itself.
    assert repr(module) == repr(twin).replace("):", ":", 1) + ")"
    assert module.layer_name == layer
    for option in ("group", "in_channels", "out_channels", "stride", "padding", "dilation", "padding_mode"):
        assert getattr(module, option) == getattr(twin, option)
    assert module.kernel == (kernel if isinstance(kernel, eq.KernelBasis) else module.extents)


@pytest.mark.parametrize("layer", LAYERS)
def test_signatures_are_those_of_numpy_and_end_with_what_is_of_torch(layer):
    ours, theirs = (inspect.signature(getattr(module, LAYERS[layer])).parameters for module in (et, eq))
    assert list(ours)[-3:] == ["backend", "device", "dtype"]
    assert list(ours)[:-3] == [p for p in theirs if p not in ("rng", "dtype")]
    assert all(ours[p].default == theirs[p].default for p in list(ours)[:-3])
    assert all(ours[p].default is None for p in list(ours)[-3:])


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_weights_are_drawn_with_the_deviation_of_he_by_the_generator_of_torch(layer, dtype):
    from equiconv._layer.initialization import he_deviation
    from equiconv._layer.layer import LAYERS as LAYER_TABLE
    from equiconv._layer.layer import Kernel

    basis = eq.bspline_basis(5)
    module = module_of(layer, 16, 32, basis, C8, dtype=dtype)
    kernel = Kernel.checked(C8, LAYER_TABLE[layer], (basis, "bilinear", None, False, 1))
    deviation = he_deviation(layer, C8, 16, kernel, basis.extents)
    count = module.weight.numel()
    # The deviation of n normal numbers is within 5 of its own deviations, 1 / sqrt(2 n) of itself.
    assert float(module.weight.detach().std()) == pytest.approx(deviation, rel=5 / (2 * count) ** 0.5)
    assert module.weight.dtype == dtype
    assert module.bias.count_nonzero() == 0
    torch.manual_seed(1)
    module.reset_parameters()
    first = module.weight.detach().clone()
    torch.manual_seed(1)
    module.reset_parameters()
    assert torch.equal(first, module.weight)


def test_parameters_may_be_made_on_the_meta_device():
    with torch.device("meta"):
        module = et.GroupConv(3, 4, 3, C4)
    y = module(torch.empty(2, 3, 4, 7, 7, device="meta"))
    assert (y.device.type, y.shape) == ("meta", (2, 4, 4, 5, 5))
    made = module.to_empty(device="cpu")
    made.reset_parameters()
    assert made(signal("group", C4)).shape == y.shape


@pytest.mark.parametrize("name", OPTIONS)
def test_copies_and_files_give_the_same_layer(name, tmp_path):
    group, kernel, keywords = OPTIONS[name]
    module = module_of("group", 3, 4, kernel, group, **keywords)
    x = signal("group", group)
    y = module(x)
    whole = tmp_path / "module.pt"
    torch.save(module, whole)
    for again in (
        copy.deepcopy(module),
        pickle.loads(pickle.dumps(module)),
        torch.load(whole, weights_only=False),
    ):
        assert torch.equal(again(x), y)
        assert repr(again) == repr(module)
        assert again.weight.data_ptr() != module.weight.data_ptr()


def test_state_goes_through_a_file_of_weights_only():
    module, other = et.GroupConv(3, 4, 3, C4), et.GroupConv(3, 4, 3, C4)
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    state = torch.load(file, weights_only=True)
    assert list(state) == ["weight", "bias", "_extra_state"]
    x = signal("group", C4)
    assert not torch.equal(other(x), module(x))
    other.load_state_dict(state)
    assert torch.equal(other(x), module(x))


def test_whole_module_is_read_by_a_new_process(tmp_path):
    """Where no layer has been made yet, and the compiler's strings mean nothing."""
    module = et.GroupConv(3, 4, eq.bspline_basis(3), C8, stride=2, padding=1)
    x = signal("group", C8)
    torch.save((module, x, module(x)), tmp_path / "all.pt")
    code = """
import sys, torch
module, x, y = torch.load(sys.argv[1], weights_only=False)
assert torch.equal(module(x), y)
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "all.pt")], check=True)


def test_options_may_be_set_later():
    module, twin = et.GroupConv(3, 4, 3, C4, algorithm="fourier"), et.GroupConv(3, 4, 3, C4, algorithm="direct")
    twin.load_state_dict(module.state_dict())
    x = signal("group", C4, size=20)
    assert not torch.equal(module(x), twin(x))
    module.algorithm = "direct"
    assert torch.equal(module(x), twin(x))
    module.stride, module.padding, module.padding_mode = 2, 1, "circular"
    x = signal("group", C4, size=19)
    options = {"stride": 2, "padding": 1, "padding_mode": "circular", "algorithm": "direct"}
    assert torch.equal(module(x), et.group_conv(x, twin.weight, C4, twin.bias, **options))


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("algorithm", "fast", ValueError),
        ("stride", 0, ValueError),
        ("padding", None, TypeError),
        ("quadrature", 1, TypeError),
        ("interpolation", "nearest", ValueError),
        ("group_basis", "localized", TypeError),
    ],
)
def test_option_that_is_wrong_is_refused_and_the_former_one_stays(option, value, error):
    module = et.GroupConv(3, 4, 3, C4, padding=1)
    before, x = getattr(module, option), signal("group", C4)
    y = module(x)
    with pytest.raises(error, match=option):
        setattr(module, option, value)
    assert getattr(module, option) == before
    assert torch.equal(module(x), y)
    with pytest.raises(error, match=option):
        et.GroupConv(3, 4, 3, C4, **{option: value})


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        ("group", (2, 3, 7, 7), r"x has shape \(2, 3, 7, 7\): GroupConv wants a signal on G for C4 \(B, 3, 4, rows,"),
        ("lifting", (2, 3, 4, 7, 7), r"LiftingConv wants a signal on the plane \(B, 3, rows, columns\), got one on G"),
        ("group", (2, 3, 8, 7, 7), r"wants a signal on G for C4 .*, got one on G for a group of 8 elements"),
        ("group", (2, 5, 4, 7, 7), r"GroupConv wants 3 channels .*, got 5"),
        ("projection", (3, 4), r"ProjectionConv wants a signal on G for C4 .*, got no signal on it"),
        ("group", (2, 3, 4, 2, 7), r"weight has shape .*: its kernel reaches over 3"),
    ],
)
def test_signal_on_another_space_is_an_error_that_names_both(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        module_of(layer, 3, 4, 3, C4)(torch.zeros(shape))


def test_what_is_no_tensor_or_of_another_dtype_is_an_error():
    module = et.GroupConv(3, 4, 3, C4)
    with pytest.raises(TypeError, match=r"x is array.*expected a torch.Tensor"):
        module(np.zeros((2, 3, 4, 7, 7), np.float32))
    with pytest.raises(TypeError, match=r"weight has dtype torch.float32, expected torch.float16 as x has"):
        module(torch.zeros(2, 3, 4, 7, 7).half())
    with pytest.raises(TypeError, match=r"x has dtype torch.int64, expected torch.float32, float64, bfloat16 or float"):
        module(torch.zeros(2, 3, 4, 7, 7).long())
    with pytest.raises(TypeError, match=r"weight has dtype torch.float32, expected torch.float64 as x has"):
        module(torch.zeros(2, 3, 4, 7, 7).double())
    with pytest.raises(ValueError, match="in_channels is 0"):
        et.GroupConv(0, 4, 3, C4)
    with pytest.raises(ValueError, match=r"out_channels is 1073741824 .* expected at most 2\^48 weights"):
        et.LiftingConv(2**30, 2**30, 3, C4)
    with pytest.raises(TypeError, match="group is 4"):
        et.GroupConv(3, 4, 3, 4)
    with pytest.raises(ValueError, match="GroupPool wants a signal on G for C4"):
        et.GroupPool(C4)(torch.zeros(2, 3, 8, 7, 7))
    with pytest.raises(ValueError, match="mode is 'min'"):
        et.GroupPool(C4, "min")


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_pool_is_that_of_numpy_and_survives_copies(mode):
    pool, x = et.GroupPool(D4, mode), signal("group", D4)
    for again in (pool, copy.deepcopy(pool), pickle.loads(pickle.dumps(pool))):
        np.testing.assert_array_equal(again(x).numpy(), eq.group_pool(x.numpy(), mode))
        assert repr(again) == f"GroupPool(D4, {mode!r})"


def test_network_commutes_with_the_group_to_the_last_bit_once_set_to_direct():
    network = torch.nn.Sequential(
        et.LiftingConv(1, 4, 5, D4, padding="same"),
        torch.nn.ReLU(),
        et.GroupConv(4, 4, 3, D4, stride=2, padding=1),
        et.GroupPool(D4, "max"),
        et.SpatialMean(D4),
    ).eval()
    for module in network.modules():
        if hasattr(module, "algorithm"):
            module.algorithm = "direct"
    x = torch.randn(2, 1, 17, 17)
    with torch.no_grad():
        y = network(x)
        for element in range(D4.order):
            assert torch.equal(network(torch.from_numpy(eq.act(x.numpy(), D4, element))), y)


def test_training_lowers_the_loss_and_keeps_weights_finite():
    """The layers learn: the quarter turns of a kernel are fitted by a layer that starts elsewhere."""
    target, student = et.LiftingConv(1, 2, 3, C4), et.LiftingConv(1, 2, 3, C4)
    optimizer = torch.optim.LBFGS(student.parameters(), max_iter=50, line_search_fn="strong_wolfe")
    x = torch.randn(4, 1, 8, 8)
    y = target(x).detach()

    def loss():
        optimizer.zero_grad()
        value = (student(x) - y).square().mean()
        value.backward()
        return value

    before = float(loss().detach())
    optimizer.step(loss)
    assert float(loss().detach()) < 1e-8 * before
    # One kernel has these turns: the student found it.
    torch.testing.assert_close(student.weight, target.weight, atol=1e-3, rtol=0)

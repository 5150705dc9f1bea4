# SPDX-License-Identifier: Apache-2.0
"""Transposed convolutions in PyTorch: the bits of NumPy's, PyTorch's own for the trivial group, gradients, modules."""

from __future__ import annotations

import copy
import inspect
import pickle
import warnings

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

C4, D4, C8 = eq.cyclic(4), eq.dihedral(4), eq.cyclic(8)
LAYERS = ("isotropic", "lifting", "group", "projection")
OPTIONS = {
    "C4": (C4, 3, {}),
    "D4 strided": (D4, 4, {"stride": 2, "padding": 1}),
    "C4 circular": (C4, 3, {"stride": 2, "padding": 5, "padding_mode": "circular"}),
    "C8 splines": (C8, eq.bspline_basis(5), {"padding": "same", "dilation": 2}),
    "line": (eq.reflection(), 3, {"stride": 3, "padding": 1}),
    "space": (eq.octahedral(), 3, {"stride": 2}),
    "scalings": (eq.scaling([1, 2]), eq.bspline_basis(3), {"padding": "same", "quadrature": True}),
}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)


def module_of(layer, name="C4", channels=(3, 2), dtype=torch.float64, **more):
    group, kernel, options = OPTIONS[name]
    module = et.TransposedConv(*channels, kernel, group, layer=layer, dtype=dtype, **{**options, **more})
    if module.bias is not None:
        torch.nn.init.normal_(module.bias)
    return module


def signal(module, size=5, dtype=torch.float64, **keywords):
    group = module.input_space.group
    fiber = () if group is None else (group.order,)
    sizes = (size, size + 1, size - 1)[: module.group.dimension]
    return torch.randn(2, module.in_channels, *fiber, *sizes, dtype=dtype, **keywords)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", OPTIONS)
def test_module_and_function_are_those_of_numpy_by_either_backend(layer, name):
    module = module_of(layer, name)
    twin = eq.TransposedConv(3, 2, module.kernel, module.group, layer=layer, dtype="float64", **OPTIONS[name][2])
    twin.load({key: value.detach().numpy() for key, value in module.named_parameters()})
    x = signal(module)
    expected = twin(x.numpy())
    np.testing.assert_array_equal(module(x).detach().numpy(), expected)
    options = {"layer": layer, "basis": module.basis, **OPTIONS[name][2]}
    function = et.transposed_conv(x, module.weight, module.group, module.bias, **options)
    np.testing.assert_array_equal(function.detach().numpy(), expected)
    assert repr(module) == repr(twin).replace("):", ":", 1) + ")"
    et.set_backend(module, "torch")
    for found in (module(x), module.eval()(x), et.transposed_conv(
        x, module.weight, module.group, module.bias, backend="torch", **options
    )):  # fmt: skip
        assert np.abs(found.detach().numpy() - expected).max() <= 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", ["D4 strided", "C4 circular", "C8 splines", "line", "space"])
@pytest.mark.parametrize("backend", ["engine", "torch"])
@pytest.mark.parametrize("algorithm", ["direct", "exact"])
def test_it_commutes_with_the_group_to_the_last_bit(layer, name, backend, algorithm):
    module = module_of(layer, name, backend=backend, algorithm=algorithm, dtype=torch.float32)
    assert eq.equivariance_error(module, signal(module, dtype=torch.float32), module.group) == 0


@pytest.mark.parametrize("backend", ["engine", "torch"])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_adjoint_of_the_trivial_group_is_pytorchs_transposed_convolution(d, backend):
    make = (torch.nn.ConvTranspose1d, torch.nn.ConvTranspose2d, torch.nn.ConvTranspose3d)[d - 1]
    kernel, stride, dilation = (3, 4, 2)[:d], (2, 3, 4)[:d], (1, 2, 3)[:d]
    padding, more = (1, 0, 1)[:d], (1, 2, 3)[:d]
    options = {"stride": stride, "padding": padding, "output_padding": more, "dilation": dilation}
    plain = make(3, 2, kernel, dtype=torch.float64, **options)
    x = torch.randn(2, 3, *(5, 4, 3)[:d], dtype=torch.float64)
    for layer in LAYERS:
        module = et.TransposedConv(
            3, 2, kernel, eq.trivial(d), layer=layer, backend=backend, dtype=torch.float64, **options
        )
        with torch.no_grad():
            module.weight.copy_(plain.weight.reshape(module.weight.shape))
            module.bias.copy_(plain.bias)
        y = module(x if module.input_space.group is None else x.unsqueeze(2))
        assert torch.allclose(y.reshape(plain(x).shape), plain(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("backend", ["engine", "torch"])
@pytest.mark.parametrize("algorithm", ["auto", "direct"])
def test_derivatives_of_the_first_and_second_order_are_those_of_differences(layer, backend, algorithm):
    module = module_of(layer, "line", (2, 1), algorithm=algorithm, backend=backend)
    options = {"layer": layer, "algorithm": algorithm, "backend": backend, **OPTIONS["line"][2]}
    x = signal(module, size=3, requires_grad=True)

    def f(x, weight, bias):
        return et.transposed_conv(x, weight, module.group, bias, **options)

    arguments = (x, module.weight, module.bias)
    assert torch.autograd.gradcheck(f, arguments, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(f, arguments)


def test_gradients_are_those_of_numpy():
    module = module_of("lifting", "D4 strided")
    x = signal(module, requires_grad=True)
    y = module(x)
    g = torch.randn_like(y)
    y.backward(g)
    options = {"layer": "lifting", **OPTIONS["D4 strided"][2]}
    expected = eq.transposed_conv_vjp(g.numpy(), x.detach().numpy(), module.weight.detach().numpy(), D4, **options)
    for found, wanted in zip((x.grad, module.weight.grad, module.bias.grad), expected, strict=True):
        np.testing.assert_allclose(found.numpy(), wanted, rtol=0, atol=1e-12 * np.abs(wanted).max())


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("bias", [True, False])
def test_expansion_equals_the_layer(layer, name, bias):
    module = module_of(layer, name, bias=bias)
    x = signal(module)
    y, d = module(x), module.group.dimension
    flat = module.expand()(x.reshape(2, -1, *x.shape[-d:]))
    assert torch.allclose(flat.reshape(y.shape), y, rtol=0, atol=1e-12 * float(y.detach().abs().max()))
    if module.padding_mode == "zeros":
        assert type(module.expand()).__name__ == f"ConvTranspose{d}d"
    whole = et.expand(torch.nn.Sequential(module, torch.nn.ReLU()))
    assert not any(type(part).__module__.startswith("equiconv.torch._nn.transposed") for part in whole.modules())
    assert torch.allclose(whole(x), y.relu(), rtol=0, atol=1e-12 * float(y.detach().abs().max()))


def test_expansion_has_the_output_padding():
    for options in ({"padding": 1}, {"padding": 4, "padding_mode": "circular"}):
        module = et.TransposedConv(3, 2, 3, eq.dihedral(1), stride=3, output_padding=(2, 0), **options)
        x = torch.randn(1, 3, 2, 4, 5)
        assert torch.allclose(et.expand(module)(x), module(x), atol=1e-5)


def test_state_says_what_weights_are_for():
    module = et.TransposedConv(2, 3, 3, C4)
    assert list(module.state_dict()) == ["weight", "bias", "_extra_state"]
    with pytest.raises(RuntimeError, match="D2"):
        et.TransposedConv(2, 3, 3, eq.dihedral(2)).load_state_dict(module.state_dict())
    other = et.TransposedConv(2, 3, 3, C4)
    other.load_state_dict(module.state_dict())
    x = torch.randn(1, 2, 4, 3, 3)
    for same in (other, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(same(x), module(x))


def test_its_signal_is_on_record_as_one_of_its_group():
    up = et.TransposedConv(2, 2, 3, C4, layer="projection")
    for call in (up, lambda x: et.transposed_conv(x, up.weight, C4, layer="projection", backend="torch")):
        y = torch.relu(call(torch.randn(1, 2, 5, 5)))
        et.GroupConv(2, 1, 3, C4)(y)
        with pytest.raises(ValueError, match=r"signal on G for C4, .*: GroupConv wants one on G for D2"):
            et.GroupConv(2, 1, 3, eq.dihedral(2))(y)
    with pytest.raises(ValueError, match=r"signal on G for C4, .*: TransposedConv wants one on G for D2"):
        et.TransposedConv(2, 1, 3, eq.dihedral(2))(et.LiftingConv(1, 2, 3, C4)(torch.randn(1, 1, 5, 5)))


def test_output_padding_warns_at_the_line_of_the_user():
    module = et.TransposedConv(2, 2, 3, C4, stride=2, output_padding=1)
    x = torch.randn(1, 2, 4, 3, 3)
    calls = (module, lambda x: et.transposed_conv(x, module.weight, C4, stride=2, output_padding=1))
    for call in calls:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            assert call(x).shape[-2:] == (8, 8)
        assert [warning.category for warning in seen] == [eq.EquivarianceWarning] * 2
        assert {warning.filename for warning in seen} == {__file__}


def test_signatures_are_those_of_numpy_and_end_with_what_is_of_torch():
    ours, theirs = (inspect.signature(module.TransposedConv).parameters for module in (et, eq))
    assert list(ours)[-3:] == ["backend", "device", "dtype"]
    assert list(ours)[:-3] == [p for p in theirs if p not in ("rng", "dtype")]
    assert all(ours[p].default == theirs[p].default for p in list(ours)[:-3])
    function = inspect.signature(et.transposed_conv).parameters
    assert list(function)[:-1] == list(inspect.signature(eq.transposed_conv).parameters)[:-1]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_and_autocast_compute_as_the_layers_do(dtype):
    module = module_of("lifting", "D4 strided", dtype=torch.float32)
    x = signal(module, dtype=torch.float32)
    expected = module(x)
    half = copy.deepcopy(module).to(dtype)(x.to(dtype))
    assert half.dtype is dtype
    assert (half.float() - expected).abs().max() <= 0.02 * expected.abs().max()
    et.set_backend(module, "torch")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert module(x).dtype is torch.bfloat16


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("backend", ["engine", "torch"])
def test_vmap_is_a_loop(layer, backend):
    module = module_of(layer, "C4", backend=backend)
    x = torch.stack([signal(module) for _ in range(3)])
    expected = torch.stack([module(one) for one in x])
    assert torch.allclose(torch.func.vmap(module)(x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("algorithm", ["auto", "direct"])
@pytest.mark.parametrize("backend", ["engine", "torch"])
def test_compiled_modules_compute_the_same(backend, algorithm):
    module = module_of("lifting", "D4 strided", backend=backend, algorithm=algorithm)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager", dynamic=True)
    for size in (5, 6):
        x = signal(module, size)
        y = module(x)
        assert torch.allclose(compiled(x), y, rtol=0, atol=1e-12 * float(y.detach().abs().max()))
    with pytest.raises(torch._dynamo.exc.Unsupported, match="exception"):
        compiled(torch.randn(2, 3, 5, 5, dtype=torch.float64))


def test_explanations_are_of_the_pass_of_the_layer():
    module = et.TransposedConv(2, 3, 3, D4, layer="lifting", stride=2)
    found = et.explain(module, (1, 2, 8, 5, 5))
    assert (found.layer, found.run) == ("lifting_conv", "input_gradient")
    assert et.explain(module, (1, 2, 8, 5, 5), run="input_gradient").run == "forward"
    module.algorithm = "exact"
    assert et.explain(module, (1, 2, 8, 5, 5)).is_exact
    assert et.explain(module, (1, 2, 8, 5, 5)).algorithm == "turned"
    module.backend = "torch"
    assert et.explain(module, (1, 2, 8, 5, 5)).algorithm == "turned"


X, W = torch.ones(1, 2, 4, 5, 5), torch.ones(2, 3, 4, 3, 3)
WRONG = {
    "x of another space": ({"x": torch.ones(1, 2, 5, 5)}, ValueError, "x has shape"),
    "channels": ({"x": torch.ones(1, 3, 4, 5, 5)}, ValueError, "weight has shape .*expected 3 on axis 0"),
    "bias": ({"bias": torch.ones(2)}, ValueError, "bias has shape"),
    "dtype of the bias": ({"bias": torch.ones(3).double()}, TypeError, "bias has dtype torch.float64"),
    "dtype of the weight": ({"weight": W.double()}, TypeError, "weight has dtype torch.float64"),
    "numbers": ({"x": X.long()}, TypeError, "x has dtype torch.int64"),
    "output padding": ({"output_padding": 1}, ValueError, "output_padding is 1, expected at most 0"),
    "layer": ({"layer": "conv"}, ValueError, "layer is 'conv'"),
    "no tensor": ({"x": np.ones((1, 2, 4, 5, 5))}, TypeError, "x is .*expected a torch.Tensor"),
    "backend": ({"backend": "cuda"}, ValueError, "backend is 'cuda'"),
    "padding": ({"padding": 4}, ValueError, "padding is 4 on spatial axis 0"),
}


@pytest.mark.parametrize("backend", ["engine", "torch"])
@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls_are_errors_that_name_the_argument(case, backend):
    changes, kind, message = WRONG[case]
    arguments = {"x": X, "weight": W, "group": C4, "backend": backend} | changes
    with pytest.raises(kind, match=message):
        et.transposed_conv(**arguments)


def test_loaded_networks_have_the_layer_as_a_module_that_trains(tmp_path):
    network = torch.nn.Sequential(
        et.LiftingConv(1, 2, 3, C4), et.TransposedConv(2, 3, 4, C4, stride=2, padding=1), et.GroupPool(C4)
    )
    x = torch.randn(1, 1, 6, 6)
    et.save_network(network, tmp_path / "network", x)
    loaded = et.load_network(tmp_path / "network")
    up = loaded.get_submodule("1")
    assert type(up) is et.TransposedConv
    assert (up.stride, up.padding, up.extents) == ((2, 2), (1, 1), (4, 4))
    assert torch.allclose(loaded(x), network(x), atol=1e-6)
    loaded.load_state_dict(network.state_dict())
    loaded.train()(x).sum().backward()
    assert up.weight.grad.abs().sum() > 0
    numpy = eq.load_network(tmp_path / "network")(x.numpy())
    np.testing.assert_allclose(numpy, network(x).detach().numpy(), atol=1e-5)

# SPDX-License-Identifier: Apache-2.0
"""The functions on tensors are those on arrays: the same bits, no copies, errors that name the argument."""

from __future__ import annotations

import inspect
import warnings

import equiconv as eq
import numpy as np
import pytest
from torch_cases import CASES

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

C4, D4 = eq.cyclic(4), eq.dihedral(4)
FUNCTIONS = ("isotropic_conv", "lifting_conv", "group_conv", "projection_conv", "conv")


def tensors(*arrays):
    return tuple(torch.from_numpy(array) for array in arrays)


def random(*shape, dtype=torch.float32):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(20200426))


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("algorithm", ["direct", "auto"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_results_and_gradients_have_the_bits_of_numpy(rng, case, algorithm, dtype):
    """Gradients too, except that of the bias, which torch sums: it agrees within the rounding of a sum."""
    arrays = case.operands(rng, dtype)
    keywords = case.keywords | {"algorithm": algorithm}
    x, weight, bias = (tensor.requires_grad_() for tensor in tensors(*arrays))
    y = getattr(et, case.function)(x, weight, case.group, bias, **keywords)
    expected = getattr(eq, case.function)(arrays[0], arrays[1], case.group, arrays[2], **keywords)
    np.testing.assert_array_equal(y.detach().numpy(), expected)
    assert y.dtype == x.dtype
    assert y.is_contiguous()
    grad_out = rng.normal(size=expected.shape).astype(dtype)
    y.backward(torch.from_numpy(grad_out))
    vjp = getattr(eq, f"{case.function}_vjp")
    grad_x, grad_weight, grad_bias = vjp(grad_out, arrays[0], arrays[1], case.group, **keywords)
    np.testing.assert_array_equal(x.grad.numpy(), grad_x)
    np.testing.assert_array_equal(weight.grad.numpy(), grad_weight)
    bound = np.finfo(dtype).eps * grad_out.size * np.abs(grad_out).max()
    np.testing.assert_allclose(bias.grad.numpy(), grad_bias, rtol=0, atol=bound)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signatures_are_those_of_numpy_without_out_and_with_a_backend(name):
    ours, theirs = (dict(inspect.signature(getattr(module, name)).parameters) for module in (et, eq))
    *_, last = ours
    backend = ours.pop("backend")
    assert (last, backend.default, backend.kind) == ("backend", None, inspect.Parameter.KEYWORD_ONLY)
    assert list(ours) == [parameter for parameter in theirs if parameter != "out"]
    assert all(ours[p].default == theirs[p].default and ours[p].kind == theirs[p].kind for p in ours)


@pytest.mark.parametrize("mode", ["mean", "max"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_pools_have_the_bits_of_numpy(rng, mode, dtype):
    """Ties and NaN included."""
    array = rng.integers(-3, 4, size=(2, 3, 8, 5, 4)).astype(dtype) / 3
    x = torch.from_numpy(array).requires_grad_()
    y = et.group_pool(x, mode)
    np.testing.assert_array_equal(y.detach().numpy(), eq.group_pool(array, mode))
    grad_out = rng.normal(size=y.shape).astype(dtype)
    y.backward(torch.from_numpy(grad_out))
    expected = eq.group_pool_vjp(grad_out, array, mode)
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=np.finfo(dtype).eps, atol=0)
    array[0, 0, 3] = np.nan
    y = et.group_pool(torch.from_numpy(array), mode).numpy()
    np.testing.assert_array_equal(y, eq.group_pool(array, mode))
    assert np.isnan(y[0, 0]).all()


def test_contiguous_tensors_are_not_copied(monkeypatch):
    """What the engine reads and writes is the memory of the tensors themselves."""
    seen = []

    def spied(name, call):
        def run(*arguments):
            result = call(*arguments)
            read = [address(value) for value in arguments[1:4]]
            # Addresses alone: a tensor whose memory is in use elsewhere would be copied to become a gradient.
            seen.append((name, read, [address(value) for value in (result if name == "vjp" else (result,))]))
            return result

        return run

    def address(array):
        return None if array is None else array.ctypes.data

    for name in ("forward", "vjp"):
        monkeypatch.setattr(eq._native, name, spied(name, getattr(eq._native, name)))
    x, weight, bias = random(4, 8, 4, 9, 9), random(8, 8, 4, 3, 3), random(8)
    for tensor in (x, weight, bias):
        tensor.requires_grad_()
    y = et.group_conv(x, weight, C4, bias)
    grad_out = torch.ones_like(y)
    y.backward(grad_out)
    (_, read, written), (_, for_both, grads) = seen
    assert read == [x.data_ptr(), weight.data_ptr(), bias.data_ptr()]
    assert written == [y.data_ptr()]
    assert for_both == [grad_out.data_ptr(), x.data_ptr(), weight.data_ptr()]
    assert grads == [x.grad.data_ptr(), weight.grad.data_ptr(), None]


@pytest.mark.parametrize(
    "change",
    {
        "channels_last": lambda x: x.to(memory_format=torch.channels_last),
        "transposed": lambda x: x.transpose(-1, -2).contiguous().transpose(-1, -2),
        "every second": lambda x: torch.stack([x, x], -1).flatten(-2)[..., ::2],
        "negated view": lambda x: torch.conj(torch.complex(x, -x)).imag,
        "offset": lambda x: torch.cat([x[:1], x])[1:],
    }.items(),
    ids=lambda item: item[0],
)
def test_every_layout_of_a_dense_tensor_works(change):
    x, weight = random(2, 3, 8, 8), random(5, 3, 3, 3)
    changed = change[1](x)
    assert torch.equal(changed, x)
    assert torch.equal(et.lifting_conv(changed, weight, C4), et.lifting_conv(x, weight, C4))


def test_expanded_gradients_work():
    """That of a sum is one number, expanded."""
    x, weight = random(2, 3, 8, 8).requires_grad_(), random(5, 3, 3, 3).requires_grad_()
    et.lifting_conv(x, weight, C4).sum().backward()
    ones = np.ones((2, 5, 4, 6, 6), np.float32)
    expected = eq.lifting_conv_vjp(ones, x.detach().numpy(), weight.detach().numpy(), C4)
    np.testing.assert_array_equal(x.grad.numpy(), expected[0])
    np.testing.assert_array_equal(weight.grad.numpy(), expected[1])


def test_empty_batch_has_gradients_of_zeros():
    x, weight, bias = random(0, 3, 4, 5, 5).requires_grad_(), random(2, 3, 4, 3, 3).requires_grad_(), random(2)
    bias.requires_grad_()
    y = et.group_conv(x, weight, C4, bias)
    assert y.shape == (0, 2, 4, 3, 3)
    y.sum().backward()
    assert x.grad.shape == x.shape
    assert weight.grad.count_nonzero() == 0
    assert bias.grad.count_nonzero() == 0


@pytest.mark.parametrize("group", [C4, D4], ids=["C4", "D4"])
def test_direct_commutes_with_the_group_to_the_last_bit(group):
    x, weight = random(2, 3, 9, 9), random(4, 3, 3, 3)
    deep = random(4, 4, group.order, 3, 3)

    def network(f):
        y = et.lifting_conv(f, weight, group, algorithm="direct", padding=1).relu()
        return et.group_conv(y, deep, group, algorithm="direct", stride=2)

    y = network(x)
    for element in range(group.order):
        turned = torch.from_numpy(eq.act(x.numpy(), group, element))
        np.testing.assert_array_equal(network(turned).numpy(), eq.act(y.numpy(), group, element))


def test_warning_appears_once_an_axis_where_the_function_is_called():
    x, weight = random(1, 3, 4, 8, 8).requires_grad_(), random(2, 3, 4, 3, 3)
    module = et.GroupConv(3, 2, 3, C4, stride=2)
    for call in (lambda: et.group_conv(x, weight, C4, stride=2), lambda: module(x)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            y = call()
        assert [warning.category for warning in caught] == [eq.EquivarianceWarning] * 2
        assert {warning.filename for warning in caught} == {__file__}
        y.sum().backward()  # no warning: the layer has said so


OPERANDS = {"x": (2, 3, 4, 5, 5), "weight": (2, 3, 4, 3, 3), "bias": (2,)}


def call_with(name, change, backend=None):
    operands = {key: random(*shape) for key, shape in OPERANDS.items()}
    operands[name] = change(operands[name])
    return et.group_conv(operands["x"], operands["weight"], C4, operands["bias"], backend=backend)


@pytest.mark.parametrize("name", OPERANDS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.bfloat16(), "{} has dtype torch.bfloat16, expected torch.float32"),
        (lambda x: x.half(), "{} has dtype torch.float16, expected torch.float32"),
        (lambda x: x.int(), "{} has dtype torch.int32, expected torch.float32"),
        (lambda x: x.to(torch.complex64), "{} has dtype torch.complex64, expected torch.float32"),
        (lambda x: x.to_sparse(), "{} has layout torch.sparse_coo, expected torch.strided: use {}.to_dense()"),
        (lambda x: x.numpy(), "{} is array.*expected a torch.Tensor"),
        (lambda x: [1.0], r"{} is \[1.0\] \(list\), expected a torch.Tensor"),
    ],
    ids=["bfloat16", "half", "int", "complex", "sparse", "array", "list"],
)
def test_what_the_engine_cannot_read_is_an_error_that_names_it(name, change, message):
    with pytest.raises(TypeError, match=message.replace("{}", name)):
        call_with(name, change, "engine")


@pytest.mark.parametrize("name", OPERANDS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.int(), "{} has dtype torch.int32, expected torch.float32"),
        (lambda x: x.to(torch.complex64), "{} has dtype torch.complex64, expected torch.float32"),
        (lambda x: x.to_sparse(), "{} has layout torch.sparse_coo, expected torch.strided: use {}.to_dense()"),
        (lambda x: x.numpy(), "{} is array.*expected a torch.Tensor"),
        (lambda x: [1.0], r"{} is \[1.0\] \(list\), expected a torch.Tensor"),
    ],
    ids=["int", "complex", "sparse", "array", "list"],
)
@pytest.mark.parametrize("backend", [None, "torch"])
def test_what_no_backend_can_read_is_an_error_that_names_it(name, change, message, backend):
    with pytest.raises(TypeError, match=message.replace("{}", name)):
        call_with(name, change, backend)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_beside_single_is_an_error_that_names_both(dtype):
    for name in ("weight", "bias"):
        message = rf"{name} has dtype {dtype}, expected torch.float32 as x has: use {name}.to\(torch.float32\)"
        for backend in (None, "torch"):
            with pytest.raises(TypeError, match=message if backend else f"{name} has dtype {dtype}, expected"):
                call_with(name, lambda x: x.to(dtype), backend)
    with pytest.raises(TypeError, match=f"weight has dtype torch.float32, expected {dtype} as x has"):
        call_with("x", lambda x: x.to(dtype))


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_mixed_dtypes_are_an_error_in_torch_words(name):
    with pytest.raises(TypeError, match=rf"{name} has dtype torch.float64, expected torch.float32.*{name}.to\(torch"):
        call_with(name, lambda x: x.double())


def test_tensor_of_another_device_is_an_error_that_names_it():
    """A stand-in: this needs no other device."""
    from equiconv.torch._operators.tensors import check_tensor

    with torch._subclasses.FakeTensorMode(allow_non_fake_inputs=True):
        elsewhere = torch.empty(2, 3, 4, 5, 5, device="cuda")
        with pytest.raises(ValueError, match="x is on cuda:0, expected a tensor on the CPU, where the engine runs"):
            check_tensor("x", elsewhere)
        weight = torch.empty(2, 3, 4, 3, 3, device="cuda")
        with pytest.raises(ValueError, match="x is on cuda:0, expected a tensor on the CPU, where the engine runs"):
            et.group_conv(elsewhere, weight, C4, backend="engine")
        with pytest.raises(ValueError, match="weight is on cpu, expected cuda:0 as x is"):
            et.group_conv(elsewhere, torch.empty(weight.shape), C4)


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"stride": True}, TypeError, "stride is True"),
        ({"stride": 1.0}, TypeError, "stride is 1.0"),
        ({"stride": (1, True)}, TypeError, r"stride\[1\] is True"),
        ({"stride": 0}, ValueError, "stride is 0"),
        ({"padding": -1}, ValueError, "padding is -1"),
        ({"quadrature": 1}, TypeError, "quadrature is 1"),
        ({"algorithm": "fast"}, ValueError, "algorithm is 'fast'"),
        ({"basis": "splines"}, TypeError, "basis is 'splines'"),
        ({"dilation": {}}, TypeError, "dilation is {}"),
    ],
    ids=str,
)
def test_options_are_checked_also_after_equal_ones_of_another_type(keywords, error, message):
    x, weight = random(1, 2, 4, 5, 5), random(2, 2, 4, 3, 3)
    et.group_conv(x, weight, C4, stride=1)
    et.group_conv(x, weight, C4, stride=(1, 1), quadrature=True)
    with pytest.raises(error, match=message):
        et.group_conv(x, weight, C4, **keywords)
    with pytest.raises(error, match=message):
        eq.group_conv(x.numpy(), weight.numpy(), C4, **keywords)


def test_shapes_are_checked_as_in_numpy():
    x, weight = random(1, 2, 4, 5, 5), random(2, 2, 4, 3, 3)
    for arguments, message in [
        ((x, weight, eq.cyclic(8)), r"x has shape \(1, 2, 4, 5, 5\), expected .* \|H\| = 8 of C8"),
        ((x[:, :1], weight, C4), "expected 1 on axis 1, the channels C of x"),
        ((x, weight, C4, random(3)), "bias has shape"),
    ]:
        with pytest.raises(ValueError, match=message):
            et.group_conv(*arguments)
        if len(arguments) == 3:
            with pytest.raises(ValueError, match=message):
                et.group_conv(arguments[0].to("meta"), arguments[1].to("meta"), arguments[2])
    with pytest.raises(TypeError, match="group is 'C4'"):
        et.group_conv(x, weight, "C4")
    with pytest.raises(ValueError, match=r"x has shape .* for group_pool"):
        et.group_pool(random(2, 3, 4))
    with pytest.raises(ValueError, match="mode is 'sum'"):
        et.group_pool(x, "sum")


def test_lists_are_taken_for_tuples():
    x, weight = random(1, 2, 4, 5, 5), random(2, 2, 4, 3, 3)
    pair = et.group_conv(x, weight, C4, stride=[2, 2], padding=[1, 1])
    assert torch.equal(pair, et.group_conv(x, weight, C4, stride=2, padding=1))


def test_groups_that_print_alike_are_told_apart(rng):
    """Of 600 matrices a print shows six, with eight digits."""
    x, weight = rng.normal(size=(1, 1, 6, 6)), rng.normal(size=(1, 1, 3, 3))
    base = eq.cyclic(300).matrices
    groups = []
    for stretch in (1, 1 + 1e-10, 1 + 2e-3):
        change = np.diag([stretch, 1.0])
        groups.append(eq.PointGroup.from_matrices(change @ base @ np.linalg.inv(change)))
    for group in groups:
        y = et.isotropic_conv(*tensors(x, weight), group)
        np.testing.assert_array_equal(y.numpy(), eq.isotropic_conv(x, weight, group))
    from equiconv.torch._operators.layers import text_of

    options = (1, 0, 1, "zeros", "auto", None, "bilinear", None, False, 1)
    assert len({text_of("isotropic", group, *options) for group in groups}) == 3


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_runs_layers_in_float32(dtype):
    network = torch.nn.Sequential(
        et.LiftingConv(2, 3, 3, C4), et.GroupPool(C4), torch.nn.Conv2d(3, 2, 3), et.IsotropicConv(2, 2, 3, C4)
    )
    x = random(1, 2, 9, 9)
    with torch.autocast("cpu", dtype=dtype):
        inner, y = network[:3](x), network(x)
        precise = et.lifting_conv(x.double(), random(1, 2, 3, 3, dtype=torch.float64), C4)
    assert (inner.dtype, y.dtype, precise.dtype) == (dtype, torch.float32, torch.float64)
    y.sum().backward()
    assert {parameter.grad.dtype for parameter in network.parameters()} == {torch.float32}

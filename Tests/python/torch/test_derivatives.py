# SPDX-License-Identifier: Apache-2.0
"""Derivatives of the layers on tensors: of all orders, in both modes, and what torch asks of an operator."""

from __future__ import annotations

import equiconv as eq
import pytest
from torch_cases import CASES

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from torch.autograd import forward_ad, gradcheck, gradgradcheck  # noqa: E402 (torch may be missing)

# Forward mode in torch 2.13 takes its own deprecated compiler.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")

C4 = eq.cyclic(4)


def operands(rng, case, **sizes):
    """(x, weight, bias) in float64, that require gradients."""
    return tuple(torch.from_numpy(array).requires_grad_() for array in case.operands(rng, **sizes))


def layer_of(case):
    function = getattr(et, case.function)
    return lambda x, weight, bias=None: function(x, weight, case.group, bias, **case.keywords)


def one_of_each_layer():
    found = {}
    for case in CASES:
        found.setdefault(case.layer, case)
    return list(found.values())


@pytest.fixture
def small(rng):
    """x, weight and bias of a group convolution of C4, and the layer."""
    shapes = (2, 2, 4, 4, 4), (2, 2, 4, 2, 2), (2,)
    x, weight, bias = (torch.from_numpy(rng.normal(size=shape)) for shape in shapes)
    return x, weight, bias, lambda x, weight, bias=None: et.group_conv(x, weight, C4, bias)


# Finite differences along random directions (fast_mode), and entry by entry for one case of each layer.
@pytest.mark.parametrize("case", CASES, ids=str)
def test_first_and_second_derivatives_equal_finite_differences(rng, case):
    tensors = operands(rng, case)
    layer = layer_of(case)
    assert gradcheck(layer, tensors, fast_mode=True, check_forward_ad=True)
    assert gradgradcheck(layer, tensors, fast_mode=True)


@pytest.mark.parametrize("case", one_of_each_layer(), ids=str)
def test_every_entry_of_the_derivatives_equals_a_finite_difference(rng, case):
    tensors = operands(rng, case, batch=1, channels=1, outputs=1)
    layer = layer_of(case)
    assert gradcheck(layer, tensors, check_batched_grad=True, check_forward_ad=True, check_batched_forward_grad=True)
    assert gradgradcheck(layer, tensors, check_fwd_over_rev=True, check_rev_over_rev=True)


def test_derivatives_of_orders_one_to_four_are_those_of_a_bilinear_map(small):
    """For f(t) = <y, y>(x + t v, w + t u) the fourth derivative is 24 <K(v, u), K(v, u)>, and all higher ones are 0."""
    x, weight, _, layer = small
    v, u = torch.randn_like(x), torch.randn_like(weight)
    t = torch.zeros((), dtype=torch.float64, requires_grad=True)
    value = layer(x + t * v, weight + t * u).square().sum()
    derivatives = []
    for _ in range(4):
        (value,) = torch.autograd.grad(value, t, create_graph=True)
        derivatives.append(value)
    a, b, c = layer(x, weight), layer(v, weight) + layer(x, u), layer(v, u)
    coefficients = [2 * (a * b).sum(), (b * b).sum() + 2 * (a * c).sum(), 2 * (b * c).sum(), (c * c).sum()]
    for order, (derivative, coefficient) in enumerate(zip(derivatives, coefficients, strict=True), start=1):
        factorial = (1, 2, 6, 24)[order - 1]
        torch.testing.assert_close(derivative, factorial * coefficient, rtol=1e-11, atol=0)


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_derivatives_of_pools_equal_finite_differences(rng, mode):
    """Random numbers are no ties."""
    x = torch.from_numpy(rng.normal(size=(2, 2, 4, 3, 2))).requires_grad_()

    def pool(x):
        return et.group_pool(x, mode)

    assert gradcheck(pool, (x,), check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(pool, (x,), check_fwd_over_rev=True)


def test_equal_largest_values_share_the_gradient():
    x = torch.tensor([1.0, 3.0, 3.0, 0.0], requires_grad=True)
    et.group_pool(x.reshape(1, 1, 4, 1), "max").sum().backward()
    assert x.grad.tolist() == [0.0, 0.5, 0.5, 0.0]


# What can be asked of a layer by torch.func, each beside the same of torch's own einsum.
def bilinear(x, weight):
    return torch.einsum("bij,oij->bo", x, weight)


def layer_as_bilinear(x, weight):
    """The isotropic layer of the trivial group whose kernel covers the signal is the einsum."""
    return et.isotropic_conv(x[:, None], weight[:, None], eq.trivial(2))[:, :, 0, 0]


def cube(f):
    return lambda *arguments: f(*arguments).pow(3).sum()


func = torch.func
TRANSFORMATIONS = {
    "grad": lambda f: func.grad(cube(f), argnums=(0, 1)),
    "grad of grad": lambda f: func.grad(lambda x, w: cube(func.grad(cube(f)))(x, w), argnums=(0, 1)),
    "vmap x": lambda f: lambda x, w: func.vmap(f, in_dims=(0, None))(torch.stack([x, -2 * x]), w),
    "vmap x on another axis": lambda f: lambda x, w: func.vmap(f, in_dims=(2, None))(torch.stack([x, 3 * x], 2), w),
    "vmap weight": lambda f: lambda x, w: func.vmap(f, in_dims=(None, 0))(x, torch.stack([w, -2 * w])),
    "vmap both": lambda f: lambda x, w: func.vmap(f)(torch.stack([x, 3 * x]), torch.stack([w, -2 * w])),
    "gradients of samples": lambda f: (
        lambda x, w: func.vmap(
            func.grad(lambda sample, w: cube(f)(sample[None], w), argnums=(0, 1)), in_dims=(0, None)
        )(x, w)
    ),
    "jacrev": lambda f: func.jacrev(f, argnums=(0, 1)),
    "jacfwd": lambda f: func.jacfwd(f, argnums=(0, 1)),
    "hessian": lambda f: func.hessian(cube(f), argnums=(0, 1)),
    "jvp": lambda f: lambda x, w: func.jvp(f, (x, w), (x + 1, w - 2)),
    "jvp of x": lambda f: lambda x, w: func.jvp(lambda x: f(x, w), (x,), (x + 1,)),
    "vjp": lambda f: lambda x, w: func.vjp(f, x, w)[1](bilinear(x, w)),
    "jvp of grad": lambda f: lambda x, w: func.jvp(func.grad(cube(f), argnums=(0, 1)), (x, w), (w[:1] + x, 2 * w)),
}


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_transformations_of_torch_func_work(rng, name):
    x, weight = (torch.from_numpy(rng.normal(size=shape)) for shape in ((2, 3, 2), (3, 3, 2)))
    transform = TRANSFORMATIONS[name]
    results = transform(layer_as_bilinear)(x, weight)
    torch.testing.assert_close(results, transform(bilinear)(x, weight), rtol=1e-12, atol=1e-12)


def test_transformations_see_the_bias(small):
    x, weight, bias, layer = small
    tangent = torch.randn_like(bias)
    y, dy = func.jvp(lambda b: layer(x, weight, b), (bias,), (tangent,))
    assert torch.equal(dy, tangent[None, :, None, None, None].expand_as(y))
    many = func.vmap(lambda b: layer(x, weight, b))(torch.stack([bias, -bias]))
    assert torch.equal(many[1], layer(x, weight, -bias))
    assert torch.equal(func.grad(lambda b: layer(x, weight, b).sum())(bias), torch.full_like(bias, y[:, 0].numel()))


def test_forward_mode_has_the_tangents_of_the_product_rule(small):
    x, weight, bias, layer = small
    dx, dw, db = torch.randn_like(x), torch.randn_like(weight), torch.randn_like(bias)
    with forward_ad.dual_level():
        y = layer(*(forward_ad.make_dual(*pair) for pair in ((x, dx), (weight, dw), (bias, db))))
        primal, tangent = forward_ad.unpack_dual(y)
    assert torch.equal(primal, layer(x, weight, bias))
    torch.testing.assert_close(tangent, layer(dx, weight, db) + layer(x, dw), rtol=1e-13, atol=1e-13)


def test_vmap_over_signals_is_one_call(small, monkeypatch):
    x, weight, _, layer = small
    calls = []
    forward = eq._native.forward
    monkeypatch.setattr(eq._native, "forward", lambda *a: calls.append(a[1].shape) or forward(*a))
    func.vmap(lambda x: layer(x, weight))(torch.stack([x, x, x]))
    assert calls == [(6, *x.shape[1:])]


@pytest.mark.parametrize(("frozen", "kept"), [("weight", "weight"), ("x", "x"), (None, None)])
def test_frozen_operands_do_not_keep_the_other(frozen, kept):
    """A gradient in x needs the weight alone, and one in the weight x alone."""
    x, weight = torch.randn(1, 2, 4, 5, 5), torch.randn(2, 2, 4, 3, 3)
    for name, tensor in (("x", x), ("weight", weight)):
        tensor.requires_grad_(name != frozen)
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.data_ptr()), lambda t: t):
        et.group_conv(x, weight, C4)
    expected = {"x": x.data_ptr(), "weight": weight.data_ptr()}
    assert set(saved) == (set(expected.values()) if kept is None else {expected[kept]})


@pytest.mark.parametrize("case", one_of_each_layer(), ids=str)
def test_operators_keep_the_rules_of_torch(rng, case, monkeypatch):
    """Schemas, fake tensors, autograd and tracing of all operators, as `torch.library.opcheck` tests them."""
    names = []
    forward = et._functions.forward
    monkeypatch.setattr(et._functions, "forward", lambda *a: names.append(a[3]) or forward(*a))
    x, weight, bias = operands(rng, case)
    y = layer_of(case)(x, weight, bias)
    grad_out = torch.randn_like(y).requires_grad_()
    operators, check = torch.ops.equiconv, torch.library.opcheck
    check(operators.forward, (x, weight, bias, names[0]))
    check(operators.forward, (x.detach(), weight, None, names[0]))
    check(operators.input_gradient, (grad_out, weight, list(x.shape), names[0]))
    check(operators.weight_gradient, (grad_out, x, list(weight.shape), names[0]))


def test_pooling_operator_keeps_the_rules_of_torch():
    torch.library.opcheck(torch.ops.equiconv.pool_mean, (torch.randn(2, 3, 4, 5, 5, requires_grad=True),))


def test_operators_refuse_what_does_not_fit():
    """Called by themselves they crash nothing."""
    operators = torch.ops.equiconv
    module = et.GroupConv(2, 2, 3, C4)
    x, weight, grad_out = torch.randn(1, 2, 4, 5, 5), torch.randn(2, 2, 4, 3, 3), torch.randn(1, 2, 4, 3, 3)
    name = module._text
    assert operators.forward(x, weight, None, name).shape == grad_out.shape
    with pytest.raises(ValueError, match='text is "nothing" at byte 0, expected'):
        operators.forward(x, weight, None, "nothing")
    with pytest.raises(ValueError, match="weight has shape"):
        operators.forward(x, weight[:, :1].contiguous(), None, name)
    with pytest.raises(ValueError, match="grad_out has shape"):
        operators.input_gradient(grad_out[..., :2].contiguous(), weight, x.shape, name)
    with pytest.raises(ValueError, match=r"x has shape \(1, 2, 4, 5\)"):
        operators.input_gradient(grad_out, weight, (1, 2, 4, 5), name)
    with pytest.raises(ValueError, match="weight has shape"):
        operators.weight_gradient(grad_out, x, (2, 1, 4, 3, 3), name)
    with pytest.raises(TypeError, match=r"weight has dtype torch.float64"):
        operators.input_gradient(grad_out, weight.double(), x.shape, name)
    with pytest.raises(TypeError, match=r"x has dtype torch.float64"):
        operators.weight_gradient(grad_out, x.double(), weight.shape, name)

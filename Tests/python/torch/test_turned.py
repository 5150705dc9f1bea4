# SPDX-License-Identifier: Apache-2.0
"""Turned signals: the layer of the engine, and equal to the last bit on every device and in every precision."""

from __future__ import annotations

import dataclasses

import equiconv as eq
import numpy as np
import pytest
from torch_cases import CASES, HARMONICS, Case

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from equiconv._groups.geometry import lattice_elements  # noqa: E402
from equiconv._layer.turning import turning_of  # noqa: E402
from equiconv.torch._operators.layers import spec_of  # noqa: E402
from equiconv.torch._operators.sums import sorted_sum  # noqa: E402

# PyTorch warns about itself when forward mode is first used.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")

DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
D4, D6 = eq.dihedral(4), eq.dihedral(6)
MIRROR = (0, 6)


def _more():
    """Layers whose elements exchange unequal axes, or whose orbits have points of unequal stabilizers."""
    quotient = {"input_stabilizer": MIRROR, "output_stabilizer": MIRROR, "padding": "same"}
    yield Case("conv", "D6", D6, (5, 4), (3, 3), quotient)
    yield Case("conv", "D6", D6, (5, 4), (3, 3), quotient | {"output_stabilizer": (0,), "basis": HARMONICS})
    yield Case("group", "D4", D4, (5, 9), (3, 3), {"stride": 2, "padding": 1})
    yield Case("group", "D4", D4, (3, 3), (3, 3), {"padding": 7, "padding_mode": "circular", "stride": 2})
    yield Case("lifting", "D4", D4, (6, 7), (4, 4), {"padding": 3, "padding_mode": "circular"})
    for mode in ("reflect", "replicate"):
        yield Case("group", "D4", D4, (5, 3), (3, 3), {"padding": 6, "padding_mode": mode, "stride": 2, "groups": 2})
        yield Case("lifting", "D4", D4, (6, 7), (4, 4), {"padding": 3, "padding_mode": mode})
    yield Case("projection", "full_octahedral", eq.full_octahedral(), (2, 3, 3), (2, 2, 2), {"padding": 1})
    depthwise = {"input_stabilizer": MIRROR, "output_stabilizer": MIRROR, "groups": 2, "padding": 1}
    yield Case("conv", "D6", D6, (4, 5), (3, 3), depthwise)
    yield Case("lifting", "scaling", eq.scaling([1.0, 2.0]), (7, 7), (3, 3), {"padding": 2})


ALL = [dataclasses.replace(case, keywords=case.keywords | {"algorithm": "direct"}) for case in (*CASES, *_more())]


def fits(case):
    """Whether strides leave nothing over, without which no turn commutes with them."""
    keywords = case.keywords
    steps, padding = keywords.get("stride", 1), keywords.get("padding", 0)
    step = steps[0] if isinstance(steps, tuple) else steps
    reach = keywords.get("dilation", 1) * (case.kernel[0] - 1) + 1
    return step == 1 or all((n + 2 * padding - reach) % step == 0 for n in case.sizes)


def layer_of(case, **keywords):
    return lambda x, weight, bias: getattr(et, case.function)(x, weight, case.group, bias, **case.keywords, **keywords)


def tensors(rng, case, dtype=torch.float64, **sizes):
    return tuple(torch.from_numpy(array).to(dtype) for array in case.operands(rng, **sizes))


def stabilizers(case):
    """Those of the signals of a layer for `act`; None where the number of axes says it."""
    return tuple(case.keywords.get(f"{side}_stabilizer") for side in ("input", "output"))


def acted(tensor, case, element, stabilizer):
    wide = tensor if tensor.dtype is torch.float64 else tensor.float()
    return torch.from_numpy(eq.act(wide.numpy(), case.group, element, stabilizer)).to(tensor.dtype)


@pytest.mark.filterwarnings("ignore::equiconv.EquivarianceWarning")
@pytest.mark.parametrize("case", ALL, ids=str)
def test_turned_signals_give_the_layer_and_its_gradients(rng, case):
    results = []
    operands = tensors(rng, case)
    grad_out = None
    for backend in ("engine", "torch"):
        leaves = [tensor.clone().requires_grad_() for tensor in operands]
        y = layer_of(case, backend=backend)(*leaves)
        grad_out = torch.from_numpy(rng.normal(size=y.shape)) if grad_out is None else grad_out
        results.append((y.detach(), *torch.autograd.grad(y, leaves, grad_out)))
    for theirs, ours in zip(*results, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=0, atol=1e-12 * theirs.abs().max())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("case", [case for case in ALL if fits(case)], ids=str)
def test_output_and_input_gradient_commute_to_the_last_bit(rng, case, dtype):
    """For every element that maps the grid to itself."""
    x, weight, bias = tensors(rng, case, dtype)
    layer = layer_of(case, backend="torch")
    source, target = stabilizers(case)
    grad_out = torch.randn_like(layer(x, weight, bias))

    def run(signal, gradient):
        leaf = signal.clone().requires_grad_()
        y = layer(leaf, weight, bias)
        return y.detach(), torch.autograd.grad(y, leaf, gradient)[0]

    y, slope = run(x, grad_out)
    elements = lattice_elements(case.group)
    for element in elements if case.group.order < 48 else elements[::5]:
        turned = run(acted(x, case, element, source), acted(grad_out, case, element, target))
        assert torch.equal(turned[0], acted(y, case, element, target)), element
        assert torch.equal(turned[1], acted(slope, case, element, source)), element


def test_table_has_orbits_of_unequal_stabilizers():
    """Two mirrors of D6 map the grid to itself, and fix some of the six points of D6 modulo a mirror."""
    layer = next(case for case in ALL if case.name == "D6")
    spec = spec_of(et._functions.text_of("conv", D6, 1, "same", 1, "zeros", "direct", None, "bilinear", None, False, 1,
                                         MIRROR, MIRROR))  # fmt: skip
    outputs = turning_of(spec).outputs
    assert len(outputs.representatives) == 2
    assert outputs.elements.shape == (2, 6)
    assert layer.group is D6
    for point in range(6):
        reached = {
            int(outputs.moved[element, outputs.representatives[orbit]])
            for element, orbit in zip(outputs.elements[:, point], outputs.orbits[:, point], strict=True)
        }
        assert reached == {point}


SMALL = [case for case in ALL if max(case.sizes) <= 5 and case.group.order <= 8][::4]


@pytest.mark.filterwarnings("ignore::equiconv.EquivarianceWarning")
@pytest.mark.parametrize("case", SMALL, ids=str)
def test_derivatives_of_both_modes_and_of_second_order(rng, case):
    operands = [tensor.requires_grad_() for tensor in tensors(rng, case, batch=1, channels=1, outputs=1)]
    layer = layer_of(case, backend="torch")
    assert torch.autograd.gradcheck(layer, operands, check_forward_ad=True, fast_mode=True)
    assert torch.autograd.gradgradcheck(layer, operands, fast_mode=True)


def test_operators_keep_the_rules_of_torch(rng):
    layer = et.GroupConv(2, 3, 3, D4, padding=1, algorithm="direct", dtype=torch.float64)
    x = torch.randn(2, 2, 8, 5, 5, dtype=torch.float64, requires_grad=True)
    grad_out = torch.randn(2, 3, 8, 5, 5, dtype=torch.float64, requires_grad=True)
    operators, check = torch.ops.equiconv, torch.library.opcheck
    check(operators.turned_forward, (x, layer.weight, layer.bias, layer._text))
    check(operators.turned_input_gradient, (grad_out, layer.weight, list(x.shape), layer._text))
    check(operators.turned_weight_gradient, (grad_out, x, list(layer.weight.shape), layer._text))


def test_maps_of_signals_and_of_weights(rng):
    x, weight, _ = tensors(rng, ALL[12])
    layer = layer_of(ALL[12], backend="torch")
    many = torch.stack([x, 2 * x, -x])
    mapped = torch.func.vmap(lambda signal: layer(signal, weight, None))(many)
    torch.testing.assert_close(mapped, torch.stack([layer(signal, weight, None) for signal in many]))
    weights = torch.stack([weight, weight + 1])
    mapped = torch.func.vmap(lambda kernel: layer(x, kernel, None))(weights)
    torch.testing.assert_close(mapped, torch.stack([layer(x, kernel, None) for kernel in weights]))


def network(backend="torch", dtype=torch.float32):
    torch.manual_seed(3)
    layers = [
        et.LiftingConv(1, 4, 5, D4, padding="same", backend=backend, dtype=dtype),
        et.BatchNorm(4, dtype=dtype),
        torch.nn.ReLU(),
        et.GroupConv(4, 4, 3, D4, stride=2, padding=1, backend=backend, dtype=dtype),
        et.GroupPool(D4, "max"),
        torch.nn.Flatten(),
    ]
    made = torch.nn.Sequential(*layers)
    eq.set_algorithm(made, "exact")
    return made.eval()


@pytest.mark.parametrize("is_compiled", [False, True], ids=["eager", "compiled"])
def test_network_is_equivariant_to_the_last_bit(is_compiled):
    made = network()
    run = torch.compile(made, fullgraph=True, backend="aot_eager") if is_compiled else made
    x = torch.randn(2, 1, 13, 13)
    with torch.no_grad():
        y = run(x).unflatten(1, (4, 7, 7))
        for element in range(D4.order):
            turned = run(torch.from_numpy(eq.act(x.numpy(), D4, element))).unflatten(1, (4, 7, 7))
            assert torch.equal(turned, torch.from_numpy(eq.act(y.numpy(), D4, element)))


def test_one_gather_before_the_convolution_and_one_after():
    counted = []

    class Count(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            counted.append(function.overloadpacket.__name__)
            return function(*args, **(kwargs or {}))

    layer = et.GroupConv(2, 3, 3, D4, padding=1, algorithm="direct", backend="torch")
    x = torch.randn(2, 2, 8, 5, 5)
    with torch.no_grad(), Count():
        bank = et._backends._expanded.turned._Work.of(layer._text, layer.weight).bank((0,), None)
        before = counted.count("index_select")
        counted.clear()
        et._backends._expanded.turned._forward(x, layer.weight, None, layer._text)
    assert bank.shape[:2] == (3, 1)
    assert before == 1
    assert counted.count("index_select") == 1 + 2
    assert counted.count("convolution") == 1
    assert not {"flip", "rot90", "stack", "index_put", "scatter_add"} & set(counted)


def test_tables_of_large_signals_are_made_anew_and_say_the_same(monkeypatch):
    turns = et._backends._expanded.turned.turns_of.__globals__
    layer = et.GroupConv(2, 3, 3, D4, padding=1, algorithm="direct", backend="torch")
    x = torch.randn(2, 2, 8, 5, 7)
    y = layer(x)
    kept = turns["_kept_turns"].cache_info()
    monkeypatch.setitem(turns, "_LARGEST_KEPT", 0)
    assert torch.equal(layer(x), y)
    assert turns["_kept_turns"].cache_info() == kept


def test_algorithms_of_the_engine_are_refused():
    layer = et.GroupConv(2, 3, 3, D4, algorithm="winograd", backend="torch")
    with pytest.raises(ValueError, match="algorithm is 'winograd', expected 'auto', 'direct' or 'exact'"):
        layer(torch.randn(1, 2, 8, 5, 5))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 24, 48])
def test_sums_do_not_depend_on_the_order_of_their_terms(count):
    generator = torch.Generator().manual_seed(count)
    terms = torch.randn(3, count, 37, generator=generator) * 10 ** torch.randn(3, count, 37, generator=generator)
    total = sorted_sum(terms, 1)
    assert total.shape == (3, 37)
    torch.testing.assert_close(total, terms.double().sum(1))
    for _ in range(5):
        shuffled = terms[:, torch.randperm(count, generator=generator)]
        places = torch.randperm(37, generator=generator)
        assert torch.equal(sorted_sum(shuffled[..., places], 1), total[..., places])


def test_exactness_of_this_machine_holds():
    report = et.check_exactness()
    assert report
    assert report.holds
    assert {row.arithmetic for row in report.rows} == {"float64", "float32", "bfloat16", "float16"}
    assert "equal to the last bit" in repr(report)
    assert "group_conv, D4, 2 of 17 x 33, kernel 5, stride 2" in repr(report)


def test_exactness_fails_where_results_depend_on_the_place_in_the_batch(monkeypatch):
    convolution = torch.nn.functional.conv2d

    def uneven(x, *arguments):
        y = convolution(x, *arguments)
        return y * (1 + torch.finfo(y.dtype).eps * torch.arange(len(y)).reshape(-1, 1, 1, 1).to(y.dtype))

    module = et._backends._expanded.turned
    monkeypatch.setattr(module, "CONVOLUTIONS", (module.CONVOLUTIONS[0], uneven, module.CONVOLUTIONS[2]))
    monkeypatch.setattr(et._exactness, "_LAYERS", et._exactness._LAYERS[1:2])
    report = et.check_exactness("cpu")
    assert not report
    assert "not equal to the last bit" in repr(report)


@pytest.mark.parametrize("device", ["nowhere", "meta", 1.5])
def test_exactness_of_what_is_no_device_is_an_error(device):
    with pytest.raises(ValueError, match="device is"):
        et.check_exactness(device)


@pytest.mark.parametrize("run", ["forward", "input_gradient", "weight_gradient"])
def test_explanation_names_the_backend_its_arithmetic_and_its_memory(run):
    shape = (4, 3, 8, 29, 29)
    layer = et.GroupConv(3, 6, 5, D4, backend="torch")
    expanded = et.explain(layer, shape, run=run)
    assert (expanded.backend, expanded.algorithm, expanded.is_exact) == ("torch", "expanded", False)
    assert expanded.operations == expanded.definition_operations == 2 * 4 * 25**2 * 48 * 24 * 25
    assert expanded.weight_bytes == 4 * 48 * 24 * 25
    layer.algorithm = "direct"
    turned = et.explain(layer, torch.empty(shape), run=run)
    is_turned = run != "weight_gradient"
    assert turned.algorithm == ("turned" if is_turned else "expanded")
    assert turned.is_exact == is_turned
    assert turned.operations == expanded.operations
    assert (
        turned.workspace_bytes == (4 * 8 * 4 * 24 * 29**2 if run == "forward" else 4 * 8 * 4 * 48 * 25**2) * is_turned
    )
    assert "asked for" in repr(turned)
    layer.backend = None
    engine = et.explain(layer, shape, run=run)
    assert engine == eq.explain(eq.group_conv, shape, tuple(layer.weight.shape), D4, run=run, algorithm="direct")
    assert engine.backend == "engine"


def test_explanation_of_half_precision_says_why_it_is_not_the_engine():
    layer = et.LiftingConv(3, 6, 5, D4, dtype=torch.bfloat16)
    text = repr(et.explain(layer, (1, 3, 9, 9)))
    assert "the engine computes float32 and float64 on the CPU, not torch.bfloat16 on cpu" in text
    with pytest.raises(TypeError, match=r"layer is 3 .*expected a layer of equiconv\.torch"):
        et.explain(3, (1, 3, 9, 9))
    with pytest.raises(ValueError, match=r"x of shape \(1, 4, 9, 9\)"):
        et.explain(layer, (1, 4, 9, 9))
    with pytest.raises(ValueError, match="run is 'backward'"):
        et.explain(layer, (1, 3, 9, 9), run="backward")

# SPDX-License-Identifier: Apache-2.0
"""Ordinary calls bypass torch's dispatcher, which changes nothing that a user sees; all other calls go through it."""

from __future__ import annotations

import subprocess
import sys

import equiconv as eq
import numpy as np
import pytest
from torch_cases import CASES

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from equiconv.torch._operators import bilinear, dispatch, library  # noqa: E402 (torch may be missing)
from torch.overrides import TorchFunctionMode  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

C4 = eq.cyclic(4)


def random(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(20200426))


def second_derivatives(case, arrays):
    """The result, its gradients, and the gradients of their squares."""
    operands = [torch.from_numpy(array).requires_grad_() for array in arrays]
    x, weight, bias = operands
    y = getattr(et, case.function)(x, weight, case.group, bias, **case.keywords)
    first = torch.autograd.grad(y.pow(3).sum(), operands, create_graph=True)
    second = torch.autograd.grad(sum(g.square().sum() for g in first), operands)
    return [tensor.detach().numpy() for tensor in (y, *first, *second)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_both_ways_give_the_same_bits_and_derivatives(rng, case, monkeypatch):
    arrays = case.operands(rng)
    ordinary = second_derivatives(case, arrays)
    monkeypatch.setattr(library, "is_ordinary", lambda _arguments: False)
    monkeypatch.setattr(dispatch, "is_ordinary", lambda _arguments: False)
    for ours, theirs in zip(ordinary, second_derivatives(case, arrays), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("shape", [(1, 2, 4, 5, 5), (2, 16, 4, 24, 24)], ids=["tiny", "tiles"])
def test_both_gradients_of_a_layer_are_one_call_with_the_bits_of_two(monkeypatch, shape):
    operands = [random(*shape).requires_grad_(), random(shape[1], shape[1], 4, 3, 3).requires_grad_()]
    calls = []
    vjp = eq._native.vjp
    monkeypatch.setattr(eq._native, "vjp", lambda *a: calls.append(a) or vjp(*a))

    def gradients():
        return torch.autograd.grad(et.group_conv(*operands, C4).pow(3).sum(), operands)

    together = gradients()
    assert len(calls) == 1
    monkeypatch.setattr(bilinear, "calls_kernel", lambda _arguments: False)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(together, gradients(), strict=True))
    assert len(calls) == 3


class Recorder(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        self.seen.append(str(function))
        return function(*arguments, **(keywords or {}))


class FunctionRecorder(TorchFunctionMode):
    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_function__(self, function, types, arguments=(), keywords=None):
        self.seen.append(str(function))
        return function(*arguments, **(keywords or {}))


class Subclass(torch.Tensor):
    pass


@pytest.fixture
def reached(monkeypatch):
    """The calls that took the short way: whether a gradient was kept."""
    calls = []
    needs = library.needs_gradient
    monkeypatch.setattr(library, "needs_gradient", lambda a: calls.append(needs(a)) or calls[-1])
    return calls


@pytest.mark.parametrize("requires_grad", [False, True])
def test_ordinary_calls_take_the_short_way(reached, requires_grad):
    x, weight = random(1, 2, 4, 5, 5), random(2, 2, 4, 3, 3).requires_grad_(requires_grad)
    y = et.group_conv(x, weight, C4)
    assert y.requires_grad == requires_grad
    with torch.no_grad():
        assert not et.group_conv(x, weight, C4).requires_grad
    module = et.GroupConv(2, 2, 3, C4, dtype=torch.float64).requires_grad_(requires_grad)
    module(x)
    assert reached == [requires_grad, False, requires_grad]
    if requires_grad:
        reached.clear()
        torch.autograd.grad(y.sum(), weight)
        assert reached == [False]


MODES = {
    "dispatch": Recorder,
    "function": FunctionRecorder,
    "autocast": lambda: torch.autocast("cpu"),
    "profiler": torch.profiler.profile,
    "forward mode": torch.autograd.forward_ad.dual_level,
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("name", MODES)
def test_modes_see_the_operators(reached, name, requires_grad):
    x, weight = random(1, 2, 4, 5, 5), random(2, 2, 4, 3, 3).requires_grad_(requires_grad)
    expected = et.group_conv(x, weight, C4)
    reached.clear()
    with MODES[name]() as mode:
        y = et.group_conv(x, weight, C4)
        if name != "forward mode":
            assert torch.equal(y, expected)
    assert reached == []
    if name in ("dispatch", "function"):
        assert any("equiconv.forward" in function for function in mode.seen)
    if name == "profiler":
        assert "equiconv::forward" in {event.name for event in mode.events()}
    assert torch.equal(et.group_conv(x, weight, C4), expected)
    assert len(reached) == 1


def test_tensors_of_other_kinds_go_through_the_dispatcher(reached):
    x, weight = random(1, 2, 4, 5, 5), random(2, 2, 4, 3, 3)
    expected = et.group_conv(x, weight, C4)
    reached.clear()
    assert torch.equal(et.group_conv(x.as_subclass(Subclass), weight, C4), expected)
    assert et.group_conv(x.to("meta"), weight.to("meta"), C4).is_meta
    negated = torch.conj(torch.complex(x, -x)).imag
    assert negated.is_neg()
    assert torch.equal(et.group_conv(negated, weight, C4), expected)
    assert reached == []
    torch.func.vmap(lambda x: et.group_conv(x, weight, C4))(x[None])
    assert reached == [False]  # the one call for all of the axis, out of reach of the transformation


def test_inference_is_ordinary_and_gives_tensors_of_inference(reached):
    x, weight = random(1, 2, 4, 5, 5), random(2, 2, 4, 3, 3).requires_grad_()
    with torch.inference_mode():
        y = et.group_conv(x, weight, C4)
        assert y.is_inference()
        assert not y.requires_grad
    assert reached == [False]
    assert torch.equal(y, et.group_conv(x, weight, C4))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_traces_hold_the_operator():
    x, weight = random(1, 2, 4, 5, 5), random(2, 2, 4, 3, 3)
    traced = torch.jit.trace(lambda x: et.group_conv(x, weight, C4), (x,), check_trace=False)
    assert "equiconv::forward" in str(traced.graph)
    assert torch.equal(traced(2 * x), et.group_conv(2 * x, weight, C4))


@pytest.mark.parametrize("way", ["ordinary", "dispatcher"])
def test_operand_that_was_changed_before_the_backward_pass_is_an_error(way, monkeypatch):
    if way == "dispatcher":
        monkeypatch.setattr(library, "is_ordinary", lambda _arguments: False)
    x, weight = random(1, 2, 4, 5, 5).requires_grad_(), random(2, 2, 4, 3, 3).requires_grad_()
    y = et.group_conv(x, weight, C4)
    with torch.no_grad():
        weight.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpoints_compute_again_what_they_did_not_keep(reentrant):
    network = torch.nn.Sequential(et.GroupConv(2, 3, 3, C4), torch.nn.ReLU(), et.GroupConv(3, 2, 3, C4)).double()
    x = random(1, 2, 4, 7, 7).requires_grad_()
    (expected,) = torch.autograd.grad(network(x).square().sum(), x)
    y = torch.utils.checkpoint.checkpoint(network, x, use_reentrant=reentrant)
    y.square().sum().backward()
    assert torch.equal(x.grad, expected)


@pytest.mark.parametrize("mode", ["torch.autocast('cpu')", "torch.inference_mode()", "Recorder()"])
def test_first_import_within_a_mode_does_not_make_it_ordinary(mode):
    code = f"""
import torch
from torch.utils._python_dispatch import TorchDispatchMode
class Recorder(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        return function(*arguments, **(keywords or {{}}))
with {mode}:
    from equiconv.torch._operators import dispatch
    inside = dispatch.is_ordinary(())
assert dispatch.is_ordinary(())
assert inside == ("inference" in {mode!r}), inside
assert len(dispatch._ordinary_states) == 2
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_graphs_of_derivatives_name_the_operator():
    y = et.group_conv(random(1, 2, 4, 5, 5), random(2, 2, 4, 3, 3).requires_grad_(), C4)
    assert type(y.grad_fn).__name__ == "EquiconvForwardBackward"


def test_where_torch_does_not_tell_what_is_under_way_calls_go_through_the_dispatcher(monkeypatch):
    layer, x = et.LiftingConv(1, 2, 3, eq.cyclic(4)), torch.randn(1, 1, 5, 5)
    expected = layer(x)
    monkeypatch.setattr(dispatch, "_is_told", False)
    assert not dispatch.is_ordinary((x,))
    assert torch.equal(layer(x), expected)

# SPDX-License-Identifier: Apache-2.0
"""Tools of torch that look at networks find what they look for: traces, operations, exporters, memory formats."""

from __future__ import annotations

import copy
import warnings

import equiconv as eq
import pytest
from torch_cases import CASES

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from torch import fx, nn  # noqa: E402 (torch may be missing)
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

C4, CUBE, LINE = eq.cyclic(4), eq.octahedral(), eq.reflection()


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)


def network():
    """All modules, and functions between them."""
    return nn.Sequential(
        et.LiftingConv(1, 2, 3, C4, padding=1),
        et.BatchNorm(2),
        nn.ReLU(),
        et.FieldDropout(0.25),
        et.SpatialMaxPool(C4, 3, stride=1),
        et.GroupConv(2, 3, eq.bspline_basis(3), C4, group_basis=eq.localized([0, 1])),
        et.SpatialAvgPool(C4, 3, stride=2),
        et.GroupPool(C4, "max"),
        et.IsotropicConv(3, 2, 1, C4),
        et.LiftingConv(2, 2, 1, C4),
        et.ProjectionConv(2, 2, 1, C4),
        et.SpatialMean(C4),
    )


def test_symbolic_trace_takes_modules_as_steps():
    module = network().eval()
    traced = fx.symbolic_trace(module)
    assert [node.op for node in traced.graph.nodes] == ["placeholder", *["call_module"] * len(module), "output"]
    x = torch.randn(2, 1, 11, 11)
    for again in (traced, fx.symbolic_trace(traced), copy.deepcopy(traced)):
        again.graph.lint()
        assert torch.equal(again(x), module(x))
    assert torch.equal(traced(x[:1, :, :9, :9]), module(x[:1, :, :9, :9]))
    module.train()
    traced(x).sum().backward()
    assert module[0].weight.grad is not None


ROOTS = {
    "LiftingConv": (et.LiftingConv(2, 3, 3, C4), (1, 2, 5, 5)),
    "GroupConv": (et.GroupConv(2, 3, 3, C4, bias=False), (1, 2, 4, 5, 5)),
    "GroupPool mean": (et.GroupPool(C4), (1, 2, 4, 5, 5)),
    "GroupPool max": (et.GroupPool(C4, "max"), (1, 2, 4, 5, 5)),
    "SpatialMean": (et.SpatialMean(C4), (1, 2, 4, 5, 5)),
    "SpatialMaxPool": (et.SpatialMaxPool(C4, 3), (1, 2, 4, 6, 6)),
    "SpatialAvgPool": (et.SpatialAvgPool(C4, 3), (1, 2, 6, 6)),
    "SpatialMaxPool that rounds up": (et.SpatialMaxPool(LINE, 2, 1, ceil_mode=True), (1, 2, 2, 6)),
    "SpatialMaxPool on the line": (et.SpatialMaxPool(LINE, 3), (1, 2, 2, 6)),
    "BatchNorm": (et.BatchNorm(2).eval(), (1, 2, 4, 5, 5)),
}


@pytest.mark.parametrize("name", ROOTS)
def test_symbolic_trace_takes_a_module_by_itself(name):
    module, shape = ROOTS[name]
    traced, x = fx.symbolic_trace(module), torch.randn(shape)
    assert torch.equal(traced(x), module(x))


def test_symbolic_trace_takes_functions_with_any_argument():
    weight, bias = torch.randn(3, 2, 4, 3, 3), torch.randn(3)

    def program(x, weight, bias):
        y = et.group_conv(x, weight, C4, bias, padding=1)
        y = et.conv(y, weight[:, :1], C4, input_stabilizer=[0], output_stabilizer=[0, 2], groups=3)
        return et.group_pool(y), et.group_pool(y, "max")

    x = torch.randn(1, 2, 4, 7, 7)
    traced = fx.symbolic_trace(program)
    for ours, theirs in zip(traced(x, weight, bias), program(x, weight, bias), strict=True):
        assert torch.equal(ours, theirs)
    fixed = fx.symbolic_trace(lambda weight: et.group_conv(x, weight, C4, bias))
    assert torch.equal(fixed(weight), et.group_conv(x, weight, C4, bias))
    with pytest.raises(TypeError, match=r"x is \[1\] \(list\), expected a torch.Tensor"):
        et.GroupConv(2, 3, 3, C4)([1])


def expected_operations(run, case, x, weight):
    function = getattr(eq, case.function)
    return eq.explain(function, x, weight, case.group, run=run, **case.keywords).definition_operations


@pytest.mark.parametrize("case", CASES, ids=str)
def test_operations_of_a_layer_and_its_gradients_are_those_of_the_definition(rng, case):
    x, weight, bias = (torch.from_numpy(array).requires_grad_() for array in case.operands(rng))
    with FlopCounterMode(display=False) as forward, warnings.catch_warnings():
        warnings.simplefilter("ignore", eq.EquivarianceWarning)
        y = getattr(et, case.function)(x, weight, case.group, bias, **case.keywords)
    with FlopCounterMode(display=False) as backward:
        y.sum().backward()
    runs = {
        run: expected_operations(run, case, x.detach().numpy(), weight.detach().numpy())
        for run in ("forward", "input_gradient", "weight_gradient")
    }
    assert forward.get_total_flops() == runs["forward"] > 0
    counts = {str(name): count for name, count in backward.get_flop_counts()["Global"].items()}
    assert counts == {f"equiconv.{run}": runs[run] for run in ("input_gradient", "weight_gradient")}


def test_operations_of_a_group_convolution_are_two_for_each_product():
    """Known by hand: B O |H| positions, each a sum over C |H| k^2 numbers; torch's convolution counts the same."""
    module, x = et.GroupConv(3, 5, 3, C4), torch.randn(2, 3, 4, 9, 9)
    plain = module.expand()
    with FlopCounterMode(display=False) as ours, torch.no_grad():
        module(x)
    with FlopCounterMode(display=False) as theirs, torch.no_grad():
        plain(x.flatten(1, 2))
    assert ours.get_total_flops() == theirs.get_total_flops() == 2 * (2 * 5 * 4 * 7 * 7) * (3 * 4 * 9)
    with FlopCounterMode(display=False) as mode, torch.no_grad(), torch._subclasses.FakeTensorMode() as fake:
        fake.allow_non_fake_inputs = True
        module(fake.from_tensor(x))
    assert mode.get_total_flops() == ours.get_total_flops()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dynamo", [True, False])
def test_exporters_to_onnx_of_what_it_has_no_operator_for_are_referred_to_expand(dynamo, tmp_path):
    pytest.importorskip("onnx", reason="onnx is not installed: its exporters are not tested")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed: torch's exporters are not tested")
    modules = [
        (et.LiftingConv(1, 2, 3, C4, backend="engine"), (1, 1, 5, 5)),
        (et.LiftingConv(1, 2, 3, C4, algorithm="exact"), (1, 1, 5, 5)),
        (et.LiftingConv(1, 2, 3, C4, algorithm="exact", backend="torch"), (1, 1, 5, 5)),
        (et.GroupPool(C4), (1, 2, 4, 5, 5)),
    ]
    if not dynamo:
        modules.append((et.LiftingConv(1, 2, 3, C4), (1, 1, 5, 5)))
    for module, shape in modules:
        with pytest.raises(Exception, match=r"expand\(network\)"):
            torch.onnx.export(module.eval(), (torch.randn(shape),), tmp_path / "network.onnx", dynamo=dynamo)
    # After the export everything is as before.
    assert et.LiftingConv(1, 2, 3, C4)(torch.randn(1, 1, 5, 5)).shape == (1, 2, 4, 3, 3)


@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.channels_last_3d, torch.contiguous_format])
def test_memory_formats_of_networks_leave_weights_as_they_are(memory_format):
    """As the layers read them; images of any format are read as well."""
    module = nn.Sequential(
        et.LiftingConv(3, 4, 3, C4), et.BatchNorm(4), et.GroupConv(4, 2, 3, C4), et.GroupPool(C4), nn.Conv2d(2, 2, 3)
    ).eval()
    if memory_format is torch.channels_last_3d:
        module = module[:-1]
    nn.utils.parametrizations.weight_norm(module[2])
    x = torch.randn(2, 3, 11, 11)
    expected = module(x)
    changed = copy.deepcopy(module).to(memory_format=memory_format)
    assert changed[0].weight.is_contiguous()
    assert changed[2].parametrizations.weight.original1.is_contiguous()
    assert [value.shape for value in changed.parameters()] == [value.shape for value in module.parameters()]
    images = x.to(memory_format=torch.channels_last)
    torch.testing.assert_close(changed(images), expected, atol=1e-5, rtol=1e-5)
    both = module.to(torch.float64, memory_format=memory_format)
    assert both(x.double()).dtype == torch.float64
    optimizer = torch.optim.SGD(changed.parameters(), 0.1)
    changed(images).sum().backward()
    optimizer.step()


def test_conversions_of_networks_do_what_they_did():
    module = et.GroupConv(2, 2, 3, C4)
    with pytest.raises(TypeError, match=r"nn.Module.to only accepts floating point or complex dtypes"):
        module.to(torch.int32)
    assert module.share_memory().weight.is_shared()
    assert module.to("meta").weight.is_meta
    made = module.to_empty(device="cpu")
    made.reset_parameters()
    assert made.double()(torch.randn(1, 2, 4, 5, 5).double()).dtype == torch.float64
    assert made.half().weight.dtype == torch.float16


MODULES = [
    et.IsotropicConv(2, 3, eq.circular_harmonics(5), C4),
    et.LiftingConv(2, 3, eq.bspline_basis((3, 3)), C4, stride=2),
    et.GroupConv(2, 3, eq.circular_harmonics(5), C4, group_basis=eq.group_bspline(2, 4)),
    et.ProjectionConv(2, 3, 3, CUBE, bias=False),
    et.GroupPool(C4, "max"),
    et.SpatialMaxPool(C4, 2),
    et.SpatialAvgPool(C4, 2),
    et.SpatialMean(C4),
    et.BatchNorm(3),
    et.FieldDropout(0.5),
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: type(module).__name__)
def test_modules_print_as_one_line_of_their_arguments(module):
    text = repr(module)
    assert "\n" not in text
    assert len(text) < 240
    assert not any(word in text for word in ("tensor(", "array", "object at 0x", "dtype"))

# SPDX-License-Identifier: Apache-2.0
"""Compiled and exported networks give the results of the same networks without a compiler."""

from __future__ import annotations

import shutil
import subprocess
import sys

import equiconv as eq
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

C4, C8 = eq.cyclic(4), eq.cyclic(8)
NEAR, SPLINES = eq.localized([0, 1]), eq.bspline_basis(3)

# Compilers warn of their own deprecated parts.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

INDUCTOR = pytest.param(
    "inductor",
    marks=[
        pytest.mark.slow,
        pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile to C++ is not tested: there is no g++"),
    ],
)


@pytest.fixture(autouse=True)
def _anew():
    torch.manual_seed(20200426)
    torch._dynamo.reset()


def compiled(function, backend="aot_eager", **keywords):
    """Without falling back to Python anywhere."""
    return torch.compile(function, fullgraph=True, backend=backend, **keywords)


def network(dtype=torch.float64):
    """All layers and pools, in float64."""
    basis = eq.circular_harmonics(3)
    return torch.nn.Sequential(
        et.LiftingConv(2, 3, 3, C8, padding="same"),
        et.BatchNorm(3),
        torch.nn.ReLU(),
        et.GroupConv(3, 3, basis, C8, stride=2, group_basis=eq.localized([0, 1, 7])),
        torch.nn.Sequential(et.SpatialMaxPool(C8, 3, stride=1), et.SpatialAvgPool(C8, 3, stride=2)),
        et.ProjectionConv(3, 4, 1, C8),
        et.IsotropicConv(4, 2, 1, C4),
        et.LiftingConv(2, 2, 1, C4, padding=2),
        et.GroupPool(C4, "mean"),
        et.LiftingConv(2, 2, 3, C4),
        et.GroupPool(C4, "max"),
        et.SpatialMean(C4),
    ).to(dtype)


def gradients(call, module, x):
    module.zero_grad()
    y = call(x)
    y.square().sum().backward()
    return y.detach(), [x.grad, *(parameter.grad for parameter in module.parameters())]


def test_compiled_network_has_equal_outputs_and_gradients():
    """Up to the order of torch's own sums, in which compilers are free; layers run the same code."""
    module = network().eval()
    x = torch.randn(2, 2, 15, 15, dtype=torch.float64)
    expected = gradients(module, module, x.clone().requires_grad_())
    results = gradients(compiled(module), module, x.clone().requires_grad_())
    torch.testing.assert_close(results, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("backend", ["aot_eager", INDUCTOR])
def test_compiled_layers_have_the_same_bits(backend):
    """Between them torch does nothing in which order could matter."""
    module = torch.nn.Sequential(
        et.LiftingConv(2, 3, 3, C4, bias=False), torch.nn.ReLU(), et.GroupConv(3, 2, 3, C4, bias=False, padding=1)
    )
    x = torch.randn(2, 2, 9, 9).requires_grad_()
    y = module(x)
    (expected,) = torch.autograd.grad(y.sum(), x)
    result = compiled(module, backend)(x)
    assert torch.equal(result, y)
    assert torch.equal(torch.autograd.grad(result.sum(), x)[0], expected)


def test_compiled_functions_have_the_same_bits():
    x, weight, bias = torch.randn(2, 3, 4, 8, 8), torch.randn(2, 3, 4, 3, 3), torch.randn(2)

    def function(x, weight):
        y = et.group_conv(x, weight, C4, bias, padding="same", padding_mode="circular")
        y = et.group_conv(y, weight[:, :2].reshape(2, 2, 4, 9), C4, basis=SPLINES, padding=1)
        y = et.conv(y, weight[:, :2, :2], C4, input_stabilizer=(0,), output_stabilizer=(0, 2), group_basis=NEAR)
        return et.group_pool(y, "max")

    assert torch.equal(compiled(function)(x, weight), function(x, weight))


def test_sizes_may_change_without_compiling_again():
    module = et.GroupConv(2, 3, 3, C4, stride=2, padding=1)
    graphs = []

    def count(graph, _inputs):
        graphs.append(graph)
        return graph.forward

    call = torch.compile(module, fullgraph=True, backend=count, dynamic=True)
    for batch, size in ((6, 5), (5, 7), (10, 9), (7, 13)):
        x = torch.randn(batch, 2, 4, size, size)
        assert torch.equal(call(x), module(x))
    assert len(graphs) == 1


LINE, SQUARE, CUBE = eq.reflection(), eq.cyclic(4), eq.octahedral()
VARYING = [
    # batch, channels, outputs, size, kernel
    (1, 2, 3, 12, 3),
    (1, 2, 3, 12, 5),
    (2, 2, 3, 12, 5),
    (2, 3, 2, 9, 4),
]


def chain(function, group):
    """The layer between operations of torch, whose results have the strides that a compiler likes best."""

    def run(x, weight, bias):
        y = function(torch.relu(x) + 1, 2 * weight, group, bias, padding=1)
        return 2 * torch.relu(y).permute(0, 1, *range(y.dim() - 1, 1, -1))

    return run


def check_varying(function, group, points, sizes, backend, dynamic):
    """Results and gradients are those of calls that are not compiled."""
    run = chain(function, group)
    call = compiled(run, backend, dynamic=dynamic)
    for batch, channels, outputs, size, kernel in sizes:
        extents, taps = (size,) * group.dimension, (kernel,) * group.dimension
        shapes = (batch, channels, *points, *extents), (outputs, channels, *points, *taps), (outputs,)
        operands = [torch.randn(shape, requires_grad=True) for shape in shapes]
        ours, theirs = call(*operands), run(*operands)
        torch.testing.assert_close(ours, theirs)
        gradients = [torch.autograd.grad(y.square().sum(), operands) for y in (ours, theirs)]
        torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("group", "dynamic"),
    [(LINE, None), (SQUARE, None), (SQUARE, True), (CUBE, True)],
    ids=["line", "plane", "plane, dynamic", "space, dynamic"],
)
def test_functions_take_kernels_channels_batches_and_sizes_that_change(group, dynamic):
    sizes = [(*rest, min(size, 7), kernel) for *rest, size, kernel in VARYING] if group is CUBE else VARYING
    check_varying(et.lifting_conv, group, (), sizes, "aot_eager", dynamic)


@pytest.mark.parametrize("backend", [INDUCTOR])
def test_kernels_that_change_compile_to_code(backend):
    """Strides of symbolic sizes, as a compiler likes them, are not to be fixed."""
    check_varying(et.group_conv, SQUARE, (SQUARE.order,), VARYING[:2], backend, None)


def test_sizes_that_are_marked_as_dynamic_compile_once():
    run, graphs = chain(et.group_conv, C4), []

    def count(graph, _inputs):
        graphs.append(graph)
        return graph.forward

    call = torch.compile(run, fullgraph=True, backend=count)
    for batch, size, kernel in ((2, 9, 3), (3, 12, 5), (5, 8, 4)):
        x, weight = torch.randn(batch, 2, 4, size, size), torch.randn(3, 2, 4, kernel, kernel)
        for axis in (0, 3, 4):
            torch._dynamo.mark_dynamic(x, axis)
        for axis in (3, 4):
            torch._dynamo.mark_dynamic(weight, axis)
        assert torch.equal(call(x, weight, None), run(x, weight, None))
    assert len(graphs) == 1


def test_option_that_is_set_later_holds_in_the_compiled_layer():
    module = et.GroupConv(8, 8, 5, C4, algorithm="fourier")
    call = compiled(module)
    x = torch.randn(1, 8, 4, 24, 24)
    tiles = call(x)
    module.algorithm = "direct"
    direct = call(x)
    assert torch.equal(direct, module(x))
    assert not torch.equal(direct, tiles)


def test_signal_that_does_not_fit_is_an_error_while_compiling():
    module = et.GroupConv(2, 3, 3, C4)
    with pytest.raises(Exception, match="GroupConv wants 2 channels"):
        compiled(module)(torch.randn(1, 3, 4, 5, 5))
    weight = torch.randn(2, 3, 4, 3, 3)
    with pytest.raises(Exception, match=r"expected .* with \|H\| = 8 of C8 on axis 2"):
        compiled(lambda x: et.group_conv(x, weight, C8))(torch.randn(1, 3, 4, 5, 5))


@pytest.mark.parametrize("strict", [False, True])
def test_exported_program_computes_the_same_for_any_size(strict):
    module = et.GroupConv(2, 3, 3, C4, padding=1).eval()
    dynamic = {axis: torch.export.Dim(name, max=64) for axis, name in ((0, "batch"), (3, "rows"), (4, "columns"))}
    program = torch.export.export(module, (torch.randn(2, 2, 4, 6, 7),), dynamic_shapes=(dynamic,), strict=strict)
    x = torch.randn(3, 2, 4, 9, 8)
    assert torch.equal(program.module()(x), module(x))


class Exported(torch.nn.Module):
    """Layers with options of all kinds, and a group without a name."""

    def __init__(self):
        super().__init__()
        group = eq.PointGroup.from_matrices(eq.dihedral(4).matrices[[0, 2, 4, 6]])
        self.lift = et.LiftingConv(1, 2, eq.circular_harmonics(5), group, padding="same", padding_mode="circular")
        self.conv = et.GroupConv(2, 3, 3, group, stride=2, group_basis=eq.localized([0, 1]), quadrature=True)
        self.weight = torch.nn.Parameter(torch.randn(2, 3, 4, 3, 3))
        self.plane = et.IsotropicConv(2, 2, SPLINES, C8, algorithm="direct", interpolation="bicubic")

    def forward(self, x):
        y = self.conv(torch.relu(self.lift(x)))
        # A group of |H| = 4 elements for another of its order: the axis is that of the quotient of D4 by a mirror.
        y = et.conv(y, self.weight, eq.dihedral(4), input_stabilizer=[0, 4], output_stabilizer=range(8), padding=1)
        return self.plane(y)


ELSEWHERE = """
import sys, warnings, torch, equiconv.torch
warnings.simplefilter("ignore")
program = torch.export.load(sys.argv[1]).module()
x, y, gradient = torch.load(sys.argv[2])
result = program(x.requires_grad_())
assert torch.equal(result, y)
result.square().sum().backward()
assert torch.equal(x.grad, gradient)
assert torch.equal(torch.compile(program, backend="aot_eager")(x), y)
"""


def test_an_exported_program_runs_in_a_process_that_has_made_no_layer(tmp_path):
    """Its operators hold all there is to know of their layers."""
    module, x = Exported(), torch.randn(2, 1, 11, 11, requires_grad=True)
    torch.export.save(torch.export.export(module, (x,)), tmp_path / "program.pt2")
    y = module(x)
    y.square().sum().backward()
    torch.save((x.detach(), y.detach(), x.grad), tmp_path / "signals.pt")
    arguments = [str(tmp_path / "program.pt2"), str(tmp_path / "signals.pt")]
    result = subprocess.run([sys.executable, "-c", ELSEWHERE, *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_a_text_in_a_program_that_is_of_no_layer_is_an_error():
    x, weight = torch.randn(1, 1, 5, 5), torch.randn(1, 1, 3, 3)
    for text in ("", "lifting", "equiconv-layer/2 group=cyclic(4)"):
        with pytest.raises(ValueError, match=r"equiconv-layer/1|version 1 of equiconv-layer"):
            torch.ops.equiconv.forward(x, weight, None, text)


def test_fake_tensors_have_the_shapes_of_real_ones():
    module = network(torch.float32)
    x = torch.randn(2, 2, 15, 15)
    with torch._subclasses.FakeTensorMode(allow_non_fake_inputs=True) as mode:
        fake = module(mode.from_tensor(x))
    assert (fake.shape, fake.dtype) == (module(x).shape, torch.float32)

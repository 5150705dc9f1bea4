# SPDX-License-Identifier: Apache-2.0
"""Compilers take the backend of PyTorch whole, with its gradients, and add nothing up in an unknown order."""

from __future__ import annotations

import shutil

import equiconv as eq
import pytest
from torch_cases import CASES

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from backend_cases import layer_of  # noqa: E402 (torch may be missing)
from devices import on_devices  # noqa: E402

C4, C8, D4 = eq.cyclic(4), eq.cyclic(8), eq.dihedral(4)

# Compilers warn of their own deprecated parts.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::equiconv.EquivarianceWarning"),
]

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


def network(device="cpu", dtype=torch.float32):
    layers = [
        # Without the bias, whose gradient is zero but for rounding.
        et.LiftingConv(2, 3, 3, C8, padding="same", bias=False, backend="torch"),
        et.BatchNorm(3),
        torch.nn.ReLU(),
        et.GroupConv(3, 4, eq.bspline_basis(3), C8, stride=2, padding=1, backend="torch"),
        et.GroupPool(C8, "max"),
        et.LiftingConv(4, 2, 3, D4, padding=1, padding_mode="circular", backend="torch"),
        et.ProjectionConv(2, 2, 3, D4, backend="torch"),
    ]
    return torch.nn.Sequential(*layers).to(device, dtype)


def with_gradients(call, module, x):
    module.zero_grad()
    leaf = x.clone().requires_grad_()
    y = call(leaf)
    y.square().sum().backward()
    return [y.detach(), leaf.grad, *(parameter.grad for parameter in module.parameters())]


@on_devices
@pytest.mark.parametrize("backend", ["aot_eager", INDUCTOR])
def test_a_compiled_network_trains_as_one_that_is_not(backend, device):
    """Up to the order of sums; with a second batch size."""
    module, twin = network(device, torch.float64), network(device, torch.float64)
    twin.load_state_dict(module.state_dict())
    call = torch.compile(module, fullgraph=True, backend=backend)
    optimizers = [torch.optim.SGD(net.parameters(), 1e-6) for net in (module, twin)]
    for batch in (2, 2, 3):
        x = torch.randn(batch, 2, 11, 11, dtype=torch.float64, device=device)
        ours, theirs = with_gradients(call, module, x), with_gradients(twin, twin, x)
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
        for optimizer in optimizers:
            optimizer.step()
    module.eval()
    twin.eval()
    with torch.no_grad():
        torch.testing.assert_close(call(x), twin(x), rtol=1e-9, atol=1e-9)


@on_devices
@pytest.mark.parametrize("case", CASES[::5], ids=str)
def test_compiled_layers_have_the_results_and_gradients_of_the_engine(rng, case, device):
    operands = [torch.from_numpy(array) for array in case.operands(rng)]
    results = []
    for layer, there in (
        (layer_of(case, backend="engine"), "cpu"),
        (torch.compile(layer_of(case, backend="torch"), fullgraph=True, backend="aot_eager"), device),
    ):
        leaves = [tensor.to(there).requires_grad_() for tensor in operands]
        y = layer(*leaves)
        results.append([t.cpu() for t in (y, *torch.autograd.grad(y.pow(3).sum(), leaves))])
    for theirs, ours in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12 * float(theirs.abs().max()))


INDUCTOR_OF_LIFTING = pytest.param("lifting", *INDUCTOR.values, marks=INDUCTOR.marks)


@on_devices
@pytest.mark.parametrize(("layer", "backend"), [("lifting", "aot_eager"), ("group", "aot_eager"), INDUCTOR_OF_LIFTING])
def test_a_layer_of_any_batch_and_size_is_compiled_once(backend, layer, device):
    """Inductor fails on layers that read signals on the group, as on plain modules below."""
    made = {
        "lifting": lambda: et.LiftingConv(2, 3, 3, D4, padding=1, backend="torch"),
        "group": lambda: et.GroupConv(2, 3, eq.bspline_basis(3), C8, stride=2, padding=1, backend="torch"),
    }[layer]().to(device)
    fiber = () if layer == "lifting" else (8,)
    call = torch.compile(made, fullgraph=True, backend=backend, dynamic=True)
    for sizes in ((2, 7, 9), (3, 9, 6), (5, 8, 8)):
        x = torch.randn(sizes[0], 2, *fiber, *sizes[1:], device=device)
        torch.testing.assert_close(with_gradients(call, made, x), with_gradients(made, made, x), rtol=1e-4, atol=1e-4)


def test_no_part_of_a_network_is_left_to_python():
    explained = torch._dynamo.explain(network())(torch.randn(2, 2, 11, 11))
    assert (explained.graph_count, explained.graph_break_count) == (1, 0)


ATOMIC = ("index_put", "scatter", "index_add", "index_select_backward", "embedding_dense_backward", "put_")


def graphs_of(module, x):
    """The operators of the compiled forward and backward."""
    from functorch.compile import make_boxed_func
    from torch._dynamo.backends.common import aot_autograd

    graphs = []

    def keep(graph, _inputs):
        graphs.append([str(node.target) for node in graph.graph.nodes if node.op == "call_function"])
        return make_boxed_func(graph.forward)

    call = torch.compile(module, fullgraph=True, backend=aot_autograd(fw_compiler=keep, bw_compiler=keep))
    call(x.requires_grad_()).square().sum().backward()
    return graphs


@pytest.mark.parametrize("case", ["table", "space", "fiber", "both"])
def test_a_compiled_gradient_has_no_additions_in_an_unknown_order(case):
    """It gathers where weights went, as the layer gathers where they come from."""
    basis, near = eq.bspline_basis(3), eq.localized([0, 1])
    module = {
        "table": lambda: et.GroupConv(2, 3, 3, D4, backend="torch"),
        "space": lambda: et.GroupConv(2, 3, basis, C8, backend="torch"),
        "fiber": lambda: et.GroupConv(2, 3, 3, C4, group_basis=eq.group_bspline(2, 4), backend="torch"),
        "both": lambda: et.ProjectionConv(2, 3, basis, C8, group_basis=near, quadrature=True, backend="torch"),
    }[case]()
    forward, backward = graphs_of(module, torch.randn(2, 2, module.group.order, 7, 7))
    assert sum("index_select" in name or "aten.index" in name for name in forward) == 1
    assert any("convolution_backward" in name for name in backward)
    assert not [name for name in (*forward, *backward) if any(word in name for word in ATOMIC)]


@pytest.mark.parametrize("backend", [None, "aot_eager", INDUCTOR])
def test_autocast_is_within_the_rounding_of_what_it_stores(backend):
    """Eager and compiled: of bfloat16, of which numbers are rounded a few times in each layer."""
    layer = et.GroupConv(3, 4, 3, C8, padding=1, backend="torch")
    x = torch.randn(2, 3, 8, 9, 9)
    call = layer if backend is None else torch.compile(layer, fullgraph=True, backend=backend)
    exact = with_gradients(layer, layer, x)
    sizes = with_gradients(lambda signal: _absolute(layer, signal), layer, x.abs())

    def cast(leaf):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = call(leaf)
        assert y.dtype is torch.bfloat16
        return y.float()

    rounded = with_gradients(cast, layer, x)
    assert {parameter.grad.dtype for parameter in layer.parameters()} == {torch.float32}
    # The result is rounded once, from a signal and weights that are rounded once, and a matrix and a product of it.
    error = (rounded[0] - exact[0]).abs() / sizes[0]
    assert float(error.max()) <= 5 * torch.finfo(torch.bfloat16).eps
    assert float(error.max()) > torch.finfo(torch.float32).eps
    for ours, theirs in zip(rounded[1:], exact[1:], strict=True):
        scale = float(theirs.abs().max())
        torch.testing.assert_close(ours, theirs, rtol=0, atol=8 * torch.finfo(torch.bfloat16).eps * scale)


def _absolute(layer, signal):
    """The layer of absolute weights, which bounds all of its sums where no matrix has negative numbers."""
    weight, bias = layer.weight.abs(), layer.bias.abs()
    return et.group_conv(signal, weight, C8, bias, padding=1, backend="torch")


def test_a_compiled_layer_follows_its_options_and_weights():
    module = et.GroupConv(2, 3, 3, C4, padding=1, backend="torch").eval().requires_grad_(False)
    call = torch.compile(module, fullgraph=True, backend="aot_eager")
    x = torch.randn(2, 2, 4, 7, 7)
    torch.testing.assert_close(call(x), module(x))
    module.weight.mul_(-3)
    torch.testing.assert_close(call(x), module(x))
    module.stride = 2
    torch.testing.assert_close(call(x), module(x))
    module.backend = "engine"
    torch.testing.assert_close(call(x), module(x))


def test_signals_that_do_not_fit_are_errors_while_compiling():
    weight = torch.randn(3, 2, 4, 3, 3)
    call = torch.compile(lambda x: et.group_conv(x, weight, C4, backend="torch"), fullgraph=True, backend="aot_eager")
    for shape in ((2, 2, 8, 5, 5), (2, 4, 2, 5, 5), (2, 8, 5, 5)):
        with pytest.raises(Exception, match=r"x has shape .*expected \(B, 2, 4, spatial\.\.\.\)"):
            call(torch.randn(shape))


def _flattened():
    return torch.nn.Sequential(torch.nn.Flatten(1, 2), torch.nn.Conv2d(12, 8, 3)), (2, 3, 4, 9, 9)


def _normalized():
    layers = torch.nn.Conv2d(2, 12, 3), torch.nn.BatchNorm2d(12), torch.nn.ReLU(), torch.nn.Conv2d(12, 8, 3)
    return torch.nn.Sequential(*layers), (2, 2, 9, 9)


@pytest.mark.skipif(not torch.__version__.startswith("2.13"), reason="seen with PyTorch 2.13, and looked for there")
@pytest.mark.parametrize("plain", [_flattened, _normalized])
@pytest.mark.parametrize("backend", [INDUCTOR])
def test_inductor_fails_on_plain_modules_of_any_size(plain, backend):
    """A limit of PyTorch, of its own modules alone. If this test fails, the limit has gone, and with it that above."""
    module, shape = plain()
    call = torch.compile(module, fullgraph=True, backend=backend, dynamic=True)
    with pytest.raises(Exception, match=r"Cannot convert expression to float|truth value of Relational"):
        with_gradients(call, module, torch.randn(shape))

# SPDX-License-Identifier: Apache-2.0
"""Exported networks of PyTorch's backend are programs of PyTorch's operators alone, with their tables as constants."""

from __future__ import annotations

import subprocess
import sys

import equiconv as eq
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

C4, C8, CUBE = eq.cyclic(4), eq.cyclic(8), eq.octahedral()

# Exporters warn of their own deprecated parts.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::equiconv.EquivarianceWarning"),
]


def network(backend="torch"):
    """A table and both matrices, circular padding, strides; pools that are PyTorch's."""
    torch.manual_seed(20200426)
    layers = [
        et.LiftingConv(2, 3, 3, C8, padding="same", backend=backend),
        et.BatchNorm(3),
        torch.nn.ReLU(),
        et.GroupConv(3, 4, eq.bspline_basis(3), C8, stride=2, padding=4, padding_mode="circular", backend=backend),
        et.GroupConv(4, 3, 3, C8, padding=1, group_basis=eq.localized([0, 1, 7]), backend=backend),
        et.GroupPool(C8, "max"),
        et.LiftingConv(3, 2, 3, C4, padding=1, backend=backend),
        et.ProjectionConv(2, 2, 3, C4, backend=backend),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
    ]
    return torch.nn.Sequential(*layers).eval()


def signal(batch=2, rows=13, columns=11):
    return torch.randn(batch, 2, rows, columns, generator=torch.Generator().manual_seed(3))


ALONE = """
import sys, warnings
import torch
warnings.simplefilter("ignore")
program = torch.export.load(sys.argv[1]).module()
x, y, gradients = torch.load(sys.argv[2])
result = program(x.requires_grad_())
torch.testing.assert_close(result, y, rtol=1e-5, atol=1e-5)
result.square().sum().backward()
for ours, theirs in zip([x.grad, *(p.grad for p in program.parameters())], gradients, strict=True):
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
assert not [name for name in sys.modules if name.startswith("equiconv")]
"""


@pytest.mark.parametrize("strict", [False, True])
def test_a_program_runs_and_trains_where_there_is_no_equiconv(strict, tmp_path):
    module, x = network(), signal().requires_grad_()
    y = module(x)
    y.square().sum().backward()
    gradients = [x.grad, *(parameter.grad for parameter in module.parameters())]
    torch.save((x.detach(), y.detach(), gradients), tmp_path / "signals.pt")
    program = torch.export.export(module, (x.detach(),), strict=strict)
    torch.export.save(program, tmp_path / "program.pt2")
    result = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path / "program.pt2"), str(tmp_path / "signals.pt")],
        capture_output=True, text=True, check=False, env={},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("strict", [False, True])
def test_a_program_has_operators_of_torch_and_tables_as_constants(strict):
    program = torch.export.export(network(), (signal(),), strict=strict)
    targets = [node.target for node in program.graph.nodes if node.op == "call_function"]
    assert {str(target).split(".")[0] for target in targets} == {"aten"}
    assert sum("index_select" in str(target) for target in targets) == 5
    # The matrices of the first three layers and the places of all five.
    tables = [constant for constant in program.constants.values() if isinstance(constant, torch.Tensor)]
    assert {table.dtype for table in tables} == {torch.int64, torch.float32}
    assert sum(table.dtype is torch.float32 for table in tables) == 3
    assert set(program.state_dict) <= set(dict(network().state_dict()))


@pytest.mark.parametrize("strict", [False, True])
def test_a_program_takes_other_batches_and_sizes(strict):
    module = network()
    limits = {0: ("batch", 1), 2: ("rows", 6), 3: ("columns", 6)}
    shapes = {axis: torch.export.Dim(name, min=least, max=64) for axis, (name, least) in limits.items()}
    program = torch.export.export(module, (signal(),), dynamic_shapes=(shapes,), strict=strict).module()
    for sizes in ((2, 13, 11), (1, 9, 15), (5, 8, 8)):
        x = signal(*sizes)
        torch.testing.assert_close(program(x), module(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("group", [eq.reflection(), CUBE], ids=str)
def test_programs_of_lines_and_of_space(group):
    d = group.dimension
    module = torch.nn.Sequential(
        et.LiftingConv(1, 2, 3, group, backend="torch"), et.GroupConv(2, 2, 3, group, padding=1, backend="torch")
    )
    x = torch.randn(2, 1, *(5,) * d)
    program = torch.export.export(module, (x,))
    torch.testing.assert_close(program.module()(x), module(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("backend", [None, "torch"])
def test_a_network_is_exported_to_onnx_as_it_is(backend, tmp_path):
    """ONNX Runtime computes the network; before and after, layers that ask for nothing are the engine's."""
    for package in ("onnx", "onnxscript"):
        pytest.importorskip(package, reason=f"{package} is not installed: export to ONNX is not tested")
    runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not tested: pip install onnxruntime")
    module, x = network(backend), signal()
    expected = module(x).detach()
    path = tmp_path / "network.onnx"
    shapes = ({0: torch.export.Dim("batch", max=64)},)
    torch.onnx.export(module, (x,), path, dynamo=True, dynamic_shapes=shapes, verbose=False)
    assert torch.equal(module(x), expected)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (argument,) = session.get_inputs()
    for batch in (2, 3):
        images = signal(batch)
        (result,) = session.run(None, {argument.name: images.numpy()})
        torch.testing.assert_close(torch.from_numpy(result), module(images).detach(), rtol=1e-4, atol=1e-4)

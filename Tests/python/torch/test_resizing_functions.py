# SPDX-License-Identifier: Apache-2.0
"""Upsampling, blurred pools and adaptive means as functions, in PyTorch: the layers' bits, gradients, compilers."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from resizing_cases import FUNCTIONS, LAYERS, signal

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

C4, D4 = eq.cyclic(4), eq.dihedral(4)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)
    torch._dynamo.reset()


def call(layer, library=et, suffix=""):
    """The function of a layer, or its gradient, of tensors and a group."""
    name, arguments, keywords = LAYERS[layer]
    function = getattr(library, FUNCTIONS[name] + suffix)
    return lambda *operands: function(*operands, *arguments, **keywords)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("group", [C4, D4], ids=str)
def test_functions_are_the_layers_and_have_numpys_gradients(group, layer):
    name, arguments, keywords = LAYERS[layer]
    for size in (5, 6):
        x = signal(group, size)
        tensor = torch.from_numpy(x).requires_grad_()
        y = call(layer)(tensor, group)
        assert torch.equal(y, getattr(et, name)(group, *arguments, **keywords)(tensor))
        gradient = torch.randn_like(y)
        (slope,) = torch.autograd.grad(y, tensor, gradient)
        expected = call(layer, eq, "_vjp")(gradient.numpy(), x, group)
        assert np.allclose(slope.numpy(), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("layer", ["linear", "blur", "max and blur", "overlapping means"])
def test_programs_hold_the_functions(layer):
    class Net(torch.nn.Module):
        def forward(self, x):
            return call(layer)(x, C4).relu()

    net, x = Net(), torch.randn(2, 3, 4, 6, 6)
    programs = (
        torch.fx.symbolic_trace(net),
        torch.export.export(net, (x,)).module(),
        torch.compile(net, backend="eager", fullgraph=True),
    )
    for program in programs:
        assert torch.equal(program(x), net(x))


def test_strides_that_do_not_fit_warn_at_the_line_of_the_call():
    with pytest.warns(eq.EquivarianceWarning, match="Nearest sizes that fit: 5 or 7$") as seen:
        et.blur_pool(torch.zeros(1, 1, 4, 6, 6), C4, 2, 3)
    assert {warning.filename for warning in seen} == {__file__}


def test_wrong_calls_are_named():
    x = torch.zeros(1, 1, 4, 6, 6)
    for wrong, error, message in [
        (lambda: et.upsample(x, C4, 0), ValueError, "factor is 0"),
        (lambda: et.upsample(x, C4, (True, True)), TypeError, r"factor\[0\] is True"),
        (lambda: et.upsample(x, C4, True), TypeError, "factor is True"),
        (lambda: et.upsample(x, 4, 2), TypeError, "group is 4"),
        (lambda: et.upsample(np.zeros((1, 1, 6, 6)), C4, 2), TypeError, "x is .*expected a torch.Tensor"),
        (lambda: et.max_blur_pool(x, C4, 2, taps=9, padding=0), ValueError, "expected at most"),
        (lambda: et.adaptive_mean(x[0], C4, [1, 2]), ValueError, "size is "),
        (lambda: et.blur_pool(x.int(), C4), TypeError, "int32"),
    ]:
        et.upsample(x, C4, 1)
        et.upsample(x, C4, (1, 1))
        with pytest.raises(error, match=message):
            wrong()

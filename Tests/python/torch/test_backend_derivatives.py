# SPDX-License-Identifier: Apache-2.0
"""The backend of PyTorch is differentiable in all ways of PyTorch, and its gradients have the same bits each time."""

from __future__ import annotations

import equiconv as eq
import pytest
from torch_cases import CASES

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from backend_cases import layer_of  # noqa: E402 (torch may be missing)
from devices import on_devices  # noqa: E402
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vjp, vmap  # noqa: E402

# PyTorch warns about itself when forward mode is first used.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::equiconv.EquivarianceWarning"),
]

C4, C8, D4 = eq.cyclic(4), eq.cyclic(8), eq.dihedral(4)


def tensors(rng, case, device, **sizes):
    return [torch.from_numpy(array).to(device) for array in case.operands(rng, **sizes)]


# A pixel kernel of a lattice group, a mean over the group, both matrices, quotients, one channel at a time.
SAMPLE = [*CASES[2:4], *CASES[5::6], CASES[-2]]


@on_devices
@pytest.mark.parametrize("case", SAMPLE, ids=str)
def test_derivatives_are_the_limits_of_differences_in_both_modes_and_twice(rng, case, device):
    operands = [tensor.requires_grad_() for tensor in tensors(rng, case, device, batch=1)]
    layer = layer_of(case, backend="torch")
    assert torch.autograd.gradcheck(layer, operands, fast_mode=True, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(layer, operands, fast_mode=True, check_fwd_over_rev=True)


@on_devices
@pytest.mark.parametrize("case", SAMPLE, ids=str)
def test_transformations_give_the_derivatives_of_the_engine(rng, case, device):
    """Reverse, forward, and one over the other: cubes make the second derivatives depend on all operands."""
    operands = tensors(rng, case, device, batch=1, channels=1, outputs=1)
    directions = tuple(torch.ones_like(tensor) for tensor in operands)
    results = []
    for backend, there in (("engine", "cpu"), ("torch", device)):
        layer = layer_of(case, backend=backend)
        values = tuple(tensor.to(there) for tensor in operands)
        tangents = tuple(tensor.to(there) for tensor in directions)

        def loss(*operands, layer=layer):
            return layer(*operands).pow(3).sum()

        slopes = grad(loss, (0, 1, 2))
        _, pull = vjp(layer, *values)
        found = [*slopes(*values), *jvp(layer, values, tangents), *jvp(slopes, values, tangents)[1]]
        results.append([tensor.cpu() for tensor in (*found, *pull(torch.ones_like(layer(*values))))])
    for theirs, ours in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12 * max(1.0, float(theirs.abs().max())))


@on_devices
def test_jacobians_and_hessians_agree_in_both_modes(rng, device):
    """By maps over unit vectors."""
    case = CASES[3]
    x, weight, bias = tensors(rng, case, device, batch=1, channels=1, outputs=1)
    layer = layer_of(case, backend="torch")
    for argument in range(3):
        backward = jacrev(layer, argument)(x, weight, bias)
        forward = jacfwd(layer, argument)(x, weight, bias)
        torch.testing.assert_close(forward, backward, rtol=0, atol=1e-12)
        assert backward.any()

    def loss(weight):
        return layer(x, weight, bias).square().sum()

    rows = jacrev(lambda kernel: layer(x, kernel, bias), 0)(weight).reshape(-1, weight.numel())
    expected = (2 * rows.T @ rows).reshape(2 * weight.shape)
    torch.testing.assert_close(hessian(loss)(weight), expected, rtol=0, atol=1e-11)


@on_devices
@pytest.mark.parametrize("case", SAMPLE, ids=str)
def test_maps_over_signals_and_weights_are_loops(rng, case, device):
    x, weight, bias = tensors(rng, case, device)
    layer = layer_of(case, backend="torch")
    signals, weights, biases = (torch.stack([tensor, -2 * tensor, 3 * tensor]) for tensor in (x, weight, bias))
    for axes in ((0, None, None), (None, 0, None), (None, None, 0), (0, 0, 0)):
        given = [
            many if axis == 0 else one
            for axis, many, one in zip(axes, (signals, weights, biases), (x, weight, bias), strict=True)
        ]
        mapped = vmap(layer, axes)(*given)
        looped = [layer(*(t[i] if axis == 0 else t for axis, t in zip(axes, given, strict=True))) for i in range(3)]
        torch.testing.assert_close(mapped, torch.stack(looped), rtol=0, atol=1e-12 * float(mapped.abs().max()))
    slopes = grad(lambda signal, kernel: layer(signal, kernel, bias).square().sum(), (0, 1))
    each = vmap(slopes, (0, None))(signals, weight)
    for i in range(3):
        for ours, theirs in zip(each, slopes(signals[i], weight), strict=True):
            torch.testing.assert_close(ours[i], theirs, rtol=0, atol=1e-12 * float(theirs.abs().max()))


def network(device, backend="torch", dtype=torch.float64):
    torch.manual_seed(7)
    layers = [
        et.LiftingConv(2, 3, 3, C8, padding="same", backend=backend),
        torch.nn.ReLU(),
        et.GroupConv(3, 2, eq.bspline_basis(3), C8, padding=1, padding_mode="circular", backend=backend),
        torch.nn.Tanh(),
        et.ProjectionConv(2, 2, 3, C8, stride=2, backend=backend),
    ]
    return torch.nn.Sequential(*layers).to(device, dtype)


@on_devices
def test_networks_are_functions_of_their_parameters(rng, device):
    """Gradients of each image by itself, and of an ensemble, are those of loops."""
    made, other = network(device), network(device)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(-0.5)
    x = torch.randn(3, 2, 7, 7, dtype=torch.float64, device=device)

    def loss(parameters, image):
        return functional_call(made, parameters, image[None]).square().sum()

    first, second = ({name: p.detach() for name, p in net.named_parameters()} for net in (made, other))
    for mode in (True, False):
        made.train(mode)
        each = vmap(grad(loss), (None, 0))(first, x)
        for i in range(3):
            for name, slope in grad(loss)(first, x[i]).items():
                torch.testing.assert_close(each[name][i], slope, rtol=0, atol=1e-12 * max(1, float(slope.abs().max())))
        both = {name: torch.stack([first[name], second[name]]) for name in first}
        ensemble = vmap(lambda parameters: functional_call(made, parameters, x))(both)
        torch.testing.assert_close(ensemble, torch.stack([made(x), other(x)]), rtol=0, atol=1e-12)


@on_devices
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_gradients_have_the_same_bits_in_each_run(device, dtype):
    """With algorithms that are asked to be deterministic, of which none is missing."""
    made = network(device, dtype=dtype)
    x = torch.randn(4, 2, 15, 15, device=device).to(dtype)
    torch.use_deterministic_algorithms(True)
    try:
        runs = []
        for _ in range(3):
            made.zero_grad()
            signal = x.clone().requires_grad_()
            made(signal).square().sum().backward()
            runs.append([signal.grad, *(parameter.grad.clone() for parameter in made.parameters())])
    finally:
        torch.use_deterministic_algorithms(False)
    for other in runs[1:]:
        assert all(torch.equal(a, b) for a, b in zip(runs[0], other, strict=True))


class Operations(torch.utils._python_dispatch.TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.seen.add(function.overloadpacket.__name__)
        return function(*args, **(kwargs or {}))


ATOMIC = {"index_put", "index_put_", "_index_put_impl_", "scatter_add", "scatter_add_", "scatter", "index_add",
          "index_add_", "put_", "gather_backward", "index_select_backward", "embedding_dense_backward"}  # fmt: skip


@on_devices
@pytest.mark.parametrize("case", CASES[::4], ids=str)
def test_no_gradient_is_made_of_atomic_additions(rng, case, device):
    """Neither the first nor the second."""
    x, weight, bias = (tensor.requires_grad_() for tensor in tensors(rng, case, device))
    operations = Operations()
    with operations:
        y = layer_of(case, backend="torch")(x, weight, bias)
        slopes = torch.autograd.grad(y.pow(3).sum(), (x, weight, bias), create_graph=True)
        torch.autograd.grad(sum(slope.square().sum() for slope in slopes), (x, weight, bias))
    assert {"convolution", "convolution_backward", "index_select"} <= operations.seen
    assert not ATOMIC & operations.seen

# SPDX-License-Identifier: Apache-2.0
"""The backend of PyTorch computes the layers of the engine: all of them, in every precision, with their gradients."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from cases import rounding_bound

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from backend_cases import ALL, LATTICE, OTHER, layer_of, terms, with_gradients  # noqa: E402 (torch may be missing)
from devices import on_devices  # noqa: E402

# The tables have strides that leave something over.
pytestmark = pytest.mark.filterwarnings("ignore::equiconv.EquivarianceWarning")

NAMES = ("result", "gradient of x", "gradient of weight", "gradient of bias")


@pytest.fixture(autouse=True)
def _without_tf32(monkeypatch):
    """In float32, that of the bounds: on accelerators it is TensorFloat-32 otherwise."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def both(rng, case, dtype, device):
    """The engine's results of the numbers of a dtype, in float64; those of the backend; operands and a gradient."""
    operands = [torch.from_numpy(array).to(dtype) for array in case.operands(rng)]
    exact = [tensor.double() for tensor in operands]
    shape = layer_of(case, backend="engine")(*exact).shape
    grad_out = torch.from_numpy(rng.normal(size=shape)).to(dtype)
    engine = with_gradients(layer_of(case, backend="engine"), exact, grad_out)
    there = [tensor.to(device) for tensor in operands]
    ours = with_gradients(layer_of(case, backend="torch"), there, grad_out.to(device))
    for mine, theirs in zip(ours, engine, strict=True):
        assert (mine.dtype, mine.device, mine.shape) == (dtype, device, theirs.shape)
    return engine, [tensor.double().cpu() for tensor in ours], operands, grad_out


@on_devices
@pytest.mark.parametrize("case", ALL, ids=str)
def test_results_and_gradients_are_those_of_the_engine_in_double_precision(rng, case, device):
    engine, ours, _, _ = both(rng, case, torch.float64, device)
    for name, mine, theirs in zip(NAMES, ours, engine, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-12 * float(theirs.abs().max()), err_msg=name)


def check_bounds(rng, case, dtype, device):
    engine, ours, operands, grad_out = both(rng, case, dtype, device)
    bounds = terms(case, operands, grad_out).bounds(dtype, [*operands, grad_out])
    for name, mine, theirs, bound in zip(NAMES, ours, engine, bounds, strict=True):
        assert torch.all((mine - theirs).abs() <= bound), (name, float(((mine - theirs).abs() / bound).max()))
    return engine, ours, operands


@on_devices
@pytest.mark.parametrize("case", LATTICE[::2], ids=str)
def test_lattice_groups_in_single_precision_are_within_the_bounds_of_the_engine(rng, case, device):
    engine, ours, (x, weight, _) = check_bounds(rng, case, torch.float32, device)
    bound = rounding_bound(x.numpy(), weight.numpy(), case.group)
    np.testing.assert_allclose(ours[0], engine[0], rtol=0, atol=bound)


@on_devices
@pytest.mark.parametrize("case", OTHER, ids=str)
def test_other_layers_in_single_precision_are_within_the_rounding_of_their_sums(rng, case, device):
    check_bounds(rng, case, torch.float32, device)


@on_devices
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("case", [*LATTICE[::11], *OTHER[::2]], ids=str)
def test_half_precision_is_within_the_rounding_of_what_is_stored(rng, case, dtype, device):
    """Sums are in single precision. The filter bank, the result and the gradients are rounded to the dtype."""
    check_bounds(rng, case, dtype, device)


@on_devices
@pytest.mark.parametrize("case", OTHER[::9], ids=str)
def test_an_empty_batch_has_gradients_of_zeros(rng, case, device):
    operands = [torch.from_numpy(array).to(device) for array in case.operands(rng, batch=0)]
    y, *gradients = with_gradients(layer_of(case, backend="torch"), operands)
    assert y.shape == layer_of(case, backend="engine")(*(tensor.cpu() for tensor in operands)).shape
    for gradient, tensor in zip(gradients, operands, strict=True):
        assert gradient.shape == tensor.shape
        assert not gradient.any()


@on_devices
@pytest.mark.parametrize("group", [eq.cyclic(4), eq.cyclic(8), eq.octahedral()], ids=str)
def test_two_functions_make_a_separable_layer(rng, group, device):
    """Over H, then over space, channel by channel."""
    d, order = group.dimension, group.order
    x = rng.normal(size=(2, 3, order, *(5,) * d))
    over_h, over_x = rng.normal(size=(4, 3, order)), rng.normal(size=(4, *(3,) * d))
    signal, first, second = (torch.from_numpy(a).to(device) for a in (x, over_h, over_x))
    between = et.group_conv(signal, first.reshape(4, 3, order, *(1,) * d), group, backend="torch")
    y = et.conv(
        between, second.reshape(4, 1, 1, *(3,) * d), group, input_stabilizer=(0,), output_stabilizer=(0,),
        group_basis=eq.localized([0]), groups=4, padding="same", backend="torch",
    )  # fmt: skip
    expected = eq.separable_conv(x, over_h, over_x, group, padding="same")
    np.testing.assert_allclose(y.cpu(), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


MODULES = {
    "isotropic": lambda **o: et.IsotropicConv(2, 3, 3, eq.cyclic(4), padding="same", **o),
    "lifting": lambda **o: et.LiftingConv(2, 3, eq.bspline_basis(3), eq.cyclic(8), stride=2, **o),
    "group": lambda **o: et.GroupConv(2, 3, 3, eq.dihedral(4), padding=2, padding_mode="circular", **o),
    "projection": lambda **o: et.ProjectionConv(2, 3, 3, eq.cyclic(8), group_basis=eq.localized([0, 1]), **o),
}


@on_devices
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_a_state_moves_between_backends_both_ways_with_equal_results(device, dtype):
    def network(backend):
        layers = [
            et.LiftingConv(2, 3, 5, eq.dihedral(4), padding="same", backend=backend, dtype=dtype),
            et.BatchNorm(3, dtype=dtype),
            torch.nn.ReLU(),
            et.GroupConv(3, 3, 3, eq.dihedral(4), stride=2, padding=1, backend=backend, dtype=dtype),
            et.ProjectionConv(3, 2, 3, eq.dihedral(4), backend=backend, dtype=dtype),
        ]
        return torch.nn.Sequential(*layers).eval()

    for seed, names in enumerate((("engine", "torch"), ("torch", "engine"))):
        torch.manual_seed(seed)
        source, target = map(network, names)
        assert set(source.state_dict()) == set(target.state_dict())
        target.load_state_dict(source.state_dict())
        x = torch.randn(2, 2, 11, 11, dtype=dtype)
        outputs = []
        for name, made in zip(names, (source, target), strict=True):
            there = torch.device("cpu") if name == "engine" else device
            outputs.append(made.to(there)(x.to(there)).detach().cpu())
            made.cpu()
        # Five sums in a row, each of less than 2^9 terms.
        tolerance = 5 * 2**9 * torch.finfo(dtype).eps * float(outputs[0].abs().max())
        torch.testing.assert_close(*outputs, rtol=0, atol=tolerance)
        assert not torch.equal(outputs[0], torch.zeros_like(outputs[0]))


@on_devices
@pytest.mark.parametrize("layer", MODULES)
def test_modules_compute_what_their_functions_do(layer, device):
    module = MODULES[layer](backend="torch", dtype=torch.float64).to(device)
    fiber = (module.group.order,) if layer in ("group", "projection") else ()
    x = torch.randn(2, module.in_channels, *fiber, 7, 7, dtype=torch.float64)
    with torch.no_grad():
        engine = MODULES[layer](backend="engine", dtype=torch.float64)
        engine.load_state_dict(module.state_dict())
        expected = engine(x)
        for _ in range(2):
            module.train(not module.training)
            y = module(x.to(device)).cpu()
            torch.testing.assert_close(y, expected, rtol=0, atol=1e-12 * float(expected.abs().max()))

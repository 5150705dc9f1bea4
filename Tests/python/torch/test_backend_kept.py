# SPDX-License-Identifier: Apache-2.0
"""The filter bank of a layer that is not trained is made once, is never that of other weights, and is nowhere else."""

from __future__ import annotations

import copy
import io
import pickle
from concurrent.futures import ThreadPoolExecutor

import equiconv as eq
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from devices import on_devices  # noqa: E402 (torch may be missing)
from equiconv.torch._nn import kept_bank  # noqa: E402

# PyTorch warns about itself when forward mode is first used.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")

C8 = eq.cyclic(8)


@pytest.fixture
def made(monkeypatch):
    """The dtypes of the banks that are made to be kept."""
    dtypes, make = [], kept_bank.bank_of

    def counted(weight, dtype, text):
        dtypes.append(dtype)
        return make(weight, dtype, text)

    monkeypatch.setattr(kept_bank, "bank_of", counted)
    return dtypes


def layer(device="cpu", **options):
    torch.manual_seed(11)
    return et.GroupConv(2, 3, 3, C8, padding=1, backend="torch", **options).to(device).eval().requires_grad_(False)


def signal(device="cpu", dtype=torch.float32):
    return torch.randn(2, 2, 8, 6, 6, generator=torch.Generator().manual_seed(5)).to(device, dtype)


def fresh(module, x):
    """The result with a bank that is made for it."""
    return et.group_conv(x, module.weight, C8, module.bias, stride=module.stride, padding=1, backend="torch").detach()


@on_devices
def test_a_bank_is_made_once_in_evaluation(made, device):
    module, x = layer(device), signal(device)
    results = [module(x) for _ in range(5)]
    assert len(made) == 1
    assert all(torch.equal(y, fresh(module, x)) for y in results)
    with torch.inference_mode():
        assert torch.equal(module(x), results[0])
    assert len(made) == 1
    module.requires_grad_()
    with torch.no_grad():
        module(x)
    assert len(made) == 1


def test_no_bank_is_kept_of_weights_that_are_trained(made):
    module, x = layer(), signal()
    module.train()(x)
    module.eval().requires_grad_()(x).sum().backward()
    assert module.weight.grad.any()
    assert made == []


def _step(module):
    module.requires_grad_()
    module(signal()).sum().backward()
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    optimizer.step()
    module.requires_grad_(False)


def _foreach_step(module):
    module.requires_grad_()
    module(signal()).sum().backward()
    torch.optim.AdamW(module.parameters(), 0.1, foreach=True).step()
    module.requires_grad_(False)


def _fused_step(module):
    """Which PyTorch does not count either."""
    module.requires_grad_()
    module(signal()).sum().backward()
    torch.optim.AdamW(module.parameters(), 0.1, fused=True).step()
    module.requires_grad_(False)


def _write(module):
    with torch.no_grad():
        module.weight.mul_(2)
        module.weight[0, 0] = 7


def _write_in_inference(module):
    with torch.inference_mode():
        module.weight.add_(1)


def _replace_data(module):
    module.weight.data = module.weight.data + 1


def _through_data(module):
    """Which PyTorch does not count."""
    module.weight.data.add_(1)
    module.eval()


def _replace(module):
    module.weight = torch.nn.Parameter(module.weight.detach() + 1, requires_grad=False)


CHANGES = {
    "step": _step,
    "foreach step": _foreach_step,
    "fused step": _fused_step,
    "loaded": lambda module: module.load_state_dict(et.GroupConv(2, 3, 3, C8).state_dict()),
    "assigned": lambda module: module.load_state_dict(et.GroupConv(2, 3, 3, C8).state_dict(), assign=True),
    "written": _write,
    "written in inference": _write_in_inference,
    "data": _replace_data,
    "through data": _through_data,
    "replaced": _replace,
    "drawn": lambda module: module.reset_parameters(),
    "set": lambda module: torch.nn.init.constant_(module.weight, 2),
}


@on_devices
@pytest.mark.parametrize("change", CHANGES)
def test_a_bank_is_never_that_of_other_weights(made, change, device):
    module, x = layer(), signal()
    before = module(x)
    CHANGES[change](module)
    module.to(device).requires_grad_(False)
    there = x.to(device)
    after = module(there)
    assert not torch.equal(after.cpu(), before)
    assert torch.equal(after, fresh(module, there))
    count = len(made)
    assert torch.equal(module(there), after)
    assert len(made) == count == 2


def test_options_that_change_change_what_is_computed_with_the_bank():
    module, x = layer(), signal()
    module(x)
    module.stride = 2
    with pytest.warns(eq.EquivarianceWarning):
        strided = module(x)
    assert strided.shape[-2:] == (3, 3)
    with pytest.warns(eq.EquivarianceWarning):
        assert torch.equal(strided, fresh(module, x))
    module.stride, module.interpolation = 1, "bicubic"
    expected = et.group_conv(x, module.weight, C8, module.bias, padding=1, interpolation="bicubic", backend="torch")
    assert torch.equal(module(x), expected)


def test_a_bank_follows_the_dtype_of_the_signal_and_of_autocast(made):
    module, x = layer(), signal()
    single = module(x)
    double = module.double()(x.double())
    assert (double.dtype, made) == (torch.float64, [torch.float32, torch.float64])
    torch.testing.assert_close(double.float(), single)
    module.float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = module(x)
    assert half.dtype is torch.bfloat16
    torch.testing.assert_close(half.float(), single, rtol=2**-6, atol=2**-5)
    assert made[2:] == [torch.bfloat16]


def test_a_bank_is_in_no_state_and_no_copy():
    module, x = layer(), signal()
    expected = module(x)
    names = set(module.state_dict())
    assert names == {"weight", "bias", "_extra_state"}
    assert "_bank" in vars(module)
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    copies = [copy.deepcopy(module), copy.copy(module), pickle.loads(pickle.dumps(module))]
    for other in (*copies, torch.load(file, weights_only=False)):
        assert "_bank" not in vars(other)
        assert torch.equal(other(x), expected)
    module.train()
    assert "_bank" not in vars(module)


def test_a_frozen_network_has_the_gradient_of_its_signal(made):
    module, x = layer(), signal().requires_grad_()
    for _ in range(2):
        (slope,) = torch.autograd.grad(module(x).pow(2).sum(), x)
    assert len(made) == 1
    y = fresh(module, x)
    expected = torch.autograd.grad(
        et.group_conv(x, module.weight.detach(), C8, module.bias, padding=1, backend="torch").pow(2).sum(), x
    )[0]
    assert y.shape == (2, 3, 8, 6, 6)
    assert torch.equal(slope, expected)


def test_a_bank_of_inference_serves_a_later_gradient(made):
    module, x = layer(), signal()
    with torch.inference_mode():
        module(x)
    leaf = x.clone().requires_grad_()
    module(leaf).sum().backward()
    assert leaf.grad.any()
    assert len(made) == 1


def test_transformations_see_the_weights_and_not_a_bank(made):
    module, x = layer(), signal()
    module(x)
    parameters = {name: value.detach() for name, value in module.named_parameters()}

    def loss(parameters):
        return torch.func.functional_call(module, parameters, x).square().sum()

    slopes = torch.func.grad(loss)(parameters)
    assert slopes["weight"].any()
    doubled = {name: 2 * value for name, value in parameters.items()}
    torch.testing.assert_close(torch.func.functional_call(module, doubled, x), 2 * module(x))
    many = {name: torch.stack([value, 3 * value]) for name, value in parameters.items()}
    mapped = torch.func.vmap(lambda chosen: torch.func.functional_call(module, chosen, x))(many)
    torch.testing.assert_close(mapped, torch.stack([module(x), 3 * module(x)]))
    tangent = torch.func.jvp(loss, (parameters,), (parameters,))[1]
    # Of a function of second degree.
    torch.testing.assert_close(tangent, 2 * loss(parameters))


def test_no_bank_is_kept_of_tensors_that_a_mode_has_made():
    module, x = layer(), signal()
    with torch._subclasses.FakeTensorMode(allow_non_fake_inputs=True) as mode:
        assert module(mode.from_tensor(x)).shape == (2, 3, 8, 6, 6)
    assert torch.equal(module(x), fresh(module, x))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_parametrization_is_computed_in_each_call(made):
    module, x = layer(), signal()
    torch.nn.utils.parametrizations.weight_norm(module).requires_grad_(False)
    before = module(x)
    with torch.no_grad():
        module.parametrizations.weight.original0.mul_(2)
    assert not torch.equal(module(x), before)
    assert made == []


def test_threads_may_call_one_layer_at_once():
    """In two precisions, so that each replaces the bank of the other."""
    module, x = layer(), signal()
    expected = {torch.float32: fresh(module, x)}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        expected[torch.bfloat16] = fresh(module, x)

    def call(number):
        if number % 2:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return module(x)
        return module(x)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(call, range(200)))
    assert all(torch.equal(y, expected[y.dtype]) for y in results)
    assert {y.dtype for y in results} == set(expected)

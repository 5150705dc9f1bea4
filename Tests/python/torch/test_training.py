# SPDX-License-Identifier: Apache-2.0
"""What programs of training put around layers, by every backend: checkpoints of activations and parametrizations."""

from __future__ import annotations

import multiprocessing

import equiconv as eq
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from devices import on_devices  # noqa: E402 (torch may be missing)
from torch import distributed, nn  # noqa: E402
from torch.nn.parallel import DistributedDataParallel  # noqa: E402
from torch.nn.utils import parametrize  # noqa: E402
from torch.utils.checkpoint import checkpoint  # noqa: E402

C4 = eq.cyclic(4)
backends = pytest.mark.parametrize("backend", ["engine", "torch"])


def network(backend, algorithm="auto"):
    torch.manual_seed(20200426)
    module = nn.Sequential(
        et.LiftingConv(1, 4, 3, C4, padding=1, algorithm=algorithm, dtype=torch.float64), et.BatchNorm(4).double(),
        nn.ReLU(), et.GroupConv(4, 4, 3, C4, algorithm=algorithm, dtype=torch.float64), et.SpatialMaxPool(C4, 2),
        et.FieldDropout(0.25), et.GroupPool(C4), et.SpatialMean(C4),
    )  # fmt: skip
    et.set_backend(module, backend)
    return module


def gradients(module, call):
    torch.manual_seed(1)
    device = next(module.parameters()).device
    x = torch.randn(2, 1, 8, 8, dtype=torch.float64).to(device).requires_grad_()
    call(module, x).square().sum().backward()
    return [x.grad, *(parameter.grad for parameter in module.parameters())]


@backends
@pytest.mark.parametrize("algorithm", ["auto", "direct"])
@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpoints_of_activations_give_the_same_gradients(backend, algorithm, reentrant):
    expected = gradients(network(backend, algorithm), lambda module, x: module(x))

    def call(module, x):
        return checkpoint(module[3:], checkpoint(module[:3], x, use_reentrant=reentrant), use_reentrant=reentrant)

    found = gradients(network(backend, algorithm), call)
    assert len(found) == 7
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


def test_backends_give_the_same_gradients_of_a_network():
    engine, expanded = (gradients(network(backend), lambda module, x: module(x)) for backend in ("engine", "torch"))
    for one, other in zip(engine, expanded, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12 * float(other.abs().max() + 1))


@on_devices
def test_two_runs_on_a_device_give_the_same_bits(device, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    try:
        runs = [gradients(network("torch").to(device), lambda module, x: module(x)) for _ in range(3)]
    finally:
        torch.use_deterministic_algorithms(False)
    for run in runs[1:]:
        assert all(torch.equal(one, other) for one, other in zip(run, runs[0], strict=True))


@on_devices
@pytest.mark.skipif(not distributed.is_available(), reason="this torch has no torch.distributed")
def test_a_single_process_trains_under_ddp_as_without(device, tmp_path):
    expected = gradients(network("torch").to(device), lambda module, x: module(x))
    kind = "nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(kind, init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    try:
        module = network("torch").to(device)
        if device.type == "cuda":
            module = nn.SyncBatchNorm.convert_sync_batchnorm(module)
        found = gradients(DistributedDataParallel(module), lambda module, x: module(x))
    finally:
        distributed.destroy_process_group()
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12 * float(other.abs().max() + 1))


class Counts(nn.Module):
    """Twice the parameter, and how often that was computed."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, weight):
        self.calls += 1
        return 2 * weight


@backends
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", [et.LiftingConv, et.IsotropicConv])
def test_parametrizations_are_computed_once_a_call(backend, training, kind):
    layer = kind(2, 3, 3, C4, backend=backend).train(training)
    x = torch.randn(1, 2, 6, 6)
    expected = 2 * layer(x)
    counts = {name: Counts() for name in ("weight", "bias")}
    for name, count in counts.items():
        parametrize.register_parametrization(layer, name, count)
        count.calls = 0
    for calls in (1, 2):
        assert torch.allclose(layer(x), expected, atol=1e-5)
        assert [count.calls for count in counts.values()] == [calls] * 2
    layer(x).sum().backward()
    assert layer.parametrizations.weight.original.grad.abs().sum() > 0


def test_synchronized_batch_norm_of_one_process_is_batch_norm():
    """PyTorch synchronizes on devices other than the CPU alone; here it is its own layer of one process."""
    modules = []
    for convert in (lambda module: module, nn.SyncBatchNorm.convert_sync_batchnorm):
        torch.manual_seed(20200426)
        module = nn.Sequential(et.LiftingConv(1, 4, 3, C4, padding=1), et.BatchNorm(4), nn.ReLU(), et.GroupPool(C4))
        nn.init.normal_(module[1].weight)
        modules.append(convert(module))
    ours, theirs = modules
    assert isinstance(theirs[1], nn.SyncBatchNorm)
    x = torch.randn(4, 1, 8, 8)
    for mode in (True, False):
        assert torch.equal(ours.train(mode)(x), theirs.train(mode)(x))
    first, second = ours.state_dict(), theirs.state_dict()
    assert list(first) == list(second)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert theirs[1].running_mean.shape == (4,)
    ours.load_state_dict(second)


def test_a_converted_network_keeps_the_memory_and_the_numbers_of_pytorchs_backend():
    module = network("torch").float()
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(network("torch").float())
    x = torch.randn(2, 1, 8, 8)
    with torch.no_grad():
        assert torch.allclose(module.eval()(x), converted.eval()(x), atol=1e-5)


@pytest.mark.skipif(
    not torch.cuda.is_available() or torch.cuda.device_count() < 2,
    reason="synchronizes batch norm between two GPUs, which are not here",
)
def test_synchronized_batch_norm_has_the_statistics_of_all_processes(tmp_path):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [context.Process(target=synchronize, args=(rank, tmp_path / "store", queue)) for rank in range(2)]
    for process in processes:
        process.start()
    results = [queue.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(timeout=20)
    norm = et.BatchNorm(3)
    norm(batch())
    for mean, variance in results:
        assert torch.allclose(torch.tensor(mean), norm.running_mean, atol=1e-5)
        assert torch.allclose(torch.tensor(variance), norm.running_var, atol=1e-5)


def batch():
    return torch.randn(4, 3, 4, 5, 5, generator=torch.Generator().manual_seed(1))


def synchronize(rank, store, queue):
    distributed.init_process_group("nccl", init_method=f"file://{store}", rank=rank, world_size=2)
    norm = nn.SyncBatchNorm.convert_sync_batchnorm(et.BatchNorm(3)).to(f"cuda:{rank}")
    norm(batch()[rank::2].to(f"cuda:{rank}"))
    queue.put((norm.running_mean.tolist(), norm.running_var.tolist()))
    distributed.destroy_process_group()

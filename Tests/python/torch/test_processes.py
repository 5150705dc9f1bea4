# SPDX-License-Identifier: Apache-2.0
"""Layers in the workers of a data loader, and in the processes of a distributed training."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from torch import distributed  # noqa: E402 (torch may be missing)
from torch.nn.parallel import DistributedDataParallel  # noqa: E402
from torch.utils.data import DataLoader, Dataset  # noqa: E402

C4 = eq.cyclic(4)
# Python 3.12 and later warn of every fork in a process with threads, and JAX where a test has imported it.
forks = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning", "ignore:.*fork.*:RuntimeWarning")


class Lifted(Dataset):
    """Images that a worker lifts to the group, by a call large enough for the pool of threads."""

    def __init__(self):
        self.layer = et.LiftingConv(8, 16, 5, C4, padding="same").requires_grad_(False)
        self.images = torch.randn(6, 8, 48, 48)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.layer(self.images[index : index + 1])[0]


@forks
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_layers_run_in_workers_of_a_data_loader_and_in_their_parent(threads, method):
    threads(2)
    torch.manual_seed(20200426)
    data = Lifted()
    head = et.GroupConv(16, 4, 3, C4)
    expected = torch.stack([data[i] for i in range(len(data))])
    before = head(expected)
    loader = DataLoader(data, batch_size=2, num_workers=2, multiprocessing_context=method)
    batches = []
    for batch in loader:
        head(batch).sum().backward()  # while the workers compute
        batches.append(batch)
    assert torch.equal(torch.cat(batches), expected)
    assert torch.equal(head(expected), before)


def model():
    """Nothing but sums over the batch, so that two halves of it give half of its gradient each."""
    torch.manual_seed(20200426)
    return torch.nn.Sequential(
        et.LiftingConv(1, 4, 3, C4, padding=1, dtype=torch.float64),
        torch.nn.ReLU(),
        et.GroupConv(4, 4, 3, C4, dtype=torch.float64),
        et.GroupPool(C4, "max"),
        et.IsotropicConv(4, 3, 1, C4, dtype=torch.float64),
        et.SpatialMean(C4),
    )


def data():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(8, 1, 9, 9, dtype=torch.float64, generator=generator)
    return x, torch.randn(8, 3, dtype=torch.float64, generator=generator)


STEPS, RATE = 5, 0.05


def train(module, x, target):
    optimizer = torch.optim.SGD(module.parameters(), lr=RATE, momentum=0.5)
    for _ in range(STEPS):
        optimizer.zero_grad()
        (module(x) - target).square().sum(1).mean().backward()
        optimizer.step()
    whole = (getattr(value, "full_tensor", lambda value=value: value)() for value in module.parameters())
    return [parameter.detach().numpy() for parameter in whole]


def data_parallel(backend):
    """Each process has all weights."""
    module = model()
    et.set_backend(module, backend)
    return DistributedDataParallel(module)


def fully_sharded(backend):
    """Each process has half of each weight, and all of those of one layer for as long as the layer computes."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    module, mesh = model(), init_device_mesh("cpu", (2,))
    et.set_backend(module, backend)
    for layer in (*(layer for layer in module if list(layer.parameters())), module):
        fully_shard(layer, mesh=mesh)
    return module


def train_half(way, backend, rank, store, queue):
    torch.set_num_threads(1)
    eq.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    x, target = data()
    module = way(backend)
    trained = train(module, x[rank::2].contiguous(), target[rank::2].contiguous())
    queue.put((rank, trained, states_refused(module) if way is fully_sharded else 2))
    # Sent before torch takes the group down, which now and then waits for the interpreter while it holds it.
    queue.close()
    queue.join_thread()
    distributed.destroy_process_group()


def states_refused(module):
    """Loads the sharded state, and counts the layers that refuse that of another group."""
    state = module.state_dict()
    module.load_state_dict(state)
    entries = [name for name in state if name.endswith("_extra_state")]
    other = et.LiftingConv(1, 4, 3, eq.dihedral(2)).get_extra_state()
    try:
        module.load_state_dict(state | dict.fromkeys(entries[:2], other))
    except RuntimeError as error:
        return str(error).count("weights are for D2, expected weights for C4")
    return 0


@pytest.mark.skipif(not distributed.is_available(), reason="this torch has no torch.distributed")
@pytest.mark.parametrize("backend", ["engine", "torch"])
@pytest.mark.parametrize("way", [data_parallel, fully_sharded])
def test_two_processes_train_to_the_weights_of_one(tmp_path, way, backend):
    """The mean of the gradients of two halves is the gradient of the whole, up to the order of sums.

    A gradient is a sum of n terms, so that its error is at most n units of roundoff of the sum of their sizes, which
    is at most that of x, weights and deviations times their number; five steps add up five of them.
    """
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    arguments = [(way, backend, rank, tmp_path / "store", queue) for rank in range(2)]
    processes = [context.Process(target=train_half, args=each) for each in arguments]
    for process in processes:
        process.start()
    try:
        results = [queue.get(timeout=120) for _ in processes]
    finally:
        for process in processes:
            process.join(timeout=20)
            process.kill()
    halves = {rank: weights for rank, weights, _ in results}
    assert [refused for *_, refused in results] == [2, 2]
    whole = train(model(), *data())
    for ours, first, second in zip(whole, halves[0], halves[1], strict=True):
        np.testing.assert_array_equal(first, second)
        np.testing.assert_allclose(first, ours, rtol=0, atol=TOLERANCE)
    assert not np.array_equal(whole[0], model()[0].weight.detach().numpy())


# Each entry of a gradient adds at most 8 * 4 * 81 products for each of 3 outputs; deviations are below 10, weights
# below 2 and signals below 5.
TOLERANCE = STEPS * 2 * RATE * np.finfo(np.float64).eps * (3 * 8 * 4 * 81) * 10 * 2 * 5


def test_threads_train_beside_each_other():
    """Each with a network of its own; they share nothing but the engine's pool."""
    networks = [model() for _ in range(4)]
    expected = train(model(), *data())
    barrier = threading.Barrier(len(networks))

    def run(network):
        barrier.wait()
        return train(network, *data())

    with ThreadPoolExecutor(len(networks)) as executor:
        for weights in executor.map(run, networks):
            for ours, theirs in zip(weights, expected, strict=True):
                np.testing.assert_array_equal(ours, theirs)

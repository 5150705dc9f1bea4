# SPDX-License-Identifier: Apache-2.0
"""Layers of networks that several processes share: kept filter banks, files, precision."""

from __future__ import annotations

import copy
import warnings

import equiconv as eq
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from torch import distributed, nn  # noqa: E402 (torch may be missing)
from torch.nn.parallel import DistributedDataParallel  # noqa: E402

C4 = eq.cyclic(4)
backends = pytest.mark.parametrize("backend", ["engine", "torch"])


def network(backend=None, seed=20200426, dtype=torch.float64):
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Sequential(et.LiftingConv(1, 4, 3, C4, padding=1), et.BatchNorm(4), nn.ReLU()),
        nn.Sequential(et.GroupConv(4, 5, 3, C4), nn.BatchNorm3d(5), nn.ReLU()),
        nn.Sequential(et.TransposedConv(5, 3, 2, C4, stride=2), et.GroupPool(C4, "max"), et.SpatialMean(C4)),
        nn.Linear(3, 2),
    ).to(dtype)
    et.set_backend(module, backend)
    return module


def sharded(module, **options):
    """Shared out by FSDP2, block by block; PyTorch warns of layers that return views."""
    from torch.distributed.fsdp import fully_shard

    for block in module.children():
        fully_shard(block, **options)
    return fully_shard(module, **options)


def images(dtype=torch.float64):
    return torch.randn(8, 1, 9, 9, dtype=dtype, generator=torch.Generator().manual_seed(2))


def losses(module, x, share):
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.5)
    found = []
    for _ in range(4):
        optimizer.zero_grad()
        loss = module(x).square().sum() * share
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def losses_of_part(backend, split):
    x = images().split(split)[distributed.get_rank()]
    return losses(sharded(et.sync_batch_norm(network(backend))), x, 2 / 8)


@backends
@pytest.mark.parametrize("split", [(4, 4), (3, 5), (8, 0)], ids=str)
def test_a_sharded_network_with_synchronized_norms_has_the_losses_of_one_process(pair, backend, split):
    first, second = pair.call(losses_of_part, backend, split)
    whole = losses(network(backend), images(), 1 / 8)
    for one, other, expected in zip(first, second, whole, strict=True):
        assert abs((one + other) / 2 - expected) < 1e-12 * expected


def differences(reshards):
    """Of a sharded network in evaluation from an ordinary one, while the weights of both change."""
    model, plain, x = (
        sharded(network("torch"), reshard_after_forward=reshards).eval(),
        network("torch").eval(),
        images(),
    )
    found = []
    with torch.no_grad():
        for number in range(30):
            found.append(float((model(x) - plain(x)).abs().max()))
            for part in model.modules():
                if hasattr(part, "reshard"):
                    part.reshard()
            factor = -0.5 if number % 2 else -2.0
            for parameter in model.parameters():
                parameter.to_local().mul_(factor)
            for parameter in plain.parameters():
                parameter.mul_(factor)
    return max(found)


@pytest.mark.parametrize("reshards", [True, False])
def test_no_bank_is_kept_of_weights_that_fsdp_has_gathered_before(pair, reshards):
    """They come into the same memory again, where PyTorch counts nothing that is written."""
    assert max(pair.call(differences, reshards)) < 1e-12


def test_a_weight_that_is_set_forgets_the_bank():
    layer = et.GroupConv(2, 2, 3, C4, backend="torch").eval().requires_grad_(False)
    x = torch.randn(1, 2, 4, 5, 5)
    before = layer(x)
    weight = layer.weight
    # As FSDP writes.
    with torch.autograd._unsafe_preserve_version_counter(weight):
        weight.mul_(2)
    layer.weight = weight
    torch.testing.assert_close(
        layer(x) - layer.bias.reshape(-1, 1, 1, 1), 2 * (before - layer.bias.reshape(-1, 1, 1, 1))
    )


def difference_under_ddp():
    rank, x = distributed.get_rank(), images()
    module = network("torch", seed=rank).eval()
    with torch.no_grad():
        module(x)
        # Which gives all processes the weights of the first one.
        wrapped = DistributedDataParallel(module)
        return float((wrapped(x) - network("torch", seed=0).eval()(x)).abs().max())


def test_no_bank_is_kept_of_weights_that_ddp_has_replaced(pair):
    assert pair.call(difference_under_ddp) == [0.0, 0.0]


def saved(folder):
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    texts, x, rank = [], images(), distributed.get_rank()
    model = sharded(network())
    for call in (lambda: et.save_network(model, folder / "refused", x), lambda: et.expand(model)):
        try:
            call()
        except ValueError as error:
            texts.append(str(error))
    state = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    if rank == 0:
        whole = network(seed=1)
        whole.load_state_dict(state)
        et.save_network(whole, folder / "sharded", x, name="n")
        et.save_network(network(), folder / "plain", x, name="n")
    wrapped = DistributedDataParallel(network())
    if rank == 0:
        et.save_network(wrapped, folder / "wrapped", x, name="n")
    return texts


def test_networks_of_several_processes_are_saved(pair, tmp_path):
    """Wrapped by DDP as they are; sharded ones by their whole state, and otherwise not, with the way to do it."""
    for texts in pair.call(saved, tmp_path):
        assert [text.split(":")[0] for text in texts] == [
            f"parameter 0.0.weight of {name} is a DTensor, which several processes share"
            for name in ("module", "network")
        ]
        assert all("full_state_dict=True" in text for text in texts)
    plain = (tmp_path / "plain").read_bytes()
    assert (tmp_path / "sharded").read_bytes() == plain
    assert (tmp_path / "wrapped").read_bytes() == plain


def in_bfloat16():
    """Layers in bfloat16, norms in groups of their own in single precision."""
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    model = et.sync_batch_norm(network(dtype=torch.float32))
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, output_dtype=torch.float32)
    for layer in (model[0][0], model[1][0], model[2], model[3]):
        fully_shard(layer, mp_policy=policy)
    fully_shard(model)
    with warnings.catch_warnings():
        # Of layers that return views.
        warnings.simplefilter("ignore", UserWarning)
        y = model(images(torch.float32).split(4)[distributed.get_rank()])
    y.square().sum().backward()
    return y.detach(), all(bool(parameter.grad.to_local().isfinite().all()) for parameter in model.parameters())


def test_layers_compute_in_the_precision_that_fsdp_gives_them(pair):
    halves = pair.call(in_bfloat16)
    whole = network(dtype=torch.float32)(images(torch.float32)).detach()
    assert all(is_finite for _, is_finite in halves)
    y = torch.cat([half for half, _ in halves])
    assert y.dtype is torch.float32
    # Five operations that round to 8 bits each, on numbers of a size of 1.
    assert 0 < float((y - whole).abs().max()) < 5 * 2**-8 * float(whole.abs().max())


def with_dtensors():
    """Operators of tensors that are shared out by hand."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor

    mesh, layer, errors = init_device_mesh("cpu", (2,)), et.LiftingConv(1, 4, 3, C4).requires_grad_(False), []
    x = distribute_tensor(images(torch.float32), mesh, [Shard(0)])
    weight = distribute_tensor(layer.weight, mesh, [Replicate()])
    for backend in ("engine", "torch"):
        for signal, filters in ((x, weight), (x, layer.weight), (images(torch.float32), weight)):
            try:
                et.lifting_conv(signal, filters, C4, backend=backend)
            except (RuntimeError, NotImplementedError) as error:
                errors.append("DTensor" in str(error) or "sharding strategy" in str(error))
    return errors


def test_dtensors_in_calls_are_errors_of_pytorch(pair):
    """FSDP gives layers ordinary tensors; what is shared out in another way has no strategy, and says so."""
    assert pair.call(with_dtensors) == [[True] * 6] * 2


def unused(find):
    """A branch that only the first process takes."""
    model = nn.ModuleList([et.LiftingConv(1, 4, 3, C4), et.GroupConv(4, 4, 3, C4)])

    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = copy.deepcopy(model)

        def forward(self, x):
            y = self.parts[0](x)
            return self.parts[1](y) if distributed.get_rank() == 0 else y

    wrapped = DistributedDataParallel(Branches(), find_unused_parameters=find)
    for _ in range(2):
        wrapped(images(torch.float32)).square().mean().backward()
    return [float(parameter.grad.abs().sum()) for parameter in wrapped.parameters()]


def test_parameters_that_a_process_does_not_use_are_found(pair):
    first, second = pair.call(unused, True)
    assert first == second
    assert min(first) > 0

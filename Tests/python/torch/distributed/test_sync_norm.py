# SPDX-License-Identifier: Apache-2.0
"""Synchronized batch norms: two processes compute what one does of the whole batch."""

from __future__ import annotations

import copy
import pickle

import equiconv as eq
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from torch import distributed, nn  # noqa: E402 (torch may be missing)
from torch.nn.parallel import DistributedDataParallel  # noqa: E402

C4 = eq.cyclic(4)
CHANNELS = 3
NORMS = {
    "group": (et.BatchNorm, (4, 5, 6)),
    "plane": (et.BatchNorm, (5, 6)),
    "vectors": (nn.BatchNorm1d, ()),
    "1d": (nn.BatchNorm1d, (7,)),
    "2d": (nn.BatchNorm2d, (5, 6)),
    "3d": (nn.BatchNorm3d, (3, 4, 5)),
    "of torch": (nn.SyncBatchNorm, (5, 6)),
}
OPTIONS = {
    "default": {},
    "no weights": {"affine": False},
    "mean of all batches": {"momentum": None},
    "no running numbers": {"track_running_stats": False},
}
SPLITS = [(4, 4), (1, 7), (8, 0)]


def made(name, options, dtype):
    torch.manual_seed(20200426)
    norm = NORMS[name][0](CHANNELS, **options).to(dtype)
    for parameter in norm.parameters():
        nn.init.normal_(parameter)
    return norm


def signals(shape, dtype, is_last=False):
    """Three batches far from 0, and what their results are multiplied with."""
    generator = torch.Generator().manual_seed(1)
    both = [torch.randn(8, CHANNELS, *shape, generator=generator, dtype=torch.float64) for _ in range(6)]
    both = [(10 * x + 30 if i % 2 == 0 else x).to(dtype) for i, x in enumerate(both)]
    if is_last:
        both = [x.movedim((1, 2), (-2, -1)).contiguous().movedim((-2, -1), (1, 2)) for x in both]
    return list(zip(both[::2], both[1::2], strict=True))


def own(x, split, rank):
    return x.split(split)[rank]


def trained(norm, batches):
    """The results, the gradients and the state after three batches, and the result of evaluation."""
    found = []
    for x, factor in batches:
        norm.zero_grad()
        signal = x.clone(memory_format=torch.preserve_format).requires_grad_()
        y = norm(signal)
        (y * factor).sum().backward()
        found.append((y.detach(), signal.grad, [parameter.grad.clone() for parameter in norm.parameters()]))
    state = {name: value.clone() for name, value in norm.state_dict().items()}
    return found, state, norm.eval()(batches[0][0]).detach()


def trained_half(name, options, dtype, split, is_last):
    rank = distributed.get_rank()
    batches = [tuple(own(value, split, rank) for value in batch) for batch in signals(NORMS[name][1], dtype, is_last)]
    return trained(et.sync_batch_norm(made(name, options, dtype)), batches)


def compare(whole, halves, tolerance):
    """The largest difference, relative to the largest number of the tensor, is within the tolerance."""

    def check(found, expected):
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        bound = tolerance * float(expected.abs().max().clamp(min=1)) if expected.numel() else 0
        torch.testing.assert_close(found, expected, rtol=0, atol=bound)

    for step, (y, grad, grads) in enumerate(whole[0]):
        first, second = (half[0][step] for half in halves)
        check(torch.cat([first[0], second[0]]), y)
        check(torch.cat([first[1], second[1]]), grad)
        for one, other, expected in zip(first[2], second[2], grads, strict=True):
            check(one + other, expected)
    for _, state, _ in halves:
        assert list(state) == list(whole[1])
        for key, value in whole[1].items():
            check(state[key].double(), value.double())
    # The statistics of all processes are the same bits in each.
    assert all(torch.equal(halves[0][1][key], halves[1][1][key]) for key in whole[1])
    check(torch.cat([halves[0][2], halves[1][2]]), whole[2])


# A sum of n numbers has an error of at most n units of roundoff of the sum of their sizes; pairwise sums and those of
# Welford far less. A batch has up to 960 numbers of a channel, three times as far from 0 as from each other.
TOLERANCE = {torch.float64: 1e-13, torch.float32: 1e-5}


@pytest.mark.parametrize("split", SPLITS, ids=str)
@pytest.mark.parametrize("name", NORMS)
def test_two_processes_normalize_as_one_with_the_whole_batch(pair, name, split):
    """Also where one of them has no signals at all."""
    for dtype, tolerance in TOLERANCE.items():
        whole = trained(made(name, {}, dtype), signals(NORMS[name][1], dtype))
        compare(whole, pair.call(trained_half, name, {}, dtype, split, False), tolerance)


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("name", ["group", "2d"])
def test_options_are_those_of_batch_norm(pair, name, option):
    options, dtype = OPTIONS[option], torch.float64
    if option == "no running numbers":
        # Evaluation then normalizes each half by itself, as it does each batch.
        halves = pair.call(trained_half, name, options, dtype, (4, 4), False)
        whole = trained(made(name, options, dtype), signals(NORMS[name][1], dtype))
        halves = [(found, state, whole[2].split(4)[rank]) for rank, (found, state, _) in enumerate(halves)]
    else:
        halves = pair.call(trained_half, name, options, dtype, (2, 6), False)
        whole = trained(made(name, options, dtype), signals(NORMS[name][1], dtype))
    compare(whole, halves, TOLERANCE[dtype])


def test_signals_with_channels_last_keep_their_memory(pair):
    whole = trained(made("group", {}, torch.float64), signals((4, 5, 6), torch.float64, is_last=True))
    halves = pair.call(trained_half, "group", {}, torch.float64, (3, 5), True)
    compare(whole, halves, TOLERANCE[torch.float64])
    for y in (whole[0][0][0], *(half[0][0][0] for half in halves)):
        assert y.movedim((1, 2), (-2, -1)).is_contiguous()


def halved(dtype):
    """Numbers in half precision, with parameters in single, as under autocast."""
    norm = et.sync_batch_norm(et.BatchNorm(CHANNELS))
    x, factor = (own(value, (3, 5), distributed.get_rank()) for value in signals((4, 5, 6), dtype)[0])
    y = norm(x.requires_grad_())
    (y * factor).sum().backward()
    return y.detach(), x.grad, norm.weight.grad


def test_half_precision_is_summed_in_single(pair):
    for dtype in (torch.bfloat16, torch.float16):
        halves = pair.call(halved, dtype)
        x, factor = (value.float() for value in signals((4, 5, 6), dtype)[0])
        norm = et.BatchNorm(CHANNELS)
        y = norm(x.requires_grad_())
        (y * factor).sum().backward()
        for index, expected in enumerate((y.detach(), x.grad)):
            found = torch.cat([half[index] for half in halves])
            assert found.dtype is dtype
            # One rounding of the result.
            assert torch.allclose(found.float(), expected, rtol=float(torch.finfo(dtype).eps), atol=1e-4)
        assert torch.allclose(halves[0][2] + halves[1][2], norm.weight.grad, rtol=1e-2, atol=1e-2)


def penalized(norm, x, factor):
    """The gradient of a sum that has the gradient in it, as gradient penalties do: (of x, of the weight)."""
    x = x.clone().requires_grad_()
    y = norm(x)
    (slope,) = torch.autograd.grad((y.square() * factor).sum(), x, create_graph=True)
    (slope.square() * factor).sum().backward()
    return x.grad, norm.weight.grad


def penalized_half():
    norm = et.sync_batch_norm(made("group", {}, torch.float64))
    return penalized(
        norm, *(own(value, (3, 5), distributed.get_rank()) for value in signals((4, 5, 6), norm.weight.dtype)[0])
    )


def test_second_derivatives_are_those_of_one_process(pair):
    halves = pair.call(penalized_half)
    grad, of_weight = penalized(made("group", {}, torch.float64), *signals((4, 5, 6), torch.float64)[0])
    scale = float(grad.abs().max())
    torch.testing.assert_close(torch.cat([half[0] for half in halves]), grad, rtol=0, atol=1e-10 * scale)
    scale = float(of_weight.abs().max())
    torch.testing.assert_close(halves[0][1] + halves[1][1], of_weight, rtol=0, atol=1e-10 * scale)


def network():
    torch.manual_seed(20200426)
    return nn.Sequential(
        et.LiftingConv(1, 4, 3, C4, padding=1, dtype=torch.float64),
        et.BatchNorm(4, dtype=torch.float64),
        nn.ReLU(),
        et.GroupConv(4, 4, 3, C4, dtype=torch.float64),
        et.BatchNorm(4, dtype=torch.float64),
        nn.ReLU(),
        et.GroupPool(C4, "max"),
        et.SpatialMean(C4),
        nn.BatchNorm1d(4, dtype=torch.float64),
        nn.Linear(4, 2, dtype=torch.float64),
    )


def images():
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(8, 1, 9, 9, dtype=torch.float64, generator=generator)
    return x, torch.randn(8, 2, dtype=torch.float64, generator=generator)


def losses(module, x, target, share):
    """Of five steps; `share` is what the loss of the process counts."""
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.5)
    found = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = (module(x) - target).square().sum() * share
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def losses_of_half(split, find_unused, uses_view):
    rank = distributed.get_rank()
    module = DistributedDataParallel(
        et.sync_batch_norm(network()), find_unused_parameters=find_unused, gradient_as_bucket_view=uses_view
    )
    # The mean of the gradients of two processes is half of their sum.
    return losses(module, *(own(value, split, rank) for value in images()), 2 / 8)


@pytest.mark.parametrize("split", [(4, 4), (2, 6)], ids=str)
@pytest.mark.parametrize(("find_unused", "uses_view"), [(False, True), (True, False)])
def test_a_network_under_ddp_has_the_losses_of_one_process(pair, split, find_unused, uses_view):
    first, second = pair.call(losses_of_half, split, find_unused, uses_view)
    whole = losses(network(), *images(), 1 / 8)
    for one, other, expected in zip(first, second, whole, strict=True):
        assert abs((one + other) / 2 - expected) < 1e-12 * expected


def group_of_one():
    """In a group of its own a process has its own statistics; a copy has the same group."""
    groups = [distributed.new_group([rank]) for rank in range(distributed.get_world_size())]
    rank = distributed.get_rank()
    norm = et.sync_batch_norm(made("group", {}, torch.float64), groups[rank])
    refused = []
    try:
        et.sync_batch_norm(nn.ReLU(), groups[1 - rank])
    except (TypeError, ValueError) as error:
        refused.append(str(error))
    x = own(signals((4, 5, 6), torch.float64)[0][0], (3, 5), rank)
    plain = made("group", {}, torch.float64)
    return torch.equal(copy.deepcopy(norm)(x), plain(x)), refused


def test_a_group_of_processes_can_be_chosen(pair):
    for is_own, refused in pair.call(group_of_one):
        assert is_own
        assert refused == ["process_group is one that this process is not of, expected one of its own"]


def few():
    norm = et.sync_batch_norm(nn.BatchNorm1d(CHANNELS))
    try:
        norm(torch.zeros(1 - distributed.get_rank(), CHANNELS))
    except ValueError as error:
        return str(error)
    return None


def test_one_number_of_a_channel_has_no_variance(pair):
    for text, shape in zip(pair.call(few), ("(1, 3)", "(0, 3)"), strict=True):
        start = f"x has shape {shape}, and all processes together 1 numbers of a channel: "
        assert text == f"{start}expected at least 2 in training"


def compiled():
    norm = made("group", {}, torch.float64)
    module = torch.compile(nn.Sequential(et.sync_batch_norm(norm), nn.ReLU()), backend="eager")
    x = own(signals((4, 5, 6), torch.float64)[0][0], (3, 5), distributed.get_rank())
    return torch.equal(module(x), nn.functional.relu(et.sync_batch_norm(norm)(x)))


def test_compilers_leave_the_statistics_to_the_processes(pair):
    assert pair.call(compiled) == [True, True]


# ---- One process


def test_of_one_process_the_norm_is_the_ordinary_one_to_the_last_bit():
    for name, (_, shape) in NORMS.items():
        norm = made(name, {}, torch.float32)
        batches = signals(shape, torch.float32)
        twin = et.sync_batch_norm(norm)
        one, other = trained(norm, batches), trained(twin, batches)
        assert all(torch.equal(x, y) for x, y in zip(one[0][0][:2], other[0][0][:2], strict=True))
        assert list(one[1]) == list(other[1])
        assert all(torch.equal(one[1][key], other[1][key]) for key in one[1])
        assert torch.equal(one[2], other[2])


def test_conversion_is_a_copy_with_the_state_of_the_network(tmp_path):
    plain = network()
    types = [type(part) for part in plain.modules()]
    twin = et.sync_batch_norm(plain.eval())
    assert [type(part) for part in plain.modules()] == types
    assert not {type(part) for part in twin.modules()} & {et.BatchNorm, nn.BatchNorm1d}
    assert not any(part.training for part in twin.modules())
    assert {p.data_ptr() for p in plain.parameters()}.isdisjoint(p.data_ptr() for p in twin.parameters())
    one, other = plain.state_dict(), twin.state_dict()
    assert list(one) == list(other)
    assert one._metadata == other._metadata
    assert all(torch.equal(one[key], other[key]) for key in one)
    torch.save(other, tmp_path / "state.pt")
    network().load_state_dict(torch.load(tmp_path / "state.pt"))
    twin.load_state_dict(one)
    assert torch.equal(pickle.loads(pickle.dumps(twin))(images()[0]), plain(images()[0]))


def test_a_network_with_synchronized_norms_is_saved_and_expanded_as_without(tmp_path):
    plain = network()
    losses(plain, *images(), 1 / 8)
    twin, x = et.sync_batch_norm(plain), images()[0]
    files = [tmp_path / "plain.safetensors", tmp_path / "twin.safetensors"]
    for module, path in zip((plain, twin), files, strict=True):
        et.save_network(module, path, x)
    assert files[0].read_bytes() == files[1].read_bytes()
    loaded = et.load_network(files[1])
    plain.eval(), twin.eval()
    with torch.no_grad():
        assert torch.equal(et.expand(twin)(x), et.expand(plain)(x))
        torch.testing.assert_close(loaded.eval()(x), plain(x))
        torch.testing.assert_close(torch.from_numpy(eq.load_network(files[1])(x.numpy())), plain(x))


def test_what_cannot_be_converted_is_refused_by_name():
    class Own(nn.BatchNorm2d):
        pass

    with pytest.raises(TypeError, match=r"module is of type int, expected a torch\.nn\.Module"):
        et.sync_batch_norm(3)
    with pytest.raises(TypeError, match=r"process_group is of type str, expected a torch\.distributed\.ProcessGroup"):
        et.sync_batch_norm(nn.ReLU(), "world")
    with pytest.raises(ValueError, match=r"'1' is a Own, expected equiconv\.torch\.BatchNorm, or BatchNorm1d"):
        et.sync_batch_norm(nn.Sequential(nn.ReLU(), Own(3)))
    with pytest.raises(ValueError, match="module is a LazyBatchNorm2d"):
        et.sync_batch_norm(nn.LazyBatchNorm2d())


def wrapped():
    texts = []
    try:
        et.sync_batch_norm(DistributedDataParallel(nn.Sequential(et.BatchNorm(3))))
    except ValueError as error:
        texts.append(str(error))
    from torch.distributed.fsdp import fully_shard

    try:
        et.sync_batch_norm(nn.Sequential(fully_shard(nn.Sequential(et.BatchNorm(3)))))
    except ValueError as error:
        texts.append(str(error))
    return texts


def test_networks_that_are_wrapped_already_are_refused(pair):
    end = " is distributed already: convert the network before it is wrapped or sharded"
    assert pair.call(wrapped) == [[f"module{end}", f"'0'{end}"]] * 2


def test_a_wrong_signal_has_the_error_of_batch_norm():
    norm = et.sync_batch_norm(et.BatchNorm(3))
    with pytest.raises(ValueError, match=r"x has shape \(2, 4, 5\), expected \(B, 3, \[\|H\|,\] spatial...\)"):
        norm(torch.zeros(2, 4, 5))

# SPDX-License-Identifier: Apache-2.0
"""Patches of a file: one order for any number of processes and workers, resumed from any place of it."""

from __future__ import annotations

import json
import os
import pickle
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")
h5py = pytest.importorskip("h5py", reason='patches are not tested: pip install "equiconv[experiments]"')

from equiconv.torch._distributed import loader as loader_module  # noqa: E402 (torch may be missing)
from equiconv.torch._distributed.order import generator_of, order_of  # noqa: E402

COUNT = 23
# Python 3.12 and later warn of every fork in a process with threads, and JAX where a test has imported it.
forks = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning", "ignore:.*fork.*:RuntimeWarning")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A file whose patches and labels say which they are."""
    path = tmp_path_factory.mktemp("patches") / "patches.h5"
    with h5py.File(path, "w") as file:
        numbers = np.arange(COUNT, dtype=np.uint8)
        file["images"] = np.broadcast_to(numbers[:, None, None, None], (COUNT, 1, 4, 5))
        file["labels"] = numbers.astype(np.int64) * 10
        file["big"] = numbers.astype(">f4")
        file["few"] = numbers[:7]
        file["none"] = numbers[:0]
        file["text"] = np.array([b"a"] * COUNT)
        file["number"] = 3.0
    return path


def noisy(image, label, generator):
    """A transform whose result says what was drawn."""
    return image + torch.from_numpy(generator.random(image.shape)), label


def described(patches):
    return patches.images.tolist(), patches.labels.tolist(), patches.indices.tolist(), patches.total


def epoch_of(path, **options):
    return [described(patches) for patches in et.PatchLoader(path, 5, seed=3, transform=noisy, **options)]


def joined(shares):
    """The batches of all processes together."""
    batches = []
    for parts in zip(*shares, strict=True):
        assert len({total for *_, total in parts}) == 1
        batches.append((*([item for part in parts for item in part[i]] for i in range(3)), parts[0][3]))
    return batches


def shared(monkeypatch, count, make):
    """What each of `count` processes gets."""
    found = []
    for rank in range(count):
        monkeypatch.setattr(loader_module, "process_rank", lambda _group, rank=rank: rank)
        monkeypatch.setattr(loader_module, "process_count", lambda _group: count)
        found.append(make())
    monkeypatch.undo()
    return found


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_batches_of_all_processes_do_not_depend_on_their_number(path, monkeypatch, count):
    """What transforms draw included; with 7 processes some have no patch of a batch."""
    whole = epoch_of(path)
    assert [total for *_, total in whole] == [5, 5, 5, 5, 3]
    assert sorted(index for _, _, indices, _ in whole for index in indices) == list(range(COUNT))
    assert joined(shared(monkeypatch, count, lambda: epoch_of(path))) == whole


def test_two_processes_have_the_patches_of_one(path, pair):
    shares = pair.call(epoch_of, path)
    assert joined(shares) == epoch_of(path)
    assert [len(indices) for _, _, indices, _ in shares[0]] == [2, 2, 2, 2, 1]


@forks
@pytest.mark.parametrize(("workers", "method"), [(1, "fork"), (2, "fork"), (1, "spawn")])
def test_the_batches_do_not_depend_on_workers(path, workers, method):
    loader = et.PatchLoader(path, 5, seed=3, transform=noisy, num_workers=workers, multiprocessing_context=method)
    # A handle is open here that workers must not read from.
    loader._file.__getitems__([(0, 0)])
    assert [described(patches) for patches in loader] == epoch_of(path)


def opened_by(image, label, generator):
    """The process that runs the transform, and how often it has the file open."""
    links = [os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if exists(name)]
    return torch.tensor([os.getpid(), sum(link.endswith("patches.h5") for link in links)]), label


def exists(name):
    return os.path.lexists(f"/proc/self/fd/{name}")


@forks
@pytest.mark.skipif(sys.platform != "linux", reason="open files are listed in /proc")
def test_workers_open_the_file_themselves(path):
    loader = et.PatchLoader(path, 5, transform=opened_by, num_workers=2, multiprocessing_context="fork")
    rows = torch.cat([patches.images for patches in loader])
    assert len(set(rows[:, 0].tolist())) == 2
    assert os.getpid() not in rows[:, 0]
    assert set(rows[:, 1].tolist()) == {1}
    assert opened_by(None, None, None)[0][1] == 0


@pytest.mark.parametrize("stop", [0, 1, 4, 5, 7])
def test_a_loader_goes_on_where_a_state_was_taken(path, monkeypatch, stop):
    """With other processes too, after a round through text, in the middle of an epoch and at its end."""

    def batches(loader, epochs, until=None):
        found = []
        while loader.epoch < epochs:
            for patches in loader:
                found.append(described(patches))
                if len(found) == until:
                    return found
        return found

    def made():
        return et.PatchLoader(path, 5, seed=3, transform=noisy)

    whole = batches(made(), 3)
    assert len(whole) == 15
    first = made()
    begun = batches(first, 3, stop) if stop else []
    state = json.loads(json.dumps(first.state_dict()))
    assert begun == whole[:stop]

    def rest():
        loader = et.PatchLoader(path, 5, seed=99, transform=noisy)
        loader.load_state_dict(state)
        return batches(loader, 3)

    assert rest() == whole[stop:]
    assert joined(shared(monkeypatch, 2, rest)) == whole[stop:]


@forks
def test_what_workers_have_read_ahead_is_not_taken_for_given(path):
    loader = et.PatchLoader(path, 5, seed=3, transform=noisy, num_workers=2, multiprocessing_context="fork")
    iterator = iter(loader)
    next(iterator)
    again = et.PatchLoader(path, 5, seed=3, transform=noisy)
    again.load_state_dict(loader.state_dict())
    assert described(next(iterator)) == described(next(iter(again)))


def test_reading_draws_no_random_numbers_of_pytorch(path):
    """Or a training that was resumed in an epoch would have other dropouts."""
    torch.manual_seed(5)
    before = torch.get_rng_state()
    list(et.PatchLoader(path, 5))
    assert torch.equal(torch.get_rng_state(), before)


def test_orders_are_those_of_the_seed_and_the_epoch_forever():
    """Frozen: a checkpoint of another version goes on in its order."""
    assert order_of(3, 0, 8, True).tolist() == FROZEN_ORDERS[0]
    assert order_of(3, 1, 8, True).tolist() == FROZEN_ORDERS[1]
    assert order_of(3, 1, 4, False).tolist() == [0, 1, 2, 3]
    draws = {generator_of(*key).integers(2**62) for key in [(3, 0, 0), (3, 0, 1), (3, 1, 0), (4, 0, 0)]}
    assert len(draws) == 4
    assert generator_of(3, 1, 0).integers(2**62) == FROZEN_DRAW


FROZEN_ORDERS = ([5, 7, 2, 1, 6, 3, 4, 0], [5, 2, 6, 0, 7, 4, 3, 1])
FROZEN_DRAW = 4440258738662055940


def test_epochs_have_orders_of_their_own_and_options_their_meaning(path):
    loader = et.PatchLoader(path, 5, seed=3)
    epochs = [[index for patches in loader for index in patches.indices.tolist()] for _ in range(2)]
    assert epochs[0] != epochs[1]
    assert loader.epoch == 2
    ordered = et.PatchLoader(path, 5, shuffle=False, drop_last=True, labels=None, images="big")
    assert len(ordered) == 4
    batches = list(ordered)
    assert torch.equal(torch.cat([patches.images for patches in batches]), torch.arange(20.0))
    assert [patches.labels for patches in batches] == [None] * 4


def test_an_iterator_that_another_one_replaced_is_an_error(path):
    loader = et.PatchLoader(path, 5)
    first = iter(loader)
    next(first)
    second = iter(loader)
    next(second)
    with pytest.raises(RuntimeError, match="another iterator of this loader was made"):
        next(first)
    assert loader.position == 2


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"batch_size": 0}, ValueError, "batch_size is 0, expected an integer from 1"),
        ({"batch_size": 24, "drop_last": True}, ValueError, "batch_size is 24 and drop_last, expected at most 23"),
        ({"seed": -1}, ValueError, "seed is -1"),
        ({"shuffle": 1}, TypeError, "shuffle is 1"),
        ({"transform": 3}, TypeError, "transform is 3"),
        ({"num_workers": -1}, ValueError, "num_workers is -1"),
        ({"images": "pictures"}, ValueError, "has no dataset 'pictures', expected one of big, few, images, labels"),
        ({"images": 3}, TypeError, "the name of a dataset is 3"),
        ({"images": "text"}, ValueError, "'text' has shape"),
        ({"images": "number"}, ValueError, r"'number' has shape \(\)"),
        ({"labels": "few"}, ValueError, "has 23 patches in 'images' and 7 in 'few', expected as many"),
        ({"images": "none", "labels": None}, ValueError, "has no patches in 'none'"),
        ({"process_group": 3}, TypeError, "process_group is of type int"),
    ],
)
def test_wrong_arguments_are_named(path, options, error, text):
    with pytest.raises(error, match=text):
        et.PatchLoader(path, **{"batch_size": 5, **options})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"batch_size": 6}, "batch_size of the state is 6, expected 5"),
        ({"patches": 24}, "patches of the state is 24, expected 23"),
        ({"drop_last": True}, "drop_last of the state is True"),
        ({"position": 6}, "position of the state is 6, expected an integer from 0 to 5"),
    ],
)
def test_states_of_another_loader_are_refused_and_change_nothing(path, changes, text):
    loader = et.PatchLoader(path, 5, seed=3)
    before = loader.state_dict()
    with pytest.raises(ValueError, match=text):
        loader.load_state_dict(before | {"seed": 4, "epoch": 7} | changes)
    assert loader.state_dict() == before


def test_damaged_files_are_errors_that_name_them(path, tmp_path):
    whole = path.read_bytes()
    for size in (0, 100, len(whole) // 2):
        cut = tmp_path / f"{size}.h5"
        cut.write_bytes(whole[:size])
        with pytest.raises(OSError, match=f"{size}.h5"):
            list(et.PatchLoader(cut, 5))
    with pytest.raises(FileNotFoundError, match=r"missing\.h5"):
        et.PatchLoader(tmp_path / "missing.h5", 5)
    packed = tmp_path / "packed.h5"
    with h5py.File(packed, "w") as file:
        file.create_dataset(
            "images", data=np.random.default_rng(1).random((9, 1, 8, 8)), chunks=(1, 1, 8, 8), compression="gzip"
        )
    content = bytearray(packed.read_bytes())
    content[-400:-200] = bytes(200)
    packed.write_bytes(content)
    with pytest.raises(OSError, match=r"packed.h5: 'images' cannot be read at \d"):
        list(et.PatchLoader(packed, 3, labels=None))


def test_a_loader_can_be_pickled_after_it_has_read(path):
    loader = et.PatchLoader(path, 5, seed=3)
    next(iter(loader))
    assert pickle.loads(pickle.dumps(loader)).state_dict() == loader.state_dict()


def test_a_missing_library_is_an_error_that_says_what_to_install(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "equiconv\[experiments\]"'):
        et.PatchLoader(path, 5)

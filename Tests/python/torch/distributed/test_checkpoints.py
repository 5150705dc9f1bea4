# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: whole or not there, whenever the process is killed; the last two; none that is damaged is used."""

from __future__ import annotations

import os
import random
import signal
import sys
import warnings
from pathlib import Path

import equiconv as eq
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")
if not torch.distributed.is_available():
    pytest.skip("this torch has no torch.distributed", allow_module_level=True)

from torch import distributed, nn  # noqa: E402 (torch may be missing)
from torch.nn.parallel import DistributedDataParallel  # noqa: E402

C4 = eq.cyclic(4)


class Counter:
    """A part with a state."""

    def __init__(self):
        self.value = 0

    def state_dict(self):
        return {"value": self.value, "text": "a" * self.value}

    def load_state_dict(self, state):
        self.value = state["value"]
        assert state["text"] == "a" * self.value


class Training:
    """A network with a dropout, on one process or on several."""

    def __init__(self, folder, way="one", width=4, **options):
        torch.manual_seed(20200426)
        self.model = nn.Sequential(
            et.LiftingConv(1, width, 3, C4, padding=1),
            et.BatchNorm(width),
            nn.ReLU(),
            et.GroupPool(C4, "max"),
            et.SpatialMean(C4),
            nn.Dropout(0.5),
            nn.Linear(width, 2),
        )
        self.model = et.sync_batch_norm(self.model)
        if way == "ddp":
            self.model = DistributedDataParallel(self.model)
        elif way == "fsdp":
            from torch.distributed.fsdp import fully_shard

            for layer in (self.model[0], self.model[6], self.model):
                fully_shard(layer)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.01)
        self.counter = Counter()
        self.checkpoints = et.Checkpoints(folder, self.model, self.optimizer, counter=self.counter, **options)
        self.step = self.checkpoints.load() or 0

    def go(self, steps, saves=True):
        """The losses of some steps, with a checkpoint after each."""
        found = []
        for _ in range(steps):
            x = torch.randn(4, 1, 7, 7, generator=torch.Generator().manual_seed(self.step))
            self.optimizer.zero_grad()
            loss = self.model(x).square().sum()
            loss.backward()
            self.optimizer.step()
            self.step += 1
            self.counter.value = self.step
            found.append(loss.item())
            if saves:
                self.checkpoints.save(self.step)
        return found


def test_a_training_goes_on_with_the_bits_of_one_that_was_not_stopped(tmp_path):
    """Optimizer, running statistics, parts and the random numbers of the dropout included."""
    whole = Training(tmp_path / "whole").go(6)
    first = Training(tmp_path / "parts").go(3)
    torch.rand(5)
    second = Training(tmp_path / "parts")
    assert second.step == second.counter.value == 3
    assert first + second.go(3) == whole


def test_the_last_two_are_kept(tmp_path):
    training = Training(tmp_path)
    training.go(5)
    assert training.checkpoints.steps == [4, 5]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000000000004", "step-000000000005"]
    more = Training(tmp_path / "more", keep=3)
    more.go(5)
    assert more.checkpoints.steps == [3, 4, 5]


def trained_on(way, folder, first, rest):
    """Losses of a training that is stopped, and of one that is not."""
    whole = Training(folder / "whole", way).go(first + rest)
    parts = Training(folder / "parts", way).go(first) + Training(folder / "parts", way).go(rest)
    return whole, parts


@pytest.mark.parametrize("way", ["ddp", "fsdp"])
def test_two_processes_go_on_with_the_bits_of_those_that_were_not_stopped(pair, tmp_path, way):
    for whole, parts in pair.call(trained_on, way, tmp_path, 2, 2):
        assert parts == whole


def resumed(way, folder):
    """The whole state that a training has loaded, and its step."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    training = Training(folder, way)
    return training.step, get_model_state_dict(training.model, options=StateDictOptions(full_state_dict=True))


@pytest.mark.parametrize("way", ["ddp", "fsdp"])
def test_a_checkpoint_can_be_loaded_by_another_number_of_processes(pair, tmp_path, way):
    training = Training(tmp_path)
    training.go(2)
    for step, state in pair.call(resumed, way, tmp_path):
        assert step == 2
        # Of FSDP the first process has all numbers, as PyTorch gathers them.
        if state:
            expected = training.model.state_dict()
            assert list(state) == list(expected)
            assert all(torch.equal(state[name], value) for name, value in expected.items())
    pair.call(trained_on, way, tmp_path / "two", 1, 1)
    assert Training(tmp_path / "two" / "parts").step == 2


def damaged(folder, how):
    """Damages the newest checkpoint."""
    last = sorted(folder.glob("step-*"))[-1]
    file = last / "__0_0.distcp"
    if how == "truncated":
        os.truncate(file, file.stat().st_size // 2)
    elif how == "empty":
        os.truncate(file, 0)
    elif how == "changed":
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif how == "missing":
        file.unlink()
    elif how == "no metadata":
        (last / ".metadata").unlink()
    elif how == "no digests":
        (last / "digests.json").unlink()
    else:
        (last / "digests.json").write_text(how)
    return last


DAMAGES = {
    "truncated": r"__0_0\.distcp has \d+ bytes, expected \d+",
    "empty": r"__0_0\.distcp has 0 bytes",
    "changed": r"__0_0\.distcp has other bytes than were written",
    "missing": r"__0_0\.distcp is missing",
    "no metadata": r"\.metadata is missing",
    "no digests": r"digests\.json is missing or no list of digests",
    '{"a": 3}': r"digests\.json is missing or no list of digests",
    "[1]": r"digests\.json is missing or no list of digests",
    "{": r"digests\.json is missing or no list of digests",
}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_checkpoint_is_skipped_with_a_message(tmp_path, how):
    Training(tmp_path).go(3)
    last = damaged(tmp_path, how)
    with pytest.warns(UserWarning, match=f"checkpoint {last} is damaged and is not used: {DAMAGES[how]}"):
        training = Training(tmp_path)
    assert training.step == 2
    # It does not count as one of the two that stay.
    training.go(1)
    assert training.checkpoints.steps == [2, 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000000000002", "step-000000000003"]


def test_where_all_are_damaged_the_training_begins_anew(tmp_path):
    Training(tmp_path).go(2)
    for path in tmp_path.glob("step-*"):
        os.truncate(path / "__0_0.distcp", 10)
    with pytest.warns(UserWarning, match="is damaged") as caught:
        assert Training(tmp_path).step == 0
    assert len(caught) == 2


def skipped(folder):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        step = Training(folder, "ddp").step
    return step, sum("is damaged" in str(warning.message) for warning in caught)


def test_of_two_processes_the_first_says_it(pair, tmp_path):
    Training(tmp_path).go(2)
    damaged(tmp_path, "truncated")
    assert pair.call(skipped, tmp_path) == [(1, 1), (1, 0)]


# ---- Kills

OPERATIONS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate")
forks = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning", "ignore:.*fork.*:RuntimeWarning")


def killed_at(training, folder, number):
    """Saves a checkpoint in a process that is killed before its operation on the folder of that number: its status."""
    process = os.fork()
    if process == 0:
        count = 0

        def hook(event, arguments):
            nonlocal count
            if event in OPERATIONS and str(folder) in str(arguments[0]):
                if count == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                count += 1

        sys.addaudithook(hook)
        try:
            training.go(1)
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(process, 0)[1]


@forks
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")
def test_a_process_killed_before_any_operation_leaves_the_checkpoint_before_or_the_new_one(tmp_path):
    """Each of the operations on files that a save consists of, one after the other."""
    Training(tmp_path).go(2)
    steps, number = set(), 0
    while True:
        training = Training(tmp_path)
        before = training.step
        status = killed_at(training, tmp_path, number)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        # No warning: nothing that has the name of a checkpoint is damaged.
        after = Training(tmp_path)
        assert after.step - before in (0, 1)
        assert after.counter.value == after.step
        assert len(after.checkpoints.steps) in (2, 3)
        steps.add(after.step - before)
        number += 1
    assert steps == {0, 1}
    assert number > 10
    last = Training(tmp_path)
    last.go(1)
    assert len(list(tmp_path.iterdir())) == 2


@forks
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")
def test_processes_killed_at_any_time_end_where_one_that_was_not_does(tmp_path):
    whole = Training(tmp_path / "whole").go(12)
    generator, kills = random.Random(1), 0
    while (Training(tmp_path / "parts").step) < 12:
        training = Training(tmp_path / "parts")
        process = os.fork()
        if process == 0:
            training.go(12 - training.step)
            os._exit(0)
        signal.signal(signal.SIGALRM, lambda *_, process=process: os.kill(process, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, generator.uniform(0.01, 0.25))
        kills += os.WIFSIGNALED(os.waitpid(process, 0)[1])
        signal.setitimer(signal.ITIMER_REAL, 0)
    assert kills > 0
    parts = Training(tmp_path / "parts")
    assert parts.go(1, saves=False) == Training(tmp_path / "whole").go(1, saves=False)
    assert len(whole) == 12


# ---- Errors


def test_a_step_that_is_not_the_next_is_refused(tmp_path):
    training = Training(tmp_path)
    training.go(2)
    for step in (1, 2):
        with pytest.raises(ValueError, match=rf"step is {step}, expected more than 2, the last one in {tmp_path}"):
            training.checkpoints.save(step)
    for step, error in ((-1, ValueError), (1.5, TypeError), (10**12, ValueError)):
        with pytest.raises(error, match="step is"):
            training.checkpoints.save(step)
    assert training.checkpoints.steps == [1, 2]


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    Training(tmp_path).go(1)
    with pytest.raises(ValueError, match=r"checkpoint .* does not fit the training"):
        Training(tmp_path, width=5)
    smaller = nn.Sequential(et.LiftingConv(1, 4, 3, C4, padding=1))
    for model, text in ((nn.Linear(4, 2), "weight"), (smaller, r"model\.1\.bias.* which the model has not")):
        with pytest.raises(ValueError, match=text):
            et.Checkpoints(tmp_path, model).load()
    checkpoints = et.Checkpoints(tmp_path, Training(tmp_path).model, other=Counter())
    with pytest.raises(ValueError, match="other"):
        checkpoints.load()


def test_a_checkpoint_can_be_loaded_for_evaluation_alone(tmp_path):
    training = Training(tmp_path)
    training.go(2)
    model = Training(tmp_path / "none").model
    assert et.Checkpoints(tmp_path, model).load() == 2
    assert all(torch.equal(value, training.model.state_dict()[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"model": 3}, TypeError, "model is of type int"),
        ({"optimizer": 3}, TypeError, "optimizer is of type int"),
        ({"keep": 0}, ValueError, "keep is 0"),
        ({"loader": 3}, TypeError, "loader is of type int, expected what has a state_dict to load"),
        ({"process_group": 3}, TypeError, "process_group is of type int"),
    ],
)
def test_wrong_arguments_are_named(tmp_path, options, error, text):
    with pytest.raises(error, match=text):
        et.Checkpoints(**{"folder": tmp_path, "model": nn.Linear(1, 1), **options})


def unwritable(folder):
    try:
        Training(folder, "ddp").go(1)
    except OSError as error:
        return type(error).__name__, distributed.get_rank()
    return None


def test_an_error_of_the_first_process_is_one_of_all(pair, tmp_path):
    """Or the others would wait for it."""
    file = Path(tmp_path, "file")
    file.write_text("no folder")
    assert pair.call(unwritable, file) == [("FileExistsError", 0), ("FileExistsError", 1)]

# SPDX-License-Identifier: Apache-2.0
"""Trainings in processes of their own: the same bits with any number of them, and all of them end together."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import experiment_runs
import pytest
from experiment_runs import process, read_metrics  # noqa: F401 (a fixture)

experiment_runs.require()

import torch  # noqa: E402
from equiconv_experiments.common import storage  # noqa: E402
from equiconv_experiments.common.storage import Folder, RefusedError  # noqa: E402
from equiconv_experiments.common.training import Recipe, Run  # noqa: E402
from equiconv_experiments.common.workers import perform_all  # noqa: E402
from equiconv_experiments.digits import program as rotated_digits  # noqa: E402
from equiconv_experiments.digits.runs import Setting  # noqa: E402

pytestmark = pytest.mark.usefixtures("process")
ARGUMENTS = ["--quick", "--networks", "c4", "--seeds", "3", "--epochs", "6"]


class Marks:
    """An experiment whose runs do what their network is called."""

    def epochs(self, run):
        return run.train_size

    def work(self, run):
        return run.train_size

    def perform(self, run, folder, advance):
        with (folder.path / "began").open("a") as file:
            file.write(f"{run.name}\n")
        if run.network == "refuses":
            raise RefusedError("not this one")
        if run.network == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if run.network == "lasts":
            time.sleep(300)
        for _ in range(run.train_size):
            advance()
        return {"name": run.name, "process": os.getpid()}


def _began(folder):
    return (folder / "began").read_text().split()


def _children():
    return set(multiprocessing.active_children())


def test_the_longest_runs_begin_first_and_entries_keep_their_order(tmp_path):
    todo = [Run("works", seed, size) for seed, size in enumerate((2, 5, 1, 4))]
    with Folder(tmp_path, {}) as folder:
        entries = perform_all(todo, Marks(), Marks, folder, jobs=1, threads=1)
        assert _began(tmp_path) == [todo[index].name for index in (1, 3, 0, 2)]
        assert [entry["name"] for entry in entries] == [run.name for run in todo]
        # A run that has a result is not repeated, and no process is started for it.
        assert perform_all(todo, Marks(), Marks, folder, jobs=4, threads=1) == entries
    assert len(_began(tmp_path)) == 4


def test_workers_live_as_long_as_there_are_runs_and_the_bar_counts_the_epochs_of_all(tmp_path, capsys):
    todo = [Run("works", seed, size) for seed, size in enumerate((2, 5, 1, 4, 3, 6))]
    with Folder(tmp_path, {}) as folder:
        entries = perform_all(todo, Marks(), Marks, folder, jobs=2, threads=1)
    assert [entry["name"] for entry in entries] == [run.name for run in todo]
    processes = {entry["process"] for entry in entries}
    assert len(processes) <= 2
    assert os.getpid() not in processes
    assert sorted(_began(tmp_path)) == sorted(run.name for run in todo)
    assert capsys.readouterr().err.strip().split("\r")[-1].find("21/21") > 0


@pytest.mark.parametrize(
    ("network", "error", "text"),
    [("refuses", RefusedError, "not this one"), ("dies", BrokenProcessPool, "terminated abruptly")],
)
def test_a_run_that_fails_ends_all_others_and_is_reported_with_its_traceback(tmp_path, network, error, text):
    todo = [Run("lasts", 0, 3), Run(network, 0, 2), Run("works", 0, 1)]
    start = time.monotonic()
    with Folder(tmp_path, {}) as folder, pytest.raises(error, match=text) as raised:
        perform_all(todo, Marks(), Marks, folder, jobs=2, threads=1)
    assert time.monotonic() - start < 100
    assert Run("lasts", 0, 3).name in _began(tmp_path)
    if network != "dies":
        assert "in perform\n" in str(raised.value.__cause__)
    # Nobody holds the folder any more.
    with Folder(tmp_path, {}):
        pass


def test_an_interruption_ends_all_workers(tmp_path):
    todo = [Run("lasts", seed, 1) for seed in range(3)]

    def interrupt():
        # As a terminal does, which interrupts all its processes; the workers leave the handling to the first one.
        deadline = time.monotonic() + 120
        while not (tmp_path / "began").exists() or len(_began(tmp_path)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        for worker in _children() - others:
            os.kill(worker.pid, signal.SIGINT)
        time.sleep(0.3)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    # Tests before this one, in the same process, may keep processes for later ones.
    others = _children()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with Folder(tmp_path, {}) as folder, pytest.raises(KeyboardInterrupt):
            perform_all(todo, Marks(), Marks, folder, jobs=2, threads=1)
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)
    assert _children() == others
    assert len(_began(tmp_path)) == 2


def _start(folder):
    """An experiment with two workers, when it has written a checkpoint, and the workers' process ids."""
    command = [sys.executable, "-m", "equiconv.experiments.rotated_digits", *ARGUMENTS, "--jobs", "2"]
    running = subprocess.Popen(
        [*command, "--output-dir", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not any((folder / "checkpoints").glob("*.pt")):
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    return running, _workers(running.pid)


def _workers(parent):
    """Process ids of the workers of a process."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            state = (place / "stat").read_text().rpartition(")")[2].split()
            if int(state[1]) == parent and b"spawn_main" in (place / "cmdline").read_bytes():
                found.append(int(place.name))
        except OSError:
            continue
    return found


def _is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _wait_for_end(pids):
    deadline = time.monotonic() + 30
    while any(_is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="workers are not looked for: this system has no /proc")
def test_runs_killed_in_two_processes_resume_in_one_to_the_same_bits(tmp_path, monkeypatch, capsys):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    running, workers = _start(killed)
    assert len(workers) == 2
    # A worker that cannot end yet holds the folder, though the first process is gone.
    os.kill(workers[0], signal.SIGSTOP)
    running.kill()
    assert running.wait() == -signal.SIGKILL
    _wait_for_end(workers[1:])
    with monkeypatch.context() as patch:
        patch.setattr(storage, "PATIENCE", 0.2)
        assert rotated_digits.main([*ARGUMENTS, "--output-dir", str(killed)]) == 2
    assert "in use by another process" in capsys.readouterr().err
    os.kill(workers[0], signal.SIGCONT)
    _wait_for_end(workers)
    assert not (killed / "metrics.json").exists()
    assert len(list((killed / "runs").iterdir())) < 2

    # Jobs are no part of the configuration, or the folder would be refused.
    for folder in (killed, whole):
        assert rotated_digits.main([*ARGUMENTS, "--jobs", "1", "--output-dir", str(folder)]) == 0
    assert read_metrics(killed) == read_metrics(whole)
    for file in (whole / "checkpoints").glob("*.pt"):
        states = [torch.load(folder / "checkpoints" / file.name) for folder in (killed, whole)]
        for name, values in states[1]["network"].items():
            assert torch.equal(states[0]["network"][name], values)
        assert torch.equal(states[0]["order"], states[1]["order"])


def test_a_run_has_work_in_proportion_to_the_group_and_the_images_it_sees():
    setting = Setting(Recipe(3), train_limit=80)
    assert [setting.epochs(Run("c4", 0, size)) for size in (80, 20)] == [3, 6]
    assert setting.work(Run("c8", 0, 80)) == 2 * setting.work(Run("c4", 0, 80)) == 8 * setting.work(Run("cnn", 0, 80))
    assert setting.work(Run("d4", 0, 80)) == 2 * setting.work(Run("d4", 0, 20))

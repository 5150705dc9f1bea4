# SPDX-License-Identifier: Apache-2.0
"""The example, as torchrun starts it: the losses of one process, also where it is killed and goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from paths import ROOT

pytest.importorskip("h5py", reason='the example is not run: pip install "equiconv[experiments]"')
torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
if not (torch.distributed.is_available() and torch.distributed.is_gloo_available()):
    pytest.skip("this torch has no torch.distributed with gloo", allow_module_level=True)

if not Path("/proc/self/stat").exists():
    pytest.skip("processes are not looked for: this system has no /proc", allow_module_level=True)

EXAMPLE = ROOT / "examples" / "distributed"
TIME_LIMIT = 120
# A free port of each run's own.
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.fixture(scope="module")
def patches(tmp_path_factory):
    path = tmp_path_factory.mktemp("patches") / "patches.h5"
    subprocess.run([sys.executable, EXAMPLE / "patches.py", path, "--count", "121"], check=True)
    return path


def command(patches, output, processes, *options):
    """Batches of 24 and a last one of 1, of which one of two processes has nothing."""
    run = TORCHRUN if processes == 2 else []
    arguments = ["--output", output, "--batch-size", "24", "--epochs", "2", "--every", "2", "--dtype", "float64"]
    return [sys.executable, *run, EXAMPLE / "train.py", patches, *arguments, *options]


def losses(output):
    return json.loads((output / "losses.json").read_text())


@pytest.fixture(scope="module")
def whole(patches, tmp_path_factory):
    """The losses of one process, and its folder."""
    output = tmp_path_factory.mktemp("whole")
    run = subprocess.run(command(patches, output, 1), check=True, timeout=TIME_LIMIT, capture_output=True, text=True)
    assert "of other patches are right" in run.stdout
    assert len(losses(output)) == 12
    return losses(output)


def kill(patches, output, *options):
    """Kills the run with all its processes, once it has a checkpoint."""
    running = subprocess.Popen(
        command(patches, output, 2, *options),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + TIME_LIMIT
    while not list((output / "checkpoints").glob("step-????????????")):
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    # Workers are in sessions of their own, and would go on.
    processes = [running.pid, *children(running.pid)]
    assert len(processes) == 3
    for process in processes:
        os.kill(process, signal.SIGKILL)
    assert running.wait(TIME_LIMIT) == -signal.SIGKILL
    while any(is_alive(process) for process in processes):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    assert not (output / "losses.json").exists()


def state_of(process):
    """The letter of the state of a process, and its parent; None for one that has ended."""
    try:
        state, parent = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return state, int(parent)


def children(parent):
    found = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [process for process in found if (state_of(process) or ("", 0))[1] == parent]


def is_alive(process):
    state = state_of(process)
    return state is not None and state[0] not in "ZX"


@pytest.mark.slow
def test_two_processes_that_were_killed_go_on_with_the_losses_of_one(patches, whole, tmp_path):
    """In another way, and in one process with a worker. To rounding: 12 steps leave more than 40 of 53 bits."""
    killed, alone = tmp_path / "killed", tmp_path / "alone"
    kill(patches, killed)
    shutil.copytree(killed, alone)
    for output, processes, options in ((killed, 2, ["--way", "fsdp"]), (alone, 1, ["--workers", "1"])):
        run = command(patches, output, processes, *options)
        subprocess.run(run, check=True, timeout=TIME_LIMIT, capture_output=True)
        found = losses(output)
        assert len(found) == len(whole)
        assert max(abs(one - other) for one, other in zip(found, whole, strict=True)) < 1e-12
        assert (output / "network.safetensors").exists()

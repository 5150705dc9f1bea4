# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C ends a long run of a network, and leaves the network as it was."""

from __future__ import annotations

import signal
import subprocess
import sys

from equiconv._network.file import write_file
from networks import classifier
from paths import environment

PROGRAM = """
import equiconv as eq, numpy as np, sys
network = eq.load_network(sys.argv[1], "exact")
small = np.random.default_rng(0).standard_normal((1, 2, 9, 9)).astype(np.float32)
expected = network(small)["scores"]
large = np.zeros((64, 2, 1024, 1024), np.float32)
print("begun", flush=True)
try:
    network(large)
    print("finished")
except KeyboardInterrupt:
    print("interrupted", np.array_equal(network(small)["scores"], expected))
"""


def test_ctrl_c_ends_a_run(tmp_path):
    write_file(*classifier(), tmp_path / "n")
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "n")]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
    try:
        assert program.stdout.readline() == "begun\n"
        try:
            program.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            program.send_signal(signal.SIGINT)
        output, _ = program.communicate(timeout=60)
    finally:
        program.kill()
        program.wait()
    assert output == "interrupted True\n"

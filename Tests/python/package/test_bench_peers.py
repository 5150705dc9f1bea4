# SPDX-License-Identifier: Apache-2.0
"""The benchmark beside other libraries, without them; in processes of its own, as its modules have common names."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from paths import ROOT

PROGRAM = ROOT / "benchmarks" / "peers" / "peers.py"


def run(*arguments):
    """What the program prints."""
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_every_case_of_a_run_has_a_name_of_its_own_and_belongs_to_the_complete_grid():
    usual, complete = (run("--list", *flags).splitlines() for flags in ((), ("--complete",)))
    assert len(set(complete)) == len(complete)
    assert set(usual) < set(complete)
    for kernel in (3, 5, 7, 9):
        assert any(f"group k={kernel} " in name for name in usual)
        assert any(f"lifting k={kernel} " in name for name in usual)


@pytest.mark.slow
def test_a_peer_that_is_not_there_is_reported_with_its_reason(tmp_path):
    output = tmp_path / "peers.json"
    flags = ["--quick", "--threads", 1, "--rounds", 1, "--cases", "lifting", "--output", output]
    printed = run(*flags, "--peers", "equiconv", "equiconv direct", "MNN")
    rows = {row["peer"]: row for row in json.loads(output.read_text(encoding="utf-8"))["rows"]}
    assert set(rows) == {"equiconv", "equiconv direct", "MNN"}
    for label in ("equiconv", "equiconv direct"):
        assert rows[label]["share"] > 0
        # A sum of 27 products errs by a few units of 2**-24, a wrong one by about 1.
        assert rows[label]["errors"]["y"][0] < 27 * 2**-20
    if "unavailable" in rows["MNN"]:
        assert rows["MNN"]["unavailable"].startswith("ModuleNotFoundError")
        assert rows["MNN"]["unavailable"] in printed

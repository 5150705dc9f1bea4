# SPDX-License-Identifier: Apache-2.0
"""The benchmark beside other libraries, without them; in processes of its own, as its modules have common names."""

from __future__ import annotations

import json
import re
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


def test_every_row_has_a_name_of_its_own_and_is_found_by_it():
    names = run("--list").splitlines()
    assert len(set(names)) == len(names)
    for kernel in (3, 5, 7, 9):
        assert any(" group " in name and f" k{kernel} " in name for name in names)
    for words in ("stride 2", " k1 ", "training", "float64", "separable", "octahedral", "ResNet", "plain k3 1x64"):
        assert any(words in name for name in names), words
    assert run("--list", "--only", re.escape(names[0]) + "$").splitlines() == names[:1]


@pytest.mark.slow
def test_a_peer_that_is_not_there_is_reported_with_its_reason(tmp_path):
    output = tmp_path / "peers.json"
    flags = ["--quick", "--threads", 1, "--rounds", 1, "--only", "lifting", "--output", output]
    printed = run(*flags, "--peers", "equiconv", "direct", "MNN")
    (record,) = json.loads(output.read_text(encoding="utf-8"))["records"]
    results = record["results"]
    assert set(results) == {"equiconv", "direct", "MNN"}
    for label in ("equiconv", "direct"):
        assert record["operations"] / results[label]["best"] > 0
        # A sum of 36 products errs by a few units of 2**-24, a wrong one by about 1.
        assert results[label]["rms"] < 36 * 2**-20
    if "unavailable" in results["MNN"]:
        assert results["MNN"]["unavailable"].startswith("ModuleNotFoundError")
        assert results["MNN"]["unavailable"] in printed

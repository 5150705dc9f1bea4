# SPDX-License-Identifier: Apache-2.0
"""The networks in examples/networks keep their word on this machine."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from equiconv._network.commands import main
from paths import ROOT

FILES = sorted((ROOT / "examples" / "networks").glob("*.safetensors"))


def test_there_are_some():
    assert len(FILES) >= 4


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_their_tests_hold_and_they_turn_with_their_input(path, capsys):
    assert main(["check", str(path)]) == 0
    assert "FAIL" not in capsys.readouterr().out


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_they_are_small_and_canonical(path, tmp_path):
    assert path.stat().st_size <= 300_000
    eq.load_network(path).save(tmp_path / "again")
    network, again = eq.load_network(path), eq.load_network(tmp_path / "again")
    x = np.array(network.tensors[network.document["test"]["input"]])
    assert again.document == network.document
    assert np.array_equal(network(x), again(x))

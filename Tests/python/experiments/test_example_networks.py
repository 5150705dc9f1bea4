# SPDX-License-Identifier: Apache-2.0
"""The networks in examples/networks: small, whole, and as good as their page says."""

from __future__ import annotations

import hashlib
import re

import equiconv as eq
import experiment_runs
import numpy as np
import pytest
from paths import ROOT

experiment_runs.require()

import equiconv.torch as et  # noqa: E402
import torch  # noqa: E402
from equiconv._network.file import read_file  # noqa: E402
from equiconv_experiments.digits import images  # noqa: E402
from equiconv_experiments.mitosis import nuclei  # noqa: E402

FOLDER = ROOT / "examples" / "networks"
GROUPS = {"digits-c4": eq.cyclic(4), "digits-c8": eq.cyclic(8), "digits-d4": eq.dihedral(4), "cells-c4": eq.cyclic(4)}
LARGEST = 300_000
# Test images of the experiments; those of cells are drawn with this seed.
CELLS, CELL_SEED = 600, 2


def stated():
    """The shares in percent that the page's table has for each file."""
    page = (FOLDER / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w-]+)\.safetensors` \|.*\| ([\d.]+) % \|$", page, re.MULTILINE)
    return {name: float(share) for name, share in rows}


def test_the_page_lists_the_networks_that_are_there():
    found = {path.stem for path in FOLDER.glob("*.safetensors")}
    assert found == set(GROUPS) == set(stated())
    assert all(path.stat().st_size <= LARGEST for path in FOLDER.glob("*.safetensors"))


@pytest.mark.parametrize("name", GROUPS)
def test_the_stored_test_is_what_the_network_computes(name):
    document, tensors = read_file(FOLDER / f"{name}.safetensors")
    names = [document["test"]["input"], *document["test"]["outputs"]]
    content = b"".join(np.ascontiguousarray(tensors[key]).tobytes() for key in names)
    assert hashlib.sha256(content).hexdigest() == document["test"]["sha256"]
    with torch.no_grad():
        scores = et.load_network(FOLDER / f"{name}.safetensors")(torch.from_numpy(tensors[names[0]]))
    assert torch.allclose(scores, torch.from_numpy(tensors[names[1]]), atol=1e-4)


@pytest.mark.parametrize("name", GROUPS)
def test_networks_are_as_good_as_the_page_says(name):
    network = et.load_network(FOLDER / f"{name}.safetensors")
    if name.startswith("digits"):
        test = images.load()[1]
        pictures, labels = test.turned(), test.labels
    else:
        drawn = nuclei.patches(CELLS, CELL_SEED)
        pictures, labels = drawn.images.transpose(0, 3, 1, 2).astype(np.float32), drawn.labels
    with torch.no_grad():
        found = [network(part).argmax(1) for part in torch.from_numpy(np.ascontiguousarray(pictures)).split(100)]
    share = 100 * float((torch.cat(found).numpy() == labels).mean())
    assert abs(share - stated()[name]) < 0.051


@pytest.mark.parametrize("name", GROUPS)
def test_scores_keep_every_bit_under_the_turns_of_squares(name):
    """In exact mode, and mirrors for D4."""
    network = et.load_network(FOLDER / f"{name}.safetensors")
    eq.set_algorithm(network, "exact")
    group = eq.dihedral(4) if name == "digits-d4" else eq.cyclic(4)
    document, tensors = read_file(FOLDER / f"{name}.safetensors")
    x = tensors[document["test"]["input"]]
    with torch.no_grad():
        scores = network(torch.from_numpy(x))
        for element in range(group.order):
            assert torch.equal(network(torch.from_numpy(eq.act(x, group, element))), scores)

# SPDX-License-Identifier: Apache-2.0
"""What compared networks have in common: samples, turned images, intervals, and folders of packages."""

from __future__ import annotations

import doctest
import sys

import equiconv as eq
import experiment_runs
import numpy as np
import pytest
from experiment_runs import process  # noqa: F401 (a fixture)

experiment_runs.require()

import torch  # noqa: E402
from equiconv_experiments.common import packages, sampling, statistics  # noqa: E402
from equiconv_experiments.common.augmentation import TurnedExamples, is_augmented, square_element  # noqa: E402
from equiconv_experiments.common.comparison_tables import summary  # noqa: E402
from equiconv_experiments.common.networks import CELL_NETWORKS, GroupNetwork  # noqa: E402
from equiconv_experiments.common.sampling import stratified  # noqa: E402
from equiconv_experiments.common.statistics import interval_of_mean  # noqa: E402
from equiconv_experiments.common.storage import RefusedError  # noqa: E402
from torch.utils.data import TensorDataset  # noqa: E402

pytestmark = pytest.mark.usefixtures("process")


@pytest.mark.parametrize("module", [sampling, statistics])
def test_examples_of_documentation(module):
    assert doctest.testmod(module).failed == 0


def test_a_sample_has_the_share_of_each_stratum_up_to_one():
    rng = np.random.default_rng(0)
    for seed in range(20):
        strata = rng.integers(0, 6, 200) ** 2 // 3
        count = int(rng.integers(0, 201))
        chosen = stratified(strata, count, seed)
        assert len(np.unique(chosen)) == count
        assert (np.diff(chosen) > 0).all()
        for stratum in np.unique(strata):
            share = count * (strata == stratum).mean()
            assert abs((strata[chosen] == stratum).sum() - share) < 1
    assert not np.array_equal(stratified(strata, 50, 0), stratified(strata, 50, 1))
    for count in (-1, 201):
        with pytest.raises(ValueError, match=f"count is {count}, expected 0 to 200"):
            stratified(strata, count, 0)


def test_elements_of_the_square_are_the_turns_and_mirrors_of_the_group():
    image = torch.randn(3, 7, 7, generator=torch.Generator().manual_seed(0))
    group = eq.dihedral(4)
    acted = {eq.act(image[None].numpy(), group, element)[0].tobytes() for element in range(8)}
    assert {square_element(image, element).numpy().tobytes() for element in range(8)} == acted
    assert len(acted) == 8


def test_turned_examples_are_each_of_the_eight_equally_often_and_repeated_by_their_seed():
    image = torch.arange(9.0).reshape(1, 1, 3, 3)
    data = TurnedExamples(TensorDataset(image, torch.tensor([4])))
    torch.manual_seed(0)
    drawn = [data[0] for _ in range(800)]
    torch.manual_seed(0)
    assert all(torch.equal(data[0][0], one) for one, _ in drawn)
    assert len(data) == 1
    assert {int(label) for _, label in drawn} == {4}
    counts = [sum(torch.equal(one, square_element(image[0], element)) for one, _ in drawn) for element in range(8)]
    # Of 800 draws each has 100 ± 9.4.
    assert sum(counts) == 800
    assert min(counts) > 65
    assert max(counts) < 135


def test_turned_training_images_teach_a_d4_network_nothing_new():
    """Its loss and the derivatives of that are the same for them, so that it is compared without augmentation."""
    torch.manual_seed(0)
    network = GroupNetwork(CELL_NETWORKS["d4"], 3, 2).double()
    images, labels = torch.randn(4, 3, 32, 32, dtype=torch.float64), torch.tensor([0, 1, 1, 0])
    turned = torch.stack([square_element(image, element) for image, element in zip(images, (0, 3, 5, 6), strict=True)])
    gradients = []
    for batch in (images, turned):
        network.zero_grad()
        torch.nn.functional.cross_entropy(network(batch), labels).backward()
        gradients.append([parameter.grad.clone() for parameter in network.parameters()])
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-12)
    assert is_augmented("cnn-augmented")
    assert not is_augmented("d4")


def test_intervals_cover_the_true_mean_as_often_as_they_say():
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(40):
        found = interval_of_mean(rng.random(80), 300)
        hits += found["low"] <= 0.5 <= found["high"]
    # Of 40 trials of 95 %, 34 or fewer have a probability of 3 in 1000; with a fixed seed the number is fixed.
    assert hits >= 35


def _entry(network, seed, part, labels, answers):
    probabilities = np.eye(2)[answers].tolist()
    results = {"part": part, "labels": labels, "probabilities": probabilities, "accuracy_of": {}}
    results |= {key: float(np.mean(np.equal(labels, answers))) for key in ("accuracy", "balanced_accuracy", "macro_f1")}
    results["bitwise"] = {"scores_that_differ": 1, "scores_compared": 4}
    return {"network": network, "seed": seed, "train_size": 8, "parameters": 5, "results": results}


def test_differences_are_paired_on_the_same_test_images_of_seeds_and_folds():
    labels = {"a": [0, 1, 1, 0], "b": [1, 1, 0]}
    entries = [
        _entry("one", 0, "a", labels["a"], [0, 0, 1, 0]),
        _entry("one", 1, "b", labels["b"], [1, 1, 1]),
        _entry("other", 0, "a", labels["a"], [0, 1, 1, 0]),
        _entry("other", 1, "b", labels["b"], [1, 1, 1]),
    ]
    rows = summary(entries, ["one", "other"], [8])
    # One image of seven more, in three quarters and two thirds right against all and two thirds.
    assert rows[1]["minus"]["one"]["value"] == pytest.approx(1 / 7)
    assert rows[1]["accuracy"]["mean"] == pytest.approx((1 + 2 / 3) / 2)
    assert rows[0]["minus"] == {}
    assert rows[0]["bitwise_scores_that_differ"] == 2


def test_the_folder_of_a_package_is_found_without_importing_it(tmp_path, monkeypatch):
    folder = tmp_path / "heavy_package" / "data"
    folder.mkdir(parents=True)
    (tmp_path / "heavy_package" / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert packages.data_folder(None, "heavy_package", "data", "pip install it") == folder
    assert "heavy_package" not in sys.modules
    with pytest.raises(RefusedError, match="has no folder other, expected the data there; run: pip install it"):
        packages.data_folder(None, "heavy_package", "other", "pip install it")
    with pytest.raises(RefusedError, match="not installed; run: pip install it; or give its folder with --data"):
        packages.data_folder(None, "no_such_package", "data", "pip install it")

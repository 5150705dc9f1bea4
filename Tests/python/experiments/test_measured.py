# SPDX-License-Identifier: Apache-2.0
"""The page of measured results says what the stored numbers say."""

from __future__ import annotations

import json

import experiment_runs
import pytest
from paths import ROOT

experiment_runs.require()

from equiconv_experiments.common.classification import summary  # noqa: E402
from equiconv_experiments.common.statistics import spread_text  # noqa: E402
from equiconv_experiments.rotated_mnist.setting import NETWORKS as ROTATED_NETWORKS  # noqa: E402
from equiconv_experiments.uva_tutorial.setting import NETWORKS as TUTORIAL_NETWORKS  # noqa: E402

PAGE = ROOT / "docs" / "measured" / "Experiments.md"
STORED = {
    "rotated-mnist": (ROTATED_NETWORKS, ("turned",)),
    "uva-tutorial": (TUTORIAL_NETWORKS, ("upright", "turned")),
}


@pytest.mark.parametrize("name", STORED)
def test_tables_are_those_of_the_stored_numbers(name):
    networks, tests = STORED[name]
    metrics = json.loads((PAGE.parent / "experiments" / f"{name}.json").read_text("utf-8"))
    assert summary(metrics["runs"], metrics["config"], tests) == metrics["summary"]
    assert len(metrics["config"]["seeds"]) == 3
    page = PAGE.read_text("utf-8")
    for row in metrics["summary"]:
        cells = [networks[row["network"]].label, f"{row['parameters']:,}", f"{row['train_size']:,}"]
        cells += [spread_text(row[f"{test}_accuracy"]) for test in tests]
        if "bitwise_scores_compared" in row:
            cells.append(f"{row['bitwise_scores_that_differ']:,} of {row['bitwise_scores_compared']:,}")
        else:
            cells.append("")
        line = f"| {' | '.join(cells)} |".replace("  ", " ")
        assert line in page, line


LABELS = {"cnn": "plain CNN", "cnn-augmented": "plain CNN, turned {}", "c4": "C4 G-CNN", "d4": "D4 G-CNN"}


@pytest.mark.parametrize(("name", "images"), [("nuclei", "patches"), ("solar-cells", "images")])
def test_tables_of_compared_networks_are_those_of_the_stored_numbers(name, images):
    metrics = json.loads((PAGE.parent / "experiments" / f"{name}.json").read_text("utf-8"))
    assert len(metrics["config"]["seeds"]) == 3
    page = PAGE.read_text("utf-8")
    largest = max(metrics["config"]["train_sizes"])
    for network in metrics["config"]["networks"]:
        label = LABELS[network].format(images)
        rows = {row["train_size"]: row for row in metrics["summary"] if row["network"] == network}
        accuracies = [spread_text(rows[size]["accuracy"]) for size in sorted(rows)]
        assert f"| {label} | {' | '.join(accuracies)} |" in page
        whole = rows[largest]
        scores = [spread_text(whole[score]) for score in ("accuracy", "balanced_accuracy", "macro_f1")]
        assert f"| {label} | {whole['parameters']:,} | {' | '.join(scores)} |" in page
        compared = f"{whole['bitwise_scores_that_differ']:,} of {whole['bitwise_scores_compared']:,} |"
        assert any(line.startswith(f"| {label} | ") and line.endswith(compared) for line in page.splitlines())


def test_the_table_of_nuclei_of_a_slide_is_that_of_the_stored_numbers():
    pytest.importorskip("zarr", reason='nuclei of slides are not tested: pip install "equiconv[slides]"')
    from equiconv_experiments.slide_nuclei.program import MEASURES, summarize
    from equiconv_experiments.slide_nuclei.runs import NETWORKS

    metrics = json.loads((PAGE.parent / "experiments" / "slide-nuclei.json").read_text("utf-8"))
    assert summarize(metrics["runs"], metrics["config"]) == metrics["summary"]
    assert len(metrics["config"]["seeds"]) == 3
    page = PAGE.read_text("utf-8")
    for row in metrics["summary"]:
        scores = [spread_text(row[measure]) for measure in MEASURES]
        bits = f"{row['bitwise_scores_that_differ']:,} of {row['bitwise_scores_compared']:,}"
        label = NETWORKS[row["network"]].label
        assert f"| {label} | {row['parameters']:,} | {' | '.join(scores)} | {bits} |" in page

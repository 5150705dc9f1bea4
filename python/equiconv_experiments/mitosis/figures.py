# SPDX-License-Identifier: Apache-2.0
"""Figures of the experiment on mitoses, drawn from its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_curve

from ..common.figures import COLORS, Curve, band, draw_learning, figure, legend_below
from ..common.networks import CELL_NETWORKS
from .runs import CellSetting

__all__ = ["draw_all"]

Metrics = Mapping[str, Any]
EXAMPLE_COLUMNS = 8


def draw_all(metrics: Metrics, setting: CellSetting, folder: Path) -> None:
    """Draws every figure into a folder."""
    draw_roc(metrics, folder / "roc.png")
    draw_learning_curves(metrics, folder / "learning-curves.png")
    draw_orientation(metrics, folder / "orientation.png")
    draw_examples(metrics, setting, folder / "examples.png")


def _title(metrics: Metrics, text: str) -> str:
    return f"{text}: SYNTHETIC patches" if metrics["synthetic"] else text


def _runs(metrics: Metrics, network: str) -> list[dict[str, Any]]:
    return [run for run in metrics["runs"] if run["network"] == network]


def draw_roc(metrics: Metrics, path: Path) -> None:
    """The ROC curve of each network and seed on the test images."""
    with figure(path, (5.2, 4.8)) as page:
        axes = page.subplots()
        for row in metrics["summary"]:
            network, auc = row["network"], row["over_images"]["auc"]
            name = CELL_NETWORKS[network].label
            label = f"{name}: AUC {auc['value']:.3f} [{auc['low']:.3f}, {auc['high']:.3f}]"
            for run in _runs(metrics, network):
                false, true, _ = roc_curve(metrics["test_labels"], run["results"]["probabilities"])
                axes.plot(false, true, color=COLORS[network], linewidth=1.2, alpha=0.8, label=label)
                label = "_"
        axes.plot([0, 1], [0, 1], color="0.5", linestyle=":", linewidth=1, label="chance")
        axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.01, 1), ylim=(0, 1.01))
        axes.set_title(_title(metrics, "ROC, one line for each seed"), fontsize=11)
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right", fontsize=9)


LEARNING = (
    Curve("train_loss", "training loss"),
    Curve("valid_loss", "validation loss"),
    Curve("valid_auc", "validation AUC", limits=None),
)


def draw_learning_curves(metrics: Metrics, path: Path) -> None:
    """Losses and validation AUC after each epoch."""
    networks = metrics["config"]["networks"]
    runs = {name: _runs(metrics, name) for name in networks}
    labels = {name: CELL_NETWORKS[name].label for name in networks}
    draw_learning(path, LEARNING, runs, labels, _title(metrics, "Learning curves"))


def draw_orientation(metrics: Metrics, path: Path) -> None:
    """How much the answer to a test image changes when the image is turned."""
    angles = [*metrics["config"]["angles"], 360.0]
    with figure(path, (7, 4.2)) as page:
        axes = page.subplots()
        for network in metrics["config"]["networks"]:
            curves = []
            for run in _runs(metrics, network):
                values = np.array(run["results"]["probabilities_by_angle"])
                change = np.abs(values - values[0]).mean(1)
                curves.append([*change, change[0]])
            band(axes, angles, curves, network, CELL_NETWORKS[network].label)
        axes.set(xlabel="angle of the test image, degrees", ylabel="mean change of P(positive)", xlim=(0, 360))
        axes.set_ylim(0, None)
        axes.set_xticks(range(0, 361, 45))
        axes.grid(alpha=0.3)
        axes.set_title(_title(metrics, "Change of the answer when the image is turned"), fontsize=11)
        legend_below(page)


def _example_indices(metrics: Metrics) -> list[list[int]]:
    """Test images of the positive class, the negative one, and those that some network takes for the other."""
    labels = np.array(metrics["test_labels"])
    wrong = np.zeros(len(labels), bool)
    for network in metrics["config"]["networks"]:
        results = _runs(metrics, network)[0]["results"]
        wrong |= (np.array(results["probabilities"]) >= results["threshold"]) != labels
    groups = [np.flatnonzero((labels == 1) & ~wrong), np.flatnonzero((labels == 0) & ~wrong), np.flatnonzero(wrong)]
    return [group[:EXAMPLE_COLUMNS].tolist() for group in groups]


def draw_examples(metrics: Metrics, setting: CellSetting, path: Path) -> None:
    """Test images with the probability that each network of the first seed gives."""
    networks = metrics["config"]["networks"]
    rows = [
        row for row in zip(("positive", "negative", "some wrong"), _example_indices(metrics), strict=True) if row[1]
    ]
    with figure(path, (1.25 * EXAMPLE_COLUMNS + 0.4, (1.3 + 0.2 * len(networks)) * len(rows) + 0.8)) as page:
        grid = page.subplots(len(rows), EXAMPLE_COLUMNS, squeeze=False)
        for place, (title, indices) in zip(grid, rows, strict=True):
            for axes in place:
                axes.set(xticks=[], yticks=[], frame_on=False)
            for axes, index in zip(place, indices, strict=False):
                axes.imshow(setting.cells.test.image(index))
                _write_answers(axes, metrics, index)
            place[0].set_ylabel(title, fontsize=10)
        names = ", ".join(CELL_NETWORKS[name].label for name in networks)
        page.suptitle(_title(metrics, f"P(positive) by {names} (wrong decisions in brackets)"), fontsize=11)


def _write_answers(axes: Any, metrics: Metrics, index: int) -> None:
    """The probabilities below an image, one line for each network in its color."""
    for line, network in enumerate(metrics["config"]["networks"]):
        results = _runs(metrics, network)[0]["results"]
        probability = results["probabilities"][index]
        right = (probability >= results["threshold"]) == bool(metrics["test_labels"][index])
        axes.text(
            0.5,
            -0.04 - 0.15 * line,
            f"{probability:.2f}" if right else f"({probability:.2f})",
            color=COLORS[network],
            fontsize=9,
            ha="center",
            va="top",
            transform=axes.transAxes,
        )

# SPDX-License-Identifier: Apache-2.0
"""Figures of the experiment on turned digits, drawn from its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..common.figures import COLORS, MARKERS, Curve, band, draw_learning, figure, legend_below
from ..common.networks import DIGIT_NETWORKS
from .runs import Setting

__all__ = ["draw_all"]

Metrics = Mapping[str, Any]
EXAMPLES, EXAMPLE_ANGLES = 5, 8


def draw_all(metrics: Metrics, setting: Setting, folder: Path) -> None:
    """Draws every figure into a folder."""
    draw_angles(metrics, folder / "accuracy-by-angle.png")
    draw_efficiency(metrics, folder / "sample-efficiency.png")
    draw_learning_curves(metrics, folder / "learning-curves.png")
    draw_examples(metrics, setting, folder / "turned-digits.png")


def _complete(metrics: Metrics, network: str) -> list[dict[str, Any]]:
    """The runs of a network on all training digits."""
    largest = max(metrics["config"]["train_sizes"])
    return [run for run in metrics["runs"] if run["network"] == network and run["train_size"] == largest]


def _percent(values: Any) -> Any:
    return 100 * np.asarray(values)


def draw_angles(metrics: Metrics, path: Path) -> None:
    """Accuracy against the angle, once around."""
    angles = [*metrics["config"]["angles"], 360.0]
    with figure(path, (7, 4.2)) as page:
        axes = page.subplots()
        for network in metrics["config"]["networks"]:
            curves = [run["results"]["accuracy_by_angle"] for run in _complete(metrics, network)]
            closed = [_percent([*curve, curve[0]]) for curve in curves]
            band(axes, angles, closed, network, DIGIT_NETWORKS[network].label)
        axes.axhline(10, color="0.5", linestyle=":", linewidth=1)
        axes.text(358, 11, "chance", color="0.4", ha="right", va="bottom", fontsize=8)
        axes.set(xlabel="angle of the test digits, degrees", ylabel="accuracy, %", xlim=(0, 360), ylim=(0, 102))
        axes.set_xticks(range(0, 361, 45))
        axes.grid(alpha=0.3)
        axes.set_title("Trained on upright digits, tested on turned ones")
        legend_below(page)


def draw_efficiency(metrics: Metrics, path: Path) -> None:
    """Accuracy on turned digits against the number of training digits."""
    sizes = sorted(metrics["config"]["train_sizes"])
    with figure(path, (6, 4.2)) as page:
        axes = page.subplots()
        for network in metrics["config"]["networks"]:
            rows = {row["train_size"]: row for row in metrics["summary"] if row["network"] == network}
            spreads = [rows[size]["turned_accuracy"] for size in sizes]
            axes.errorbar(
                sizes,
                _percent([one["mean"] for one in spreads]),
                _percent([one["deviation"] or 0 for one in spreads]),
                color=COLORS[network],
                marker=MARKERS[network],
                markersize=5,
                capsize=3,
                label=DIGIT_NETWORKS[network].label,
            )
        axes.set_xscale("log")
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.set(xlabel="upright digits in training", ylabel="accuracy on turned digits, %", ylim=(0, 102))
        axes.grid(alpha=0.3)
        axes.set_title("Sample efficiency")
        legend_below(page, fontsize=9)


LEARNING = (
    Curve("train_loss", "training loss"),
    Curve("upright_accuracy", "upright test digits, %", 100.0, (0, 102)),
    Curve("turned_accuracy", "turned test digits, %", 100.0, (0, 102)),
)


def draw_learning_curves(metrics: Metrics, path: Path) -> None:
    """Loss and accuracies after each epoch."""
    networks = metrics["config"]["networks"]
    runs = {name: _complete(metrics, name) for name in networks}
    labels = {name: DIGIT_NETWORKS[name].label for name in networks}
    draw_learning(path, LEARNING, runs, labels)


def draw_examples(metrics: Metrics, setting: Setting, path: Path) -> None:
    """A few test digits at several angles, with what the networks of the first seed say."""
    angles = metrics["config"]["angles"]
    chosen = range(0, len(angles), max(1, len(angles) // EXAMPLE_ANGLES))
    networks = metrics["config"]["networks"]
    labels = setting.parts[1].labels
    # One of each of several digits, so that rows differ: 6 and 9, whose confusion is the known trap, among them.
    rows = [int(np.flatnonzero(labels == digit)[0]) for digit in (2, 4, 6, 7, 9)[:EXAMPLES]]
    said = {name: _complete(metrics, name)[0]["results"]["predictions_by_angle"] for name in networks}
    with figure(path, (1.05 * len(chosen) + 0.6, 1.32 * len(rows) + 0.7)) as page:
        grid = page.subplots(len(rows), len(chosen), squeeze=False)
        for place, row in zip(grid, rows, strict=True):
            for axes, angle in zip(place, chosen, strict=True):
                axes.imshow(setting.curve[angle].tensors[0][row, 0].numpy(), cmap="gray_r", vmin=0, vmax=1)
                axes.set_xticks([])
                axes.set_yticks([])
                if row == rows[0]:
                    axes.set_title(f"{angles[angle]:.0f}°", fontsize=10)
                _write_answers(axes, {name: said[name][angle][row] for name in networks}, int(labels[row]))
            place[0].set_ylabel(f"a {labels[row]}", fontsize=10)
        names = ", ".join(DIGIT_NETWORKS[name].label for name in networks)
        page.suptitle(f"Answers of {names}, in this order; wrong ones in brackets", fontsize=10)


def _write_answers(axes: Any, answers: Mapping[str, int], truth: int) -> None:
    """The answers below an image, in the colors of the networks."""
    for index, (network, answer) in enumerate(answers.items()):
        axes.text(
            (index + 0.5) / len(answers),
            -0.05,
            str(answer) if answer == truth else f"({answer})",
            color=COLORS[network],
            fontsize=9,
            fontweight="bold" if answer == truth else "normal",
            ha="center",
            va="top",
            transform=axes.transAxes,
        )

# SPDX-License-Identifier: Apache-2.0
"""Figures of the experiment on turned digits, drawn from its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..common.figures import Curve, draw_learning
from ..common.networks import DIGIT_NETWORKS
from ..common.turning_figures import complete_runs, draw_angles, draw_answers, draw_sizes
from .runs import Setting

__all__ = ["draw_all"]

Metrics = Mapping[str, Any]
LABELS = {name: architecture.label for name, architecture in DIGIT_NETWORKS.items()}
# One of each of several digits, so that rows differ: 6 and 9, whose confusion is the known trap, among them.
EXAMPLES, EXAMPLE_ANGLES = (2, 4, 6, 7, 9), 8
LEARNING = (
    Curve("train_loss", "training loss"),
    Curve("upright_accuracy", "upright test digits, %", 100.0, (0, 102)),
    Curve("turned_accuracy", "turned test digits, %", 100.0, (0, 102)),
)


def draw_all(metrics: Metrics, setting: Setting, folder: Path) -> None:
    """Draws every figure into a folder."""
    title = "Trained on upright digits, tested on turned ones"
    draw_angles(metrics, LABELS, folder / "accuracy-by-angle.png", "the test digits", title)
    axes = ("upright digits in training", "accuracy on turned digits, %")
    draw_sizes(metrics, LABELS, folder / "sample-efficiency.png", "turned_accuracy", *axes)
    runs = {name: complete_runs(metrics, name) for name in metrics["config"]["networks"]}
    draw_learning(folder / "learning-curves.png", LEARNING, runs, LABELS)
    draw_examples(metrics, setting, folder / "turned-digits.png")


def draw_examples(metrics: Metrics, setting: Setting, path: Path) -> None:
    """A few test digits at several angles, with what the networks of the first seed say."""
    angles = metrics["config"]["angles"]
    chosen = range(0, len(angles), max(1, len(angles) // EXAMPLE_ANGLES))
    labels = setting.parts[1].labels
    rows = [int(np.flatnonzero(labels == digit)[0]) for digit in EXAMPLES]
    images = np.stack([[setting.curve[angle].tensors[0][row, 0].numpy() for angle in chosen] for row in rows])
    said = {name: complete_runs(metrics, name)[0]["results"] for name in metrics["config"]["networks"]}
    answers = {
        name: np.array(results["predictions_by_angle"])[list(chosen)][:, rows].T for name, results in said.items()
    }
    truths = np.repeat(labels[rows][:, None], len(chosen), axis=1)
    draw_answers(path, images, truths, answers, LABELS, [f"{angles[angle]:.0f}°" for angle in chosen])

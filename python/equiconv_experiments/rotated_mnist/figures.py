# SPDX-License-Identifier: Apache-2.0
"""Figures of the experiment on images that are turned once, drawn from its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..common.classification import Classification
from ..common.figures import Curve, draw_learning
from ..common.turning_figures import complete_runs, draw_answers, draw_sizes
from .setting import EXAMPLES, LABELS, TEST

__all__ = ["draw_all"]

ROWS = 3
LEARNING = (
    Curve("train_loss", "training loss"),
    Curve("train_accuracy", "training images, %", 100.0, (0, 102)),
    Curve(f"{TEST}_accuracy", "test images, %", 100.0, (0, 102)),
)


def draw_all(metrics: Mapping[str, Any], setting: Classification, folder: Path) -> None:
    """Draws every figure into a folder."""
    axes = ("turned images in training", "accuracy on turned images, %")
    draw_sizes(metrics, LABELS, folder / "sample-efficiency.png", f"{TEST}_accuracy", *axes)
    runs = {name: complete_runs(metrics, name) for name in metrics["config"]["networks"]}
    draw_learning(folder / "learning-curves.png", LEARNING, runs, LABELS, setting.name)
    draw_examples(metrics, setting, folder / "examples.png")


def draw_examples(metrics: Mapping[str, Any], setting: Classification, path: Path) -> None:
    """The first test images, with what the networks of the first seed say."""
    images, labels = (tensor[:EXAMPLES].numpy() for tensor in setting.tests[TEST].tensors)
    # Color images are shown as their mean; 0 is black there, and white where ink is drawn.
    shown = images.mean(1) if images.shape[1] == 1 else 1 - images.mean(1)
    grid = (ROWS, EXAMPLES // ROWS)
    said = {name: complete_runs(metrics, name)[0]["results"] for name in metrics["config"]["networks"]}
    answers = {name: np.array(results["first_predictions"]).reshape(grid) for name, results in said.items()}
    draw_answers(path, shown.reshape(*grid, *shown.shape[1:]), labels.reshape(grid), answers, LABELS)

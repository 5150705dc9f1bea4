# SPDX-License-Identifier: Apache-2.0
"""Figures of the tutorial's experiment, drawn from its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..common.classification import Classification
from ..common.figures import Curve, draw_learning
from ..common.turning_figures import complete_runs, draw_angles, draw_sizes
from .setting import LABELS

__all__ = ["draw_all"]

LEARNING = (
    Curve("train_loss", "training loss"),
    Curve("upright_accuracy", "upright test images, %", 100.0, (0, 102)),
    Curve("turned_accuracy", "turned test images, %", 100.0, (0, 102)),
)


def draw_all(metrics: Mapping[str, Any], setting: Classification, folder: Path) -> None:
    """Draws every figure into a folder."""
    title = "Trained on upright images, tested on turned ones"
    draw_angles(metrics, LABELS, folder / "accuracy-by-angle.png", "the test images", title)
    axes = ("upright images in training", "accuracy on turned images, %")
    draw_sizes(metrics, LABELS, folder / "sample-efficiency.png", "turned_accuracy", *axes)
    runs = {name: complete_runs(metrics, name) for name in metrics["config"]["networks"]}
    draw_learning(folder / "learning-curves.png", LEARNING, runs, LABELS, setting.name)

# SPDX-License-Identifier: Apache-2.0
"""Figures of a comparison of networks on labeled images, drawn from its metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .comparison import Comparison, Pictures
from .figures import COLORS, Curve, draw_learning, figure
from .turning_figures import complete_runs, draw_sizes

__all__ = ["draw_comparison"]

Metrics = Mapping[str, Any]
EXAMPLE_COLUMNS = 8
LEARNING = (
    Curve("train_loss", "training loss"),
    Curve("train_accuracy", "training images, %", 100.0, (0, 102)),
)


def draw_comparison(metrics: Metrics, setting: Comparison, folder: Path, title: str, what: str) -> None:
    """Draws every figure into a folder.

    Args:
        metrics: of the experiment.
        setting: of the experiment.
        folder: for the figures.
        title: of the figure of sample efficiency.
        what: is in training.
    """
    labels = {name: setting.networks[name].label for name in metrics["config"]["networks"]}
    path = folder / "sample-efficiency.png"
    draw_sizes(metrics, labels, path, "accuracy", f"{what} in training", "test accuracy, %", title, (None, None))
    runs = {name: complete_runs(metrics, name) for name in labels}
    draw_learning(folder / "learning-curves.png", LEARNING, runs, labels, f"Training on {setting.sizes[-1]} images")
    draw_confusion(runs, labels, setting.classes, folder / "confusion.png")
    draw_examples(runs, labels, setting, folder / "examples.png")


def draw_confusion(
    runs: Mapping[str, Sequence[Metrics]], labels: Mapping[str, str], classes: Sequence[str], path: Path
) -> None:
    """What each network says of the test images of each class, in percent of the class; all seeds together."""
    with figure(path, (1.2 + 2.4 * len(runs), 3.4)) as page:
        for axes, (name, ones) in zip(page.subplots(1, len(runs), squeeze=False)[0], runs.items(), strict=True):
            counts = np.sum([run["results"]["confusion"] for run in ones], axis=0)
            shares = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
            axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
            for (row, column), share in np.ndenumerate(shares):
                color = "white" if share > 55 else "black"
                axes.text(column, row, f"{share:.0f}", ha="center", va="center", color=color, fontsize=10)
            places = range(len(classes))
            axes.set_xticks(places, classes, fontsize=8, rotation=30, ha="right")
            axes.set_yticks(
                places, classes if axes.get_subplotspec().is_first_col() else [""] * len(classes), fontsize=8
            )
            axes.set_title(labels[name], fontsize=10)
        page.supylabel("class, % of its images", fontsize=9)
        page.supxlabel("answer", fontsize=9)


def draw_examples(
    runs: Mapping[str, Sequence[Metrics]], labels: Mapping[str, str], setting: Comparison, path: Path
) -> None:
    """Test images of each class, and some that a network takes for others, with the answers of the first seed."""
    first = {name: ones[0] for name, ones in runs.items()}
    _, test = setting.parts(next(iter(first.values()))["seed"])
    answers = {name: np.asarray(run["results"]["probabilities"]) for name, run in first.items()}
    rows = _example_rows(test, answers, setting.classes)
    with figure(path, (1.25 * EXAMPLE_COLUMNS + 0.4, (1.3 + 0.17 * len(runs)) * len(rows) + 0.8)) as page:
        grid = page.subplots(len(rows), EXAMPLE_COLUMNS, squeeze=False)
        for place, (title, indices) in zip(grid, rows, strict=True):
            for axes in place:
                axes.set(xticks=[], yticks=[], frame_on=False)
            for axes, index in zip(place, indices, strict=False):
                _show(axes, test, int(index))
                _write_answers(axes, {name: each[index] for name, each in answers.items()}, int(test.labels[index]))
            place[0].set_ylabel(title, fontsize=9)
        names = "; ".join(labels.values())
        page.suptitle(f"Probability of the true class by {names}; wrong answers in brackets", fontsize=10)
        # Room for the answers below the last row, which the layout does not see.
        page.set_layout_engine("constrained", rect=(0, 0.03, 1, 0.97))


def _example_rows(
    test: Pictures, answers: Mapping[str, Any], classes: Sequence[str]
) -> list[tuple[str, Sequence[int]]]:
    right = np.all([each.argmax(1) == test.labels for each in answers.values()], axis=0)
    rows = [(name, np.flatnonzero((test.labels == index) & right)) for index, name in enumerate(classes)]
    rows.append(("some wrong", np.flatnonzero(~right)))
    return [(name, indices[:EXAMPLE_COLUMNS].tolist()) for name, indices in rows if len(indices)]


def _show(axes: Any, test: Pictures, index: int) -> None:
    image = test.images[index].numpy().transpose(1, 2, 0) / 255
    if image.shape[2] == 1:
        axes.imshow(image[:, :, 0], cmap="gray", vmin=0, vmax=1)
    else:
        axes.imshow(image)


def _write_answers(axes: Any, answers: Mapping[str, Any], truth: int) -> None:
    """The probabilities below an image, one line for each network in its color."""
    for line, (network, probabilities) in enumerate(answers.items()):
        text = f"{probabilities[truth]:.2f}"
        axes.text(
            0.5,
            -0.04 - 0.15 * line,
            text if probabilities.argmax() == truth else f"({text})",
            color=COLORS[network],
            fontsize=8,
            ha="center",
            va="top",
            transform=axes.transAxes,
        )

# SPDX-License-Identifier: Apache-2.0
"""Figures of classifiers of turned images: accuracy by angle and by training images, and images with answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .figures import COLORS, MARKERS, band, figure, legend_below

__all__ = ["complete_runs", "draw_angles", "draw_answers", "draw_sizes"]

Metrics = Mapping[str, Any]
CHANCE_TEXT = 358


def complete_runs(metrics: Metrics, network: str) -> list[dict[str, Any]]:
    """The runs of a network on all training images."""
    largest = max(metrics["config"]["train_sizes"])
    return [run for run in metrics["runs"] if run["network"] == network and run["train_size"] == largest]


def _percent(values: Any) -> Any:
    return 100 * np.asarray(values)


def draw_angles(metrics: Metrics, labels: Mapping[str, str], path: Path, what: str, title: str) -> None:
    """Accuracy against the angle, once around, from ``accuracy_by_angle`` of the results.

    Args:
        metrics: of the experiment.
        labels: what networks are called.
        path: of the figure.
        what: is turned.
        title: of the figure.
    """
    angles = [*metrics["config"]["angles"], 360.0]
    with figure(path, (7, 4.2)) as page:
        axes = page.subplots()
        for network in metrics["config"]["networks"]:
            curves = [run["results"]["accuracy_by_angle"] for run in complete_runs(metrics, network)]
            closed = [_percent([*curve, curve[0]]) for curve in curves]
            band(axes, angles, closed, network, labels[network])
        axes.axhline(10, color="0.5", linestyle=":", linewidth=1)
        axes.text(CHANCE_TEXT, 11, "chance", color="0.4", ha="right", va="bottom", fontsize=8)
        axes.set(xlabel=f"angle of {what}, degrees", ylabel="accuracy, %", xlim=(0, 360), ylim=(0, 102))
        axes.set_xticks(range(0, 361, 45))
        axes.grid(alpha=0.3)
        axes.set_title(title)
        legend_below(page)


def draw_sizes(
    metrics: Metrics,
    labels: Mapping[str, str],
    path: Path,
    key: str,
    x: str,
    y: str,
    title: str = "Sample efficiency",
    limits: tuple[float | None, float | None] = (0, 102),
) -> None:
    """An accuracy against the number of training images.

    Args:
        metrics: of the experiment.
        labels: what networks are called.
        path: of the figure.
        key: the accuracy's name in the rows of the summary.
        x, y: what stands at the axes.
        title: of the figure.
        limits: of the vertical axis, in percent; None for what the numbers need.
    """  # fmt: skip
    sizes = sorted(metrics["config"]["train_sizes"])
    with figure(path, (6, 4.2)) as page:
        axes = page.subplots()
        for network in metrics["config"]["networks"]:
            rows = {row["train_size"]: row for row in metrics["summary"] if row["network"] == network}
            spreads = [rows[size][key] for size in sizes]
            axes.errorbar(
                sizes,
                _percent([one["mean"] for one in spreads]),
                _percent([one["deviation"] or 0 for one in spreads]),
                color=COLORS[network],
                marker=MARKERS[network],
                markersize=5,
                capsize=3,
                label=labels[network],
            )
        axes.set_xscale("log")
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.set(xlabel=x, ylabel=y, ylim=limits)
        axes.grid(alpha=0.3)
        axes.set_title(title)
        legend_below(page, fontsize=9)


def draw_answers(
    path: Path,
    images: NDArray[np.float32],
    truths: NDArray[np.int64],
    answers: Mapping[str, NDArray[np.int64]],
    labels: Mapping[str, str],
    columns: Sequence[str] = (),
) -> None:
    """A grid of images, each with what the networks say below it; wrong answers in brackets.

    Args:
        path: of the figure.
        images: (rows, columns, height, width), 0 white and 1 black.
        truths: the classes, (rows, columns).
        answers: of each network, (rows, columns).
        labels: what networks are called.
        columns: what stands at the top, where images of a row are of one thing.
    """
    rows = len(images)
    with figure(path, (1.05 * images.shape[1] + 0.6, 1.32 * rows + 0.7)) as page:
        grid = page.subplots(rows, images.shape[1], squeeze=False)
        for row, place in enumerate(grid):
            for column, axes in enumerate(place):
                axes.imshow(images[row, column], cmap="gray_r", vmin=0, vmax=1)
                axes.set_xticks([])
                axes.set_yticks([])
                if columns and row == 0:
                    axes.set_title(columns[column], fontsize=10)
                truth = int(truths[row, column])
                _write_answers(axes, {name: int(said[row, column]) for name, said in answers.items()}, truth)
                if column == 0 or not columns:
                    axes.set_ylabel(f"a {truth}", fontsize=10, labelpad=2)
        names = ", ".join(labels[name] for name in answers)
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

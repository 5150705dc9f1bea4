# SPDX-License-Identifier: Apache-2.0
"""Figures of the experiment on nuclei of a slide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from equiconv.slides import open_source, precision_recall, read_geojson
from numpy.typing import NDArray

from ..common.figures import COLORS, MARKERS, Curve, draw_learning, figure, legend_below
from ..common.training import Run
from .runs import DISTANCE, NETWORKS, RATES, NucleusSetting, detections_file

__all__ = ["draw_all"]

SIDE = 600
"""Pixels of the part of the slide that is drawn."""
# Found, wrongly found, missed: of Okabe and Ito's colors, and of three shapes.
_MARKS = (("#009E73", "o", "found"), ("#E69F00", "s", "found, but not given"), ("#0072B2", "x", "given, but missed"))
_MARK: dict[str, Any] = {"markersize": 9, "markeredgewidth": 1.8}
_LEARNING = (Curve("train_loss", "loss of pixels"), Curve("train_accuracy", "pixels right, %", 100, None))


def draw_all(metrics: Mapping[str, Any], setting: NucleusSetting, path: Path) -> None:
    """Draws every figure into a folder; the detections are read from the folder beside it."""
    networks = metrics["config"]["networks"]
    runs = {name: [run for run in metrics["runs"] if run["network"] == name] for name in networks}
    labels = {name: one.label for name, one in NETWORKS.items()}
    draw_learning(path / "learning.png", _LEARNING, runs, labels)
    draw_curves(path / "curves.png", runs)
    for name, ones in runs.items():
        run = Run(name, ones[0]["seed"], metrics["config"]["crops"])
        draw_overlay(
            path / f"overlay-{name}.png", setting, detections_file(path.parent, run.name), NETWORKS[name].label
        )


def draw_curves(path: Path, runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Precision against recall, and the free-response curves; a line for each seed, with a mark at its threshold."""
    with figure(path, (9, 4)) as page:
        left, right = page.subplots(1, 2)
        for name, ones in runs.items():
            for index, run in enumerate(ones):
                found, curves = run["results"], run["results"]["curves"]
                style = {"color": COLORS[name], "linewidth": 1.2}
                label = NETWORKS[name].label if index == 0 else "_"
                left.plot(curves["sensitivity"], curves["precision"], label=label, **style)
                left.plot(found["recall"], found["precision"], MARKERS[name], color=COLORS[name])
                right.plot(curves["false_positives"], curves["sensitivity"], **style)
        left.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1))
        most = 2 * RATES[-1]
        right.set(xlabel="false positives per million pixels", ylabel="sensitivity", xlim=(0, most), ylim=(0, 1))
        for axes in (left, right):
            axes.grid(alpha=0.3)
        legend_below(page)


def draw_overlay(path: Path, setting: NucleusSetting, file: Path, label: str) -> None:
    """The middle of the slide with what was found there and what was not."""
    with closing(open_source(setting.slide)) as source:
        top, left = (max(0, (extent - SIDE) // 2) for extent in source.extents)
        end = min(top + SIDE, source.extents[0]), min(left + SIDE, source.extents[1])
        pixels = source.read((top, left), end).transpose(1, 2, 0)
    found = read_geojson(file)
    pairs = precision_recall(found, setting.truth, DISTANCE).pairs
    groups = (
        found.positions[pairs[:, 1]],
        np.delete(found.positions, pairs[:, 1], 0),
        np.delete(setting.truth, pairs[:, 2], 0),
    )
    with figure(path, (8, 8.6)) as page:
        axes = page.subplots()
        axes.imshow(pixels, extent=(left, end[1], end[0], top))
        for points, (color, marker, text) in zip(groups, _MARKS, strict=True):
            inside = _within(points, (top, left), end)
            axes.plot(inside[:, 1], inside[:, 0], marker, color=color, fillstyle="none", label=text, **_MARK)
        axes.set(title=f"{label}: nuclei of an image that it was not trained on", xticks=[], yticks=[])
        legend_below(page)


def _within(points: NDArray[np.float64], begin: tuple[int, int], end: tuple[int, int]) -> NDArray[np.float64]:
    return points[np.all((points >= begin) & (points < end), axis=1)]

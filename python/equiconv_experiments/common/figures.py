# SPDX-License-Identifier: Apache-2.0
"""What the figures of the experiments have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["COLORS", "MARKERS", "Curve", "band", "draw_learning", "figure", "legend_below", "mean_and_deviation"]

# Okabe and Ito's colors, which color-blind readers can distinguish; markers distinguish networks in gray.
COLORS = {"cnn": "#D55E00", "cnn-augmented": "#E69F00", "c4": "#0072B2", "c8": "#009E73", "d4": "#CC79A7"}
MARKERS = {"cnn": "s", "cnn-augmented": "v", "c4": "o", "c8": "^", "d4": "D"}


@contextmanager
def figure(path: Path, size: tuple[float, float]) -> Iterator[Figure]:
    """A figure that is written to `path`; without pyplot, whose state and display it does not touch."""
    result = Figure(figsize=size, layout="constrained", dpi=150)
    FigureCanvasAgg(result)
    yield result
    result.savefig(path)


def mean_and_deviation(curves: Sequence[Sequence[float]]) -> tuple[Any, Any]:
    """Mean and sample deviation over the first axis; deviation 0 for one curve."""
    values = np.array(curves, float)
    return values.mean(0), values.std(0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1])


def band(axes: Any, x: Any, curves: Sequence[Sequence[float]], network: str, label: str) -> None:
    """A line of means in the network's color, with a band of one deviation to both sides."""
    mean, deviation = mean_and_deviation(curves)
    color = COLORS[network]
    axes.plot(x, mean, color=color, marker=MARKERS[network], markersize=4, label=label)
    axes.fill_between(x, mean - deviation, mean + deviation, color=color, alpha=0.2, linewidth=0)


def legend_below(page: Figure, **options: Any) -> None:
    """The legend in a row below all axes."""
    page.legend(loc="outside lower center", ncols=4, frameon=False, **options)


@dataclass(frozen=True)
class Curve:
    """A number of the history, as the axes of one figure show it.

    Attributes:
        key: its name in the history.
        title: of the axes.
        scale: factor.
        limits: of the vertical axis; None for what the curves need.
    """

    key: str
    title: str
    scale: float = 1.0
    limits: tuple[float, float | None] | None = (0, None)


def draw_learning(
    path: Path,
    curves: Sequence[Curve],
    runs: Mapping[str, Sequence[Mapping[str, Any]]],
    labels: Mapping[str, str],
    title: str | None = None,
) -> None:
    """Numbers after each epoch, each in axes of its own: means over the runs of each network.

    Args:
        path: of the figure.
        curves: what to draw.
        runs: those of each network, of equally many epochs.
        labels: what networks are called.
        title: of the figure.
    """  # fmt: skip
    with figure(path, (9, 3.4)) as page:
        for axes, curve in zip(page.subplots(1, len(curves)), curves, strict=True):
            for network, ones in runs.items():
                histories = [run["history"] for run in ones]
                values = [[curve.scale * epoch[curve.key] for epoch in history] for history in histories]
                epochs = [epoch["epoch"] for epoch in histories[0]]
                band(axes, epochs, values, network, labels[network] if curve is curves[0] else "_")
            axes.set(title=curve.title, xlabel="epoch")
            if curve.limits is not None:
                axes.set_ylim(*curve.limits)
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(alpha=0.3)
        if title is not None:
            page.suptitle(title, fontsize=11)
        legend_below(page)

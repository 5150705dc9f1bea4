# SPDX-License-Identifier: Apache-2.0
"""What the figures of the experiments have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["COLOURS", "MARKERS", "band", "figure", "mean_and_deviation"]

# Okabe and Ito's colors, which stay apart for color-blind readers; markers tell networks apart in gray.
COLOURS = {"cnn": "#D55E00", "c4": "#0072B2", "c8": "#009E73", "d4": "#CC79A7"}
MARKERS = {"cnn": "s", "c4": "o", "c8": "^", "d4": "D"}


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
    color = COLOURS[network]
    axes.plot(x, mean, color=color, marker=MARKERS[network], markersize=4, label=label)
    axes.fill_between(x, mean - deviation, mean + deviation, color=color, alpha=0.2, linewidth=0)

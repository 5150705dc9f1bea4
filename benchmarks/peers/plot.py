# SPDX-License-Identifier: Apache-2.0
"""The figures of the page: bars for each row, contestants side by side, with the multiply-add peak as a line."""

from __future__ import annotations

import textwrap
from itertools import pairwise
from pathlib import Path
from typing import Any

from case import pretty
from grid import Row
from results import Measured, Run

# Families share a hue. equiconv's single algorithms are marks on its bar.
COLORS = {
    "equiconv": "#d62728", "network": "#e7969c",
    "PyTorch last": "#1f77b4", "PyTorch first": "#7fb2dd", "PyTorch jit": "#aec7e8",
    "ONNX Runtime": "#2ca02c", "OpenVINO": "#98df8a",
    "NNPACK": "#9467bd", "MNN": "#ff7f0e", "ncnn": "#ffbb78",
    "JAX": "#17becf",
    "escnn eval": "#8c564b", "escnn train": "#8c564b",
}  # fmt: skip
MARKS = {"direct": "_", "exact": "x"}
# Bars of a panel: longer sections go on in the next.
MOST = 12


def _panels(run: Run, grid: list[Row], threads: int) -> list[tuple[str, list[tuple[Row, Measured]]]]:
    """A title and the rows of each panel of a column."""
    panels = []
    for section in dict.fromkeys(row.section for row in grid):
        found = [(row, measured) for row in grid if row.section == section and (measured := run.measured(row, threads))]
        parts = -(-len(found) // MOST)
        bounds = [number * len(found) // max(1, parts) for number in range(parts + 1)]
        panels += [(section, found[start:end]) for start, end in pairwise(bounds)]
    return panels


def _tick(row: Row) -> str:
    """The name of a group of bars, on a few lines."""
    return textwrap.fill(pretty(row.name), 20)


def _bars(panel: Any, rows: list[tuple[Row, Measured]]) -> None:
    """All bars of one panel."""
    labels = [label for label in COLORS if any(measured.has(label) for _, measured in rows)]
    width = 0.86 / max(1, len(labels))
    for number, label in enumerate(labels):
        places = [index + (number - (len(labels) - 1) / 2) * width for index in range(len(rows))]
        panel.bar(
            places, [measured.share(label) or 0.0 for _, measured in rows], width, color=COLORS[label], label=label
        )
        for name, marker in MARKS.items() if label == "equiconv" else ():
            known = [
                (place, share)
                for place, (_, measured) in zip(places, rows, strict=True)
                if (share := measured.share(name)) is not None
            ]
            if known:
                panel.scatter(*zip(*known, strict=True), marker=marker, color="black", s=16, zorder=3, label=name)


def draw(run: Run, grid: list[Row], path: Path) -> None:
    """A column for each number of threads, panels for the sections."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns = [_panels(run, grid, threads) for threads in run.data["threads"]]
    shape = (len(columns[0]), len(columns))
    size = (14 * len(columns), 2.6 * shape[0] + 0.8)
    figure, axes = pyplot.subplots(*shape, figsize=size, layout="constrained", squeeze=False)
    legend: dict[str, Any] = {}
    for column, (threads, panels) in enumerate(zip(run.data["threads"], columns, strict=True)):
        for number, (title, rows) in enumerate(panels):
            panel = axes[number][column]
            _bars(panel, rows)
            legend["multiply-add peak"] = panel.axhline(1, color="black", linewidth=1.2, linestyle="--")
            panel.set_title(f"{title}, {threads} thread{'s' * (threads > 1)}", fontsize=11)
            panel.set_xticks(range(len(rows)), [_tick(row) for row, _ in rows], fontsize=6)
            panel.set_xlim(-0.6, MOST - 0.4)
            panel.grid(axis="y", alpha=0.3)
            panel.set_axisbelow(True)
            legend |= dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))
    figure.supylabel("operations of the definition a second, over the multiply-add peak")
    order = [label for label in (*COLORS, *MARKS, "multiply-add peak") if label in legend]
    figure.legend([legend[label] for label in order], order, loc="outside upper center", ncols=9, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
    pyplot.close(figure)

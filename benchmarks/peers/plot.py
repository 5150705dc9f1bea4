# SPDX-License-Identifier: Apache-2.0
"""docs/measured/peers.png: bars for each case, peers side by side, with the multiply-add peak as a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapters import PEERS
from cases import KERNELS, Case
from report import Entry, Result, entries

# Families share a hue. "equiconv direct" is a mark on the bar of equiconv.
COLORS = {
    "equiconv": "#d62728",
    "PyTorch last": "#1f77b4", "PyTorch first": "#7fb2dd",
    "ONNX Runtime": "#2ca02c", "OpenVINO": "#98df8a",
    "NNPACK": "#9467bd", "MNN": "#ff7f0e", "ncnn": "#ffbb78",
    "JAX": "#17becf",
    "escnn eval": "#8c564b", "escnn train": "#8c564b", "e2cnn eval": "#c49c94", "e2cnn train": "#c49c94",
}  # fmt: skip


def _panels(result: Result, threads: int) -> list[tuple[str, list[tuple[Case, Entry]]]]:
    """A title and the cases of each panel of a column."""
    panels = []
    group, train = entries(result, "group", threads), entries(result, "train", threads)
    for k in KERNELS:
        panels.append((f"group layers, k = {k}", [pair for pair in group if pair[0].kernel == k]))
    panels.append(("lifting layers", entries(result, "lifting", threads)))
    panels.append(("group layers, forward and both gradients", train))
    return panels


def _tick(case: Case, with_kernel: bool) -> str:
    """The name of a group of bars."""
    kernel = f"k = {case.kernel}\n" if with_kernel else ""
    return f"{kernel}{case.group} {case.inputs}→{case.outputs}\n{case.batch} of {case.size}²"


def _bars(panel: Any, cases: list[tuple[Case, Entry]]) -> None:
    """All bars of one panel."""
    labels = [label for label in COLORS if any(label in entry for _, entry in cases)]
    width = 0.86 / max(1, len(labels))
    for number, label in enumerate(labels):
        places = [index + (number - (len(labels) - 1) / 2) * width for index in range(len(cases))]
        heights = [entry.get(label, {}).get("share", 0.0) for _, entry in cases]
        panel.bar(places, heights, width, color=COLORS[label], label=label)
        if label == "equiconv":
            marks = [entry.get("equiconv direct", {}).get("share") for _, entry in cases]
            known = [(place, mark) for place, mark in zip(places, marks, strict=True) if mark is not None]
            if known:
                panel.scatter(*zip(*known, strict=True), marker="_", color="black", zorder=3, label="equiconv direct")


def draw(result: Result, path: Path) -> None:
    """A column for each number of threads, a row for each size of kernel, lifting and training."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns = [_panels(result, threads) for threads in result["threads"]]
    shown = [row for row in range(len(columns[0])) if any(column[row][1] for column in columns)]
    shape = (len(shown), len(columns))
    size = (12 * len(columns), 3.1 * len(shown) + 0.8)
    figure, axes = pyplot.subplots(*shape, figsize=size, sharey="row", layout="constrained", squeeze=False)
    legend: dict[str, Any] = {}
    for column, (threads, panels) in enumerate(zip(result["threads"], columns, strict=True)):
        for row, index in enumerate(shown):
            (title, cases), panel = panels[index], axes[row][column]
            _bars(panel, cases)
            legend["multiply-add peak"] = panel.axhline(1, color="black", linewidth=1.2, linestyle="--")
            panel.set_title(f"{title}, {threads} thread{'s' * (threads > 1)}", fontsize=11)
            many = index >= len(KERNELS)
            panel.set_xticks(range(len(cases)), [_tick(case, many) for case, _ in cases], fontsize=7)
            panel.set_xlim(-0.6, max(0.6, len(cases) - 0.4))
            panel.grid(axis="y", alpha=0.3)
            panel.set_axisbelow(True)
            legend |= dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))
    figure.supylabel("operations of the definition a second, over the multiply-add peak")
    order = [label for label in (*COLORS, "equiconv direct", "multiply-add peak") if label in legend]
    order += [label for label in PEERS if label in legend and label not in order]
    figure.legend([legend[label] for label in order], order, loc="outside upper center", ncols=8, frameon=False)
    figure.savefig(path, dpi=90)

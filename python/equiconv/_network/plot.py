# SPDX-License-Identifier: Apache-2.0
"""The graph of a network, drawn with Matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._checks.arguments import shape_text
from .explanation import Summary, kind_text
from .file import Document

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT = 0.84, 0.52  # of a box, where the next one is at a distance of 1


def draw(summary: Summary, document: Document, axes: Any = None) -> Any:
    """A box for each operation with the shape of its output, under those that it reads.

    Raises ModuleNotFoundError without Matplotlib.
    """
    places = _places(document)
    if axes is None:
        axes = _new_axes(places)
    given = document["input"]["name"]
    _box(axes, places[given], given, shape_text(summary.shape))
    for operation, (_, _, shape, *_) in zip(document["operations"], summary.rows, strict=True):
        detail = "folded" if shape is None else shape_text(shape)
        _box(axes, places[operation["output"]], f"{operation['name']}: {kind_text(operation)}", detail)
        for source in operation["inputs"]:
            _arrow(axes, places[source], places[operation["output"]])
    columns, rows = ([place[axis] for place in places.values()] for axis in (0, 1))
    axes.set(xlim=(min(columns) - 0.5, max(columns) + 0.5), ylim=(min(rows) - 0.5, max(rows) + 0.5))
    axes.set_title(summary.title)
    axes.set_axis_off()
    return axes


def _places(document: Document) -> dict[str, tuple[float, float]]:
    """Where the values are drawn: a row under all that they are made from, side by side in a row."""
    rows = {document["input"]["name"]: 0}
    for operation in document["operations"]:
        rows[operation["output"]] = 1 + max(rows[source] for source in operation["inputs"])
    places, taken = {}, dict.fromkeys(rows.values(), 0)
    for value, row in rows.items():
        places[value] = (float(taken[row]), -float(row))
        taken[row] += 1
    return places


def _new_axes(places: dict[str, tuple[float, float]]) -> Axes:
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("Network.plot needs Matplotlib: pip install matplotlib", name="matplotlib") from error
    columns, rows = (1 + max(abs(place[axis]) for place in places.values()) for axis in (0, 1))
    axes: Axes = pyplot.subplots(figsize=(4.2 * columns, 0.62 * rows + 0.6))[1]
    return axes


def _box(axes: Axes, place: tuple[float, float], text: str, detail: str) -> None:
    x, y = place
    axes.add_patch(_rectangle(x, y))
    axes.text(x, y + 0.11, text, ha="center", va="center", fontsize=8)
    axes.text(x, y - 0.13, detail, ha="center", va="center", fontsize=7, color="0.35")


def _rectangle(x: float, y: float) -> Any:
    from matplotlib.patches import FancyBboxPatch

    corner = (x - _WIDTH / 2, y - _HEIGHT / 2)
    style = "round,pad=0,rounding_size=0.06"
    return FancyBboxPatch(corner, _WIDTH, _HEIGHT, boxstyle=style, facecolor="0.95", edgecolor="0.5", linewidth=0.8)


def _arrow(axes: Axes, source: tuple[float, float], target: tuple[float, float]) -> None:
    start, end = (source[0], source[1] - _HEIGHT / 2), (target[0], target[1] + _HEIGHT / 2)
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "0.4", "linewidth": 0.8})

# SPDX-License-Identifier: Apache-2.0
"""The figure: a photograph, its feature maps over the fiber, the same for the turned photograph, the difference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equiconv as eq
import matplotlib as mpl
import numpy as np
from measure import same_bits
from network import Array, Network
from numpy.typing import NDArray

mpl.use("Agg")

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure

_DPI = 150
# Lengths in inches.
_WIDTH, _TITLE_HEIGHT, _HEADING_HEIGHT, _MARGIN, _SIDE, _TITLE_GAP = 10.0, 0.64, 0.58, 0.18, 1.6, 0.28
_INK, _QUIET, _PAPER = "#1d2330", "#667085", "#ffffff"
# One color for each element of H; they differ also without color vision.
_COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#6a4c93", "#8a8a00")
_STYLE: Any = {"font.family": "DejaVu Sans", "text.color": _INK, "axes.edgecolor": _INK, "figure.facecolor": _PAPER}
_TURN = 1
"""The element that turns the photograph in the figure: by +90 degrees, in C4 and D4 alike."""


@dataclass(frozen=True)
class Fiber:
    """Channel 0 of the first group convolution after its ReLU, for the photograph and for the turned one."""

    group: eq.PointGroup
    photo: NDArray[np.float32]
    maps: Array
    turned_maps: Array
    turned_back: Array

    @property
    def difference(self) -> NDArray[np.float64]:
        """Zero where turning before and after the layers gives the same."""
        return self.turned_back.astype(np.float64) - self.maps

    def origin(self, element: int) -> int:
        """The map of the photograph that the map `element` of the turned photograph is, turned: g^-1 h."""
        return int(self.group.cayley[self.group.inverses[_TURN], element])


def make_fiber(network: Network, group: eq.PointGroup, photo: NDArray[np.float32], x: Array) -> Fiber:
    """Runs the network up to the first group convolution on `x` and on the turned `x`."""
    first_layers = Network(network.layers[:2])
    maps = first_layers(x)[:, :1]
    turned_maps = first_layers(eq.act(x, group, _TURN))[:, :1]
    turned_back = eq.act(turned_maps, group, int(group.inverses[_TURN]))
    return Fiber(group, photo, maps[0, 0], turned_maps[0, 0], turned_back[0, 0])


def draw(fiber: Fiber, path: Path) -> None:
    """Writes the figure as a PNG image 1500 pixels wide."""
    heights = [_TITLE_HEIGHT, *[_band_height(fiber)] * 3]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, sum(heights)), dpi=_DPI)
        title, *bands = figure.subfigures(4, 1, height_ratios=heights, squeeze=False).flat
        _draw_title(title, fiber)
        _draw_maps(bands[0], fiber, turned=False)
        _draw_maps(bands[1], fiber, turned=True)
        _draw_difference(bands[2], fiber)
        figure.savefig(path)


def _draw_title(band: SubFigure, fiber: Fiber) -> None:
    what = "four turns" if fiber.group.order == 4 else "turns and mirror images"
    title = f"Turn the photograph, and its feature maps turn with it: {fiber.group.name}, {what}"
    text = (
        "One channel after lifting and group convolution. All its maps look for the same edge, each in another pose; "
        "together they are the fiber."
    )
    band.text(_MARGIN / _WIDTH, 1 - 0.15 / _TITLE_HEIGHT, title, fontsize=13, fontweight="bold", va="top")
    band.text(_MARGIN / _WIDTH, 1 - 0.41 / _TITLE_HEIGHT, text, fontsize=8.6, color=_QUIET, va="top")


def _maps_height(fiber: Fiber) -> float:
    return _SIDE + (_SIDE + _TITLE_GAP) * (fiber.group.order // 4 - 1)


def _band_height(fiber: Fiber) -> float:
    return _MARGIN + _maps_height(fiber) + _HEADING_HEIGHT


def _band_axes(band: SubFigure, fiber: Fiber, heading: str) -> tuple[Axes, list[Axes], Axes]:
    """Axes of a band, placed in inches: one at the left, the maps of the fiber in lines of four, the color bar."""
    height = _band_height(fiber)
    band.text(_MARGIN / _WIDTH, 1 - 0.08 / height, heading, fontsize=10.5, fontweight="bold", va="top")

    def place(left: float, bottom: float, width: float, tall: float) -> Axes:
        return band.add_axes((left / _WIDTH, bottom / height, width / _WIDTH, tall / height))

    top, middle = _MARGIN + _maps_height(fiber), _MARGIN + _maps_height(fiber) / 2
    left = place(_MARGIN, middle - _SIDE / 2, _SIDE, _SIDE)
    maps = [
        place(2.3 + 1.72 * (element % 4), top - _SIDE - (_SIDE + _TITLE_GAP) * (element // 4), _SIDE, _SIDE)
        for element in range(fiber.group.order)
    ]
    for axes in (left, *maps):
        axes.set_xticks([])
        axes.set_yticks([])
    return left, maps, place(9.22, middle - 0.72, 0.11, 1.44)


def _pose(element: int) -> str:
    turn = f"{90 * (element % 4)}°"
    return f"mirrored, {turn}" if element >= 4 else turn


def _frame(axes: Axes, title: str, color: str) -> None:
    axes.set_title(title, fontsize=8.2, pad=4, color=_INK)
    for spine in axes.spines.values():
        spine.set_color(color)
        spine.set_linewidth(2.6)


def _draw_maps(band: SubFigure, fiber: Fiber, turned: bool) -> None:
    if turned:
        heading = "2   The photograph turned by 90°, and its feature maps (frames: the map of row 1 each comes from)"
    else:
        heading = "1   The photograph, and its feature maps over the fiber (frames: one color for each pose)"
    photo, maps, bar = _band_axes(band, fiber, heading)
    photo.imshow(np.rot90(fiber.photo) if turned else fiber.photo)
    _frame(photo, "input, turned by 90°" if turned else "input", _INK)
    # The square root lifts the faint edges out of the dark.
    brightest = float(np.sqrt(np.quantile(fiber.maps, 0.995))) or 1.0
    shown = np.sqrt(fiber.turned_maps if turned else fiber.maps)
    scale = Normalize(0, brightest)
    for element, axes in enumerate(maps):
        origin = fiber.origin(element) if turned else element
        title = f"map {origin}, turned" if turned else f"map {element}:  {_pose(element)}"
        axes.imshow(shown[element], cmap="magma", norm=scale)
        _frame(axes, title, _COLORS[origin])
    color_bar = band.colorbar(ScalarMappable(scale, "magma"), cax=bar, ticks=[0, brightest])
    color_bar.ax.set_yticklabels(["none", "strong"], fontsize=8)


def _draw_difference(band: SubFigure, fiber: Fiber) -> None:
    heading = "3   The difference: row 2 turned back and shifted along the fiber, minus row 1"
    note, maps, bar = _band_axes(band, fiber, heading)
    # A scale on which one unit in the last place of the largest value would be the full color.
    unit = float(np.spacing(np.max(np.abs(fiber.maps))))
    limit = max(unit, float(np.max(np.abs(fiber.difference))))
    scale = Normalize(-limit, limit)
    for element, axes in enumerate(maps):
        largest = float(np.max(np.abs(fiber.difference[element])))
        equal = same_bits(fiber.turned_back[element], fiber.maps[element])
        axes.imshow(fiber.difference[element], cmap="coolwarm", norm=scale)
        text = "exactly 0" if equal else f"up to {largest:.1g}"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, fontsize=10, ha="center", va="center")
        _frame(axes, f"map {element}", _COLORS[element])
    color_bar = band.colorbar(ScalarMappable(scale, "coolwarm"), cax=bar, ticks=[-limit, 0, limit])
    color_bar.ax.set_yticklabels([f"-{limit:.0e}", "0", f"+{limit:.0e}"], fontsize=8)
    _draw_verdict(note, fiber, unit)


def _draw_verdict(axes: Axes, fiber: Fiber, unit: float) -> None:
    axes.set_axis_off()
    numbers = fiber.maps.size
    if same_bits(fiber.turned_back, fiber.maps):
        verdict, color = "equal to\nthe last bit", "#047857"
        detail = (
            f"all {numbers:,} numbers\nare the same float32\n\n"
            f"full color would be\n{unit:.0e}, the last bit of\nthe largest value"
        )
    else:
        differing = int(np.count_nonzero(fiber.turned_back.view(np.uint32) != fiber.maps.view(np.uint32)))
        verdict, color = "not equal", "#b42318"
        detail = f"{differing:,} of {numbers:,}\nnumbers differ"
    axes.text(0, 0.92, verdict, fontsize=13, fontweight="bold", color=color, va="top", transform=axes.transAxes)
    axes.text(0, 0.59, detail, fontsize=8.2, color=_QUIET, va="top", linespacing=1.3, transform=axes.transAxes)

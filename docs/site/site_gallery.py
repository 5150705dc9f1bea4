# SPDX-License-Identifier: Apache-2.0
"""The gallery: figures of all pages and chosen ones of notebooks, each with a link to its page and what drew it."""

from __future__ import annotations

import base64
import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

PICTURE = re.compile(r"!\[(?P<caption>[^\]]+)\]\((?P<target>[^)]+)\)")
PLACEHOLDER = re.compile(r"^(?P<margin> *)<!-- figure: (?P<name>[\w/-]+) -->$", re.MULTILINE)
MADE_BY = {
    "equivariance-C4.png": "make demo",
    "mitosis.png": "python -m equiconv.experiments.mitosis",
    "mitosis-orientation.png": "python -m equiconv.experiments.mitosis",
    "rotated-digits.png": "python -m equiconv.experiments.rotated_digits",
    "measured/equivariance.png": "make equivariance",
    "measured/experiments/nuclei.png": "python -m equiconv.experiments.nuclei",
    "measured/experiments/nuclei-confusion.png": "python -m equiconv.experiments.nuclei",
    "measured/experiments/rotated-mnist-examples.png": "python -m equiconv.experiments.rotated_mnist",
    "measured/experiments/slide-nuclei.png": "python -m equiconv.experiments.slide_nuclei",
    "measured/experiments/solar-cells.png": "python -m equiconv.experiments.solar_cells",
    "measured/experiments/uva-tutorial-angles.png": "python -m equiconv.experiments.uva_tutorial",
    "measured/peers/amd-epyc-family-25-model-17.png": "make bench-peers",
    "measured/peers/amd-epyc-family-26-model-2.png": "make bench-peers",
}
"""The command that draws a picture of a page."""
CHOSEN = (
    ("tour", "a-layer-code", 0, "A photograph and its edges in four orientations"),
    ("feature_maps", "l-g-computes-no-new-numbers-it-only-car-code", 0, "Quarter turns as permutation matrices"),
    ("feature_maps", "move-first-or-compute-first-code", 2, "Turn, compute, turn back: the difference is zero"),
    ("theorem", "dense", 0, "A fully connected layer and shifts have nothing to do with each other"),
    ("theorem", "first-plane", 0, "What is left of a layer that commutes with shifts, and with turns"),
    ("layers", "isotropic-convolution-plane-to-plane-code", 0, "Pixels that must share a weight"),
    ("layers", "one-edge-detector-gives-four-maps-brigh-code", 0, "An edge detector, lifted"),
    ("layers", "group-convolution-group-to-group-code", 1, "Corners, from the relation of orientations"),
    ("layers", "projection-group-to-plane-code", 1, "Orientations forgotten"),
    ("architecture", "steps-that-may-stand-between-the-layers-code", 0, "A photograph on its way through a network"),
    ("architecture", "training-does-not-undo-it-code", 0, "Training does not undo equivariance"),
    ("mitosis", "the-cells-code", 0, "Drawn cells, normal and dividing"),
    ("mitosis", "how-good-are-they-code", 0, "Two networks with as many weights"),
    ("mitosis", "turned-cells-code", 0, "How much an answer changes with the angle"),
    ("mitosis", "what-the-fiber-knows-code", 0, "A turned cell moves along the fiber"),
    ("first_steps", "c8", 0, "Eight orientations"),
    ("first_steps", "angles", 0, "Between the angles of the group"),
    ("first_steps", "stride", 0, "The trap that a stride can be"),
    ("looking_inside", "turned", 1, "One kernel, turned and mirrored by D4"),
    ("looking_inside", "between", 0, "Kernels between the taps"),
    ("looking_inside", "cayley", 0, "Cayley tables"),
    ("looking_inside", "rows", 0, "One row is one output"),
    ("looking_inside", "cube", 0, "The 24 rotations of a cube"),
    ("training", "angles", 0, "Accuracy when the digits are turned"),
)
"""Figures of notebooks: the notebook, the cell, the number of the figure among its outputs, and what it shows."""


@dataclass(frozen=True)
class Figure:
    """A picture of the gallery: its place on the site, what it shows, and where it is from."""

    place: str
    caption: str
    page: str
    maker: str


def of_pages(texts: Mapping[str, str]) -> Iterator[Figure]:
    """The pictures of all pages of Markdown.

    Raises:
        ValueError: a picture without a command that draws it.
    """
    for page, text in sorted(texts.items()):
        for picture in PICTURE.finditer(text) if page.endswith(".md") else ():
            place = posixpath.normpath(posixpath.join(posixpath.dirname(page), picture["target"]))
            if place not in MADE_BY:
                raise ValueError(f"{page} shows {place}, and the gallery has no command that draws it")
            yield Figure(place, " ".join(picture["caption"].split()), page, f"`{MADE_BY[place]}`")


def of_notebooks(texts: Mapping[str, str]) -> Iterator[tuple[Figure, bytes]]:
    """The chosen figures of notebooks that have been run, as PNG.

    Raises:
        ValueError: a notebook that was run has not the chosen figure.
    """
    for name, cell, number, caption in CHOSEN:
        page = f"notebooks/{name}.ipynb"
        cells = {each["id"]: each for each in json.loads(texts[page])["cells"]}
        if not any(each.get("outputs") for each in cells.values()):
            continue
        outputs = cells.get(cell, {}).get("outputs", ())
        pictures = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
        if len(pictures) <= number:
            raise ValueError(f"{page} has no figure {number} of the cell {cell!r}, which the gallery shows")
        figure = Figure(f"gallery/{name}-{cell}-{number}.png", caption, page, f"the notebook `{name}`")
        yield figure, base64.b64decode(pictures[number])


def card(figure: Figure) -> str:
    """A picture with its caption, which leads to its page."""
    options = {
        "link": figure.page.rsplit(".", 1)[0],
        "link-type": "doc",
        "img-top": figure.place,
        "img-alt": figure.caption,
        "class-card": "figure",
    }
    lines = [f":{name}: {value}" for name, value in options.items()]
    footer = [":::{card-footer}", f"Drawn by {figure.maker}", ":::"]
    return "\n".join(["::::{grid-item-card}", *lines, "", figure.caption, "", *footer, "::::", ""])


def gallery(texts: Mapping[str, str]) -> tuple[str, dict[str, bytes]]:
    """The cards of all figures, and the pictures of notebooks by their places."""
    drawn = dict(of_notebooks(texts))
    cards = [card(figure) for figure in (*drawn, *of_pages(texts))]
    grid = "\n".join([":::::{grid} 1 2 3 3", ":gutter: 3", "", *cards, ":::::"])
    return grid, {figure.place: picture for figure, picture in drawn.items()}


def with_figures(text: str, places: Iterable[str]) -> str:
    """A page whose lines ``<!-- figure: notebook-cell-number -->`` are figures of the gallery, where it has them.

    Raises:
        ValueError: a figure that is none of the chosen ones.
    """
    chosen = {f"{name}-{cell}-{number}": caption for name, cell, number, caption in CHOSEN}
    shown = set(places)

    def figure(line: re.Match[str]) -> str:
        name = line["name"]
        if name not in chosen:
            raise ValueError(f"a page shows the figure {name}, which is not in the gallery")
        if f"gallery/{name}.png" not in shown:
            return ""
        lines = [f"```{{image}} gallery/{name}.png", f":alt: {chosen[name]}", ":class: thumbnail", "```"]
        return "\n".join(line["margin"] + each for each in lines)

    return PLACEHOLDER.sub(figure, text)

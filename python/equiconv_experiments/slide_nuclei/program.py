# SPDX-License-Identifier: Apache-2.0
"""Nuclei found in an image by networks that were trained on another: plain and C4 U-Nets of as many parameters.

    python -m equiconv.experiments.slide_nuclei [--quick] [--output-dir DIR]
    python -m equiconv.experiments.slide_nuclei --slide SLIDE --points POINTS.geojson

Networks learn where nuclei are in an image of ovarian carcinoma, and find them in an image of the stroma, tile by tile
as on a whole slide. Both images are in the package histolytics; the outlines of the second need pyarrow:

    pip install "equiconv[experiments,slides]" pyarrow
    pip install --no-deps histolytics

Writes metrics.json, figures, networks, maps of scores (OME-Zarr), detections for QuPath (GeoJSON), and a checkpoint
after each epoch: the same command resumes a run that was killed, and ends with the same numbers to the last bit. Exit
status: 0, or 2 if the command line or the data is wrong, or the folder has other results.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from equiconv.slides import read_geojson
from numpy.typing import NDArray

from ..common.exactness import bits_text, sum_of_bits
from ..common.options import add_options, check_options, parser_of
from ..common.packages import data_name
from ..common.program import Metrics, Program, run_program
from ..common.statistics import spread, spread_text
from ..common.storage import RefusedError
from ..common.training import Recipe, Run
from ..data.outlines import outline_centers
from ..data.tissue import folder, load
from .crops import Image
from .figures import draw_all
from .runs import APART, BATCH, CROP, DISTANCE, NETWORKS, RATES, STEP, NucleusSetting

__all__ = ["main", "summarize"]

SLIDE, OUTLINES = "hgsc_stromal_he.jpg", "hgsc_stromal_cells.parquet"
MEASURES = ("precision", "recall", "f1", "average_precision", "froc")
CROPS, QUICK_CROPS = 96, 16
VALID_SHARE = 5
"""One in so many columns is for the threshold: the last ones."""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked."""
    parser = parser_of("slide_nuclei", __doc__)
    add_options(parser, NETWORKS, "cnn,c4", "slide-nuclei-output", epochs=30)
    parser.add_argument("--data", type=Path, help="folder with the files of histolytics; the installed package's")
    parser.add_argument(
        "--slide", type=Path, help="the image to search, such as a slide; histolytics' stroma by default"
    )
    parser.add_argument("--points", type=Path, help="its nuclei, as GeoJSON of QuPath: points or outlines")
    options = parser.parse_args(arguments)
    check_options(parser, options, NETWORKS)
    if (options.slide is None) != (options.points is None):
        parser.error("--slide and --points are given one without the other, expected both or none")
    return options


def make_setting(options: argparse.Namespace) -> NucleusSetting:
    """Data and recipe. Raises RefusedError."""
    path = folder(options.data)
    tissue = load(path)
    # Whole pixels there, and their middles here.
    image = Image(np.ascontiguousarray(tissue.image.transpose(2, 0, 1)), tissue.centers.astype(np.float64) + 0.5)
    rows, columns = image.colors.shape[1:]
    border = (columns - columns // VALID_SHARE) // STEP * STEP
    if rows % STEP or columns % STEP or min(rows, border) < CROP:
        raise RefusedError(
            f"the image to train on has {rows} x {columns} pixels, expected multiples of {STEP}, with at least "
            f"{CROP} rows, and {CROP} columns without the last one in {VALID_SHARE}"
        )
    valid = image.columns(border, columns)
    if len(valid.centers) == 0:
        raise RefusedError(f"the image to train on has no nuclei from column {border} on, which the threshold needs")
    return NucleusSetting(
        train=image.columns(0, border),
        valid=valid,
        slide=options.slide or path / SLIDE,
        truth=_truth(path / OUTLINES if options.points is None else options.points),
        recipe=Recipe(options.epochs, batch_size=BATCH, device=options.device),
        crops=QUICK_CROPS if options.quick else CROPS,
    )


def _truth(path: Path) -> NDArray[np.float64]:
    """Middles of nuclei. Raises RefusedError."""
    if path.suffix == ".parquet":
        points = outline_centers(path)
    else:
        try:
            points = read_geojson(path).positions
        except (OSError, ValueError) as error:
            raise RefusedError(f"--points is {path}, which cannot be read: {error}") from error
    if len(points) == 0:
        raise RefusedError(f"{path} has no nuclei, expected some to compare with")
    return points


def describe(options: argparse.Namespace, setting: NucleusSetting) -> dict[str, Any]:
    """What the numbers depend on besides what all experiments have."""
    given = {"slide": options.slide, "points": options.points}
    parts = {"train": setting.train.centers, "valid": setting.valid.centers, "test": setting.truth}
    return {
        "data": data_name(options.data, "histolytics"),
        **{name: None if path is None else str(path.resolve()) for name, path in given.items()},
        "crop": CROP,
        "crops": setting.crops,
        "nuclei": {name: len(points) for name, points in parts.items()},
        "least_distance": APART,
        "matching_distance": DISTANCE,
        "false_positives_per_million_pixels": list(RATES),
    }


def all_runs(config: dict[str, Any], setting: NucleusSetting) -> list[Run]:
    """Every network with every seed."""
    return [Run(network, seed, setting.crops) for seed in config["seeds"] for network in config["networks"]]


def facts(setting: NucleusSetting) -> dict[str, Any]:
    """What the metrics say of the data."""
    return {
        "data": f"Trained on ovarian carcinoma (histolytics, BSD 3-Clause), tested on {setting.slide.name}",
        "synthetic": False,
    }


def summarize(
    entries: Sequence[dict[str, Any]], config: dict[str, Any], _setting: NucleusSetting | None = None
) -> list[dict[str, Any]]:
    """Means and deviations over seeds, for each network."""
    rows = []
    for network in config["networks"]:
        ones = [entry for entry in entries if entry["network"] == network]
        found = [entry["results"] for entry in ones]
        row = {"network": network, "parameters": ones[0]["parameters"]}
        rows.append(row | {key: spread([one[key] for one in found]) for key in MEASURES} | sum_of_bits(found))
    return rows


def table(metrics: Metrics) -> str:
    """The main results as text, in percent."""
    titles = ("precision, %", "recall, %", "F1, %", "AP, %", "FROC, %")
    heads = "".join(f"{title:>14}" for title in titles)
    lines = [f"data: {metrics['data']}", f"{'network':12}{'parameters':>11}{heads}   bits under quarter turns"]
    for row in metrics["summary"]:
        cells = "".join(f"{spread_text(row[key]):>14}" for key in MEASURES)
        lines.append(f"{NETWORKS[row['network']].label:12}{row['parameters']:11}{cells}   {bits_text(row)}")
    rates = ", ".join(f"{rate:g}" for rate in RATES)
    return "\n".join([*lines, f"FROC: mean sensitivity at {rates} false positives per million pixels"])


PROGRAM = Program("slide_nuclei", NETWORKS, make_setting, describe, all_runs, facts, summarize, draw_all, table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the experiment; returns the exit status."""
    return run_program(PROGRAM, parse(arguments))

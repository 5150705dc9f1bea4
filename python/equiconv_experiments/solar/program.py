# SPDX-License-Identifier: Apache-2.0
"""Defective solar cells: a plain CNN, with and without turned training images, beside a D4 network.

    python -m equiconv.experiments.solar_cells [--quick] [--output-dir DIR]

The data are 2,624 electroluminescence images of the package elpv-dataset (CC BY-NC-SA 4.0), which you install:

    pip install elpv-dataset

All networks have as many parameters. Writes metrics.json, figures, and a checkpoint after each epoch: the same command
resumes a run that was killed, and ends with the same numbers to the last bit. Exit status: 0, or 2 if the command line
or the data is wrong, or the folder has other results.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..common.augmentation import with_augmentation
from ..common.classification import runs
from ..common.comparison import Comparison, Scale
from ..common.comparison_figures import draw_comparison
from ..common.comparison_tables import lines_of_table, summary
from ..common.networks import family
from ..common.options import add_options, check_options, parser_of
from ..common.packages import data_name
from ..common.program import Metrics, Program, run_program
from ..common.training import Recipe, Run
from .cells import folder, load

__all__ = ["PUBLISHED", "SOLAR_NETWORKS", "main"]

SOLAR_NETWORKS = with_augmentation(
    family(
        {"cnn": (16, 32, 46), "c4": (8, 16, 24), "d4": (6, 12, 16)},
        kernels=(7, 3, 3),
        paddings=(0, 0),
        pools=(3, 3),
    )
)
"""For images of 75 x 75 pixels: maps of 69, 23, 21, 7 and 5 rows; other sizes 9 m + 12 from 39 on will do."""
LEAST_SIZE, SIZE = 39, 75
SIZES, QUICK_SIZES, QUICK_LIMIT = (125, 500), (30,), 80
# Near the mean and deviation of the gray values of such images; nothing is learned from test images.
SCALE = Scale(0.56, 0.18)
CLASSES = ("functional", "defective")
PUBLISHED = {
    "what": "the same data, 1,968 cells of 300 x 300 pixels to train, 656 to test; a VGG-19 that had learned ImageNet",
    "source": "Deitsch and others, Solar Energy 185 (2019), 455-468",
    "accuracy": {"cnn": 0.8842, "svm": 0.8244},
}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked."""
    parser = parser_of("solar_cells", __doc__)
    add_options(parser, SOLAR_NETWORKS, "cnn,cnn-augmented,d4", "solar-cells-output", epochs=12)
    parser.add_argument("--data", type=Path, help="folder with labels.csv of the data set; the installed package's")
    parser.add_argument(
        "--size", type=int, default=SIZE, help=f"rows that images are reduced to, 9 m + 12; {SIZE} by default"
    )
    options = parser.parse_args(arguments)
    check_options(parser, options, SOLAR_NETWORKS)
    if options.size < LEAST_SIZE or options.size % 9 != 3:
        # The windows of both pools then fill their maps, and turned images have turned maxima.
        parser.error(f"--size is {options.size}, expected 9 m + 12, such as {LEAST_SIZE}, 48, 66 and {SIZE}")
    return options


def make_setting(options: argparse.Namespace) -> Comparison:
    """Data and recipe. Raises RefusedError."""
    cells = load(folder(options.data), options.size, QUICK_LIMIT if options.quick else None)
    parts = cells.parts()
    most = len(parts[0])
    return Comparison(
        networks=SOLAR_NETWORKS,
        recipe=Recipe(options.epochs, device=options.device),
        sizes=(*(size for size in (QUICK_SIZES if options.quick else SIZES) if size < most), most),
        classes=CLASSES,
        parts=lambda _seed: parts,
        scale=SCALE,
        about=f"Electroluminescence images of solar cells, means over blocks, {options.size} x {options.size} pixels",
        backend="torch",
    )


def describe(options: argparse.Namespace, setting: Comparison) -> dict[str, Any]:
    """What the numbers depend on besides what all experiments have."""
    return {
        "data": data_name(options.data, "elpv-dataset"),
        "size": options.size,
        "train_sizes": list(setting.sizes),
        "test_size": len(setting.parts(0)[1]),
    }


def all_runs(config: dict[str, Any], _setting: Comparison) -> list[Run]:
    """Every network with every seed on every number of training images."""
    return runs(config["networks"], config["seeds"], config["train_sizes"])


def facts(setting: Comparison) -> dict[str, Any]:
    """What the metrics say of the data."""
    return {
        "data": f"ELPV (CC BY-NC-SA 4.0). {setting.about}; defective where the probability is over one half",
        "synthetic": False,
        "classes": list(setting.classes),
        "published": PUBLISHED,
    }


def summarize(entries: Sequence[dict[str, Any]], config: dict[str, Any], _setting: Comparison) -> list[dict[str, Any]]:
    """Means and deviations over seeds, for each network and number of training images."""
    return summary(entries, config["networks"], config["train_sizes"])


def draw_all(metrics: Metrics, setting: Comparison, path: Path) -> None:
    """Draws every figure into a folder."""
    draw_comparison(metrics, setting, path, "Defective solar cells", "cells")


def table(metrics: Metrics) -> str:
    """The main results as text: accuracies in percent."""
    published = PUBLISHED["accuracy"]
    assert isinstance(published, dict)
    return "\n".join(
        [
            f"data: {metrics['data']}",
            *lines_of_table(metrics["summary"], SOLAR_NETWORKS),
            f"published ({PUBLISHED['what']}): CNN {100 * published['cnn']:.2f} %, SVM {100 * published['svm']:.2f} %",
        ]
    )


PROGRAM = Program("solar_cells", SOLAR_NETWORKS, make_setting, describe, all_runs, facts, summarize, draw_all, table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the experiment; returns the exit status."""
    return run_program(PROGRAM, parse(arguments))

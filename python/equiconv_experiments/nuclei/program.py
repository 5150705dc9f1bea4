# SPDX-License-Identifier: Apache-2.0
"""Types of nuclei in real tissue: plain CNNs beside C4 and D4 networks of as many parameters.

    python -m equiconv.experiments.nuclei [--quick] [--task background] [--output-dir DIR]

The data is an image of an ovarian carcinoma with 1,294 outlined nuclei, which the package histolytics brings:

    pip install --no-deps histolytics

The types are those of its authors' segmentation network. Patches about nuclei are split by region: no pixel of a test
patch is in a training patch. Three seeds test all regions, each its own. Writes metrics.json, figures, and a checkpoint
after each epoch: the same command resumes a run that was killed, and ends with the same numbers to the last bit. Exit
status: 0, or 2 if the command line or the data is wrong, or the folder has other results.
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
from ..common.networks import CELL_NETWORKS
from ..common.options import add_options, check_options, parser_of
from ..common.packages import data_name
from ..common.program import Metrics, Program, run_program
from ..common.training import Recipe, Run
from ..data.tissue import folder, load
from .regions import FOLDS, TASKS, TILE, Regions

__all__ = ["NUCLEUS_NETWORKS", "main"]

NUCLEUS_NETWORKS = with_augmentation(CELL_NETWORKS)
"""For patches of 40 x 40 pixels: maps of 36, 18, 14, 7 and 3 rows."""
LEAST_SIZE, SIZE = 32, 40
SIZES, QUICK_SIZES, QUICK_LIMIT = (100, 250), (30,), 240
# Near the mean and deviation of the colors of such images; nothing is learned from test images.
SCALE = Scale(0.55, 0.22)
WHAT = {
    "types": "types of nuclei, as the package's segmentation network has them",
    "background": "nuclei against places without one",
}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked."""
    parser = parser_of("nuclei", __doc__)
    add_options(parser, NUCLEUS_NETWORKS, "cnn,cnn-augmented,c4,d4", "nuclei-output", epochs=20)
    parser.add_argument("--data", type=Path, help="folder with the files of histolytics; the installed package's")
    parser.add_argument("--task", choices=list(TASKS), default="types", help="what to tell apart; types by default")
    parser.add_argument("--size", type=int, default=SIZE, help=f"rows of a patch, a multiple of 4; {SIZE} by default")
    options = parser.parse_args(arguments)
    check_options(parser, options, NUCLEUS_NETWORKS)
    if not LEAST_SIZE <= options.size <= TILE or options.size % 4:
        parser.error(f"--size is {options.size}, expected a multiple of 4 from {LEAST_SIZE} to {TILE}")
    return options


def make_setting(options: argparse.Namespace) -> Comparison:
    """Data and recipe. Raises RefusedError."""
    limit = QUICK_LIMIT if options.quick else None
    regions = Regions(load(folder(options.data)), options.task, options.size, limit)
    most = regions.train_size()
    return Comparison(
        networks=NUCLEUS_NETWORKS,
        recipe=Recipe(options.epochs, device=options.device),
        sizes=(*(size for size in (QUICK_SIZES if options.quick else SIZES) if size < most), most),
        classes=TASKS[options.task],
        parts=regions.parts,
        scale=SCALE,
        about=f"Patches of {options.size} x {options.size} pixels of ovarian carcinoma, {WHAT[options.task]}",
    )


def describe(options: argparse.Namespace, setting: Comparison) -> dict[str, Any]:
    """What the numbers depend on besides what all experiments have."""
    return {
        "data": data_name(options.data, "histolytics"),
        "task": options.task,
        "size": options.size,
        "train_sizes": list(setting.sizes),
        "test_sizes": [len(setting.parts(fold)[1]) for fold in range(FOLDS)],
    }


def all_runs(config: dict[str, Any], _setting: Comparison) -> list[Run]:
    """Every network with every seed on every number of training images."""
    return runs(config["networks"], config["seeds"], config["train_sizes"])


def facts(setting: Comparison) -> dict[str, Any]:
    """What the metrics say of the data."""
    return {
        "data": f"{setting.about}; split by region, {FOLDS} folds of tiles of {TILE} pixels",
        "synthetic": False,
        "classes": list(setting.classes),
    }


def summarize(entries: Sequence[dict[str, Any]], config: dict[str, Any], _setting: Comparison) -> list[dict[str, Any]]:
    """Means and deviations over seeds, for each network and number of training images."""
    return summary(entries, config["networks"], config["train_sizes"])


def draw_all(metrics: Metrics, setting: Comparison, path: Path) -> None:
    """Draws every figure into a folder."""
    draw_comparison(metrics, setting, path, "Nuclei in tissue, split by region", "patches")


def table(metrics: Metrics) -> str:
    """The main results as text: accuracies in percent."""
    return "\n".join([f"data: {metrics['data']}", *lines_of_table(metrics["summary"], NUCLEUS_NETWORKS)])


PROGRAM = Program("nuclei", NUCLEUS_NETWORKS, make_setting, describe, all_runs, facts, summarize, draw_all, table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the experiment; returns the exit status."""
    return run_program(PROGRAM, parse(arguments))

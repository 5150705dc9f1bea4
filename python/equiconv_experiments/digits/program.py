# SPDX-License-Identifier: Apache-2.0
"""Trained on upright digits, tested on turned ones: a plain CNN beside C4, C8 and D4 networks of as many parameters.

    python -m equiconv.experiments.rotated_digits [--quick] [--output-dir DIR]

The data are scikit-learn's handwritten digits, enlarged to 16 x 16 pixels. A test digit is never seen in training, at
any angle. Writes metrics.json, figures, and a checkpoint after each epoch: the same command resumes a run that was
killed, and ends with the same numbers to the last bit. Exit status: 0, or 2 if the command line is wrong or the folder
has other results.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..common.exactness import bits_text, sum_of_bits
from ..common.networks import DIGIT_NETWORKS
from ..common.options import add_options, check_options, parser_of
from ..common.program import Metrics, Program, run_program
from ..common.statistics import spread, spread_text
from ..common.training import Recipe, Run
from .figures import draw_all
from .runs import Setting, runs

__all__ = ["PUBLISHED", "main"]

PUBLISHED = {
    "what": "MNIST, trained on upright digits, tested on turned ones; about 103,000 parameters",
    "source": "University of Amsterdam, deep learning tutorials, regular group convolutions",
    "accuracy": {"cnn": 0.4735, "c4": 0.9070},
}
QUICK_SIZES, SIZES = (60,), (100, 300)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked."""
    parser = parser_of("rotated_digits", __doc__)
    add_options(parser, DIGIT_NETWORKS, "all", "rotated-digits-output", epochs=6)
    options = parser.parse_args(arguments)
    check_options(parser, options, DIGIT_NETWORKS)
    return options


def make_setting(options: argparse.Namespace) -> Setting:
    """Data and recipe."""
    recipe = Recipe(epochs=options.epochs, device=options.device)
    if options.quick:
        return Setting(recipe, turns=1, angles=(0.0, 45.0, 90.0, 180.0, 270.0), train_limit=200, test_limit=60)
    return Setting(recipe)


def describe(options: argparse.Namespace, setting: Setting) -> dict[str, Any]:
    """What the numbers depend on besides what all experiments have."""
    return {
        "train_sizes": [*(QUICK_SIZES if options.quick else SIZES), len(setting.parts[0])],
        "angles": list(setting.angles),
        "turns": setting.turns,
        "test_digits": len(setting.parts[1]),
    }


def all_runs(config: dict[str, Any], _setting: Setting) -> list[Run]:
    """Every network with every seed on every number of training images."""
    return runs(config["networks"], config["seeds"], config["train_sizes"])


def facts(_setting: Setting) -> dict[str, Any]:
    """What the metrics say of the data."""
    return {
        "data": "scikit-learn's load_digits: 1797 real handwritten digits, 1347 for training and 450 for tests",
        "synthetic": False,
        "published": PUBLISHED,
    }


def summarize(entries: Sequence[dict[str, Any]], config: dict[str, Any], _setting: Setting) -> list[dict[str, Any]]:
    """Means and deviations over seeds, for each network and number of training images."""
    rows = []
    for size in config["train_sizes"]:
        for network in config["networks"]:
            group = [entry for entry in entries if (entry["network"], entry["train_size"]) == (network, size)]
            found = [entry["results"] for entry in group]
            row = {
                "network": network,
                "train_size": size,
                "parameters": group[0]["parameters"],
                "upright_accuracy": spread([one["upright_accuracy"] for one in found]),
                "turned_accuracy": spread([one["turned_accuracy"] for one in found]),
                "turned_6_9_confused": spread([_confused(one["turned_confusion"], 6, 9) for one in found]),
                "upright_6_9_confused": spread([_confused(one["upright_confusion"], 6, 9) for one in found]),
                "upright_2_5_confused": spread([_confused(one["upright_confusion"], 2, 5) for one in found]),
            }
            if "accuracy_by_angle" in found[0]:
                curves = np.array([one["accuracy_by_angle"] for one in found])
                row["accuracy_by_angle"] = [spread(list(values)) for values in curves.T.tolist()]
                row |= sum_of_bits(found)
            rows.append(row)
    return rows


def _confused(confusion: list[list[int]], first: int, second: int) -> float:
    """The share of images of two digits that was taken for the other of them."""
    matrix = np.array(confusion)
    both = matrix[[first, second]].sum()
    return float((matrix[first, second] + matrix[second, first]) / both) if both else 0.0


def table(metrics: Metrics) -> str:
    """The main results as text: accuracies in percent."""
    largest = max(metrics["config"]["train_sizes"])
    lines = [
        f"{'network':12}{'parameters':>11}{'upright, %':>15}{'turned, %':>15}{'6 and 9, %':>15}"
        "   bits under quarter turns",
    ]
    for row in metrics["summary"]:
        if row["train_size"] != largest:
            continue
        lines.append(
            f"{DIGIT_NETWORKS[row['network']].label:12}{row['parameters']:11}{spread_text(row['upright_accuracy']):>15}"
            f"{spread_text(row['turned_accuracy']):>15}{spread_text(row['turned_6_9_confused']):>15}   {bits_text(row)}"
        )
    published = PUBLISHED["accuracy"]
    assert isinstance(published, dict)
    lines += [
        "mean ± sample deviation over seeds; '6 and 9': turned sixes and nines taken for each other; D4: and mirrors",
        f"published analogue ({PUBLISHED['what']}): turned CNN {100 * published['cnn']:.2f} %, C4 G-CNN "
        f"{100 * published['c4']:.2f} %",
    ]
    return "\n".join(lines)


PROGRAM = Program("rotated_digits", DIGIT_NETWORKS, make_setting, describe, all_runs, facts, summarize, draw_all, table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the experiment; returns the exit status."""
    return run_program(PROGRAM, parse(arguments))

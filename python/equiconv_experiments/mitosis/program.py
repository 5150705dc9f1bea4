# SPDX-License-Identifier: Apache-2.0
"""Normal against mitotic cells: a plain CNN beside group networks of as many parameters.

    python -m equiconv.experiments.mitosis [--quick] [--output-dir DIR]      SYNTHETIC patches, drawn by a generator
    python -m equiconv.experiments.mitosis --data PATH                       your own patches

PATH is a folder with PatchCamelyon's files camelyonpatch_level_2_split_{train,valid,test}_{x,y}.h5, or with images
{train,valid,test}/{normal,mitotic}/*.png; other names of classes with --positive NAME. The threshold of F1 is chosen on
the validation part. Writes metrics.json, figures, and a checkpoint after each epoch: the same command resumes a run
that was killed, and ends with the same numbers to the last bit. Exit status: 0, or 2 if the command line or the data is
wrong, or the folder has other results.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..common.exactness import bits_text, sum_of_bits
from ..common.networks import CELL_NETWORKS
from ..common.options import add_options, check_options, parser_of
from ..common.program import Metrics, Program, run_program
from ..common.statistics import spread, spread_text
from ..common.training import Recipe, Run
from .figures import draw_all
from .patches import LEAST_SIZE, Cells, load_folder, synthetic
from .runs import CellSetting, prediction
from .scores import intervals

__all__ = ["main"]

COUNTS, QUICK_COUNTS = (600, 300, 600), (64, 40, 40)
QUICK_LIMIT = 64


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked."""
    parser = parser_of("mitosis", __doc__)
    add_options(parser, CELL_NETWORKS, "cnn,c4", "mitosis-output", epochs=8)
    parser.add_argument("--data", type=Path, help="folder of real patches; synthetic ones unless given")
    parser.add_argument("--positive", help="the positive class of a folder of images; mitotic by default")
    parser.add_argument("--limit", type=int, help="the most images of each part of --data, drawn at random")
    parser.add_argument("--size", type=int, help="cut --data to squares of this size from the middle, a multiple of 4")
    options = parser.parse_args(arguments)
    check_options(parser, options, CELL_NETWORKS)
    if options.data is None:
        for name in ("positive", "limit", "size"):
            if getattr(options, name) is not None:
                parser.error(f"--{name} is {getattr(options, name)}, expected --data with it")
    if options.limit is not None and options.limit < 4:
        parser.error(f"--limit is {options.limit}, expected 4 or more")
    if options.size is not None and (options.size < LEAST_SIZE or options.size % 4):
        parser.error(f"--size is {options.size}, expected a multiple of 4 from {LEAST_SIZE} on")
    return options


def load(options: argparse.Namespace) -> Cells:
    """The data. Raises RefusedError."""
    if options.data is None:
        return synthetic(QUICK_COUNTS if options.quick else COUNTS)
    limit = QUICK_LIMIT if options.quick and options.limit is None else options.limit
    return load_folder(options.data, options.positive, limit, options.size)


def make_setting(options: argparse.Namespace) -> CellSetting:
    """Data and recipe. Raises RefusedError."""
    recipe = Recipe(epochs=options.epochs, device=options.device)
    if options.quick:
        return CellSetting(load(options), recipe, resamples=100, turned_count=10, angles=(0.0, 45.0, 90.0, 180.0))
    return CellSetting(load(options), recipe)


def describe(_options: argparse.Namespace, setting: CellSetting) -> dict[str, Any]:
    """What the numbers depend on besides what all experiments have."""
    return {
        "data": setting.cells.identity,
        "resamples": setting.resamples,
        "angles": list(setting.angles),
        "turned_images": setting.turned_count,
    }


def all_runs(config: dict[str, Any], setting: CellSetting) -> list[Run]:
    """Every network with every seed."""
    count = len(setting.cells.train)
    return [Run(network, seed, count) for seed in config["seeds"] for network in config["networks"]]


def facts(setting: CellSetting) -> dict[str, Any]:
    """What the metrics say of the data."""
    cells = setting.cells
    return {"data": cells.description, "synthetic": cells.synthetic, "test_labels": cells.test.labels.tolist()}


def summarize(entries: Sequence[dict[str, Any]], config: dict[str, Any], setting: CellSetting) -> list[dict[str, Any]]:
    """For each network: spreads over seeds, and intervals over test images of the means over seeds."""
    names = config["networks"]
    of = {name: [entry for entry in entries if entry["network"] == name] for name in names}
    found = intervals(
        setting.cells.test.labels,
        {name: [prediction(entry) for entry in of[name]] for name in names},
        setting.resamples,
    )
    rows = []
    for name in names:
        results = [entry["results"] for entry in of[name]]
        row = {
            "network": name,
            "parameters": of[name][0]["parameters"],
            "over_seeds": {key: spread([one[key] for one in results]) for key in ("f1", "auc")},
            **found[name],
            **sum_of_bits(results),
        }
        rows.append(row)
    return rows


def _interval_text(interval: dict[str, float]) -> str:
    return f"{interval['value']:.3f} [{interval['low']:.3f}, {interval['high']:.3f}]"


def table(metrics: Metrics) -> str:
    """The main results as text."""
    summary = metrics["summary"]
    lines = [
        f"data: {metrics['data']}",
        f"{'network':12}{'parameters':>11}   {'F1':14} {'95 % interval':24}{'AUC':14} {'95 % interval':24}"
        "bits under quarter turns",
    ]
    for row in summary:
        seeds, images = row["over_seeds"], row["over_images"]
        cells = "".join(f"{spread_text(seeds[key], 1, 3):14} {_interval_text(images[key]):24}" for key in ("f1", "auc"))
        lines.append(f"{CELL_NETWORKS[row['network']].label:12}{row['parameters']:11}   {cells}{bits_text(row)}")
    for row in summary[1:]:
        difference = _interval_text(row["minus_first"]["f1"])
        first = CELL_NETWORKS[summary[0]["network"]].label
        lines.append(f"F1 of {CELL_NETWORKS[row['network']].label} minus that of {first}: {difference}")
    lines.append("mean ± sample deviation over seeds; intervals: stratified bootstrap of test images; D4: and mirrors")
    return "\n".join(lines)


PROGRAM = Program("mitosis", CELL_NETWORKS, make_setting, describe, all_runs, facts, summarize, draw_all, table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the experiment; returns the exit status."""
    return run_program(PROGRAM, parse(arguments))

# SPDX-License-Identifier: Apache-2.0
"""What the runs of a comparison say together: spreads over seeds, intervals over test images, and the main table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .exactness import bits_text, sum_of_bits
from .networks import Architecture
from .statistics import interval_of_mean, spread, spread_text

__all__ = ["lines_of_table", "summary"]

Entry: TypeAlias = Mapping[str, Any]
MEASURES = ("accuracy", "balanced_accuracy", "macro_f1")


def summary(entries: Sequence[Entry], networks: Sequence[str], sizes: Sequence[int]) -> list[dict[str, Any]]:
    """A row for each number of training images and network.

    Rows have spreads over seeds, and ``minus``: for each network before this one the difference of accuracies on the
    same test images, with the 95 % interval of a bootstrap of those images.

    Args:
        entries: of all runs.
        networks: their names, in the order of the rows.
        sizes: numbers of training images; bits are compared for the last.
    """
    rows = []
    for size in sizes:
        of = {
            name: [entry for entry in entries if (entry["network"], entry["train_size"]) == (name, size)]
            for name in networks
        }
        hits = {name: _hits(ones) for name, ones in of.items()}
        for place, name in enumerate(networks):
            found = [entry["results"] for entry in of[name]]
            row = {
                "network": name,
                "train_size": size,
                "parameters": of[name][0]["parameters"],
                **{key: spread([one[key] for one in found]) for key in MEASURES},
                "accuracy_of": {
                    key: spread([one["accuracy_of"][key] for one in found]) for key in found[0]["accuracy_of"]
                },
                "minus": {other: interval_of_mean(hits[name] - hits[other]) for other in networks[:place]},
            }
            rows.append(row | (sum_of_bits(found) if size == sizes[-1] else {}))
    return rows


def _hits(entries: Sequence[Entry]) -> NDArray[np.float64]:
    """The share of seeds that were right about each test image; of parts that seeds have of their own, one by one."""
    rights: dict[str, list[NDArray[np.bool_]]] = {}
    for entry in entries:
        found = entry["results"]
        predicted = np.asarray(found["probabilities"]).argmax(1)
        rights.setdefault(found["part"], []).append(predicted == np.asarray(found["labels"]))
    return np.concatenate([np.mean(ones, axis=0) for ones in rights.values()])


def lines_of_table(rows: Sequence[dict[str, Any]], networks: Mapping[str, Architecture]) -> list[str]:
    """The summary as lines of text: all networks on the most images, then accuracies for each number of images."""
    sizes = sorted({row["train_size"] for row in rows})
    subsets = list(rows[0]["accuracy_of"])
    lines = [
        f"{'network':21}{'parameters':>11}{'accuracy, %':>15}{'balanced, %':>15}{'macro F1, %':>15}"
        + "".join(f"{name + ', %':>15}" for name in subsets)
        + "   bits under quarter turns"
    ]
    complete = [row for row in rows if row["train_size"] == sizes[-1]]
    for row in complete:
        spreads = [*(row[key] for key in MEASURES), *(row["accuracy_of"][name] for name in subsets)]
        cells = "".join(f"{spread_text(one):>15}" for one in spreads)
        lines.append(f"{networks[row['network']].label:21}{row['parameters']:11}{cells}   {bits_text(row)}")
    lines.append(f"accuracy, %, for training images: {', '.join(map(str, sizes))}")
    for one in complete:
        values = [spread_text(row["accuracy"]) for row in rows if row["network"] == one["network"]]
        lines.append(f"{networks[one['network']].label:21}" + "".join(f"{value:>15}" for value in values))
    for row in complete:
        for other, interval in row["minus"].items():
            value, low, high = (100 * interval[key] for key in ("value", "low", "high"))
            names = f"{networks[row['network']].label} minus {networks[other].label}"
            lines.append(f"accuracy of {names}: {value:.1f} [{low:.1f}, {high:.1f}] points")
    lines.append("mean ± sample deviation over seeds; intervals: 95 %, bootstrap of test images; D4: and mirrors")
    return lines

# SPDX-License-Identifier: Apache-2.0
"""Parameters, operations, sizes and seconds to build of the models of equiconv.torch.models.

    python benchmarks/models.py [--page]

Prints the table of docs/Models.md, which says how it is measured; with --page, puts it between the markers there.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equiconv as eq
from equiconv.torch import models

PAGE = Path(__file__).resolve().parents[1] / "docs" / "Models.md"
BEGIN, END = "<!-- models -->\n", "<!-- /models -->\n"
BUILDS = 5
C4, C12, D4 = eq.cyclic(4), eq.cyclic(12), eq.dihedral(4)

# A model, its group, its options and a signal that fits.
ROWS: list[tuple[Callable[..., models.Model], eq.PointGroup, dict[str, Any], tuple[int, ...]]] = [
    (models.p4cnn, C4, {}, (1, 28, 28)),
    (models.resnet18, D4, {}, (3, 225, 225)),
    (models.resnet34, D4, {}, (3, 225, 225)),
    (models.resnet50, D4, {}, (3, 225, 225)),
    (models.resnet18, D4, {"stem": "cifar", "downsample": "pool", "num_classes": 10}, (3, 32, 32)),
    (models.p4m_resnet26, D4, {"downsample": "pool"}, (3, 32, 32)),
    (models.p4m_resnet44, D4, {"downsample": "pool"}, (3, 32, 32)),
    (models.wrn_16_8, D4, {"downsample": "pool"}, (3, 32, 32)),
    (models.wrn_28_10, D4, {"downsample": "pool"}, (3, 32, 32)),
    (models.gdensenet, D4, {}, (3, 96, 96)),
    (models.unet, eq.reflection(), {}, (1, 256)),
    (models.unet, D4, {}, (1, 256, 256)),
    (models.unet, eq.octahedral(), {"widths": (32, 64, 128, 256)}, (1, 32, 32, 32)),
    (models.se2cnn, C12, {}, (1, 32, 32)),
]
HEADER = (
    "| model | group | channels | parameters | ordinary | | signal | GFLOP | ordinary | sizes | build |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
)


def row(
    make: Callable[..., models.Model], group: eq.PointGroup, options: dict[str, Any], signal: tuple[int, ...]
) -> str:
    """A line of the table."""
    seconds = []
    for _ in range(BUILDS):
        begin = time.perf_counter()
        model = make(group, **options)
        seconds.append(time.perf_counter() - begin)
    found = models.summary(model, (1, *signal))
    sizes = model.exact_sizes(largest=512)
    step = sizes[-1] - sizes[-2]
    rest = sizes[-1] % step
    every = f"{step} m" + (f" + {rest}" if rest else "") + f" ≥ {sizes[0]}" if step > 1 else f"all ≥ {sizes[0]}"
    shown = {name: value for name, value in options.items() if name not in ("num_classes", "widths")}
    name = f"`{make.__name__}`" + "".join(f", {key}={value}" for key, value in shown.items())
    channels = dict.fromkeys(model.widths)
    cells = [
        name, group.name, ", ".join(map(str, channels)), f"{found.parameters:,}", f"{found.ordinary_parameters:,}",
        f"{100 * (found.residual or 0):+.2f} %", " x ".join(map(str, signal)), f"{found.operations / 1e9:.3g}",
        f"{(found.ordinary_operations or 0) / 1e9:.3g}", every, f"{min(seconds):.2f} s",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page", action="store_true", help="write the table into docs/Models.md")
    arguments = parser.parse_args()
    table = HEADER + "".join(row(*one) for one in ROWS)
    print(table)
    if arguments.page:
        text = PAGE.read_text(encoding="utf-8")
        before, after = text.split(BEGIN)[0], text.split(END)[1]
        PAGE.write_text(before + BEGIN + table + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()

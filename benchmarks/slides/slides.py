# SPDX-License-Identifier: Apache-2.0
"""Whole slides on this machine: time, memory, and what tiles cost, beside ONNX Runtime and on processes of Dask.

    python benchmarks/slides/slides.py [--extent 20000] [--large 100000] [--part 4096] [--tile 1000]
        [--slide noise|drawn] [--threads 2] [--no-page]

Prints its rows, and writes them to docs/measured/Slides.md and benchmarks/results/slides.json. `--extent` of a few
thousand is a quick run. That page says how it is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from page import write_page

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "results" / "slides.json"
MODES = ("exact", "fast")


def step(**arguments: Any) -> dict[str, Any]:
    """The result of a step, in a process of its own."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(HERE / "steps.py"), json.dumps(arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise SystemExit(f"step {arguments} failed with status {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"{arguments['step']}: {found}", flush=True)
    return found


def measure(options: argparse.Namespace, folder: str) -> dict[str, Any]:
    """All rows."""
    common = {"folder": folder, "kind": options.slide, "tile": options.tile}
    step(step="files", folder=folder)
    alone = {"workers": 0, "threads": options.threads}
    rows: dict[str, Any] = {"options": vars(options), "load": os.getloadavg()[0]}
    for mode in MODES:
        rows[mode] = {
            "piece": step(step="piece", size=options.piece, mode=mode, threads=options.threads, **common),
            "onnx": step(step="onnx", extent=options.extent, mode=mode, threads=options.threads, **common),
            "run": step(step="run", extent=options.extent, part=options.extent, mode=mode, **alone, **common),
        }
    part = {"extent": options.large, "part": options.part, "mode": "exact"}
    rows["large"] = step(step="run", **part, **alone, **common)
    rows["workers"] = {str(count): step(step="run", workers=count, threads=count, **part, **common) for count in (1, 2)}
    return rows


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extent", type=int, default=20_000, help="pixels of the slide on each axis")
    parser.add_argument("--large", type=int, default=100_000, help="of the slide of which a part is measured")
    parser.add_argument("--part", type=int, default=8192, help="pixels of the part on each axis")
    parser.add_argument("--piece", type=int, default=2048, help="pixels of one piece, by the network alone")
    parser.add_argument("--tile", type=int, default=1000)
    parser.add_argument("--slide", choices=("noise", "drawn"), default="noise")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", help="for what is written, and removed afterwards; on a disk that has room")
    parser.add_argument("--no-page", action="store_true")
    options = parser.parse_args()
    with TemporaryDirectory(dir=options.folder) as folder:
        rows = measure(options, folder)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    text = write_page(rows, None if options.no_page else HERE.parents[1] / "docs" / "measured" / "Slides.md")
    print(text)


if __name__ == "__main__":
    main()

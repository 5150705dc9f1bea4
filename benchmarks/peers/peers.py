# SPDX-License-Identifier: Apache-2.0
"""Speed and errors of equiconv beside those of other libraries on the same work, measured in one run.

    python benchmarks/peers/peers.py [--cases REGEX] [--peers NAME ...] [--threads 1 2] [--rounds 3] [--quick]

Each peer has a process of its own. They take turns in short bursts, and the multiply-add peak is measured between them.
A run of the whole grid writes docs/measured/Peers.md and its figure; a run of a part of it only prints tables.
`--from FILE` makes both from the JSON of an earlier run.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

from adapters import PEERS  # noqa: E402
from cases import Case, grid, quick_grid, selected  # noqa: E402
from plot import draw  # noqa: E402
from report import page, tables  # noqa: E402

RESULTS, PAGES = HERE.parent / "results", HERE.parents[1] / "docs" / "measured"


def machine() -> dict[str, Any]:
    """The processor's name and how many of it there are."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {"processor": names[0] if names else "unknown", "cores": len(os.sched_getaffinity(0))}


def versions() -> dict[str, str]:
    """Of what is installed."""
    found = {}
    for name in ("numpy", *sorted({peer.distribution for peer in PEERS.values()})):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def measure(cases: list[Case], arguments: argparse.Namespace, result: dict[str, Any]) -> None:
    """Measures all cases, and writes what is known after each."""
    import equiconv as eq
    from measure import Bench
    from pool import Process
    from probes import Probes

    probes, start, log = Probes(), time.monotonic(), arguments.output.with_suffix(".log")
    log.write_bytes(b"")
    eq.set_num_threads(max(arguments.threads))
    result["instruction_set"] = eq.config()["instruction set"]
    for position, threads in enumerate(arguments.threads):
        processes = [Process(label, threads, log, arguments.patience) for label in arguments.peers]
        bench = Bench(processes, threads, arguments.rounds, probes)
        for number, case in enumerate(cases):
            done = position * len(cases) + number
            minutes = (time.monotonic() - start) / 60
            progress = (
                f"{done}/{len(cases) * len(arguments.threads)}, {minutes:.0f} min: {case.name}, threads {threads}"
            )
            print(f"\r\033[K{progress}", end="", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(prefix="peers-") as folder:
                result["rows"] += bench.measure(case, Path(folder))
            result["minutes"] = (time.monotonic() - start) / 60
            arguments.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        for process in processes:
            process.stop()
    print(file=sys.stderr)


def parsed() -> argparse.Namespace:
    """The arguments."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", help="a regular expression, searched in the cases' names")
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), default=list(PEERS), metavar="NAME")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a few small cases")
    parser.add_argument("--complete", action="store_true", help="the largest cases too: more than an hour")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument("--patience", type=float, default=300, help="seconds after which a peer is given up")
    parser.add_argument("--output", type=Path, default=RESULTS / "peers.json")
    parser.add_argument("--from", dest="source", type=Path, help="the JSON of an earlier run: nothing is measured")
    return parser.parse_args()


def main() -> None:
    """Measures, prints the tables, and writes the page and the plot."""
    arguments = parsed()
    cases = selected(quick_grid() if arguments.quick else grid(arguments.complete), arguments.cases)
    if arguments.list:
        print("\n".join(case.name for case in cases))
        return
    if arguments.source:
        result = json.loads(arguments.source.read_text(encoding="utf-8"))
    else:
        result = {"machine": machine(), "versions": versions(), "threads": arguments.threads, "rows": []}
        result |= {"rounds": arguments.rounds, "date": time.strftime("%Y-%m-%d")}
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        measure(cases, arguments, result)
    print(tables(result))
    whole = not (arguments.quick or arguments.cases or arguments.peers != list(PEERS))
    if arguments.source or whole:
        (PAGES / "Peers.md").write_text(page(result), encoding="utf-8")
        draw(result, PAGES / "peers.png")
        print(f"written: {PAGES / 'Peers.md'} and peers.png")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Speed and errors of equiconv beside those of other libraries on the same work, measured in one run.

    python benchmarks/peers/peers.py [--only REGEX] [--peers NAME ...] [--before FOLDER] [--threads 2] [--rounds 3]

To measure a few rows, for example while tuning:

    --list                              prints the names of all rows
    --only 'D4 group .*k3'              rows in whose names the regular expression is found
    --peers own                         equiconv alone, with its own choice and with each algorithm, all of them
    --peers own "PyTorch last" MNN      and two libraries
    --peers equiconv direct             some of equiconv's; names are equiconv (its own choice), exact, group-fourier,
                                        direct, winograd, fourier
    --before FOLDER                     another build of the package as a contestant, `before`: FOLDER has equiconv,
                                        built, as the site-packages of a virtual environment
    --rounds 9                          more rounds
    --passive                           OMP_WAIT_POLICY=PASSIVE for all: on a busy machine, where loops of PyTorch that
                                        spin take tens of times as long
    --clock cpu                         processor time of all threads over their number, in place of time: on a busy
                                        machine with --passive; threads that sleep cost nothing by this clock, and those
                                        that spin, of ONNX Runtime and OpenVINO, look slower than they are
    --quick                             a few small rows, to see that every library works

For each row it prints a line as soon as the row is measured: the speed of each contestant over the multiply-add peak,
with the algorithm that was chosen, and how many times as fast equiconv is as the best library.

Each contestant has a process of its own. They take turns in short bursts, and the peak is measured between them. All
results are compared with float64 first, and a library with another result is not timed. A run of all rows writes the
run to docs/measured/peers as JSON, and the page docs/measured/Peers.md with its figures from all runs in that folder,
one for each kind of processor. `--page` makes the page anew and measures nothing.
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

from adapters import BEFORE, OWN, PEERS, USUAL  # noqa: E402
from grid import Row, quick_rows, rows, selected  # noqa: E402
from plot import draw  # noqa: E402
from report import line, page  # noqa: E402
from results import Run  # noqa: E402

RESULTS, PAGES = HERE.parent / "results", HERE.parents[1] / "docs" / "measured"


def machine() -> dict[str, Any]:
    """The processor's name, family and model, and how many of it there are."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    fields = dict(reversed([tuple(part.strip() for part in line.split(":", 1)) for line in lines if ":" in line]))
    name = fields.get("model name", "unknown")
    if "cpu family" in fields:
        name += f", family {fields['cpu family']} model {fields.get('model', '?')}"
    return {"processor": name, "cores": len(os.sched_getaffinity(0))}


def versions() -> dict[str, str]:
    """Of what is installed."""
    found = {}
    for name in ("numpy", *sorted({peer.distribution for peer in PEERS.values()})):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def measure(chosen: list[Row], arguments: argparse.Namespace, run: dict[str, Any]) -> None:
    """Measures all rows, prints a line for each, and writes what is known after each."""
    import equiconv as eq
    from measure import Bench
    from pool import Process
    from probes import Probes

    probes, start, log = Probes(), time.monotonic(), arguments.output.with_suffix(".log")
    log.write_bytes(b"")
    eq.set_num_threads(max(arguments.threads))
    run["instruction_set"] = eq.config()["instruction set"]
    for threads in arguments.threads:
        processes = [
            Process(label, threads, log, arguments.patience, arguments.clock, environment_of(label, arguments))
            for label in arguments.peers
        ]
        bench = Bench(processes, threads, arguments.rounds, probes, arguments.clock)
        for row in chosen:
            with tempfile.TemporaryDirectory(prefix="peers-") as folder:
                run["records"].append(bench.measure(row.case, Path(folder)))
            print(line(row, run["records"][-1]), flush=True)
            run["minutes"] = (time.monotonic() - start) / 60
            arguments.output.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
        for process in processes:
            process.stop()


def environment_of(label: str, arguments: argparse.Namespace) -> dict[str, str]:
    """Variables for the process of a contestant."""
    passive = {"OMP_WAIT_POLICY": "PASSIVE"} if arguments.passive else {}
    return passive | ({"PYTHONPATH": str(arguments.before)} if label == BEFORE.label else {})


def parsed() -> argparse.Namespace:
    """The arguments."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", metavar="REGEX", help="searched in the rows' names")
    parser.add_argument("--peers", nargs="+", choices=["own", *PEERS], default=USUAL, metavar="NAME")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="a folder with another build of equiconv")
    parser.add_argument("--threads", nargs="+", type=int, default=[2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a few small rows")
    parser.add_argument("--list", action="store_true", help="print the names of the rows")
    parser.add_argument("--passive", action="store_true", help="threads of OpenMP sleep after a loop")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--patience", type=float, default=120, help="seconds after which a contestant is given up")
    parser.add_argument("--output", type=Path, default=RESULTS / "peers.json")
    parser.add_argument("--page", action="store_true", help="make the page from the runs that are there")
    arguments = parser.parse_args()
    arguments.whole = not (arguments.only or arguments.quick or arguments.before or arguments.peers != USUAL)
    own = list(OWN) if "own" in arguments.peers else []
    before = [BEFORE.label] if arguments.before else []
    arguments.peers = list(dict.fromkeys([*own, *(name for name in arguments.peers if name != "own"), *before]))
    return arguments


def main() -> None:
    """Measures, and writes the page."""
    arguments = parsed()
    chosen = selected(quick_rows() if arguments.quick else rows(), arguments.only)
    if arguments.list:
        print("\n".join(row.name for row in chosen))
        return
    if not arguments.page:
        run = {"machine": machine(), "versions": versions(), "threads": arguments.threads, "records": []}
        run |= {
            "rounds": arguments.rounds,
            "date": time.strftime("%Y-%m-%d"),
            "clock": arguments.clock,
            "passive": arguments.passive,
        }
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        measure(chosen, arguments, run)
        if arguments.whole:
            print(f"written: {Run(run).save(PAGES / 'peers')}")
    if arguments.page or arguments.whole:
        write_page()


def write_page() -> None:
    """docs/measured/Peers.md and the figures, of all runs that are there."""
    runs, grid = Run.all(PAGES / "peers"), rows()
    (PAGES / "Peers.md").write_text(page(runs, grid), encoding="utf-8")
    for run in runs:
        draw(run, grid, PAGES / run.figure)
    print(f"written: {PAGES / 'Peers.md'} and {', '.join(run.figure for run in runs)}")


if __name__ == "__main__":
    main()

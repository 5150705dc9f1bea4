# SPDX-License-Identifier: Apache-2.0
"""Speed of whole Python calls by one algorithm, as a share of the multiply-add peak measured in the same run.

    python benchmarks/bench.py [--kinds forward gradients others sampled avx2 calls] [--algorithm direct]
                               [--threads 1 2] [--rounds 3]

In each round each case is called once to warm its plan, then several times between measurements of the peak. The share
is the operations of the layer's definition over the median (and the shortest) time, over the median of all peaks.
Targets are those of the direct algorithm, which is the default; cases that another one does not compute are left out.
Results are new arrays in each call, as in use; copies into and out of the padded planes are part of the time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import timeit
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import equiconv as eq
import numpy as np
from calls import call_of, operands
from case import Case
from cases import cases
from probes import Probes

HERE = Path(__file__).resolve().parent
KINDS = ("forward", "gradients", "others", "sampled", "avx2", "calls")


@dataclass
class Sample:
    """Times of one case, and the peaks measured between them, over all rounds."""

    case: Case
    threads: int
    target: float
    times: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)


def sample(algorithm: str, probes: Probes, into: Sample) -> None:
    """Times one case between measurements of the peak; not at all if the algorithm does not compute it."""
    case = into.case
    eq.set_num_threads(into.threads)
    isa = eq.config()["instruction set"]
    call = call_of(case, operands(case), algorithm)
    try:
        call()
    except ValueError:
        return
    repetitions = max(3, min(20, int(0.3 / (case.operations / (1e11 * into.threads)))))
    for _ in range(repetitions):
        into.peaks.append(probes.peak(isa, case.dtype, into.threads, milliseconds=5))
        start = time.perf_counter()
        call()
        into.times.append(time.perf_counter() - start)


def row_of(algorithm: str, measured: Sample) -> dict[str, Any]:
    """What is reported of a case."""
    case = measured.case
    peak = statistics.median(measured.peaks)
    median, best = statistics.median(measured.times), min(measured.times)
    return {
        "case": case.name,
        "threads": measured.threads,
        "instruction_set": eq.config()["instruction set"],
        "algorithm": algorithm,
        "target": measured.target if algorithm == "direct" else 0,
        "milliseconds": 1e3 * median,
        "gflops": case.operations / best / 1e9,
        "peak_gflops": peak / 1e9,
        "share_median": case.operations / median / peak,
        "share_best": case.operations / best / peak,
    }


def measure(kinds: list[str], arguments: argparse.Namespace, probes: Probes) -> list[dict[str, Any]]:
    """All cases of the kinds, in several rounds, so that a slow minute of the machine does not hit one case alone."""
    rounds, aimed = arguments.rounds, [entry for kind in kinds for entry in cases(kind)]
    work = [Sample(case, count, target) for case, target in aimed for count in arguments.threads]
    for index in range(rounds):
        for number, measured in enumerate(work):
            print(f"\rround {index + 1} of {rounds}: {number + 1}/{len(work)}  ", end="", file=sys.stderr, flush=True)
            sample(arguments.algorithm, probes, measured)
    print(file=sys.stderr)
    return [row_of(arguments.algorithm, measured) for measured in work if measured.times]


def small_calls(probes: Probes) -> dict[str, Any]:
    """Microseconds of a 1×1×8×8 call from Python and of the same call from C."""
    group = eq.cyclic(4)
    x, weight = np.ones((1, 1, 8, 8), np.float32), np.ones((1, 1, 3, 3), np.float32)
    call = lambda: eq.lifting_conv(x, weight, group, padding=1)  # noqa: E731
    call()
    from_python = min(timeit.repeat(call, number=2000, repeat=10)) / 2000
    from_c = probes.small_call_from_c()
    return {"python_microseconds": 1e6 * from_python, "c_microseconds": 1e6 * from_c}


def show(row: dict[str, Any]) -> None:
    """Prints one line of the table."""
    verdict = "" if not row["target"] else ("reached" if row["share_best"] >= row["target"] else "MISSED")
    print(
        f"{row['case']:58s} {row['threads']}  {row['milliseconds']:9.2f} {row['gflops']:7.1f}"
        f" {row['peak_gflops']:7.1f}  {row['share_median']:6.1%} {row['share_best']:6.1%}  "
        + (f"{row['target']:4.0%} {verdict}" if row["target"] else ""),
        flush=True,
    )


def run_avx2(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The AVX2 variant, chosen when the library is loaded, hence in a process of its own."""
    command = [sys.executable, __file__, "--as-child", "--rounds", str(arguments.rounds)]
    command += ["--algorithm", arguments.algorithm]
    command += ["--threads", *map(str, arguments.threads)]
    environment = os.environ | {"EQUICONV_ISA": "avx2"}
    child = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return list(json.loads(child.stdout))


def main() -> None:
    """Measures, prints the table and writes the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--algorithm", default="direct", help="any name that the layers take")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=HERE / "results" / "bench.json")
    parser.add_argument("--as-child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    probes = Probes()
    if arguments.as_child:
        json.dump(measure(["avx2"], arguments, probes), sys.stdout)
        return
    kinds = [kind for kind in arguments.kinds if kind not in ("avx2", "calls")]
    rows = measure(kinds, arguments, probes)
    rows += run_avx2(arguments) if "avx2" in arguments.kinds else []
    print(f"{'case':58s} thr {'ms':>8s} {'GFLOP/s':>8s} {'peak':>6s}  median   best  target")
    for row in rows:
        show(row)
    result: dict[str, Any] = {"machine": platform.processor() or platform.machine(), "rows": rows}
    if "calls" in arguments.kinds:
        result["calls"] = small_calls(probes)
        from_python, from_c = result["calls"]["python_microseconds"], result["calls"]["c_microseconds"]
        print(f"1 x 1 x 8 x 8 call: {from_python:.2f} µs from Python, {from_c:.2f} µs from C")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written: {arguments.output}")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Speed of whole Python calls by the direct algorithm, as a share of the multiply-add peak measured in the same run.

    python benchmarks/bench.py [--kinds forward gradients others sampled avx2 calls] [--threads 1 2] [--rounds 3]

In each round each case is called once to warm its plan, then several times between measurements of the peak. The share
is the operations of the layer's definition over the median (and the shortest) time, over the median of all peaks.
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
from cases import Case, cases
from probes import Probes

HERE = Path(__file__).resolve().parent
KINDS = ("forward", "gradients", "others", "sampled", "avx2", "calls")


def call_of(case: Case) -> Any:
    """A function of no arguments that runs the case."""
    rng = np.random.default_rng(0)
    group, (inputs, outputs), d = case.point_group, case.channels, case.dimension
    reads = (group.order,) if case.layer in ("group", "projection", "separable") else ()
    options: dict[str, Any] = {"stride": case.stride, "padding": "same", "algorithm": "direct"}
    x = rng.standard_normal((case.batch, inputs, *reads, *(case.size,) * d)).astype(case.dtype)
    if case.layer == "separable":
        over_h = rng.standard_normal((outputs, inputs, group.order)).astype(case.dtype)
        over_x = rng.standard_normal((outputs, *(case.kernel,) * d)).astype(case.dtype)
        return lambda: eq.separable_conv(x, over_h, over_x, group, **options)
    if case.localized is not None:
        reads = (len(case.localized),)
        options["group_basis"] = eq.localized(case.localized)
    weight = rng.standard_normal((outputs, inputs, *reads, *(case.kernel,) * d)).astype(case.dtype) / 100
    forward, vjp = (getattr(eq, f"{case.layer}_conv{suffix}") for suffix in ("", "_vjp"))
    if case.run == "forward":
        return lambda: forward(x, weight, group, **options)
    grad = forward(x, weight, group, **options)
    wanted = ("x",) if case.run == "input gradient" else ("weight",)
    return lambda: vjp(grad, x, weight, group, **options, wanted=wanted)


@dataclass
class Sample:
    """Times of one case, and the peaks measured between them, over all rounds."""

    times: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)


def sample(case: Case, threads: int, probes: Probes, into: Sample) -> None:
    """Times one case between measurements of the peak."""
    eq.set_num_threads(threads)
    isa = eq.config()["instruction set"]
    call = call_of(case)
    call()
    repetitions = max(3, min(20, int(0.3 / (case.operations / (1e11 * threads)))))
    for _ in range(repetitions):
        into.peaks.append(probes.peak(isa, case.dtype, threads, milliseconds=5))
        start = time.perf_counter()
        call()
        into.times.append(time.perf_counter() - start)


def row_of(case: Case, threads: int, measured: Sample) -> dict[str, Any]:
    """What is reported of a case."""
    peak = statistics.median(measured.peaks)
    median, best = statistics.median(measured.times), min(measured.times)
    return {
        "case": case.name, "run": case.run, "threads": threads, "instruction_set": eq.config()["instruction set"],
        "target": case.target, "milliseconds": 1e3 * median, "gflops": case.operations / best / 1e9,
        "peak_gflops": peak / 1e9, "share_median": case.operations / median / peak,
        "share_best": case.operations / best / peak,
    }  # fmt: skip


def measure(kinds: list[str], threads: list[int], rounds: int, probes: Probes) -> list[dict[str, Any]]:
    """All cases of the kinds, in several rounds, so that a slow minute of the machine does not hit one case alone."""
    work = [(case, count, Sample()) for kind in kinds for case in cases(kind) for count in threads]
    for index in range(rounds):
        for number, (case, count, measured) in enumerate(work):
            print(f"\rround {index + 1} of {rounds}: {number + 1}/{len(work)}  ", end="", file=sys.stderr, flush=True)
            sample(case, count, probes, measured)
    print(file=sys.stderr)
    return [row_of(*entry) for entry in work]


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
        f"{row['case']:42s} {row['run']:15s} {row['threads']}  {row['milliseconds']:9.2f} {row['gflops']:7.1f}"
        f" {row['peak_gflops']:7.1f}  {row['share_median']:6.1%} {row['share_best']:6.1%}  "
        + (f"{row['target']:4.0%} {verdict}" if row["target"] else ""),
        flush=True,
    )


def run_avx2(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The AVX2 variant, chosen when the library is loaded, hence in a process of its own."""
    command = [sys.executable, __file__, "--as-child", "--rounds", str(arguments.rounds)]
    command += ["--threads", *map(str, arguments.threads)]
    environment = os.environ | {"EQUICONV_ISA": "avx2"}
    child = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return list(json.loads(child.stdout))


def main() -> None:
    """Measures, prints the table and writes the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=HERE / "results" / "bench.json")
    parser.add_argument("--as-child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    probes = Probes()
    if arguments.as_child:
        json.dump(measure(["avx2"], arguments.threads, arguments.rounds, probes), sys.stdout)
        return
    kinds = [kind for kind in arguments.kinds if kind not in ("avx2", "calls")]
    rows = measure(kinds, arguments.threads, arguments.rounds, probes)
    rows += run_avx2(arguments) if "avx2" in arguments.kinds else []
    print(f"{'case':42s} {'run':15s} thr {'ms':>8s} {'GFLOP/s':>8s} {'peak':>6s}  median   best  target")
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

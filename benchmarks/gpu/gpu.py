# SPDX-License-Identifier: Apache-2.0
"""Speed and memory of layers and networks on a GPU, beside ordinary convolutions, escnn and JAX.

    python benchmarks/gpu/gpu.py [--budget 480] [--only REGEX] [--output FOLDER] [--fresh] [--escnn-python PATH]

Writes FOLDER/gpu/NAME-OF-THE-GPU.json and the page FOLDER/GPU.md after each row, FOLDER being docs/measured if all rows
are measured. A run that was cut off goes on where it was; --fresh begins another. When the budget of seconds is spent,
the rows that are left are dropped: --list prints them in their order. --page makes the page again. Where PyTorch finds
no GPU it says so and does nothing. escnn and JAX take part if they are installed.

`--device cpu --quick` runs tiny rows on the CPU, whose figures mean nothing.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent), str(HERE.parent / "peers")]

from gpu_page import lines, page  # noqa: E402
from gpu_results import GpuRun, save_run, slug_of  # noqa: E402
from processes import WorkerError  # noqa: E402
from session import CHECKS, QUICK_CHECKS, Session, Setting, measure  # noqa: E402
from works import selected, visits  # noqa: E402

PAGES = HERE.parents[1] / "docs" / "measured"
RESULTS = HERE.parent / "results"


def reason_without() -> str | None:
    """Why there is no GPU to measure on; None if there is one."""
    for package in ("torch", "equiconv"):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed"
    import torch

    return None if torch.cuda.is_available() else f"PyTorch {torch.__version__} finds no GPU"


def parsed() -> argparse.Namespace:
    """The arguments."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--budget", type=float, default=480, help="seconds for everything")
    parser.add_argument("--only", metavar="REGEX", help="searched in the rows' names; no checks then")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where page and figures go")
    parser.add_argument("--fresh", action="store_true", help="do not go on with a run that was cut off")
    parser.add_argument("--page", action="store_true", help="make the page from the runs that are there")
    parser.add_argument("--list", action="store_true", help="print the names of the rows, the last to be dropped first")
    parser.add_argument("--escnn-python", default=sys.executable, metavar="PATH", help="a Python that imports escnn")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.quick != (arguments.device == "cpu"):
        parser.error("--quick and --device cpu go together")
    is_part = arguments.only is not None or arguments.quick
    arguments.output = arguments.output or (RESULTS if is_part else PAGES)
    return arguments


def begun(arguments: argparse.Namespace, machine: dict[str, Any]) -> dict[str, Any]:
    """A run that was cut off on this GPU with these versions, or a new one."""
    path = arguments.output / "gpu" / f"{slug_of(machine['device'])}.json"
    if path.exists() and not arguments.fresh:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not found["finished"] and found["machine"] == machine:
            return found
    return {
        "machine": machine, "date": time.strftime("%Y-%m-%d"), "budget": arguments.budget, "seconds": 0.0,
        "finished": False, "dropped": [], "checks": {}, "records": [],
    }  # fmt: skip


def measured(arguments: argparse.Namespace) -> None:
    """Measures, prints each row, and writes run and page after each."""
    chosen = selected(visits(arguments.quick), arguments.only)
    arguments.output.mkdir(parents=True, exist_ok=True)
    compiler, burst = ("aot_eager", 0.002) if arguments.quick else ("inductor", 0.03)
    setting = Setting(arguments.device, compiler, arguments.budget, burst, arguments.escnn_python)
    session = Session(setting, arguments.output / "gpu.log")
    printed = 0

    def save(run: dict[str, Any]) -> None:
        nonlocal printed
        for record in run["records"][printed:]:
            print(lines(record), flush=True)
        printed = len(run["records"])
        save_run(run, arguments.output / "gpu")
        write_page(arguments.output)

    try:
        run = begun(arguments, session.machine())
        printed = len(run["records"])
        checks = QUICK_CHECKS if arguments.quick else CHECKS
        measure(session, chosen, run, save, () if arguments.only else checks)
    finally:
        session.stop()
    dropped = len(run["dropped"])
    print(
        f"{run['seconds']:.0f} s, {len(run['records'])} rows, {dropped} dropped; written: {arguments.output / 'GPU.md'}"
    )


def write_page(folder: Path) -> None:
    """GPU.md of all runs of a folder."""
    (folder / "GPU.md").write_text(page(GpuRun.all(folder / "gpu")), encoding="utf-8")


def main() -> int:
    """Measures, or says why not."""
    arguments = parsed()
    if arguments.list:
        print("\n".join(visit.name for visit in selected(visits(arguments.quick), arguments.only)))
        return 0
    if arguments.page:
        write_page(arguments.output)
        return 0
    reason = reason_without() if arguments.device == "cuda" else None
    if reason is not None:
        print(f"SKIPPED: the benchmark on a GPU ({reason})")
        return 0
    try:
        measured(arguments)
    except WorkerError as failure:
        print(f"the GPU could not be used: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

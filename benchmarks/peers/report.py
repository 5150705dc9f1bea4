# SPDX-License-Identifier: Apache-2.0
"""What runs found, in words: a line for each row, and the page docs/measured/Peers.md."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

from adapters import OTHERS, PEERS
from case import TIMES, pretty
from grid import Row, Target
from results import Measured, Record, Run

WORDS = {"best peer": "best library", "equal peer": "best of no larger error", "fastest": "fastest algorithm"}


def line(row: Row, record: Record) -> str:
    """A row for the terminal: shares of the peak, algorithms, errors, ratios and targets."""
    measured = Measured(record)
    cells = []
    for label in PEERS:
        result = record["results"].get(label, {})
        if measured.has(label):
            way = "" if label in OTHERS else f"  [{result['way']}]"
            speed = f"{measured.share(label):6.2f} {TIMES} peak {1e3 * result['best']:9.3f} ms"
            cells.append(f"{label:19s}{speed}  RMS error {result['rms']:.1e}{way}")
        elif result:
            cells.append(f"{label:19s}{result['unavailable']}")
    best = measured.best_peer("equiconv")
    if best is not None:
        cells.append(f"{best.value:.2f} {TIMES} as fast as {best.label}")
    cells += [verdict(target, measured) for target in row.targets if measured.reached(target) is not None]
    peak = f"peak {record['peak'] / 1e9:.0f} GFLOP/s"
    return "\n".join([f"{record['name']}, {record['threads']} threads, {peak}", *(f"    {cell}" for cell in cells)])


def verdict(target: Target, measured: Measured) -> str:
    """A target and whether it was reached."""
    value = measured.reached(target)
    who = "" if target.who == "equiconv" else f"{target.who} "
    text = f"{who}{target.least:g} {TIMES} {WORDS.get(target.of, target.of)}"
    if value is None:
        return f"{text}: not measured"
    if value == float("inf"):
        return f"{text}: reached, there is none"
    return f"{text}: {'reached' if value >= target.least else 'missed'} ({value:.2f})"


def table(header: Iterable[str], rows: Iterable[Iterable[str]], left: int = 1) -> str:
    """A Markdown table whose first columns are text."""
    header = list(header)
    lines = [header, ["---"] * left + ["---:"] * (len(header) - left), *map(list, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(runs: list[Run], grid: list[Row]) -> str:
    """docs/measured/Peers.md, of the runs of all processors."""
    template = Path(__file__).with_name("page.md").read_text(encoding="utf-8")
    return template.format(
        minutes=f"{max(run.data['minutes'] for run in runs):.0f}",
        rounds=max(run.data["rounds"] for run in runs),
        processors=_processors(runs),
        beside=_beside(runs, grid),
        sections="\n".join(_of_processor(run, grid) for run in runs),
    ).rstrip() + "\n"  # fmt: skip


def _processors(runs: list[Run]) -> str:
    """What the runs were made on."""
    header = ["processor", "cores, instruction set", "multiply-add peak", "measured on", "versions"]
    cells = [
        [
            run.processor, f"{run.data['machine']['cores']}, {run.data['instruction_set']}",
            "<br>".join(
                f"{run.peak(threads) / 1e9:.0f} GFLOP/s, {_threads(threads)}" for threads in run.data["threads"]
            ),
            f"{run.data['date']}, a run of {run.data['minutes']:.0f} minutes{_clock(run)}",
            ", ".join(f"{name} {version}" for name, version in run.data["versions"].items()),
        ]
        for run in runs
    ]  # fmt: skip
    return f"## Processors\n\n{table(header, cells, left=5)}\n"


def _clock(run: Run) -> str:
    """How it was measured, if other programs ran beside."""
    clock = "" if run.data["clock"] == "wall" else ", in processor time over the number of threads"
    return clock + (", `OMP_WAIT_POLICY=PASSIVE` for all" if run.data["passive"] else "")


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count > 1)}"


def _beside(runs: list[Run], grid: list[Row]) -> str:
    """The processors beside each other, if there are several: speeds over the peak of each, and ratios."""
    if len(runs) < 2:
        return ""
    rows = []
    for row in grid:
        found = [run.measured(row, max(run.data["threads"])) for run in runs]
        rows.append([pretty(row.name), *(_share(each, "equiconv") for each in found), *(map(_nearest, found))])
    header = [f"{run.processor}{what}" for what in (": equiconv / peak", ": ratio") for run in runs]
    return f"## Processors beside each other\n\n{table(['row', *header], rows)}\n"


def _of_processor(run: Run, grid: list[Row]) -> str:
    """All tables of a run."""
    parts = [f"## {run.processor}", f"![Speed of each library over the multiply-add peak, row by row]({run.figure})"]
    parts += [_disturbance(run), "### Targets", _summary(run, grid)]
    for section in dict.fromkeys(row.section for row in grid):
        rows = [row for row in grid if row.section == section]
        for threads in run.data["threads"]:
            if any(run.measured(row, threads) for row in rows):
                parts += [f"### {section}, {_threads(threads)}", _speeds(run, rows, threads)]
    parts += ["### Errors", "The worst RMS error of each section.", _errors(run, grid)]
    return "\n\n".join([*parts, "### Not measured", _unavailable(run)]) + "\n"


def _speeds(run: Run, rows: list[Row], threads: int) -> str:
    """One row a case: speeds over the peak, ratios and targets."""
    found = [(row, measured) for row in rows if (measured := run.measured(row, threads)) is not None]
    labels = [label for label in PEERS if any(measured.has(label) for _, measured in found)]
    cells = []
    for row, measured in found:
        shares = [_own(measured) if label == "equiconv" else _share(measured, label) for label in labels]
        targets = "<br>".join(verdict(target, measured) for target in row.targets)
        cells.append([pretty(row.name), *shares, _nearest(measured), _nearest(measured, True), targets])
    header = ["row", *labels, "ratio to", "no larger error", "targets"]
    return table(header, cells)


def _own(measured: Measured) -> str:
    """equiconv's speed, algorithm and time."""
    if not measured.has("equiconv"):
        return "-"
    result = measured.results["equiconv"]
    return f"**{measured.share('equiconv'):.2f}**<br>{result['way']}<br>{1e3 * result['best']:.3g} ms"


def _share(measured: Measured | None, label: str) -> str:
    """Speed over peak."""
    share = None if measured is None else measured.share(label)
    return "-" if share is None else f"{share:.2f}"


def _nearest(measured: Measured | None, no_larger_error: bool = False) -> str:
    """The library beside which equiconv comes off worst, and the ratio."""
    found = None if measured is None else measured.best_peer("equiconv", no_larger_error)
    return "-" if found is None else f"**{found.value:.2f}** {found.label}"


def _summary(run: Run, grid: list[Row]) -> str:
    """How many targets were reached, and which were missed."""
    sections = {row.section: [0, 0] for row in grid}
    missed = []
    for row in grid:
        for threads in run.data["threads"]:
            measured = run.measured(row, threads)
            for target in row.targets if measured is not None else ():
                value = measured.reached(target)
                sections[row.section][0] += value is not None and value >= target.least
                sections[row.section][1] += 1
                if value is None or value < target.least:
                    missed.append([pretty(row.name), str(threads), verdict(target, measured)])
    counts = [[section, f"{reached} of {total}"] for section, (reached, total) in sections.items() if total]
    parts = [table(["section", "targets reached"], counts)]
    if missed:
        parts.append(table(["missed", "threads", "target"], missed, left=3))
    return "\n\n".join(parts)


def _errors(run: Run, grid: list[Row]) -> str:
    """The worst RMS error of each contestant in each section."""
    worst: dict[tuple[str, str], float] = {}
    for row in grid:
        for threads in run.data["threads"]:
            measured = run.measured(row, threads)
            for label, result in measured.results.items() if measured else ():
                if "rms" in result:
                    key = (label, row.section)
                    worst[key] = max(worst.get(key, 0.0), result["rms"])
    labels = [label for label in PEERS if any(name == label for name, _ in worst)]
    sections = [section for section in dict.fromkeys(row.section for row in grid)
                if any(of == section for _, of in worst)]  # fmt: skip
    cells = [[section, *(_number(worst.get((label, section))) for label in labels)] for section in sections]
    return table(["section", *labels], cells)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1e}"


def _unavailable(run: Run) -> str:
    """Which contestant could not do which row, and why."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for record in run.data["records"]:
        for label, result in record["results"].items():
            if "unavailable" in result:
                reason = re.sub(r"\d[\d.e-]*$", "…", result["unavailable"])
                reasons.setdefault((label, reason), []).append(record["name"])
    if not reasons:
        return "Every library ran every row that it knows."
    rows = [[label, reason.replace("|", "\\|"), str(len(names)), pretty(names[0])]
            for (label, reason), names in reasons.items()]  # fmt: skip
    return table(["contestant", "reason", "rows", "the first"], rows, left=4)


def _disturbance(run: Run) -> str:
    """Whether other programs used the processor during the run."""
    low = total = 0
    for threads in run.data["threads"]:
        for dtype in ("float32", "float64"):
            peaks = [record["peak"] for record in run.data["records"]
                     if (record["threads"], record["dtype"]) == (threads, dtype)]  # fmt: skip
            low += sum(peak < 0.9 * max(peaks) for peak in peaks)
            total += len(peaks)
    end = "; other programs were running, and times are longer than they need be" if low > total // 10 else ""
    return textwrap.fill(f"The peak was more than a tenth below its highest beside {low} of {total} rows{end}.", 120)

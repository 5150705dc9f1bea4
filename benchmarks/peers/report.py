# SPDX-License-Identifier: Apache-2.0
"""Tables of a run, as Markdown, and the page docs/measured/Peers.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from adapters import OWN, PEERS
from cases import KERNELS, KINDS, Case, Target, targets

Result: TypeAlias = dict[str, Any]
# The rows of one case and number of threads, by peer.
Entry: TypeAlias = dict[str, dict[str, Any]]

TIMES = "\N{MULTIPLICATION SIGN}"
TITLES = {
    "group": "Group layers, forward",
    "lifting": "Lifting layers, forward",
    "train": "Group layers, forward and the gradients of input and weight",
}


def entries(result: Result, kind: str, threads: int) -> list[tuple[Case, Entry]]:
    """What was measured, case by case."""
    found: dict[str, tuple[Case, Entry]] = {}
    for row in result["rows"]:
        if row["threads"] == threads and row["case"]["kind"] == kind:
            found.setdefault(row["name"], (Case(**row["case"]), {}))[1][row["peer"]] = row
    return list(found.values())


def best_peer(entry: Entry) -> dict[str, Any] | None:
    """The row of the fastest peer."""
    rows = [row for label, row in entry.items() if label not in OWN and "best" in row]
    return min(rows, key=lambda row: row["best"], default=None)


def reached(target: Target, entry: Entry) -> float | None:
    """The figure of equiconv that a target is about; None if it was not measured."""
    own = entry.get("equiconv", {})
    if "best" not in own:
        return None
    if target.of == "peak":
        return float(own["share"])
    other = best_peer(entry) if target.of == "best peer" else entry.get(target.of)
    return None if other is None or "best" not in other else float(other["best"] / own["best"])


def table(header: Iterable[str], rows: Iterable[Iterable[str]], left: int = 1) -> str:
    """A Markdown table whose first columns are text."""
    header = list(header)
    lines = [header, ["---"] * left + ["---:"] * (len(header) - left), *map(list, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def case_name(case: Case) -> str:
    """A case among those of its kind."""
    return f"k = {case.kernel}, {case.group} {case.inputs} → {case.outputs}, {case.batch} {TIMES} {case.size}²"


def _ratio(case: Case, entry: Entry) -> list[str]:
    """The best peer, the two ratios and the targets."""
    own, other = entry.get("equiconv", {}), best_peer(entry)
    if other is None or "best" not in own:
        return ["-"] * 3
    ratio = f"**{other['best'] / own['best']:.2f}** ({other['median'] / own['median']:.2f})"
    return [other["peer"], ratio, "<br>".join(_verdict(target, entry) for target in targets(case))]


def _verdict(target: Target, entry: Entry) -> str:
    """A target and whether it was reached."""
    value = reached(target, entry)
    verdict = "not measured" if value is None else "reached" if value >= target.least else "missed"
    return f"{target.least:g} {TIMES} {target.of}: {verdict}" + (f" ({value:.2f})" if value is not None else "")


def speeds(result: Result, kind: str, threads: int) -> str:
    """One row a case: speeds of all over the peak, and the ratio to the best peer."""
    found = entries(result, kind, threads)
    labels = [label for label, peer in PEERS.items() if kind in peer.kinds and any(label in row for _, row in found)]
    rows = []
    for case, entry in found:
        cells = [_share(entry.get(label)) for label in labels]
        rows.append([case_name(case), *cells, *_ratio(case, entry)])
    header = ["work", *labels, "best peer", "its time / equiconv's", "targets"]
    return table(header, rows)


def _share(row: dict[str, Any] | None) -> str:
    """Speed over peak."""
    return "-" if row is None else "n/a" if "share" not in row else f"{row['share']:.2f}"


def summary(result: Result) -> str:
    """How many targets were reached."""
    counts: Counter[tuple[str, int, str, int]] = Counter()
    sums: Counter[tuple[str, int, str, int]] = Counter()
    for kind in KINDS:
        for threads in result["threads"]:
            for case, entry in entries(result, kind, threads):
                for target in targets(case):
                    value, key = reached(target, entry), (kind, case.kernel, target.of, threads)
                    sums[key] += 1
                    counts[key] += value is not None and value >= target.least
    rows = [[kind, str(k), of, str(threads), f"{counts[kind, k, of, threads]} of {total}"]
            for (kind, k, of, threads), total in sums.items()]  # fmt: skip
    return table(["kind", "k", "target against", "threads", "cases that reach it"], rows, left=5)


def errors(result: Result) -> str:
    """The largest and the worst RMS error of any result, over all cases with one size of kernel."""
    worst: dict[tuple[str, int], tuple[float, float]] = {}
    for row in result["rows"]:
        key = (row["peer"], row["case"]["kernel"])
        for largest, rms in row["errors"].values():
            before = worst.get(key, (0.0, 0.0))
            worst[key] = (max(before[0], largest), max(before[1], rms))
    labels = [label for label in PEERS if any(name == label for name, _ in worst)]
    rows = [[label, *(_errors(worst.get((label, k))) for k in KERNELS)] for label in labels]
    return table(["", *(f"k = {k}: largest, RMS" for k in KERNELS)], rows)


def _errors(pair: tuple[float, float] | None) -> str:
    """Both, or nothing."""
    return "-" if pair is None else f"{pair[0]:.1e}, {pair[1]:.1e}"


def unavailable(result: Result) -> str:
    """Which peer could not do which case, and why."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in result["rows"]:
        if "unavailable" in row:
            reasons.setdefault((row["peer"], row["unavailable"]), []).append(f"{row['name']}, threads {row['threads']}")
    if not reasons:
        return "Every peer ran every case."
    rows = [[peer, reason.replace("|", "\\|"), str(len(names)), names[0]] for (peer, reason), names in reasons.items()]
    return table(["peer", "reason", "cases", "the first"], rows, left=4)


def disturbance(result: Result) -> str:
    """Whether other programs used the processor during the run."""
    low = total = 0
    for threads in result["threads"]:
        peaks = {row["name"]: row["peak"] for row in result["rows"] if row["threads"] == threads}
        low += sum(peak < 0.9 * max(peaks.values()) for peak in peaks.values())
        total += len(peaks)
    return f"The peak was more than a tenth below its highest in {low} of {total} measurements" + (
        "; other programs were running, and the figures are not to be trusted." if low > total // 10 else "."
    )


def tables(result: Result) -> str:
    """All tables under their headings."""
    parts = ["## Targets", summary(result)]
    for kind in KINDS:
        for threads in result["threads"]:
            if entries(result, kind, threads):
                parts += [f"## {TITLES[kind]}, {threads} thread{'s' * (threads > 1)}", speeds(result, kind, threads)]
    parts.insert(0, disturbance(result))
    return "\n\n".join([*parts, "## Errors", errors(result), "## Unavailable", unavailable(result)])


def page(result: Result) -> str:
    """docs/measured/Peers.md."""
    peaks = [
        f"{sum(values) / len(values) / 1e9:.0f} GFLOP/s with {threads} thread{'s' * (threads > 1)}"
        for threads in result["threads"]
        if (values := [row["peak"] for row in result["rows"] if row["threads"] == threads])
    ]
    template = Path(__file__).with_name("page.md").read_text(encoding="utf-8")
    return template.format(
        date=result["date"],
        processor=result["machine"]["processor"],
        cores=result["machine"]["cores"],
        isa=result["instruction_set"],
        peaks=", ".join(peaks),
        versions=", ".join(f"{name} {version}" for name, version in result["versions"].items()),
        minutes=f"{result.get('minutes', 0):.0f}",
        rounds=result["rounds"],
        tables=tables(result),
    )

# SPDX-License-Identifier: Apache-2.0
"""What runs on GPUs found, in words: a line for each row, and the page docs/measured/GPU.md."""

from __future__ import annotations

import textwrap
from pathlib import Path

from gpu_results import GpuRun, Record, Verdict
from report import table
from works import CONTESTANTS, LAYERS, MODES, NETWORKS, STAGES, Stage, visits

NONE_YET = """## Results

No GPU has been measured yet: the machines on which this project is developed have none. On a machine with one,
`make bench-gpu` fills this page.
"""
BUDGET = (
    "- **Budget.** Checks come first, then the rows in this order: {stages}. When the time is spent, the rows that are "
    "left are dropped. A run that was cut off keeps what it has, and goes on when it is started again."
)
WIDTH = 120


def lines(record: Record) -> str:
    """A row for the terminal."""
    cells = []
    for label, result in record["results"].items():
        if "unavailable" in result:
            cells.append(f"    {label:10s}{result['unavailable']}")
            continue
        memory = f"{result['memory']:9.1f} MiB" if "memory" in result else ""
        times = f"forward {result['forward']:8.3f} ms  step {result['step']:8.3f} ms"
        cells.append(f"    {label:10s}{times}{memory}  built in {result['build'] + result['first']:.2f} s")
    return "\n".join([record["name"], *cells])


def page(runs: list[GpuRun]) -> str:
    """docs/measured/GPU.md, of the runs on all GPUs."""
    template = Path(__file__).with_name("page.md").read_text(encoding="utf-8")
    sections = "\n".join(map(_of_run, runs)) if runs else NONE_YET
    stages = "; ".join(f"{stage.name} {_kind(stage)} in {', '.join(stage.modes)}" for stage in STAGES)
    order = textwrap.fill(BUDGET.format(stages=stages), WIDTH, subsequent_indent="  ")
    return template.format(order=order, sections=sections).rstrip() + "\n"


def _kind(stage: Stage) -> str:
    """What a stage measures."""
    kinds = {"layers": LAYERS, "networks": NETWORKS}
    return " and ".join(kind for kind, works in kinds.items() if set(works) <= set(stage.works))


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _of_run(run: GpuRun) -> str:
    """All tables of a GPU."""
    verdicts = list(run.verdicts())
    parts = [f"## {run.device}", _wrapped(_summary(run)), "### Targets", _targets(verdicts)]
    parts += ["### Checks", _checks(run)]
    for mode in MODES:
        works = _works(run, mode)
        if works:
            parts += [f"### {mode}: forward / step in ms", _times(run, works, mode)]
    parts += ["### Peak memory of a step, MiB", _numbers(run, "memory", "{:.0f}", 1)]
    parts += ["### Time to build: the module / the first forward and step, s", _builds(run)]
    parts += ["### Each target, row by row", _all_targets(verdicts), "### Not measured", _not_measured(run)]
    return "\n\n".join(parts) + "\n"


def _summary(run: GpuRun) -> str:
    """When, with which versions, and whether it was all."""
    data = run.data
    versions = ", ".join(f"{name} {version}" for name, version in data["machine"]["versions"].items())
    text = f"Measured on {data['date']} in {data['seconds']:.0f} s of a budget of {data['budget']:.0f} s. {versions}."
    if not data["finished"]:
        text += " The run was cut off; `make bench-gpu` goes on with it."
    if data["dropped"]:
        text += f" {len(data['dropped'])} rows were dropped when the time was spent; they are listed at the end."
    return text


def _works(run: GpuRun, mode: str) -> dict[str, str]:
    """The names of works that were measured in a number format, with those for the page."""
    pretty = {visit.work.name: visit.work.pretty for quick in (False, True) for visit in visits(quick)}
    return {record["work"]: pretty.get(record["work"], record["work"])
            for record in run.records if record["mode"] == mode}  # fmt: skip


def _times(run: GpuRun, works: dict[str, str], mode: str) -> str:
    """Forward and step of each contestant."""
    labels = [label for label in CONTESTANTS if any(run.result(work, mode, label) for work in works)]

    def cell(work: str, label: str) -> str:
        result = run.result(work, mode, label)
        if result is None:
            return ""
        return "-" if "unavailable" in result else f"{result['forward']:.3f} / {result['step']:.3f}"

    return table(["", *labels], [[name, *(cell(work, label) for label in labels)] for work, name in works.items()])


def _numbers(run: GpuRun, what: str, form: str, factor: float) -> str:
    """One number of each contestant, in all number formats."""
    rows, labels = [], list(CONTESTANTS)
    for mode in MODES:
        for work, name in _works(run, mode).items():
            found = [(run.result(work, mode, label) or {}).get(what) for label in labels]
            if any(value is not None for value in found):
                cells = ["" if value is None else form.format(factor * value) for value in found]
                rows.append([name, mode, *cells])
    return table(["", "mode", *labels], rows, left=2) if rows else "Not known on this device."


def _builds(run: GpuRun) -> str:
    """Seconds until a module is there, and of its first calls."""
    rows = []
    for mode in MODES:
        for work, name in _works(run, mode).items():
            found = [run.result(work, mode, label) or {} for label in CONTESTANTS]
            cells = [f"{each['build']:.2f} / {each['first']:.2f}" if "build" in each else "" for each in found]
            rows.append([name, mode, *cells])
    return table(["", "mode", *CONTESTANTS], rows, left=2)


def _targets(verdicts: list[Verdict]) -> str:
    """How often each target was met, and where it was missed by most."""
    rows = []
    for target in dict.fromkeys(verdict.target for verdict in verdicts):
        found = [verdict for verdict in verdicts if verdict.target == target]
        met, worst = sum(verdict.is_met for verdict in found), min(found, key=lambda verdict: verdict.margin)
        rows.append([target, f"{met} of {len(found)}", f"{worst.value:.2f}", _limit(worst), worst.row])
    return table(["target", "met", "worst", "limit there", "where"], rows) if rows else "No target was measured."


def _limit(verdict: Verdict) -> str:
    return f"{'at least' if verdict.at_least else 'at most'} {verdict.limit:.2f}"


def _all_targets(verdicts: list[Verdict]) -> str:
    rows = [[verdict.row, verdict.target, f"{verdict.value:.2f}", _limit(verdict),
             "met" if verdict.is_met else "**missed**"] for verdict in verdicts]  # fmt: skip
    return table(["row", "target", "found", "limit", ""], rows, left=2)


def _checks(run: GpuRun) -> str:
    """What must hold besides speed."""
    known = {"exactness": _exactness, "determinism": _determinism, "digits": _digits, "wide_network": _wide}
    parts = []
    for name, check in run.data["checks"].items():
        found = check.get("found", check)
        text = f"not found out: {found['unavailable']}" if "unavailable" in found else known[name](found)
        parts.append(textwrap.fill(f"- **{TITLES[name]}**: {text}.", WIDTH, subsequent_indent="  "))
    return "\n".join(parts) or "None was made."


TITLES = {
    "exactness": "Equal to the last bit",
    "determinism": "Deterministic gradients",
    "digits": "Training",
    "wide_network": "A large network",
}


def _exactness(found: Record) -> str:
    rows = found["rows"]
    failed = [f"{row['layer']} in {row['arithmetic']}" for row in rows if not row["holds"]]
    answer = '`check_exactness` finds the layers with `algorithm="direct"` equal to the last bit'
    if found["holds"]:
        return f"{answer}, {len(rows)} layers and number formats"
    return (
        f"`check_exactness` finds {len(failed)} of {len(rows)} layers and number formats not equal to the last bit"
        + (f", among them {failed[0]}" if failed else "")
    )


def _determinism(found: Record) -> str:
    differ = [name for name, is_same in found["groups"].items() if not is_same]
    of = ", ".join(found["groups"])
    if not differ:
        return f"two runs gave the same bits under `torch.use_deterministic_algorithms`, for layers of {of}"
    return f"two runs did **not** give the same bits for {', '.join(differ)}, of layers of {of}"


def _digits(found: Record) -> str:
    device, cpu = found["device"], found["cpu"]
    return (
        f"a C4 network trained on digits classifies {device['upright']:.1f} % of upright and {device['turned']:.1f} % "
        f"of turned test digits, after {device['seconds']:.1f} s. The same training on the CPU: {cpu['upright']:.1f} % "
        f"and {cpu['turned']:.1f} %, {cpu['seconds']:.1f} s"
    )


def _wide(found: Record) -> str:
    return (
        f"{found['layers']} layers of D4 with {found['parameters'] / 1e6:.1f} million parameters, as WRN-28-10, are "
        f"made in {found['seconds']:.2f} s and run for the first time in {found['first']:.2f} s"
    )


def _not_measured(run: GpuRun) -> str:
    """Which contestant could not do which row, and why; and the rows that were dropped."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for record in run.records:
        for label, result in record["results"].items():
            if "unavailable" in result:
                reasons.setdefault((label, result["unavailable"]), []).append(record["name"])
    rows = [[label, reason.replace("|", "\\|"), str(len(names)), names[0]]
            for (label, reason), names in reasons.items()]  # fmt: skip
    parts = [table(["contestant", "reason", "rows", "the first"], rows, left=2)] if rows else []
    parts += (
        ["\n".join(["Dropped:", "", *(f"- {name}" for name in run.data["dropped"])])] if run.data["dropped"] else []
    )
    return "\n\n".join(parts) or "Every contestant ran every row that it knows."

# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: RUF001 (times signs, as all pages have them)
"""The page of measured slides."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import equiconv as eq

MIB = 2**20
TARGETS = {"memory": 600, "share": 0.7, "overhead": 0.15, "peer": 2.0}

TEXT = """# Slides, measured

Written by `benchmarks/slides/slides.py` on {machine}, with {threads} threads, in tiles of {tile} pixels.
Other processes were a load of {load:.1f} on it at the beginning; times of a machine with a load are not its best.

The network is of C4: a lifting convolution of 5 × 5 to 8 channels at full resolution, group convolutions of 3 × 3 to
16, 32 and 32 channels, two maxima over 2 × 2 pixels between, the maximum over C4, and 3 classes for each 4 × 4 pixels.
{slide} Outputs go to a folder of Zarr with its pyramid. Each row is a process of its own; its memory is the peak of the
process, Python and libraries included.

## A slide of {extent} × {extent} pixels

| mode | time | peak memory | in the network | reading | writing | pyramid | against one piece | beside ONNX Runtime |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{rows}

- In the network: the share of the time in which the network runs; reading and writing overlap with it, so that shares
  may sum to more than 1. Wanted: at least {share:.0%}.
- Against one piece: time per pixel of the run, over that of the network alone on a piece of {piece} × {piece} pixels in
  memory, less 1: what halos, reading, writing and the pyramid cost. Wanted: at most {overhead:.0%}.
- Beside ONNX Runtime: its time for a tile with what that reads around it, over the network's, with expanded weights in
  both cases' best of 5 alternating calls, the same threads and the same pixels. Wanted: at least {peer:g}.
- Peak memory wanted: at most {memory} MiB.

Tiles in mode `exact` have the bits of the piece: {bits}.

## A slide of {large} × {large} pixels

{large_text}

## Processes of Dask

The same part, by workers of one thread each, which start before the clock does:

| workers | time | speed |
| --- | --- | --- |
{workers}
"""

SLIDES = {
    "noise": """The slide is noise, a square of random pixels over and over, whose reading is a copy: what a file costs
to decode depends on the file.""",
    "drawn": """The slide is a `SyntheticSlide`, whose pixels are drawn as they are read, on the same cores.""",
}


def write_page(rows: dict[str, Any], path: Path | None) -> str:
    """The text of the page, which is written to `path` if there is one."""
    options = rows["options"]
    modes = [mode for mode in ("exact", "fast") if mode in rows]
    text = TEXT.format(
        machine=f"{_processor()}, {platform.system()}",
        load=rows["load"],
        slide=SLIDES[options["slide"]],
        rows="\n".join(_row(mode, rows[mode]) for mode in modes),
        bits="yes" if rows["exact"]["piece"]["same_bits"] else "no",
        large_text=_large(rows["large"], options["large"]),
        workers="\n".join(_workers(rows["workers"])),
        **TARGETS,
        **{name: options[name] for name in ("threads", "tile", "extent", "piece", "large")},
    )
    if path is not None:
        path.write_text(_wrapped(text), encoding="utf-8")
    return _wrapped(text)


def _row(mode: str, found: dict[str, Any]) -> str:
    run, piece, onnx = found["run"], found["piece"], found["onnx"]
    times = run["times"]
    shares = [f"{times[part] / times['total']:.0%}" for part in ("network", "reading", "writing", "pyramid")]
    overhead = (run["seconds"] / run["pixels"]) / (piece["seconds"] / piece["pixels"]) - 1
    cells = [mode, f"{run['seconds']:.1f} s", f"{run['peak'] / MIB:.0f} MiB", *shares, f"{overhead:+.0%}"]
    return "| " + " | ".join([*cells, f"{onnx['onnx'] / onnx['equiconv']:.2f} ×"]) + " |"


def _large(found: dict[str, Any], extent: int) -> str:
    hours = found["seconds"] / found["pixels"] * extent**2 / 3600
    return (
        f"A part of {found['tiles']} tiles, {found['pixels'] / 1e6:.0f} million pixels, was computed in "
        f"{found['seconds']:.1f} s with a peak of {found['peak'] / MIB:.0f} MiB. At this rate all of the slide takes "
        f"{hours:.2f} hours."
    )


def _workers(found: dict[str, Any]) -> list[str]:
    rates = {count: row["pixels"] / row["times"]["total"] for count, row in found.items()}
    return [
        f"| {count} | {row['times']['total']:.1f} s | {rates[count] / rates['1']:.2f} × |"
        for count, row in found.items()
    ]


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return f"{len(names)} cores of {names[0] if names else platform.processor()} ({eq.config()['instruction set']})"


def _wrapped(text: str) -> str:
    """Paragraphs at the width of prose."""
    import textwrap

    parts = text.split("\n\n")
    return (
        "\n\n".join(
            part if part.startswith(("#", "|", "- ")) else textwrap.fill(" ".join(part.split()), 120) for part in parts
        ).rstrip()
        + "\n"
    )

# SPDX-License-Identifier: Apache-2.0
"""Errors of each algorithm against float64, and how far each is from equivariant: writes docs/measured/Accuracy.md.

    python benchmarks/accuracy.py [--widths 16 64 256 512 2048] [--kernels 3 5 7 9 11] [--output PAGE]

A group convolution of C4 reads normal random numbers of a flat width (channels times |H|) and writes 4 channels, on one
image of 48 x 48. Errors are relative to the root mean square (RMS) of the output. The equivariance error is the largest
difference between the answer for a turned image and the turned answer, over all elements, also relative. Three more
tables: where the library's own choice commutes with the group to the last bit, and what that costs; errors over the
mean of the numbers; and times for subnormal ones.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import equiconv as eq
import exactness
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
SIZE, OUTPUTS = 48, 4
# The flat width of the table over means, and the number of runs of which the shortest counts.
OFFSET_WIDTH, REPETITIONS = 64, 20
PAGE = """# Accuracy

Written by `make accuracy`. A group convolution of C4 reads normal random numbers of a flat width (channels times |H|)
and writes {outputs} channels, on one image of {size} by {size}, padding "same". Errors are relative to the root mean
square (RMS) of the output, against float64 by the direct algorithm. The last column is the largest difference between
the answer for a turned image and the turned answer, over all elements.

Up to a width of 512, in float32 on such data, `"auto"` has an RMS error of at most 5e-6 and a largest error of at most
5e-5. Where a direct sum has larger errors than a Fourier tile, `"auto"` is also the more accurate of the two.

| k | width | algorithm | tile | RMS error | largest error | equivariance error |
| --- | --- | --- | --- | --- | --- | --- |
{rows}

## What is equal to the last bit

`"exact"` is the fastest of the algorithms whose results commute with the group to the last bit, and `"auto"` takes it
where it is estimated to take at most 10 % longer than the fastest of all. "equal" says whether each element of the
group, tried on this layer, gave the same bits as turning the result, in the layer and in the gradient of its input. The
last column is the time of `"exact"` over that of the fastest algorithm, on one thread: the median of the ratios of
{rounds} rounds, with both directions together.

| layer | auto, forward and input gradient | equal | exact, forward and input gradient | equal | exact / fastest |
| --- | --- | --- | --- | --- | ---: |
{exactness}

## A mean that is not zero

Numbers whose mean is far from zero, such as those of images that were not normalized, lose digits: what matters is a
small difference between large numbers, and the rounding errors of the large numbers remain. Below, 3 by 3 kernels of a
flat width of {offset_width} read normal random numbers of deviation 1 about a mean, without padding. Errors are
relative to the RMS of what the layer gives for the same numbers without their mean. With random kernels the direct sum
has the largest errors, since it is itself large. With kernels whose taps sum to zero, such as edge detectors, the
direct sum stays small, and tiles have up to ten times its errors, Winograd's the most: their transforms add the large
numbers before they subtract.

| kernels | mean / deviation | direct: RMS | largest | fourier: RMS | largest | winograd: RMS | largest |
| --- | --- | --- | --- | --- | --- | --- | --- |
{offsets}

`"auto"` chooses tiles by sizes alone. It does not look at the numbers, which would cost a pass over them. Subtract the
mean of an image before a network reads it, as is usual, or ask for `algorithm="direct"`.

## Subnormal numbers

Layers, gradients and transforms of weights treat numbers below 1.2e-38 in float32, and 2.2e-308 in float64, as zeros.
Pooling over H and the action keep them. This is for speed: before layers did so, subnormal input took 150 to 300 times
as long as other input on some processors, and no longer than other input on others, such as AMD's Zen 5. Below is the
time of a group convolution of C4 (16 channels to 16, 48 by 48, 5 by 5 kernels, one thread, the shortest of
{repetitions} runs each) whose whole input is subnormal, as a multiple of its time for normal input. A product by NumPy,
which does not flush, is beside it.

| computation | time for subnormal input / for normal input |
| --- | --- |
{subnormals}
"""


@dataclass(frozen=True)
class Row:
    """What was measured of one algorithm on one layer."""

    kernel: int
    width: int
    algorithm: str
    tile: int
    rms: float
    largest: float
    equivariance: float

    def markdown(self) -> str:
        """One line of the table."""
        return (
            f"| {self.kernel} | {self.width} | {self.algorithm} | {self.tile or ''} | {self.rms:.1e} |"
            f" {self.largest:.1e} | {self.equivariance:.1e} |"
        )


def measure(kernel: int, width: int, dtype: str) -> Iterator[Row]:
    """All algorithms that can do a layer."""
    group = eq.cyclic(4)
    rng = np.random.default_rng(1000 * kernel + width)
    x = rng.standard_normal((1, width // 4, 4, SIZE, SIZE))
    weight = rng.standard_normal((OUTPUTS, width // 4, 4, kernel, kernel))
    if dtype == "float32":
        x, weight = x.astype(np.float32), weight.astype(np.float32)
    exact = eq.group_conv(x.astype(float), weight.astype(float), group, padding="same", algorithm="direct")
    scale = float(np.sqrt(np.mean(exact**2)))
    algorithms = ["direct", "group-fourier", *(["winograd"] if kernel == 3 else []), "fourier", "auto"]
    for algorithm in algorithms if dtype == "float32" else ["group-fourier", "fourier"]:

        def layer(signal: NDArray[np.floating], algorithm: str = algorithm) -> NDArray[np.floating]:
            return np.asarray(eq.group_conv(signal, weight, group, padding="same", algorithm=algorithm))

        result = layer(x)
        error = result - exact
        turned = max(
            float(np.abs(layer(eq.act(x, group, g)) - eq.act(result, group, g)).max()) for g in range(1, group.order)
        )
        taken = eq.explain(eq.group_conv, x, weight, group, padding="same", algorithm=algorithm)
        name = f"auto: {taken.algorithm}" if algorithm == "auto" else algorithm
        name += "" if dtype == "float32" else " float64"
        yield Row(
            kernel, width, name, taken.tile, float(np.sqrt(np.mean(error**2))) / scale,
            float(np.abs(error).max()) / scale, turned / scale,
        )  # fmt: skip


def offset(kernels: str, ratio: float) -> str:
    """One line of the table over means: the errors of each algorithm at mean = ratio, deviation 1."""
    group = eq.cyclic(4)
    rng = np.random.default_rng(17)
    centered = rng.standard_normal((1, OFFSET_WIDTH // 4, 4, SIZE, SIZE))
    x = (centered + ratio).astype(np.float32)
    weight = rng.standard_normal((OUTPUTS, OFFSET_WIDTH // 4, 4, 3, 3))
    if kernels == "sum to zero":
        weight -= weight.mean(axis=(-2, -1), keepdims=True)
    weight = weight.astype(np.float32)
    exact = eq.group_conv(x.astype(float), weight.astype(float), group, algorithm="direct")
    scale = float(np.sqrt(np.mean(eq.group_conv(centered, weight.astype(float), group, algorithm="direct") ** 2)))
    cells = []
    for algorithm in ("direct", "fourier", "winograd"):
        error = eq.group_conv(x, weight, group, algorithm=algorithm) - exact
        cells += [float(np.sqrt(np.mean(error**2))) / scale, float(np.abs(error).max()) / scale]
    return f"| {kernels} | {ratio:g} | " + " | ".join(f"{cell:.1e}" for cell in cells) + " |"


def subnormals() -> Iterator[str]:
    """The lines of the table of times."""
    group = eq.cyclic(4)
    rng = np.random.default_rng(19)
    x = rng.standard_normal((1, 16, 4, SIZE, SIZE), dtype=np.float32)
    weight = rng.standard_normal((16, 16, 4, 5, 5), dtype=np.float32)

    def layer(algorithm: str) -> Callable[[NDArray[np.float32]], object]:
        return lambda signal: eq.group_conv(signal, weight, group, padding="same", algorithm=algorithm)

    def seconds(compute: Callable[[NDArray[np.float32]], object], signal: NDArray[np.float32]) -> float:
        times = []
        for _ in range(REPETITIONS):
            begin = time.process_time()
            compute(signal)
            times.append(time.process_time() - begin)
        return min(times)

    rows = {"direct": layer("direct"), "fourier": layer("fourier"), "NumPy, x * 0.5": lambda signal: signal * 0.5}
    for name, compute in rows.items():
        yield f"| {name} | {seconds(compute, (x * 1e-39).astype(np.float32)) / seconds(compute, x):.1f} |"


def main() -> None:
    """Measures and writes the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 64, 256, 512, 2048])
    parser.add_argument("--kernels", type=int, nargs="+", default=[3, 5, 7, 9, 11])
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "measured" / "Accuracy.md")
    arguments = parser.parse_args()
    rows = []
    for kernel in arguments.kernels:
        for width in arguments.widths:
            kinds = ["float32", "float64"] if width == max(arguments.widths) else ["float32"]
            for row in (row for dtype in kinds for row in measure(kernel, width, dtype)):
                rows.append(row.markdown())
                print(rows[-1], flush=True)
    offsets = [offset(kernels, ratio) for kernels in ("random", "sum to zero") for ratio in (0, 1, 10, 100, 1000)]
    threads = eq.get_num_threads()
    eq.set_num_threads(1)
    layers = []
    for case in exactness.cases():
        layers.append(exactness.line(case))
        print(layers[-1], flush=True)
    times = list(subnormals())
    eq.set_num_threads(threads)
    print("\n".join(offsets + times))
    page = PAGE.format(
        outputs=OUTPUTS, size=SIZE, rows="\n".join(rows), offset_width=OFFSET_WIDTH, offsets="\n".join(offsets),
        exactness="\n".join(layers), rounds=exactness.ROUNDS, repetitions=REPETITIONS,
        subnormals="\n".join(times),
    )  # fmt: skip
    arguments.output.write_text(page)
    print(f"written: {arguments.output}")


if __name__ == "__main__":
    main()

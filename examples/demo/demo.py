# SPDX-License-Identifier: Apache-2.0
"""A group convolutional network on a photograph: it turns with its input, to the last bit.

Loads a photograph that ships with scikit-learn, runs lifting - ReLU - group - ReLU - group - projection on it, compares
f(L_g x) with L_g f(x) for every layer and every element g of the group, prints a table, and draws the feature maps.
Exit status: 0 if all are equal to the last bit, 1 if not, 2 if the command line is wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import equiconv as eq
import numpy as np
from figure import draw, make_fiber
from measure import GroupResult, measure, steps
from network import Array, make_network
from numpy.typing import NDArray
from report import legend, table
from sklearn.datasets import load_sample_image
from tqdm import tqdm

PHOTOGRAPH = "china.jpg"
LARGEST_SIZE = 427
"""Rows of the photograph, its shorter side."""


def load_photo(size: int) -> NDArray[np.float32]:
    """The middle of the photograph: (size, size, 3), values from 0 to 1."""
    image = load_sample_image(PHOTOGRAPH)
    top, left = ((extent - size) // 2 for extent in image.shape[:2])
    return np.asarray(image[top : top + size, left : left + size], np.float32) / np.float32(255)


def as_signal(photo: NDArray[np.float32]) -> Array:
    """The photograph as a plane signal (1, 3, rows, columns) of mean 0 and variance 1."""
    standardized = (photo - photo.mean()) / photo.std()
    return np.ascontiguousarray(standardized.transpose(2, 0, 1)[None], dtype=np.float32)


def run(group: eq.PointGroup, photo: NDArray[np.float32], seed: int, path: Path) -> GroupResult:
    """Measures the network for one group and draws its figure, showing progress on stderr."""
    network = make_network(group, seed)
    x = as_signal(photo)
    # A file or a pipe gets no bar.
    with tqdm(
        total=steps(network, group) + 1, desc=f"{group.name}: comparing", unit="step", leave=False, disable=None
    ) as progress:
        result = measure(network, x, group, progress.update)
        progress.set_description(f"{group.name}: drawing")
        draw(make_fiber(network, group, photo, x), path)
        progress.update()
    return result


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--output-dir", type=Path, default=Path("demo-output"), help="where the figures go")
    parser.add_argument("--size", type=int, default=256, help="side of the square cut out of the photograph, in pixels")
    parser.add_argument("--seed", type=int, default=0, help="seed of the network's weights, 0 or more")
    parser.add_argument("--group", choices=("all", "C4", "D4"), default="all", help="the groups to run")
    options = parser.parse_args(arguments)
    if not 8 <= options.size <= LARGEST_SIZE:
        parser.error(f"--size is {options.size}, expected 8 to {LARGEST_SIZE}, the photograph's height")
    if options.seed < 0:
        parser.error(f"--seed is {options.seed}, expected 0 or more")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demo; returns the exit status."""
    options = parse(arguments)
    groups = {"C4": eq.cyclic(4), "D4": eq.dihedral(4)}
    names = list(groups) if options.group == "all" else [options.group]
    try:
        options.output_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"--output-dir is {options.output_dir}, expected a directory that can be made: {error}", file=sys.stderr)
        return 2
    photo = load_photo(options.size)
    eq.show_config()
    holds = True
    for name in names:
        path = options.output_dir / f"equivariance-{name}.png"
        result = run(groups[name], photo, options.seed, path)
        holds = holds and result.holds
        print(f"\n{table(result, options.size)}\nfigure: {path}", flush=True)
    print(f"\n{legend(names)}\n")
    print("All equal, to the last bit." if holds else "NOT ALL EQUAL: see the layers marked NO above.")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""Patches to train on, drawn: cells with one nucleus or with two, at any angle, in noise."""

from __future__ import annotations

import argparse

import h5py
import numpy as np

SIDE = 24


def cell(label: int, rng: np.random.Generator) -> np.ndarray:
    """An image (1, SIDE, SIDE) of a long nucleus, or of two short ones that are as far apart."""
    angle = rng.uniform(0, np.pi)
    row, column = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2 - rng.uniform(-2, 2, (2, 1, 1))
    along = np.cos(angle) * row + np.sin(angle) * column
    across = np.cos(angle) * column - np.sin(angle) * row
    if label:
        along = np.abs(along) - 4.5
    distance = np.hypot(along / (2.5 if label else 6.0), across / 3.0)
    image = 200 - 110 / (1 + np.exp(6 * (distance - 1))) + rng.normal(0, 15, distance.shape)
    return image.clip(0, 255)[None]


def write_patches(path: str, count: int, seed: int = 0) -> None:
    """Writes `count` patches to train on, and a quarter as many to test with."""
    rng = np.random.default_rng(seed)
    with h5py.File(path, "w") as file:
        for prefix, number in (("", count), ("test_", count // 4)):
            labels = rng.integers(0, 2, number)
            images = np.stack([cell(label, rng) for label in labels]).astype(np.uint8)
            # A patch is a chunk, since a patch is read at once.
            file.create_dataset(f"{prefix}images", data=images, chunks=(1, *images.shape[1:]))
            file.create_dataset(f"{prefix}labels", data=labels)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", help="of the HDF5 file")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    write_patches(arguments.path, arguments.count, arguments.seed)

# SPDX-License-Identifier: Apache-2.0
"""Small files of the forms that MNIST and rotated MNIST have."""

from __future__ import annotations

import gzip
import struct

import numpy as np

ROTATED = [f"mnist_all_rotation_normalized_float_{part}.amat" for part in ("train_valid", "test")]


def idx(array):
    """An IDX file of bytes."""
    return (
        bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()
    )


def write_mnist(folder, counts=(7, 3), side=6, compress=False):
    """The four files of MNIST's form, and what is in them."""
    rng = np.random.default_rng(0)
    parts = []
    for part, count in zip(("train", "t10k"), counts, strict=True):
        images, labels = rng.integers(0, 256, (count, side, side)), np.arange(count) % 10
        for name, array in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
            content = idx(array)
            path = folder / (f"{name}.gz" if compress else name)
            path.write_bytes(gzip.compress(content) if compress else content)
        parts.append((images, labels))
    return parts


def write_rotated(folder, counts=(4, 3)):
    """The two files of rotated MNIST, and what is in them."""
    rng = np.random.default_rng(1)
    parts = []
    for name, count in zip(ROTATED, counts, strict=True):
        images, labels = rng.random((count, 28, 28), np.float32), np.arange(count) % 10
        rows = [
            " ".join(f"{value:.9g}" for value in [*image.ravel(), label])
            for image, label in zip(images, labels, strict=True)
        ]
        (folder / name).write_text("\n".join(rows) + "\n")
        parts.append((images, labels))
    return parts

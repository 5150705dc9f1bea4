# SPDX-License-Identifier: Apache-2.0
"""Layers that change the sizes of space, and what they are by definition, for tests in every framework."""

from __future__ import annotations

import math
from itertools import product

import equiconv as eq
import numpy as np
from equiconv._groups.geometry import lattice_elements

GROUPS = {
    group.name: group
    for group in (
        eq.trivial(2), eq.reflection(), eq.cyclic(4), eq.dihedral(2), eq.dihedral(4), eq.cyclic(8), eq.octahedral(),
        eq.full_octahedral(), eq.pyritohedral(), eq.axial_cyclic(4),
    )
}  # fmt: skip

# Name, arguments behind the group, keywords. All fit the sizes 5 and 6.
LAYERS = {
    "nearest": ("Upsample", (2,), {}),
    "linear": ("Upsample", (2, "linear"), {}),
    "linear by 3": ("Upsample", (3, "linear"), {}),
    "linear, corners": ("Upsample", (2, "linear", True), {}),
    "blur": ("BlurPool", (), {}),
    "blur with zeros": ("BlurPool", (), {"padding_mode": "zeros"}),
    "blur alone": ("BlurPool", (1, 5), {"padding": 1}),
    "blur by 3 taps": ("BlurPool", (1,), {}),
    "max and blur": ("MaxBlurPool", (), {}),
    "odd max and blur": ("MaxBlurPool", (3,), {}),
    "means": ("AdaptiveMean", (3,), {}),
    "overlapping means": ("AdaptiveMean", (4,), {}),
    "one mean": ("AdaptiveMean", (1,), {}),
}

# The functions that are those layers.
FUNCTIONS = {
    "Upsample": "upsample",
    "BlurPool": "blur_pool",
    "MaxBlurPool": "max_blur_pool",
    "AdaptiveMean": "adaptive_mean",
}


def signal(group, size, dtype=np.float32, seed=0, channels=2):
    """Numbers of many magnitudes, whose sums depend on their order."""
    rng = np.random.default_rng(seed)
    shape = (2, channels, group.order, *(size + axis % 2 for axis in range(group.dimension)))
    return (rng.normal(size=shape) * 10.0 ** rng.integers(-2, 3, shape)).astype(dtype)


def elements_of(group):
    """All of the lattice; of a large group, every fifth and those that generate the exchanges of axes."""
    elements = lattice_elements(group)
    return elements if len(elements) <= 24 else elements[::5]


def defined(array, name, arguments, keywords, group):
    """The layer as one dense matrix for each axis, in double precision; for what is linear."""
    d = group.dimension
    values = np.asarray(array, np.float64)
    options = getattr(eq, name)(group, *arguments, **keywords).options
    for axis in range(d):
        place = values.ndim - d + axis
        matrix = _matrix(name, options, axis, values.shape[place])
        values = np.moveaxis(np.moveaxis(values, place, -1) @ matrix.T, -1, place)
    return values


def _matrix(name, options, axis, size):
    if name == "Upsample":
        return np.array([_weights(options, axis, size, row) for row in range(size * options.factor[axis])])
    if name == "AdaptiveMean":
        count = options.size[axis]
        rows = [(math.floor(row * size / count), math.ceil((row + 1) * size / count)) for row in range(count)]
        return np.array([[(begin <= j < end) / (end - begin) for j in range(size)] for begin, end in rows])
    taps, padding = (values[axis] for values in options.fitted((size,) * len(options.stride)))
    stride = options.stride[axis]
    matrix = np.zeros(((size + 2 * padding - taps) // stride + 1, size))
    for row, tap in product(range(len(matrix)), range(taps)):
        column = row * stride + tap - padding
        weight = math.comb(taps - 1, tap) / 2 ** (taps - 1)
        if options.padding_mode == "replicate":
            column = min(max(column, 0), size - 1)
        if 0 <= column < size:
            matrix[row, column] += weight
    return matrix


def _weights(options, axis, size, row):
    """The weights of a place of the larger axis, by fractions of the smaller one."""
    factor = options.factor[axis]
    if options.mode == "nearest":
        return np.eye(size)[row // factor]
    place = row * (size - 1) / max(size * factor - 1, 1) if options.align_corners else (row + 0.5) / factor - 0.5
    return np.maximum(0, 1 - np.abs(np.clip(place, 0, size - 1) - np.arange(size)))


def bound(array, name, arguments):
    """The largest error of a layer in the dtype of `array`: so many roundings of its largest number."""
    # A pass along each of up to 3 axes: 5 roundings between neighbors, or one for each tap; a middle each; the result.
    passes = 5 if name == "Upsample" else max((3, *(n for n in arguments if isinstance(n, int))))
    return 3 * (passes + 2) * np.finfo(array.dtype).eps * np.abs(array).max()

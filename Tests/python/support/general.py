# SPDX-License-Identifier: Apache-2.0
"""The general layer in float64 for any group, basis and stabilizers, from its definition alone.

Nothing of the engine is used but the matrices of the group and the functions of the basis.
"""

from __future__ import annotations

import numpy as np
from reference import coordinates, correlate, padded


def find(matrix, matrices):
    """The number of the element with this matrix, or None if a truncated set does not have it."""
    distances = np.abs(matrices - matrix).sum(axis=(1, 2))
    return int(np.argmin(distances)) if distances.min() < 1e-6 else None


def cosets(stabilizer, matrices):
    """The left coset a K of each element, numbered by first appearance."""
    order = len(matrices)
    if len(stabilizer) == order:
        return np.zeros(order, int)
    numbers = np.full(order, -1)
    for a in range(order):
        if numbers[a] < 0:
            number = numbers.max() + 1
            for k in stabilizer:
                numbers[find(matrices[a] @ matrices[k], matrices)] = number
    return numbers


def is_signed_permutation(matrix):
    return np.array_equal(np.abs(matrix) @ np.ones(len(matrix)), np.ones(len(matrix))) and np.all(
        matrix == np.rint(matrix)
    )


def scale(matrix):
    return np.linalg.norm(matrix, 2)


def sampled_extents(extents, matrices):
    """The taps of the least grid of the same parity that reaches to the outermost tap times the largest scale."""
    largest = max(1.0, max(map(scale, matrices)))
    offset = [0 if k % 2 else 0.5 for k in extents]
    steps = [np.ceil(largest * (k - 1) / 2 - o - 1e-9) for k, o in zip(extents, offset, strict=True)]
    return tuple(int(2 * n + (1 if k % 2 else 2)) for n, k in zip(steps, extents, strict=True))


def filter_bank(weight, basis, matrices, stabilizers, group_matrix=None, measures=None):
    """bank[o, p, c, q](u) = mean over h in p of k[o, c](h^-1 q, h^-1 u) / |det h| * measure(q)."""
    order = len(matrices)
    sources, targets = (cosets(stabilizer, matrices) for stabilizer in stabilizers)
    extents = sampled_extents(basis.extents, matrices)
    taps = coordinates(extents)
    is_lattice = all(map(is_signed_permutation, matrices))
    w = weight.reshape(*weight.shape[:2], -1, basis.count)
    if group_matrix is not None:
        w = np.einsum("di,ocij->ocdj", group_matrix, w)
    bank = np.zeros((w.shape[0], targets.max() + 1, w.shape[1], sources.max() + 1, len(taps)))
    for h in range(order):
        inverse = np.linalg.inv(matrices[h])
        values = basis.sample(taps @ inverse.T) / abs(np.linalg.det(matrices[h]))
        if not is_lattice:
            # Coordinate i runs along array axis d - 1 - i.
            radii = scale(matrices[h]) * np.array(basis.extents[::-1]) / 2
            squares = (taps / radii) ** 2
            # Functions that decay by themselves are sampled on the square, others on the disc.
            decays = repr(basis).removeprefix("equiconv.").startswith(("circular", "gaussian"))
            values[(squares.max(axis=1) if decays else squares.sum(axis=1)) > 1 + 1e-9] = 0
        members = np.sum(targets == targets[h])
        for q in range(sources.max() + 1):
            if sources.max() == 0:
                relative = 0
            else:
                element = find(inverse @ matrices[int(np.argmax(sources == q))], matrices)
                if element is None:
                    continue
                relative = sources[element]
            measure = 1 if measures is None or sources.max() == 0 else measures[sources == q].sum()
            bank[:, targets[h], :, q] += measure * (w[:, :, relative] @ values.T) / members
    return bank.reshape(*bank.shape[:4], *extents)


def conv(x, bank, kernel, *, has_fiber, stride=1, padding=0, dilation=1, padding_mode="zeros"):
    """The layer as the correlation with its filter bank; padding grows with the bank. has_fiber: of input, output."""
    d = len(kernel)
    if padding == "same":
        padding = dilation * (kernel[0] - 1) // 2
    extents = bank.shape[-d:]
    amounts = tuple(padding + dilation * (e - k) // 2 for e, k in zip(extents, kernel, strict=True))
    outputs, points = bank.shape[:2]
    flat = padded(x.reshape(x.shape[0], -1, *x.shape[-d:]).astype(np.float64), amounts, padding_mode)
    y = correlate(flat, bank.reshape(outputs * points, -1, *extents), (stride,) * d, (dilation,) * d)
    y = y.reshape(x.shape[0], outputs, points, *y.shape[2:])
    return y if has_fiber[1] else y[:, :, 0]

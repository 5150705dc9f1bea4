# SPDX-License-Identifier: Apache-2.0
"""The four layers in float64, written from their definitions: kernels turned by coordinates, loops over outputs.

Nothing of the engine is used but the matrices of the group. The product of elements is found by multiplying matrices.
"""

from __future__ import annotations

import itertools

import numpy as np

READS_GROUP = {"isotropic": False, "lifting": False, "group": True, "projection": True}
WRITES_GROUP = {"isotropic": False, "lifting": True, "group": True, "projection": False}


def coordinates(shape):
    """The coordinates (x), (x, y) or (x, y, z) of all entries of an array about its center, shape (size, d)."""
    centered = [np.arange(n) - (n - 1) / 2 for n in shape]
    grids = [grid.ravel() for grid in np.meshgrid(*centered, indexing="ij")]
    # Array axes are (depth, row, column): x = column, y = -row, z = -depth.
    signs = {1: [1], 2: [1, -1], 3: [1, -1, -1]}[len(shape)]
    return np.stack([sign * grid for sign, grid in zip(signs, reversed(grids), strict=True)], axis=1)


def positions(points, shape):
    """The inverse of `coordinates`: flat positions in an array of `shape`."""
    signs = {1: [1], 2: [1, -1], 3: [1, -1, -1]}[len(shape)]
    columns = [sign * points[:, i] for i, sign in enumerate(signs)][::-1]
    indices = [np.rint(column + (n - 1) / 2).astype(int) for column, n in zip(columns, shape, strict=True)]
    return np.ravel_multi_index(indices, shape)


def element_of(matrix, matrices):
    """The number of the element with this matrix."""
    return int(np.argmin(np.abs(matrices - matrix).sum(axis=(1, 2))))


def turned(kernel, matrices, h, spatial_axes):
    """``k(h^-1 h', h^-1 u)``, or ``k(h^-1 u)`` for a kernel without a fiber axis; axes (O, C, [|H|], kernel...)."""
    inverse = np.linalg.inv(matrices[h])
    shape = kernel.shape[-spatial_axes:]
    source = positions(coordinates(shape) @ inverse.T, shape)
    flat = kernel.reshape(*kernel.shape[:-spatial_axes], -1)[..., source]
    if kernel.ndim == 3 + spatial_axes:
        flat = flat[:, :, [element_of(inverse @ other, matrices) for other in matrices]]
    return flat.reshape(kernel.shape)


def place(position, size, mode):
    """The entry that is continued to a position."""
    if mode == "replicate":
        return min(max(position, 0), size - 1)
    if mode == "reflect" and size > 1:
        while not 0 <= position < size:
            position = -position if position < 0 else 2 * (size - 1) - position
    return position % size


def padded(x, padding, mode):
    """x with `padding` entries on both sides of its last axes, of zeros or of its own."""
    first = x.ndim - len(padding)
    for axis, p in enumerate(padding, start=first):
        n = x.shape[axis]
        source = np.arange(-p, n + p)
        x = np.take(x, [place(position, n, mode) for position in source], axis=axis)
        if mode == "zeros":
            outside = (source < 0) | (source >= n)
            x[(slice(None),) * axis + (outside,)] = 0
    return x


def correlate(x, kernel, stride, dilation):
    """Ordinary correlation summed over all axes of the kernel but its first: x (B, C, ...), kernel (O, C, ...)."""
    d = len(stride)
    extents = kernel.shape[-d:]
    sizes = [
        (n - step * (k - 1) - 1) // s + 1 for n, k, s, step in zip(x.shape[-d:], extents, stride, dilation, strict=True)
    ]
    y = np.empty((x.shape[0], kernel.shape[0], *sizes))
    flat = kernel.reshape(kernel.shape[0], -1)
    for place in itertools.product(*map(range, sizes)):
        window = tuple(
            slice(i * s, i * s + step * (k - 1) + 1, step)
            for i, s, step, k in zip(place, stride, dilation, extents, strict=True)
        )
        y[(..., *place)] = x[(..., *window)].reshape(x.shape[0], -1) @ flat.T
    return y


def layer(name, x, weight, matrices, bias=None, *, stride=1, padding=0, dilation=1, padding_mode="zeros"):
    """One of the layers "isotropic", "lifting", "group", "projection"; arguments as in the package."""
    d = matrices.shape[1]
    stride, dilation = (v if isinstance(v, tuple) else (v,) * d for v in (stride, dilation))
    if padding == "same":
        padding = tuple(step * (k - 1) // 2 for step, k in zip(dilation, weight.shape[-d:], strict=True))
    padding = {"valid": 0}.get(padding, padding) if isinstance(padding, str) else padding
    padding = padding if isinstance(padding, tuple) else (padding,) * d
    x = padded(np.asarray(x, np.float64), padding, padding_mode)
    kernels = [turned(np.asarray(weight, np.float64), matrices, h, d) for h in range(len(matrices))]
    if WRITES_GROUP[name]:
        y = np.stack([correlate(x, kernel, stride, dilation) for kernel in kernels], axis=2)
    else:
        y = correlate(x, np.mean(kernels, axis=0), stride, dilation)
    return y if bias is None else y + np.asarray(bias, np.float64).reshape(-1, *[1] * (y.ndim - 2))

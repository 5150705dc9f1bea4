# SPDX-License-Identifier: Apache-2.0
"""He initialization of transposed convolutions: what `initialization` does for layers.

A number of K* x, for a layer K with kernels b_a of the coefficients a, is

    y(c, p, x) = sum over o, a of w[o, c, a] (sum over points h and taps u of b_a(h; p, u) f_o(h, n))
                 with stride n + dilation u = x + padding

Only taps of one residue modulo the stride meet a number: one of stride^d on average. Two taps meet one at the same x if
dilation v is a multiple of the stride, for v = u - u', and then read numbers that are dilation v / stride apart. With
R(v) and A(v) the correlations of the kernels of one plane, and of the sums over planes,

    F = (sum over such v of R(v) kappa(rho(dilation v / stride)) + (A(v) - R(v)) / pi) / stride^d

the mean over x. Correlations rho of f are those that layers of stride 1 with such kernels give to signals. Planes are
taken to be independent, and to be equal where functions on H overlap, as for layers. With pixels, on lattice groups and
for layers that read signals on the group, each b_a is one tap, and F is |Y| (k / stride)^d over the squared |H| of the
mean that a projection takes.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from .._groups.point_group import PointGroup
from .initialization import Values, banks, rectified, settled
from .layer import LAYERS, Kernel

# Stride and dilation on each axis.
Steps: TypeAlias = tuple[tuple[int, int], ...]


def transposed_deviation(
    name: str, group: PointGroup, channels: int, kernel: Kernel, extents: tuple[int, ...], steps: Steps
) -> float:
    """The deviation of weights with which a transposed convolution and a rectifier keep the variance of a signal.

    Args:
        name: the layer whose adjoint it is, a key of LAYERS.
        group: H.
        channels: O, those that the adjoint reads.
        kernel: what its kernels are made of.
        extents: the taps of the kernel.
        steps: stride and dilation on each axis.
    """
    one = replace(kernel, groups=1)
    return math.sqrt(2 * kernel.groups / (channels * transposed_fan_in(name, group, one, extents, steps)))


@lru_cache(maxsize=256)
def transposed_fan_in(name: str, group: PointGroup, kernel: Kernel, extents: tuple[int, ...], steps: Steps) -> float:
    """F: the second moment of the output for one channel and weights of unit variance, in units of that of the input.

    It is the mean over the residues of the stride, far from the border.
    """
    layer = LAYERS[name]
    density = math.prod(stride for stride, _ in steps)
    has_plain_weights = kernel.has_pixels() and kernel.group_basis is None and not kernel.quadrature
    if group.is_lattice and has_plain_weights and layer.reads_group:
        of_points = group.order if layer.writes_group else 1 / group.order
        return math.prod(extents) * of_points / density
    same, every = _correlations(name, group, kernel, extents)
    if name == "group" and kernel.group_basis is not None and np.all(group.cayley >= 0):
        same = every
    across = every - same
    _, rho = settled(same, float(across.sum()) / math.pi)
    kappa = rectified(rho)
    total = 0.0
    for place in itertools.product(*map(range, same.shape)):
        lag = _lag(place, same.shape, steps)
        if lag is not None:
            # What is farther apart than the torus is wide is independent.
            is_far = any(2 * abs(step) > size for step, size in zip(lag, kappa.shape, strict=True))
            total += (
                float(same[place]) * (1 / math.pi if is_far else float(kappa[lag])) + float(across[place]) / math.pi
            )
    return total / density


def _lag(place: tuple[int, ...], shape: tuple[int, ...], steps: Steps) -> tuple[int, ...] | None:
    """How far apart the numbers are that two taps read at one output; None if they never meet one."""
    found = []
    for position, size, (stride, dilation) in zip(place, shape, steps, strict=True):
        distance = (position - size // 2) * dilation
        if distance % stride:
            return None
        found.append(distance // stride)
    return tuple(found)


def _correlations(name: str, group: PointGroup, kernel: Kernel, extents: tuple[int, ...]) -> tuple[Values, Values]:
    """R and A: the kernels' correlations, one plane h at a time, and of the sums over planes; means over points p."""
    layer = LAYERS[name]
    planes, points = layer.output_points(group) or 1, layer.input_points(group) or 1
    same: Values | float = 0.0
    every: Values | float = 0.0
    for bank, weight in banks(name, group, kernel, extents):
        taps = bank.shape[2:]
        rows = bank.reshape(-1, planes, points, *taps)
        same = same + _correlation(rows.reshape(-1, *taps)) * (weight / points)
        every = every + _correlation(rows.sum(1).reshape(-1, *taps)) * (weight / points)
    return np.asarray(same), np.asarray(every)


def _correlation(rows: Values) -> Values:
    """The sum over rows of ``sum over u of b(u) b(u + v)``, v = 0 in the middle."""
    used = rows[np.any(rows != 0, axis=tuple(range(1, rows.ndim)))]
    sizes = tuple(2 * extent - 1 for extent in rows.shape[1:])
    power = np.sum(np.abs(np.fft.rfftn(used, s=sizes, axes=tuple(range(1, rows.ndim)))) ** 2, axis=0)
    found: Values = np.fft.fftshift(np.fft.irfftn(power, s=sizes, axes=tuple(range(len(sizes)))))
    return found

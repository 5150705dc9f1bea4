# SPDX-License-Identifier: Apache-2.0
"""He initialization in closed form, for any group and any basis.

A layer's output is ``y = sum over c, a of w[c, a] (sum over planes p and taps u of b_a(p, u) f_c(p, x + u))`` with the
kernels b_a of the coefficients a, read off the filter bank of the layer. For weights of deviation sigma about 0

    Var y = sigma^2 C sum over a, p, u, p', u' of b_a(p, u) b_a(p', u') E[f(p, x + u) f(p', x + u')]

With pixels and a lattice group each b_a is one tap, correlations drop out, and this is He's C |H| k^d sigma^2 E[f^2].
With smooth kernels neighboring taps of one function read neighboring numbers, which are not independent: f is the
rectified output of such a layer. Its correlations are those of the mean field theory of wide networks: if those of y
are rho, those of f = max(y, 0), in units of E[f^2] = Var y / 2, are

    kappa(rho) = (sqrt(1 - rho^2) + rho (pi - arccos rho)) / pi

and rho of the next layer follows from kappa by the first formula. The recursion settles within a few steps. Different
planes p are taken to be independent: kappa(0) = 1 / pi, the mean of f squared; but see `_fiber_factor`.

Sources: He et al., "Delving deep into rectifiers", ICCV 2015; Cho and Saul, "Kernel methods for deep learning", NIPS
2009 (kappa); Xiao et al., "Dynamical isometry and a mean field theory of CNNs", ICML 2018 (the recursion).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .. import _native
from .._groups.point_group import PointGroup
from .layer import LAYERS, Kernel
from .sampling import Sampling
from .spec import LayerSpec

_STEPS = 8
_LARGEST_BANK = 2**21

Values = NDArray[np.float64]


def he_deviation(name: str, group: PointGroup, channels: int, kernel: Kernel, extents: tuple[int, ...]) -> float:
    """The standard deviation of weights with which layers and rectifiers in turn keep the variance of a signal.

    ``sqrt(2 / (C F))`` with the effective fan-in F of one channel, |H| k^d for pixels on a lattice group.

    Args:
        name: the layer, a key of LAYERS.
        group: H.
        channels: C, the number of input channels.
        kernel: what its kernels are made of.
        extents: the taps of the kernel.
    """
    one = replace(kernel, groups=1)
    return math.sqrt(2 * kernel.groups / (channels * fan_in(name, group, one, extents)))


@lru_cache(maxsize=256)
def fan_in(name: str, group: PointGroup, kernel: Kernel, extents: tuple[int, ...]) -> float:
    """F: the second moment of the output for C = 1 and weights of unit variance, in units of that of the input."""
    layer = LAYERS[name]
    is_single_tap = group.is_lattice and kernel.has_pixels() and kernel.group_basis is None and layer.writes_group
    if is_single_tap and not kernel.quadrature:
        return float(math.prod(extents) * (layer.input_points(group) or 1))
    if name == "group" and kernel.group_basis is not None and np.all(group.cayley >= 0):
        correlation, _ = _moments("lifting", group, replace(kernel, group_basis=None), extents)
        return _settled(correlation, 0.0) * _fiber_factor(group, kernel)
    correlation, total = _moments(name, group, kernel, extents)
    return _settled(correlation, (total - float(correlation.sum())) / math.pi)


def _settled(correlation: Values, across: float) -> float:
    """The limit of F where the signal has the correlations that such layers give it; as `settled`."""
    kernel, rho = settled(correlation, across)
    return float(np.sum(kernel * rectified(rho))) + across


def settled(correlation: Values, across: float) -> tuple[Values, Values]:
    """The correlations of the kernels on a torus, v = 0 at the origin, and those that such layers give to signals.

    Args:
        correlation: of the kernels: sum over coefficients, planes and taps u of b(u) b(u + v), v = 0 in the middle.
        across: what planes add that are taken to be independent.
    """
    # On a torus wide enough for the correlations to decay in.
    sizes = tuple(4 * extent for extent in correlation.shape)
    axes = tuple(range(len(sizes)))
    kernel = np.zeros(sizes)
    kernel[tuple(slice(0, extent) for extent in correlation.shape)] = correlation
    kernel = np.roll(kernel, tuple(-(extent // 2) for extent in correlation.shape), axes)
    spectrum = np.fft.rfftn(kernel, axes=axes)
    origin = (0,) * kernel.ndim
    rho = np.zeros(sizes)
    rho[origin] = 1.0
    for _ in range(_STEPS):
        read = np.fft.rfftn(rectified(rho), axes=axes)
        following = np.fft.irfftn(read * spectrum, s=sizes, axes=axes) + across
        rho = following / following[origin]
    return kernel, rho


def _fiber_factor(group: PointGroup, kernel: Kernel) -> float:
    """What functions A_i on H contribute to F: sum over i of (sum over d of A_i(d))^2.

    Where functions overlap, as splines of the angle do, the planes of a signal grow alike from layer to layer, and are
    taken to be equal. Where each is 1 on one element this is their number.
    """
    assert kernel.group_basis is not None
    sums = kernel.group_basis.matrix(group).sum(0)
    return float(np.sum(sums**2)) / (group.order**2 if kernel.quadrature else 1)


def rectified(rho: Values) -> Values:
    """kappa: the correlation of max(y, 0) where that of y is rho."""
    inside = np.clip(rho, -1.0, 1.0)
    values: Values = (np.sqrt(1 - inside**2) + inside * (math.pi - np.arccos(inside))) / math.pi
    return values


def _moments(name: str, group: PointGroup, kernel: Kernel, extents: tuple[int, ...]) -> tuple[Values, float]:
    """The kernels' correlation with themselves, mean over outputs, and the sum of (sum over p, u of b(p, u))^2."""
    planes, outputs = LAYERS[name].input_points(group) or 1, LAYERS[name].output_points(group) or 1
    correlation, total = None, 0.0
    for bank, weight in banks(name, group, kernel, extents):
        taps = bank.shape[2:]
        rows = bank.reshape(-1, outputs, planes, math.prod(taps))
        total += weight * float(np.sum(rows.sum((2, 3)) ** 2)) / outputs
        used = rows.reshape(-1, *taps)[np.any(rows != 0, axis=3).ravel()]
        sizes = tuple(2 * extent - 1 for extent in taps)
        axes = tuple(range(1, 1 + len(taps)))
        power = np.sum(np.abs(np.fft.rfftn(used, s=sizes, axes=axes)) ** 2, axis=0)
        part = np.fft.fftshift(np.fft.irfftn(power, s=sizes, axes=tuple(range(len(taps))))) * (weight / outputs)
        correlation = part if correlation is None else correlation + part
    assert correlation is not None  # a basis has a function
    return correlation, total


def banks(
    name: str, group: PointGroup, kernel: Kernel, extents: tuple[int, ...]
) -> Iterator[tuple[NDArray[np.float64], float]]:
    """Filter banks with a coefficient an output channel, some at a time, and how many coefficients each stands for."""
    layer = LAYERS[name]
    functions = kernel.functions(group, layer)
    shape = (1, *kernel.weight_axes(group, layer, extents))
    count, weight = math.prod(shape), 1.0
    if functions is not None and kernel.group_basis is None and np.all(group.cayley >= 0):
        # Those of the other relative elements are the same but for the order of the planes.
        count, weight = count // functions, float(functions)
    planes, outputs = layer.input_points(group) or 1, layer.output_points(group) or 1
    spec = LayerSpec.checked(layer, group, Sampling.checked(group.dimension, 1, 0, 1, "zeros", "auto"), kernel)
    step = max(1, _LARGEST_BANK // (math.prod(extents) * planes * outputs))
    for first in range(0, count, step):
        numbers = np.arange(first, min(first + step, count))
        one_hot = np.zeros((len(numbers), math.prod(shape)))
        one_hot[np.arange(len(numbers)), numbers] = 1.0
        yield _native.expand(spec, one_hot.reshape(len(numbers), *shape)), weight

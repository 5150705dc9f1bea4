# SPDX-License-Identifier: Apache-2.0
"""The adjoint of a layer in its signal, as a layer of its own: its sizes, checks and warning.

A layer K reads signals v and writes signals g. Its adjoint K* reads signals x on the space that K writes, and writes
signals on the space that K reads, with ``<K v, x> = <v, K* x>`` for all v. Of the weight (O, C, ...) of K, O are the
channels that K* reads, and C those that it writes.

The size m of v follows from that of x up to what the stride leaves out at the end of an axis, ``output_padding``:

    m = (n - 1) stride - 2 padding + reach + output_padding        0 <= output_padding < stride

With more, K would write more than n numbers for m.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from .. import _native
from .._checks.arguments import axes, value_text
from .._checks.arrays import Shaped, check_same_dtype
from .._checks.warnings import EquivarianceWarning, level_of_caller
from .._groups.geometry import moved_axes
from .._groups.point_group import PointGroup
from .._signals.shapes import check_signal
from .fitting import EQUIVARIANT
from .layer import Kernel
from .operands import check_parts, check_weight
from .sampling import Sampling, check_same_padding
from .spec import LayerSpec, OpenLayerSpec

USER = "transposed_conv"
# More numbers than any memory has room for, and far from where sizes in bytes overflow.
_LARGEST = 2**48
# The algorithms that ask for results that commute with the group to the last bit.
_EXACT = ("direct", "exact")


def checked_output_padding(value: object, sampling: Sampling) -> tuple[int, ...]:
    """One number for each spatial axis. Raises TypeError or ValueError for others than 0 to stride - 1."""
    amounts = axes("output_padding", value, len(sampling.stride), 0)
    for axis, (amount, stride) in enumerate(zip(amounts, sampling.stride, strict=True)):
        if amount >= stride:
            raise ValueError(
                f"output_padding is {value_text(value)}, expected at most {stride - 1} on spatial axis {axis}, less "
                f"than the stride {stride}: a layer writes one number more for a signal that is longer by its stride"
            )
    return amounts


def adjoint_layer(spec: LayerSpec, weight: Shaped, output_padding: tuple[int, ...]) -> LayerSpec:
    """The layer with padding in numbers.

    "equivariant" is the least padding of a layer that fits its stride, with which K* gives stride times the size of x,
    or 1 less where an odd kernel cannot.

    Args:
        spec: the layer.
        weight: of the layer.
        output_padding: checked.

    Raises:
        ValueError: "equivariant" with output padding on an axis that the group moves; a weight that does not fit.
    """
    if not isinstance(spec, OpenLayerSpec):
        return spec
    check_weight(weight, spec.group, spec.layer, spec.kernel, USER)
    for axis in moved_axes(spec.group) if any(output_padding) else ():
        if output_padding[axis]:
            raise ValueError(
                f"output_padding is {output_padding[axis]} on spatial axis {axis}, expected 0 with padding "
                f"{EQUIVARIANT!r}: it adds a margin on one side alone, which {spec.group.name} moves to the other"
            )
    return spec.padded(spec.least_padding(weight))


def transposed_sizes(
    sizes: Sequence[Any], extents: tuple[int, ...], sampling: Sampling, output_padding: tuple[int, ...]
) -> tuple[Any, ...]:
    """The sizes of the result on its spatial axes, which may be symbols, for those of x."""
    return tuple(
        (size - 1) * stride - 2 * padding + reach + more
        for size, stride, padding, reach, more in zip(
            sizes, sampling.stride, sampling.amounts(extents), sampling.reach(extents), output_padding, strict=True
        )
    )


def result_channels(weight: Shaped, kernel: Kernel) -> int:
    """The channels that the adjoint writes."""
    return weight.shape[1] * kernel.groups


def transposed_shape(x: Shaped, weight: Shaped, spec: LayerSpec, output_padding: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of K*(x). Raises TypeError or ValueError unless the operands fit the adjoint and each other.

    Args:
        x: a signal on what the layer writes.
        weight: of the layer.
        spec: the layer.
        output_padding: checked.
    """
    group, layer = spec.group, spec.layer
    check_same_dtype("weight", weight, "x", x)
    check_signal("x", x, group, layer.output_points(group), USER)
    check_weight(weight, group, layer, spec.kernel, USER)
    if x.shape[1] != weight.shape[0]:
        raise ValueError(
            f"weight has shape {weight.shape}, expected {x.shape[1]} on axis 0, the channels of x of shape {x.shape}: "
            f"the weight of {USER} is (channels of x, channels of the result, ...)"
        )
    check_parts(weight, spec.kernel)
    extents = spec.kernel.extents(weight, group.dimension)
    first = x.ndim - group.dimension
    check_same_padding(weight, extents, first, spec.sampling)
    points = layer.input_points(group)
    sizes = transposed_sizes(x.shape[first:], extents, spec.sampling, output_padding)
    shape = (x.shape[0], result_channels(weight, spec.kernel), *(() if points is None else (points,)), *sizes)
    _check_sizes(x, shape, extents, spec.sampling)
    # What remains is the engine's to say, such as numbers that differ on axes which the group exchanges.
    spec.find_output_shape(shape, tuple(weight.shape))
    return shape


def _check_sizes(x: Shaped, shape: tuple[int, ...], extents: tuple[int, ...], sampling: Sampling) -> None:
    """Raises ValueError for a result without numbers, or with more than any memory holds."""
    d = len(extents)
    for axis, size in enumerate(shape[-d:]):
        if size < 1:
            padding, reach = sampling.amounts(extents)[axis], sampling.reach(extents)[axis]
            raise ValueError(
                f"padding is {padding} on spatial axis {axis} of x of shape {x.shape}, expected less: the result would "
                f"have size {size} there, of stride {sampling.stride[axis]} and a kernel that reaches over {reach}"
            )
    if math.prod(shape) > _LARGEST:
        raise ValueError(
            f"stride is {sampling.stride} and dilation is {sampling.dilation} for x of shape {x.shape}, expected a "
            f"result of at most 2^48 numbers, got shape {shape}"
        )


def check_transposed_bias(bias: Shaped | None, weight: Shaped, kernel: Kernel) -> None:
    """Raises ValueError unless there is one number for each channel of the result."""
    if bias is not None and bias.shape != (result_channels(weight, kernel),):
        raise ValueError(
            f"bias has shape {bias.shape}, expected {(result_channels(weight, kernel),)}: one number for each channel "
            f"of the result, of weight of shape {weight.shape}"
        )


def warn_of_output_padding(
    sizes: Sequence[int], stride: tuple[int, ...], output_padding: tuple[int, ...], group: PointGroup
) -> None:
    """Warns of margins on one side of an axis that `group` moves, at the line of the user's.

    Args:
        sizes: of the result on its spatial axes.
        stride, output_padding: of the call.
        group: H.
    """
    if not any(output_padding):
        return
    for axis in moved_axes(group):
        more = output_padding[axis]
        if more:
            size, step = sizes[axis], stride[axis]
            warnings.warn(
                f"output_padding is {more} on spatial axis {axis}, expected 0: it adds a margin on one side alone, and "
                f"the result of size {size} is not equivariant under {group.name}. Nearest sizes that fit: "
                f"{size - more} or {size - more + step}; a kernel that reaches over stride + 2 padding gives stride "
                "times the size of x without it",
                EquivarianceWarning,
                stacklevel=level_of_caller(),
            )


def commutes(output_padding: tuple[int, ...], group: PointGroup) -> bool:
    """Whether the sizes are those of an equivariant layer: no output padding on axes that `group` moves."""
    return not any(output_padding) or not any(output_padding[axis] for axis in moved_axes(group))


@lru_cache(maxsize=1024)
def needs_turns(spec: LayerSpec, shape: tuple[int, ...], weight: tuple[int, ...], is_double: bool) -> bool:
    """Whether a layer asks for bits that the engine's pass of its adjoint does not give.

    Passes of the engine give them where they can. Otherwise the mean over the turned signals does, whose sums do not
    depend on the order.

    Args:
        spec: the layer.
        shape: of the result.
        weight: its shape.
        is_double: whether numbers are float64.
    """
    if spec.sampling.algorithm not in _EXACT:
        return False
    try:
        is_exact: bool = _native.explain(spec, _native.INPUT_GRADIENT, False, (1, *shape[1:]), weight, is_double)[8]
    except ValueError:
        # No algorithm of the engine is exact.
        return True
    return not is_exact


def by_definition(spec: LayerSpec) -> LayerSpec:
    """The layer, computed by the direct algorithm, which can compute all."""
    return spec if spec.sampling.algorithm == "direct" else _by_definition(spec)


@lru_cache(maxsize=256)
def _by_definition(spec: LayerSpec) -> LayerSpec:
    sampling = replace(spec.sampling, algorithm="direct")
    return LayerSpec.checked(spec.layer, spec.group, sampling, spec.kernel)

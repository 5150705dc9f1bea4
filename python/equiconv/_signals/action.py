# SPDX-License-Identifier: Apache-2.0
"""The action of the group on signals, and how far a map is from commuting with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import _native
from .._checks.arguments import integer, value_text
from .._checks.arrays import Array, float_array, output
from .._groups.arguments import Stabilizer, point_group, stabilizer_of
from .._groups.geometry import axis_action, lattice_elements
from .._groups.point_group import PointGroup
from .array_maps import ArrayMap, array_of
from .resampling import resampled_error, sampling_of, space_of, transforms
from .shapes import check_signal


def act(
    x: ArrayLike,
    group: PointGroup,
    element: int,
    stabilizer: Sequence[int] | None = None,
    *,
    out: Array | None = None,
) -> Array:
    """The action of an element g of H on a signal, about the center of the array; exact.

    ``(L_g f)(x) = f(g^-1 x)`` on the plane, ``(L_g f)(p, x) = f(g^-1 p, g^-1 x)`` for points p of H or of H/K. Where g
    exchanges axes of different size, the result has them exchanged.

    Args:
        x: signal of shape (B, C, spatial...) or (B, C, |H|, spatial...), which the number of axes decides; with a
            `stabilizer` K, of shape (B, C, |H|/|K|, spatial...), or (B, C, spatial...) if K is all of H; float32 or
            float64.
        group: H, any group on d axes.
        element: the number of g, 0 to |H| - 1: one that maps the grid of pixels to itself, such as the quarter turns of
            `cyclic(8)`. All elements of a lattice group do.
        stabilizer: the elements of K in any order, for signals on H/K.
        out: array to write the result to: its shape and dtype, C-contiguous, no memory shared with `x`.

    Returns:
        A signal of the same kind, with the dtype of `x`; `out` if it was given.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, dtype or shape; an element that does not exist, or that
            would need interpolation; a `stabilizer` that is not a subgroup.

    Example:
        >>> x = numpy.arange(4.0).reshape(1, 1, 2, 2)
        >>> bool(numpy.all(act(x, cyclic(4), 1) == numpy.rot90(x, axes=(2, 3))))
        True
    """
    checked_group = point_group(group)
    array = float_array("x", x)
    space = signal_space(array, checked_group, stabilizer)
    number = integer("element", element, 0, checked_group.order - 1)
    check_exact(checked_group, number)
    d = checked_group.dimension
    shape = array.shape[:-d] + tuple(array.shape[axis - d] for axis in axis_action(checked_group, number).axes)
    result = np.empty(shape, array.dtype) if out is None else output(out, shape, array.dtype, {"x": (x, array)})
    _native.act(checked_group, number, space, array, result)
    return result if out is None else out


def signal_space(x: Array, group: PointGroup, stabilizer: Sequence[int] | None) -> int | Stabilizer:
    """Where the signal lives, for the extension; checks its shape."""
    d = group.dimension
    if stabilizer is not None:
        subgroup = stabilizer_of("stabilizer", stabilizer, group)
        points = None if len(subgroup) == group.order else group.order // len(subgroup)
        check_signal("x", x, group, points, "act")
        return subgroup
    if x.ndim not in (2 + d, 3 + d):
        raise ValueError(
            f"x has shape {x.shape}, expected (B, C, spatial...) or (B, C, |H|, spatial...) on a {d}-D group: "
            f"{2 + d} or {3 + d} axes"
        )
    on_group = x.ndim == 3 + d
    check_signal("x", x, group, group.order if on_group else None, "act")
    return _native.GROUP_SIGNAL if on_group else _native.PLANE_SIGNAL


def check_exact(group: PointGroup, element: int) -> None:
    """Raises ValueError for an element that does not map the grid to itself."""
    if not group.is_lattice and element not in (exact := lattice_elements(group)):
        raise ValueError(
            f"element is {element} of {group.name}, which does not map the grid to itself, expected one of "
            f"{value_text(exact)}, which act without interpolation"
        )


def equivariance_error(
    f: Callable[[Any], Any],
    x: Any,
    group: PointGroup,
    *,
    input_stabilizer: Sequence[int] | None = None,
    output_stabilizer: Sequence[int] | None = None,
    angles: ArrayLike | None = None,
    scales: ArrayLike | None = None,
    spline_order: int = 5,
    radius: float = 0.5,
) -> float:
    """How far a map is from commuting with the action of a group: exactly, or with any rotations and scalings.

    Without `angles` and `scales`, over all elements that act exactly.

    The largest over g of ``max |f(L_g x) - L_g f(x)| / max |f(x)|``. 0.0 means that all outputs are equal to the
    last bit. NaN if an output has a NaN; infinity if f(x) is zero and an f(L_g x) is not.

    For a group that is not a lattice group, g runs over the elements that map the grid of pixels to itself, such as the
    quarter turns of `cyclic(8)`: others would need an interpolation, whose error is not that of f.

    With `angles` or `scales`: over all A that rotate by one of the angles and scale by one of the factors, the largest
    of ``|f(L_A x) - L_A f(x)| / |L_A f(x)|``, L2 norms over a central disc. Both signals are moved about the center of
    the array by `scipy.ndimage.affine_transform` with splines of `spline_order`, continued by mirroring, in float64;
    quarter turns exactly. The error then has that of the resampling in it. Signals on H or H/K need elements that are
    A; where a truncated set lacks g^-1 p, a point p of the input is 0 and one of the output is not compared.

    Args:
        f: any callable from a signal to a signal, for example a network: of NumPy, PyTorch or JAX. The number of axes
            decides what its output is: a signal (B, C, spatial...) or (B, C, |H|, spatial...), or (B, C), which H
            leaves unchanged. It is called without gradients, and a module in the mode it is in: call ``eval()`` first,
            or batch norm learns from `x`.
        x: signal of shape (B, C, spatial...) or (B, C, |H|, spatial...), float32 or float64: an array, or a tensor of
            PyTorch or JAX, which `f` then gets too. Of an array, a `torch.nn.Module` gets tensors. Another `f` gets the
            array, and if it refuses that by TypeError or AttributeError, a tensor of a framework that is imported.
        group: H, any group on d axes.
        input_stabilizer: the elements of K, if `x` is a signal (B, C, |H|/|K|, spatial...) on H/K.
        output_stabilizer: the same for the output of `f`.
        angles: a number or several, in degrees, counterclockwise; in 2-D only. 0 if only `scales` are given.
        scales: a factor or several, in 1/1024...1024: ``(L_s f)(x) = f(x / s)``. 1 if only `angles` are given.
        spline_order: of the resampling, 1 to 5.
        radius: of the disc, as a share of half the smallest extent of the output (times s for s < 1): above 0, at most
            1. Rotated corners leave the array, and padding is not turned, so that 1 has errors of the border in it.

    Returns:
        The relative error.

    Raises:
        TypeError, ValueError: as `act`, for `x` or for what `f` returns; f(L_g x) and L_g f(x) differ in shape; a
            signal on H and an angle and scale that are not an element of H; an argument of the wrong kind or value.
        ModuleNotFoundError: the resampling needs SciPy, which is not installed.

    Example:
        >>> weight = numpy.ones((1, 1, 3, 3))
        >>> equivariance_error(lambda x: lifting_conv(x, weight, cyclic(4)), numpy.ones((1, 1, 8, 8)), cyclic(4))
        0.0
    """
    checked_group = point_group(group)
    if not callable(f):
        raise TypeError(f"f is {value_text(f)}, expected a callable from a signal to a signal")
    signal = array_of("x", x)
    array_map = ArrayMap.of(f, x)
    source = _elements("input_stabilizer", input_stabilizer, checked_group)
    target = _elements("output_stabilizer", output_stabilizer, checked_group)
    if angles is not None or scales is not None:
        options = (angles, scales, spline_order, radius)
        return _resampled_error(array_map, signal, checked_group, (source, target), options)
    signal_space(signal, checked_group, source)
    value = array_map("f(x)", signal)
    scale = float(np.max(np.abs(value), initial=0.0))
    errors = []
    for element in lattice_elements(checked_group):
        turned = act(signal, checked_group, element, source)
        expected = value if value.ndim == 2 else act(value, checked_group, element, target)
        errors.append(_error(array_map, turned, expected, checked_group, element))
    largest = float(np.max(errors))
    if largest == 0.0:
        return 0.0
    return largest / scale if scale > 0.0 else largest * np.inf


def _elements(name: str, value: Sequence[int] | None, group: PointGroup) -> list[int] | None:
    return None if value is None else stabilizer_of(name, value, group).get_elements().tolist()


def _resampled_error(
    f: ArrayMap,
    x: Array,
    group: PointGroup,
    stabilizers: tuple[Sequence[int] | None, Sequence[int] | None],
    options: tuple[object, object, object, object],
) -> float:
    """The error with rotations by any angle and scalings; checks all that is particular to it."""
    angles, scales, spline_order, radius = options
    moves = transforms(angles, scales, group)
    sampling = sampling_of(spline_order, radius, moves)
    signal_space(x, group, stabilizers[0])
    value = f("f(x)", x)
    if value.ndim != 2:
        signal_space(value, group, stabilizers[1])
    spaces = space_of("x", x, group, stabilizers[0]), space_of("f(x)", value, group, stabilizers[1])
    return resampled_error(f, (x, value), spaces, moves, sampling)


def _error(f: ArrayMap, turned: Array, expected: Array, group: PointGroup, element: int) -> float:
    """``max |f(L_g x) - L_g f(x)|``."""
    actual = f("f(L_g x)", turned)
    if actual.shape != expected.shape:
        raise ValueError(
            f"f(L_g x) has shape {actual.shape} for element {element} of {group.name}, expected {expected.shape}, "
            "the shape of L_g f(x)"
        )
    if np.array_equal(actual, expected):
        return 0.0
    return float(np.max(np.abs(actual - expected)))

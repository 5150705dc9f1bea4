# SPDX-License-Identifier: Apache-2.0
"""Which algorithm a call of a layer uses, and what it costs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .._checks.arguments import choice, integer, is_a, value_text
from .._checks.arrays import Shaped, float_dtype, float_values
from .._groups.arguments import point_group
from .._groups.point_group import PointGroup
from .._layer.explanation import Explanation, Run
from .._layer.layer import LAYERS, Layer, general_layer
from .._layer.spec import RUNS, LayerSpec
from .._layer.weights import PreparedWeight
from .convolutions import group_conv, isotropic_conv, lifting_conv, projection_conv
from .general import conv

_FUNCTIONS: tuple[tuple[Callable[..., Any], Layer | None], ...] = (
    (isotropic_conv, LAYERS["isotropic"]),
    (lifting_conv, LAYERS["lifting"]),
    (group_conv, LAYERS["group"]),
    (projection_conv, LAYERS["projection"]),
    (conv, None),
)
_SAMPLING = ("stride", "padding", "dilation", "padding_mode", "algorithm")
_KERNEL = ("basis", "interpolation", "group_basis", "quadrature", "groups")
_SPACES = ("input_stabilizer", "output_stabilizer")


def explain(
    layer: Callable[..., Any],
    x: ArrayLike | Sequence[int],
    weight: ArrayLike | PreparedWeight | Sequence[int],
    group: PointGroup,
    *,
    run: Run = "forward",
    dtype: DTypeLike | None = None,
    **options: Any,
) -> Explanation:
    """Which algorithm a call of a layer uses, with its arithmetic, memory and estimated time. Nothing is computed.

    The answer is for the present number of threads (`set_num_threads`) and workspace limit (`set_workspace_limit`), on
    this processor.

    Args:
        layer: `isotropic_conv`, `lifting_conv`, `group_conv`, `projection_conv` or `conv`.
        x: the signal, or its shape as a tuple of ints.
        weight: the weight, or its shape. A prepared one costs no transform, so the answer may be another.
        group: H.
        run: ``"forward"``, or the part of the layer's vjp that is asked about: ``"input_gradient"`` or
            ``"weight_gradient"``.
        dtype: float32 or float64, where `x` and `weight` are both shapes; float32 if not given.
        options: the keywords of `layer`, such as ``padding`` and ``algorithm``. ``bias`` and ``out`` change nothing.

    Returns:
        An `Explanation`, which prints as a table.

    Raises:
        TypeError, ValueError: as `layer`; an `algorithm` that cannot do this, with the reason.

    Example:
        >>> explain(group_conv, (1, 3, 4, 8, 8), (5, 3, 4, 3, 3), cyclic(4), algorithm="direct").algorithm
        'direct'
    """
    arguments = _bound(layer, x, weight, group, options)
    checked_group = point_group(group)
    code = choice("run", run, tuple(RUNS))
    signal, kernel = _operands(x, weight, dtype, takes_prepared=code == "forward")
    spec = LayerSpec.of(
        _described(layer, checked_group, arguments),
        checked_group,
        tuple(arguments[name] for name in _SAMPLING),
        tuple(arguments[name] for name in _KERNEL),
    )
    return spec.explain(signal, kernel, cast(Run, code))


def _bound(layer: object, x: object, weight: object, group: object, options: dict[str, Any]) -> dict[str, Any]:
    """All arguments of the layer by name, its defaults included. Raises TypeError."""
    for function, _ in _FUNCTIONS:
        if function is layer:
            signature = inspect.signature(function)
            try:
                bound = signature.bind(x, weight, group, **options)
            except TypeError as error:
                raise TypeError(f"explain({function.__name__}, ...): {error}") from None
            bound.apply_defaults()
            return dict(bound.arguments)
    names = ", ".join(f"equiconv.{function.__name__}" for function, _ in _FUNCTIONS)
    name = getattr(layer, "__name__", None)
    raise TypeError(f"layer is {value_text(layer) if name is None else name}, expected one of {names}")


def _described(layer: object, group: PointGroup, arguments: dict[str, Any]) -> Layer:
    for function, named in _FUNCTIONS:
        if function is layer and named is not None:
            return named
    return general_layer(group, *(arguments[name] for name in _SPACES))


@dataclass(frozen=True)
class _Shape:
    """An array that is not there."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @classmethod
    def of(cls, name: str, sizes: Any, dtype: np.dtype[Any]) -> _Shape:
        """Raises ValueError for sizes that no array has."""
        return cls(tuple(integer(f"{name}[{axis}]", size, 0, 2**62) for axis, size in enumerate(sizes)), dtype)


def _is_shape(value: object) -> bool:
    return is_a(value, tuple, list) and all(
        isinstance(item, int | np.integer) and not isinstance(item, bool) for item in value
    )


def _operands(x: object, weight: object, dtype: DTypeLike | None, *, takes_prepared: bool) -> tuple[Shaped, Shaped]:
    """What is known of the signal and the weight. A shape has the given dtype, or that of the other argument."""
    signal = None if _is_shape(x) else float_values("x", x)
    kernel: Shaped | None = weight if takes_prepared and is_a(weight, PreparedWeight) else None
    if kernel is None and not _is_shape(weight):
        kernel = float_values("weight", weight)
    kind: np.dtype[Any] = np.dtype(np.float32)
    if dtype is not None:
        kind = float_dtype("dtype", dtype)
    elif signal is not None:
        kind = signal.dtype
    elif kernel is not None:
        kind = kernel.dtype
    x_shape = _Shape.of("x", x, kind) if signal is None else signal
    return x_shape, _Shape.of("weight", weight, kind) if kernel is None else kernel

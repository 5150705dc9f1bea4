# SPDX-License-Identifier: Apache-2.0
"""Checks of spaces, matrices and kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks.arguments import is_a, value_text
from .._checks.arrays import reals
from ._spaces import Space

Matrix = NDArray[np.float64]


def check_spaces(x_space: object, y_space: object) -> None:
    """Raises TypeError or ValueError unless both are spaces of one G."""
    for name, space in (("x_space", x_space), ("y_space", y_space)):
        if not is_a(space, Space):
            raise TypeError(f"{name} is {value_text(space)}, expected a Space such as Space.plane(cyclic(4), 5)")
    assert isinstance(x_space, Space)
    assert isinstance(y_space, Space)
    if x_space.group != y_space.group or x_space.shape != y_space.shape:
        raise ValueError(
            f"y_space is on a grid {y_space.shape} with {y_space.group.name}, expected the grid {x_space.shape} with "
            f"{x_space.group.name} of x_space: G must be one group"
        )


def finite_array(name: str, value: ArrayLike) -> Matrix:
    """`value` as a new array of finite numbers in float64. Raises TypeError or ValueError."""
    array = reals(name, value)
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} has infinite or NaN entries, expected finite numbers")
    return array


def checked_blocks(matrix: ArrayLike, x_space: Space, y_space: Space) -> Matrix:
    """The matrix with axes (O, Y, C, X). Raises TypeError or ValueError."""
    check_spaces(x_space, y_space)
    m = finite_array("matrix", matrix)
    if m.ndim != 2 or 0 in m.shape or m.shape[0] % y_space.size or m.shape[1] % x_space.size:
        raise ValueError(
            f"matrix has shape {m.shape}, expected (O * {y_space.size}, C * {x_space.size}): channels times the "
            "sizes of y_space and x_space"
        )
    return m.reshape(m.shape[0] // y_space.size, y_space.size, m.shape[1] // x_space.size, x_space.size)


def checked_kernel(kernel: ArrayLike, x_space: Space, y_space: Space) -> Matrix:
    """The kernel, a signal (O, C, ...) on X. Raises TypeError or ValueError."""
    check_spaces(x_space, y_space)
    k = finite_array("kernel", kernel)
    if k.ndim < 2 or 0 in k.shape or k.shape[2:] != x_space.signal_shape:
        raise ValueError(f"kernel has shape {k.shape}, expected (O, C, *{x_space.signal_shape}), a signal on x_space")
    return k

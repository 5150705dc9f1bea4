# SPDX-License-Identifier: Apache-2.0
"""Linear operators between signals on homogeneous spaces, as matrices: equivariance, projection, kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks.arguments import boolean, integer, real, value_text
from .._checks.arrays import as_array
from ._arguments import Matrix, check_spaces, checked_blocks, checked_kernel
from ._spaces import Points, Space

_LARGEST_ENTRIES = 2**26
_BATCH = 256
# Far above the rounding of sums of 1e6 numbers, far below the defect of an operator that is not what it should be.
_TOLERANCE = 1e-9


def matrix_of(
    f: Callable[[Any], ArrayLike], x_space: Space, y_space: Space, channels_in: int = 1, channels_out: int = 1
) -> Matrix:
    """The matrix of a linear operator, from its values on all signals that are 1 at one point of one channel.

    Column ``c |X| + x`` is f of the signal that is 1 at point x of channel c. A random signal then shows whether f is
    linear: f(r) must be the matrix times r. Costs C |X| calls of f on one signal, in batches.

    Args:
        f: a callable from float64 arrays (B, C, *x_space.signal_shape) to float64 arrays
            (B, O, *y_space.signal_shape). A bias makes it affine, not linear.
        x_space: X, the space of the input.
        y_space: Y, the space of the output.
        channels_in: C.
        channels_out: O.

    Returns:
        Shape (O |Y|, C |X|).

    Raises:
        TypeError: an argument of the wrong kind; f returns numbers that are not float64.
        ValueError: f returns another shape; f is not linear; the matrix would have more than 2^26 entries.

    Example:
        >>> line = Space.plane(trivial(1), 3)
        >>> matrix_of(lambda f: numpy.roll(f, 1, axis=-1), line, line)
        array([[0., 0., 1.],
               [1., 0., 0.],
               [0., 1., 0.]])
    """
    if not callable(f):
        raise TypeError(f"f is {value_text(f)}, expected a callable from signals to signals")
    check_spaces(x_space, y_space)
    c, o = integer("channels_in", channels_in, 1, 4096), integer("channels_out", channels_out, 1, 4096)
    columns, rows = c * x_space.size, o * y_space.size
    if rows * columns > _LARGEST_ENTRIES:
        raise ValueError(
            f"the matrix would have shape {(rows, columns)}, expected at most 2^26 entries: use a smaller grid"
        )
    matrix = np.empty((rows, columns))
    for first in range(0, columns, _BATCH):
        block = np.eye(min(_BATCH, columns - first), columns, first)
        matrix[:, first : first + _BATCH] = _apply(f, block, x_space, y_space, c, o).T
    _check_linear(f, matrix, x_space, y_space, c, o)
    return matrix


def equivariance_defect(matrix: ArrayLike, x_space: Space, y_space: Space) -> float:
    """How far a matrix M is from commuting with G, over generators of G.

    The largest of ``|rho_Y(g) M rho_X(g)^-1 - M| / |M|`` (Frobenius norms) over the unit translations of each axis and
    all h in H, where ``rho(g) f = L_g f``. If it is e, then that of any other g = (t, h) is at most
    (|t_1| + ... + |t_d| + 1) e, because the rho are isometries: 0 means that M commutes with all of G. 0 for M = 0.

    Costs (d + |H|) times the size of M.

    Args:
        matrix: M, of shape (O |Y|, C |X|).
        x_space: X.
        y_space: Y.

    Raises:
        TypeError, ValueError: not a matrix of real, finite numbers whose shape fits; spaces of different G.

    Example:
        >>> plane = Space.plane(cyclic(4), 3)
        >>> equivariance_defect(numpy.eye(9), plane, plane)
        0.0
    """
    m = checked_blocks(matrix, x_space, y_space)
    norm = float(np.linalg.norm(m))
    if norm == 0.0:
        return 0.0
    moves = _generators(x_space, y_space)
    return max((float(np.linalg.norm(_moved(m, *move) - m)) for move in moves), default=0.0) / norm


def project(matrix: ArrayLike, x_space: Space, y_space: Space) -> Matrix:
    """The orthogonal projection of a matrix onto the equivariant ones: the Reynolds average over G.

    ``P M = 1/|G| sum over g of rho_Y(g) M rho_X(g)^-1``, taken as the mean over H of the means over the translations of
    each axis. It is linear, idempotent and self-adjoint; P M = M exactly when M commutes with G.

    Costs (n_1 + ... + n_d + |H|) times the size of M.

    Args:
        matrix: M, of shape (O |Y|, C |X|).
        x_space: X.
        y_space: Y.

    Returns:
        P M, of the shape of M.

    Raises:
        TypeError, ValueError: as `equivariance_defect`.

    Example:
        >>> line = Space.plane(trivial(1), 2)
        >>> project([[1.0, 2.0], [4.0, 3.0]], line, line)
        array([[2., 3.],
               [3., 2.]])
    """
    m = checked_blocks(matrix, x_space, y_space)
    d = x_space.group.dimension
    for axis, n in enumerate(x_space.shape):
        shifts = [tuple(step * (a == axis) for a in range(d)) for step in range(n)]
        m = _mean(m, [(x_space.permutation(t, 0), y_space.permutation(t, 0)) for t in shifts])
    still = (0,) * d
    m = _mean(m, [(x_space.permutation(still, h), y_space.permutation(still, h)) for h in range(x_space.group.order)])
    return m.reshape(np.shape(matrix))


def kernel_of(matrix: ArrayLike, x_space: Space, y_space: Space, *, tolerance: float = _TOLERANCE) -> Matrix:
    """The kernel of an equivariant matrix M: its row at the origin of Y.

    The theorem's first direction. If M commutes with G, then ``(M f)(y) = sum over x of k(g_y^-1 x) f(x)`` for any g_y
    that moves the origin of Y to y; at the origin itself k is the row of M. Taking for g_y an h of the stabilizer of
    the origin gives ``k(h^-1 x) = k(x)``. (|det g| is 1 for a lattice group; `dilation_defect` shows where it counts.)

    Args:
        matrix: M, of shape (O |Y|, C |X|).
        x_space: X.
        y_space: Y.
        tolerance: the largest `equivariance_defect` to accept.

    Returns:
        k, of shape (O, C, *x_space.signal_shape), centered at index n // 2 of each axis.

    Raises:
        TypeError, ValueError: as `equivariance_defect`; M is not equivariant: the message names the defect.

    Source: E. J. Bekkers, B-Spline CNNs on Lie Groups, ICLR 2020, Theorem 1.

    Example:
        >>> line = Space.plane(reflection(), 3)
        >>> kernel_of([[2.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 2.0]], line, line)
        array([[[1., 2., 1.]]])
    """
    defect, limit = equivariance_defect(matrix, x_space, y_space), real("tolerance", tolerance)
    if not limit >= 0:
        raise ValueError(f"tolerance is {limit}, expected a number of at least 0")
    if not defect <= limit:
        raise ValueError(
            f"matrix is not equivariant under translations and {x_space.group.name}: its defect is {defect:.3g}, "
            f"expected at most {limit:.3g}"
        )
    m = checked_blocks(matrix, x_space, y_space)
    return m[:, y_space.origin].reshape(m.shape[0], m.shape[2], *x_space.signal_shape).copy()


def operator_from_kernel(kernel: ArrayLike, x_space: Space, y_space: Space, *, check_stabilizer: bool = True) -> Matrix:
    """The matrix of the group convolution with a kernel: the theorem's other direction.

    ``M[y, x] = k(g_y^-1 x)``, where g_y = (t, a) moves the origin of Y to y = (t, a K_Y), with a the first element of
    its coset. If k is invariant under the stabilizer K_Y, any other g_y gives the same, and M commutes with G.

    Costs the size of M.

    Args:
        kernel: k, of shape (O, C, *x_space.signal_shape), centered at index n // 2 of each axis.
        x_space: X.
        y_space: Y.
        check_stabilizer: False to build the matrix although k is not invariant. It then commutes with translations
            only, or with what more the choice of the a happens to allow.

    Returns:
        M, of shape (O |Y|, C |X|).

    Raises:
        TypeError, ValueError: an argument of the wrong kind or shape; k is not invariant under K_Y.

    Source: E. J. Bekkers, B-Spline CNNs on Lie Groups, ICLR 2020, Theorem 1.

    Example:
        >>> line = Space.plane(reflection(), 3)
        >>> operator_from_kernel([[[1.0, 2.0, 1.0]]], line, line)
        array([[2., 1., 1.],
               [1., 2., 1.],
               [1., 1., 2.]])
    """
    k = checked_kernel(kernel, x_space, y_space)
    is_checked = boolean("check_stabilizer", check_stabilizer)
    defect = stabilizer_defect(k, x_space, y_space) if is_checked else 0.0
    if not defect <= _TOLERANCE:
        raise ValueError(
            f"kernel is not invariant under the stabilizer {y_space.stabilizer} of the origin of Y in "
            f"{y_space.group.name}: its defect is {defect:.3g}, expected at most {_TOLERANCE:.3g}; see symmetrize"
        )
    flat = k.reshape(k.shape[0], k.shape[1], x_space.size)
    matrix = np.empty((k.shape[0], y_space.size, k.shape[1], x_space.size))
    grid = np.indices(y_space.shape).reshape(len(y_space.shape), -1).T - np.array(y_space.shape) // 2
    for coset, a in enumerate(y_space.representatives()):
        for place, t in enumerate(grid.tolist()):
            matrix[:, coset * len(grid) + place, :, x_space.permutation(tuple(t), int(a))] = flat.transpose(2, 0, 1)
    return matrix.reshape(k.shape[0] * y_space.size, -1)


def stabilizer_defect(kernel: ArrayLike, x_space: Space, y_space: Space) -> float:
    """How far a kernel is from ``k(h^-1 x) = k(x)`` for all h in K_Y: the largest ``|L_h k - k| / |k|``.

    Args:
        kernel: k, of shape (O, C, *x_space.signal_shape).
        x_space: X.
        y_space: Y.

    Raises:
        TypeError, ValueError: an argument of the wrong kind or shape.

    Example:
        >>> line = Space.plane(reflection(), 3)
        >>> round(stabilizer_defect([[[1.0, 0.0, 0.0]]], line, line), 3)
        1.414
    """
    k = checked_kernel(kernel, x_space, y_space)
    norm = float(np.linalg.norm(k))
    flat = k.reshape(-1, x_space.size)
    turns = _stabilizer_turns(x_space, y_space)
    return max(float(np.linalg.norm(flat - flat[:, p])) for p in turns) / norm if norm > 0.0 else 0.0


def symmetrize(kernel: ArrayLike, x_space: Space, y_space: Space) -> Matrix:
    """The orthogonal projection of a kernel onto those invariant under K_Y: its mean over K_Y.

    ``kbar(x) = mean over h in K_Y of k(h^-1 x)``. For Y the plane, these are the means that isotropic and projection
    layers take; for Y = G it is k itself.

    Args:
        kernel: k, of shape (O, C, *x_space.signal_shape).
        x_space: X.
        y_space: Y.

    Returns:
        The mean, of the shape of k.

    Raises:
        TypeError, ValueError: an argument of the wrong kind or shape.

    Example:
        >>> line = Space.plane(reflection(), 3)
        >>> symmetrize([[[1.0, 5.0, 0.0]]], line, line)
        array([[[0.5, 5. , 0.5]]])
    """
    k = checked_kernel(kernel, x_space, y_space)
    flat = k.reshape(-1, x_space.size)
    # The mean over h of k(h x) is that of k(h^-1 x).
    turned = [flat[:, p] for p in _stabilizer_turns(x_space, y_space)]
    return np.asarray(np.mean(turned, axis=0)).reshape(k.shape)


def _stabilizer_turns(x_space: Space, y_space: Space) -> list[Points]:
    still = (0,) * x_space.group.dimension
    return [x_space.permutation(still, h) for h in y_space.stabilizer]


def _generators(x_space: Space, y_space: Space) -> Iterator[tuple[Points, Points]]:
    """The unit translation of each axis and all h but the identity, as permutations of X and Y."""
    d = x_space.group.dimension
    elements = [(tuple(int(a == axis) for a in range(d)), 0) for axis in range(d)]
    elements += [((0,) * d, h) for h in range(1, x_space.group.order)]
    return ((x_space.permutation(t, h), y_space.permutation(t, h)) for t, h in elements)


def _moved(m: Matrix, x_points: Points, y_points: Points) -> Matrix:
    """``rho_Y(g)^-1 M rho_X(g)``, whose distance from M is that of ``rho_Y(g) M rho_X(g)^-1``."""
    return m[:, y_points[:, None, None], np.arange(m.shape[2])[:, None], x_points]


def _mean(m: Matrix, moves: list[tuple[Points, Points]]) -> Matrix:
    total = np.zeros_like(m)
    for move in moves:
        total += _moved(m, *move)
    return total / len(moves)


def _apply(
    f: Callable[[Any], ArrayLike], flat: Matrix, x_space: Space, y_space: Space, c: int, o: int
) -> NDArray[np.float64]:
    """The values of f on signals given as rows, as rows."""
    signals = flat.reshape(len(flat), c, *x_space.signal_shape)
    values = as_array("f(x)", f(signals))
    if values.dtype != np.float64:
        raise TypeError(f"f returns dtype {values.dtype}, expected float64: f is given float64 signals")
    expected = (len(flat), o, *y_space.signal_shape)
    if values.shape != expected:
        raise ValueError(f"f returns shape {values.shape} for signals of shape {signals.shape}, expected {expected}")
    return values.reshape(len(flat), -1)


def _check_linear(
    f: Callable[[Any], ArrayLike], matrix: Matrix, x_space: Space, y_space: Space, c: int, o: int
) -> None:
    signals = np.random.default_rng(0).normal(size=(2, matrix.shape[1]))
    expected = signals @ matrix.T
    error = float(np.linalg.norm(_apply(f, signals, x_space, y_space, c, o) - expected))
    # The norm that M r has on average: that of this M r may be small by cancellation.
    scale = float(np.linalg.norm(matrix)) * float(np.linalg.norm(signals)) / np.sqrt(matrix.shape[1])
    if not error <= _TOLERANCE * scale:
        raise ValueError(
            f"f is not linear: on random signals it differs from the sum of its values at single points by "
            f"{error:.3g}, expected at most {_TOLERANCE * scale:.3g} (a bias or a nonlinearity?)"
        )

# SPDX-License-Identifier: Apache-2.0
"""How many equivariant operators there are between two spaces, found in three ways."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._arguments import check_spaces
from ._operators import project
from ._spaces import Space, coset_permutation

# Rounding leaves singular values of 1e-15 where zeros should be; the least true ones are about 1/dimension.
_RANK_TOLERANCE = 1e-10


def dimension_by_rank(x_space: Space, y_space: Space) -> int:
    """The dimension of the space of equivariant matrices, as the rank of the projection onto them.

    Projects random matrices until they are linearly dependent: a sample larger than the rank of the projection spans
    its image with probability 1, and the singular values of the sample give the rank. For O output and C input
    channels there are O C times as many.

    Costs about (dimension) projections and a singular value decomposition of (dimension) matrices: seconds for 100
    dimensions on spaces of 100 points.

    Args:
        x_space: X.
        y_space: Y.

    Raises:
        TypeError, ValueError: an argument that is not a Space; spaces of different G.

    Source: N. Halko, P. G. Martinsson, J. A. Tropp, Finding Structure with Randomness, SIAM Review 53 (2011), section
    4.

    Example:
        >>> plane = Space.plane(dihedral(4), 3)
        >>> dimension_by_rank(plane, plane)
        3
    """
    check_spaces(x_space, y_space)
    rng = np.random.default_rng(0)
    samples = np.empty((0, y_space.size * x_space.size))
    rank = 0
    while rank == len(samples):
        # As many matrices again and 8 more, below each other: the output channels of one.
        count = len(samples) + 8
        drawn = project(rng.normal(size=(count * y_space.size, x_space.size)), x_space, y_space)
        samples = np.concatenate([samples, drawn.reshape(count, -1)])
        values = np.linalg.svd(samples, compute_uv=False)
        rank = int(np.count_nonzero(values > _RANK_TOLERANCE * values[0]))
    return rank


def dimension_by_orbits(x_space: Space, y_space: Space) -> int:
    """The dimension of the space of equivariant matrices, as the number of orbits of G on Y x X.

    A matrix commutes with G exactly when ``M[g y, g x] = M[y, x]``: one free number for each orbit. Burnside's lemma
    counts them: ``1/|G| sum over g of |fixed points of g in Y| |fixed points of g in X|``, in integers.

    The grid is the same in both, so the sum needs only, for each h, how many points x of the grid have x - h x = t.
    Costs |H| (|X| + |Y|).

    Args:
        x_space: X.
        y_space: Y.

    Raises:
        TypeError, ValueError: an argument that is not a Space; spaces of different G.

    Example:
        >>> plane, lifted = Space.plane(dihedral(4), 3), Space.whole_group(dihedral(4), 3)
        >>> dimension_by_orbits(plane, plane), dimension_by_orbits(plane, lifted)
        (3, 9)
    """
    check_spaces(x_space, y_space)
    plane = Space.plane(x_space.group, x_space.shape)
    total = 0
    for h in range(plane.group.order):
        fixed = _fixed_points(plane, h)
        total += _fixed_cosets(x_space, h) * _fixed_cosets(y_space, h) * int(np.sum(fixed * fixed))
    count, rest = divmod(total, plane.group.order * plane.size)
    assert rest == 0, "a number of orbits is an integer"
    return count


def _fixed_points(plane: Space, h: int) -> NDArray[np.intp]:
    """For each translation t the number of grid points that (t, h) fixes: those with x - h x = t."""
    moved = np.unravel_index(plane.permutation((0,) * len(plane.shape), h), plane.shape)
    shifts = np.indices(plane.shape).reshape(len(plane.shape), -1) - np.array(moved)
    flat = np.ravel_multi_index(tuple(shifts), plane.shape, mode="wrap")
    return np.bincount(flat, minlength=plane.size)


def _fixed_cosets(space: Space, h: int) -> int:
    return int(np.count_nonzero(coset_permutation(space, h) == np.arange(space.fiber)))


def kernel_orbits(x_space: Space, y_space: Space) -> NDArray[np.intp]:
    """The orbits of the stabilizer K_Y on X: where an invariant kernel must have one value.

    Each orbit of G on Y x X has pairs (origin, x), and these x are one orbit of K_Y. So the number of different labels
    is the dimension of the space of equivariant matrices once more.

    Args:
        x_space: X.
        y_space: Y.

    Returns:
        A label for each point, of shape x_space.signal_shape; numbered from 0 by first appearance.

    Raises:
        TypeError, ValueError: an argument that is not a Space; spaces of different G.

    Example:
        >>> plane = Space.plane(dihedral(4), 3)
        >>> kernel_orbits(plane, plane)
        array([[0, 1, 0],
               [1, 2, 1],
               [0, 1, 0]])
    """
    check_spaces(x_space, y_space)
    still = (0,) * x_space.group.dimension
    images = [x_space.permutation(still, h) for h in y_space.stabilizer]
    # K_Y is a group, so the images of a point are its whole orbit, and the least of them names it.
    return np.unique(np.min(images, axis=0), return_inverse=True)[1].reshape(x_space.signal_shape)

# SPDX-License-Identifier: Apache-2.0
"""The theorem behind the layers as running code: equivariant linear operators as matrices, on small periodic grids.

A linear operator from signals on X to signals on Y = G/K_Y commutes with G if and only if it is a group convolution,
``(M f)(y) = 1/|det g_y| * integral of k(g_y^-1 x) f(x) dx``, whose kernel is invariant under the stabilizer K_Y of the
origin of Y: ``k(h^-1 x) / |det h| = k(x)`` (E. J. Bekkers, B-Spline CNNs on Lie Groups, ICLR 2020, Theorem 1).

Here G = Z_n^d x| H is finite: translations of a periodic grid and a lattice group H, all of determinant 1 or -1; the
integral is a sum. X and Y are the plane (K = H), the group (K = {1}) or anything between.

    spaces       `Space`, `subgroups`
    operators    `matrix_of` any callable, its `equivariance_defect`, `project` onto the equivariant operators
    theorem      `kernel_of` an equivariant matrix; `operator_from_kernel`; `stabilizer_defect`, `symmetrize`
    counting     `dimension_by_rank`, `dimension_by_orbits`, `kernel_orbits`
    dilations    `dyadic_lifting`, `dilate`, `dilation_defect`: where 1/|det h| matters

Everything is plain NumPy in float64 and dense: for grids of tens of points, to see and to test, not to compute with.

Example:
    >>> from equiconv import theory
    >>> H = cyclic(4)
    >>> plane, lifted = theory.Space.plane(H, 5), theory.Space.whole_group(H, 5)
    >>> w = numpy.arange(9.0).reshape(1, 1, 3, 3)
    >>> def lift(f):
    ...     return lifting_conv(f, w, H, padding="same", padding_mode="circular")
    >>> matrix = theory.matrix_of(lift, plane, lifted)
    >>> matrix.shape, theory.equivariance_defect(matrix, plane, lifted)
    ((100, 25), 0.0)
    >>> theory.kernel_of(matrix, plane, lifted)[0, 0, 1:4, 1:4]
    array([[0., 1., 2.],
           [3., 4., 5.],
           [6., 7., 8.]])
"""

from ._counts import dimension_by_orbits as dimension_by_orbits
from ._counts import dimension_by_rank as dimension_by_rank
from ._counts import kernel_orbits as kernel_orbits
from ._dilations import dilate as dilate
from ._dilations import dilation_defect as dilation_defect
from ._dilations import dyadic_lifting as dyadic_lifting
from ._operators import equivariance_defect as equivariance_defect
from ._operators import kernel_of as kernel_of
from ._operators import matrix_of as matrix_of
from ._operators import operator_from_kernel as operator_from_kernel
from ._operators import project as project
from ._operators import stabilizer_defect as stabilizer_defect
from ._operators import symmetrize as symmetrize
from ._spaces import Space as Space
from ._spaces import subgroups as subgroups

__all__ = [
    "Space",
    "dilate",
    "dilation_defect",
    "dimension_by_orbits",
    "dimension_by_rank",
    "dyadic_lifting",
    "equivariance_defect",
    "kernel_of",
    "kernel_orbits",
    "matrix_of",
    "operator_from_kernel",
    "project",
    "stabilizer_defect",
    "subgroups",
    "symmetrize",
]

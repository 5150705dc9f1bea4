# SPDX-License-Identifier: Apache-2.0
"""Groups, lattice and other, with subgroups of theirs, and the sizes of signals on the quotients."""

from __future__ import annotations

import equiconv as eq

SHEAR = [[[1, 0], [0, 1]], [[-1, 1], [0, 1]]]
GROUPS = {
    "D4": eq.dihedral(4),
    "C3": eq.cyclic(3),
    "C8": eq.cyclic(8),
    "D6": eq.dihedral(6),
    "sheared mirror": eq.PointGroup.from_matrices(SHEAR),
    "octahedral": eq.octahedral(),
    # Truncated sets: relative elements that are not in them contribute nothing.
    "scaling": eq.scaling([1, 1.4, 0.7], 2),
    "similarity": eq.similarity(8, [1, 1.5]),
}
SUBGROUPS = {
    "C8": [[0], [0, 4], [0, 2, 4, 6], list(range(8))],
    "D4": [[0], [0, 2], [0, 4], [0, 5], [0, 1, 2, 3], [0, 2, 4, 6], [0, 2, 5, 7], list(range(8))],
    "D6": [[0], [0, 3], [0, 2, 4], [0, 6], list(range(6)), list(range(12))],
    "octahedral": [[0], list(range(24))],
    "similarity": [[0], [0, 4], list(range(8)), list(range(16))],
}


def tetrahedron(group):
    """The rotations of the tetrahedron: products of squares of elements of the cube's group, and its 3-cycles."""
    squares = {int(group.cayley[a, a]) for a in range(group.order)}
    return sorted({int(group.cayley[a, b]) for a in squares for b in squares})


SUBGROUPS["octahedral"].insert(1, tetrahedron(GROUPS["octahedral"]))


def fiber(group, stabilizer):
    return () if len(stabilizer) == group.order else (group.order // len(stabilizer),)


def signal_sizes(group):
    return (4, 3, 5) if group.dimension == 3 else (6, 7)

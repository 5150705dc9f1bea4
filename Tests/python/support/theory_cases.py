# SPDX-License-Identifier: Apache-2.0
"""Small periodic grids, spaces on them and matrices between those, for the tests of equiconv.theory."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from cases import FORWARD
from equiconv import theory
from equiconv.theory import Space
from reference import READS_GROUP, WRITES_GROUP

C4, D4, D2 = eq.cyclic(4), eq.dihedral(4), eq.dihedral(2)
REFLECTION, OCTAHEDRAL = eq.reflection(), eq.octahedral()

# Grids small enough for dense matrices: odd ones, on which eq.act and Space share the fixed point.
GRIDS = [
    pytest.param(group, shape, id=f"{group.name}-{'x'.join(map(str, shape))}")
    for group, shape in [
        (REFLECTION, (7,)),
        (eq.trivial(2), (3, 5)),
        (D2, (3, 5)),
        (C4, (5, 5)),
        (D4, (5, 5)),
        (OCTAHEDRAL, (3, 3, 3)),
    ]
]

# Sums of at most 1e3 numbers of order 1, divided by norms of order 1e2 or more, round by far less.
ROUNDING = 1e-13


def space_of(on_group, group, shape):
    """The group or the plane."""
    return Space.whole_group(group, shape) if on_group else Space.plane(group, shape)


def all_spaces(group, shape):
    """One space for every subgroup."""
    return [Space(group, shape, stabilizer) for stabilizer in theory.subgroups(group)]


def random_matrix(rng, x_space, y_space, channels_in=1, channels_out=1):
    return rng.normal(size=(channels_out * y_space.size, channels_in * x_space.size))


def moved(f, space, translation, h):
    """L_g f of a signal with leading axes."""
    result = np.empty((*f.shape[: f.ndim - len(space.signal_shape)], space.size))
    result[..., space.permutation(translation, h)] = f.reshape(result.shape)
    return result.reshape(f.shape)


def layer_matrix(rng, layer, group, shape):
    """(matrix, weight, X, Y) of a layer of the package, from 2 to 3 channels, on a periodic grid."""
    x_space, y_space = space_of(READS_GROUP[layer], group, shape), space_of(WRITES_GROUP[layer], group, shape)
    weight = rng.normal(size=(3, 2, *(group.order,) * READS_GROUP[layer], *(3,) * len(shape)))
    fiber_in, fiber_out = READS_GROUP[layer] and group.order == 1, WRITES_GROUP[layer] and group.order == 1

    def f(x):
        # H = {1}: plane and group are one space, whose signals have no axis for H.
        x = x[:, :, None] if fiber_in else x
        y = FORWARD[layer](x, weight, group, padding="same", padding_mode="circular", algorithm="direct")
        return y[:, :, 0] if fiber_out else y

    return theory.matrix_of(f, x_space, y_space, 2, 3), weight, x_space, y_space


# Spaces

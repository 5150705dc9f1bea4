# SPDX-License-Identifier: Apache-2.0
"""Wrong calls of equiconv.theory name the argument, its value and what was expected."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from equiconv import theory
from equiconv.theory import Space
from theory_cases import C4, D4

PLANE = Space.plane(C4, 3)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (TypeError, "group is 4", lambda: Space(4, (3, 3), (0,))),
        (ValueError, "group is C8, expected a lattice group", lambda: Space.plane(eq.cyclic(8), 3)),
        (ValueError, "shape is .* on axes 0 and 1, which C4 exchanges", lambda: Space.plane(C4, (3, 5))),
        (ValueError, r"shape is \(3,\)", lambda: Space.plane(C4, (3,))),
        (ValueError, "shape is 0", lambda: Space.plane(C4, 0)),
        (ValueError, r"stabilizer is \[0, 1\], expected the elements of a subgroup", lambda: Space(C4, (3, 3), (0, 1))),
        (ValueError, "stabilizer is .* subgroup", lambda: Space(C4, (3, 3), ())),
        (ValueError, r"stabilizer\[1\] is 4", lambda: Space(C4, (3, 3), (0, 4))),
        (TypeError, "stabilizer is 'all'", lambda: Space(C4, (3, 3), "all")),
        (ValueError, "h is 4", lambda: PLANE.permutation((0, 0), 4)),
        (ValueError, "translation is", lambda: PLANE.permutation((0, 0, 0), 1)),
        (TypeError, "group is 'D4'", lambda: theory.subgroups("D4")),
        (TypeError, "x_space is 3, expected a Space", lambda: theory.project(np.eye(9), 3, PLANE)),
        (ValueError, "G must be one", lambda: theory.project(np.eye(9), PLANE, Space.plane(C4, 5))),
        (ValueError, "G must be one", lambda: theory.dimension_by_orbits(PLANE, Space.plane(D4, 3))),
        (ValueError, r"matrix has shape \(9, 8\), expected \(O", lambda: theory.project(np.eye(9, 8), PLANE, PLANE)),
        (ValueError, "matrix has shape", lambda: theory.equivariance_defect(np.ones((0, 9)), PLANE, PLANE)),
        (ValueError, "matrix has infinite or NaN", lambda: theory.project(np.full((9, 9), np.nan), PLANE, PLANE)),
        (TypeError, "matrix has dtype", lambda: theory.equivariance_defect(np.eye(9) * 1j, PLANE, PLANE)),
        (TypeError, "matrix cannot be turned", lambda: theory.equivariance_defect([[1.0], [1.0, 2.0]], PLANE, PLANE)),
        (ValueError, "kernel has shape", lambda: theory.operator_from_kernel(np.ones((3, 3)), PLANE, PLANE)),
        (ValueError, "f is not linear", lambda: theory.matrix_of(lambda f: np.maximum(f, 0), PLANE, PLANE)),
        (ValueError, "f is not linear", lambda: theory.matrix_of(lambda f: f + 1, PLANE, PLANE)),
        (ValueError, "f is not linear: .* nan", lambda: theory.matrix_of(lambda f: f * np.nan, PLANE, PLANE)),
        (ValueError, r"f returns shape \(9, 1, 2, 3\)", lambda: theory.matrix_of(lambda f: f[:, :, 1:], PLANE, PLANE)),
        (TypeError, "f returns dtype float32", lambda: theory.matrix_of(lambda f: f.astype(np.float32), PLANE, PLANE)),
        (TypeError, "f is 3, expected a callable", lambda: theory.matrix_of(3, PLANE, PLANE)),
        (ValueError, "channels_in is 0", lambda: theory.matrix_of(abs, PLANE, PLANE, 0)),
        (ValueError, "expected at most 2.26 entries", lambda: theory.matrix_of(abs, PLANE, PLANE, 4096, 4096)),
        (ValueError, "kernel has shape .* an even size", lambda: theory.dyadic_lifting([1.0], [1.0], 1)),
        (ValueError, "signal has shape", lambda: theory.dilate([])),
        (ValueError, "scales is 17", lambda: theory.dyadic_lifting([1.0], [1.0, 1.0], 17)),
        (TypeError, "scales is True", lambda: theory.dilation_defect([1.0], [1.0, 1.0], True)),
    ],
)  # fmt: skip
def test_wrong_calls_name_the_argument_its_value_and_what_was_expected(error, message, call):
    with pytest.raises(error, match=message):
        call()

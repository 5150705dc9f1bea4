# SPDX-License-Identifier: Apache-2.0
"""Arguments of correct calls; the tests of wrong calls replace one of them."""

from __future__ import annotations

import equiconv as eq
import numpy as np

C4, C8, D4, CUBE = eq.cyclic(4), eq.cyclic(8), eq.dihedral(4), eq.octahedral()
X = np.ones((2, 3, 8, 9))
W = np.ones((5, 3, 3, 3))
XG = np.ones((2, 3, 4, 8, 9))
WG = np.ones((5, 3, 4, 3, 3))
G = np.ones((2, 5, 4, 6, 7))
BIG = 2**70


def lift(*arguments, **keywords):
    """lifting_conv with the first of x, weight, group, bias replaced by `arguments`."""
    defaults = [X, W, C4, None]
    return lambda: eq.lifting_conv(*arguments, *defaults[len(arguments) :], **keywords)

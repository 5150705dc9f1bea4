# SPDX-License-Identifier: Apache-2.0
"""Networks of the literature, for any group: the trivial one makes the ordinary networks.

Example:
    >>> models.p4cnn(dihedral(4), matched_to="parameters", widths=20).widths
    (6, 6, 6, 6, 6, 6)
"""

from .p4cnn import P4CNN as P4CNN
from .p4cnn import p4cnn as p4cnn
from .p4cnn import z2cnn as z2cnn

__all__ = ["P4CNN", "p4cnn", "z2cnn"]

# SPDX-License-Identifier: Apache-2.0
"""The package's own category of warning."""


class EquivarianceWarning(UserWarning):
    """A layer was computed as asked, but is not equivariant.

    Issued where a stride does not fit the size: ``(size + 2 * padding - reach) % stride != 0`` with
    ``reach = dilation * (kernel - 1) + 1``, on an axis that the group turns or mirrors. The strided grid then leaves
    out a margin on one side only, and is not mapped to itself. The message names the nearest sizes that fit.
    """

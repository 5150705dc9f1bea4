# SPDX-License-Identifier: Apache-2.0
"""The category of the package's warnings, and the line they are about: the user's."""

from __future__ import annotations

import os
import sys

from .frameworks import PACKAGES, loaded

_PACKAGE = __name__.partition(".")[0]


class EquivarianceWarning(UserWarning):
    """A layer was computed as asked, but is not equivariant.

    Issued where a stride does not fit the size: ``(size + 2 * padding - reach) % stride != 0`` with
    ``reach = dilation * (kernel - 1) + 1``, on an axis that the group turns or mirrors. The strided grid then leaves
    out a margin on one side only, and is not mapped to itself. Issued also where a transposed convolution has
    ``output_padding`` on such an axis, which adds that margin. The message names the nearest sizes that fit.
    """


def level_of_caller() -> int:
    """The stack level, for a warning given where this is called, of the first line outside frameworks and package."""
    packages = (package.__file__ for package in map(loaded, (_PACKAGE, *PACKAGES)) if package)
    # Among them the programs that torch.fx writes, which are of no file.
    others = (*(os.path.join(os.path.dirname(file), "") for file in packages if file), "<eval_with_key>")
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(others):
        frame, level = frame.f_back, level + 1
    return level

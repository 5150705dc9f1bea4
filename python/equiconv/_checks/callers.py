# SPDX-License-Identifier: Apache-2.0
"""Whose line a warning of a module is about: not that of a framework, which calls modules, nor this package's."""

from __future__ import annotations

import os
import sys

_PACKAGE = __name__.partition(".")[0]
_FRAMEWORKS = ("equinox", "flax", "jax", "torch")


def level_of_caller() -> int:
    """The stack level, for a warning given where this is called, of the first line outside frameworks and package."""
    packages = (sys.modules[name].__file__ for name in (_PACKAGE, *_FRAMEWORKS) if name in sys.modules)
    others = tuple(os.path.join(os.path.dirname(file), "") for file in packages if file)
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(others):
        frame, level = frame.f_back, level + 1
    return level

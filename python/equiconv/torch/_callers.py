# SPDX-License-Identifier: Apache-2.0
"""Whose line a warning is about: not torch's, which calls modules from modules, nor this package's."""

from __future__ import annotations

import os
import sys

import torch

_OTHERS = tuple(os.path.join(os.path.dirname(path), "") for path in (torch.__file__, os.path.dirname(__file__)))


def level_of_caller() -> int:
    """The stack level, for a warning by a function called here, of the first line outside torch and this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OTHERS):
        frame, level = frame.f_back, level + 1
    return level

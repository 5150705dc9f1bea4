# SPDX-License-Identifier: Apache-2.0
"""Where things are in the repository, and processes that find them."""

from __future__ import annotations

import os
from pathlib import Path

SUPPORT = Path(__file__).resolve().parent
ROOT = SUPPORT.parents[2]


def environment(**variables):
    """That of a process which imports what tests import, with more variables."""
    paths = [str(ROOT), str(SUPPORT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | variables

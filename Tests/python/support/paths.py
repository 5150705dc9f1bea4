# SPDX-License-Identifier: Apache-2.0
"""Where things are in the repository."""

from __future__ import annotations

from pathlib import Path

SUPPORT = Path(__file__).resolve().parent
ROOT = SUPPORT.parents[2]

# SPDX-License-Identifier: Apache-2.0
"""Prints what an extra of an installed package requires, a line each.

usage: requirements_of.py PACKAGE EXTRA
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import requires


def main() -> None:
    """Reads the command line."""
    package, extra = sys.argv[1:]
    for line in requires(package) or []:
        requirement, _, marker = line.partition(";")
        if re.search(rf"""extra == ["']{re.escape(extra)}["']""", marker):
            print(requirement.strip())


if __name__ == "__main__":
    main()

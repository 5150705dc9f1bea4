# SPDX-License-Identifier: Apache-2.0
"""Defective solar cells: `equiconv_experiments.solar`."""

import sys

from equiconv_experiments.solar.program import main as main

if __name__ == "__main__":
    sys.exit(main())

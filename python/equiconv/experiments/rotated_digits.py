# SPDX-License-Identifier: Apache-2.0
"""Trained on upright digits, tested on turned ones: `equiconv_experiments.digits`."""

import sys

from equiconv_experiments.digits.program import main as main

if __name__ == "__main__":
    sys.exit(main())

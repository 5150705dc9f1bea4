# SPDX-License-Identifier: Apache-2.0
"""A tutorial's networks, trained on upright digits, tested on turned ones: `equiconv_experiments.uva_tutorial`."""

import sys

from equiconv_experiments.uva_tutorial.program import main as main

if __name__ == "__main__":
    sys.exit(main())

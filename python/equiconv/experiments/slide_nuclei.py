# SPDX-License-Identifier: Apache-2.0
"""Nuclei found in an image by networks that were trained on another: `equiconv_experiments.slide_nuclei`."""

import sys

from equiconv_experiments.slide_nuclei.program import main as main

if __name__ == "__main__":
    sys.exit(main())

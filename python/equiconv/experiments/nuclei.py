# SPDX-License-Identifier: Apache-2.0
"""Types of nuclei in real tissue: `equiconv_experiments.nuclei`."""

import sys

from equiconv_experiments.nuclei.program import main as main

if __name__ == "__main__":
    sys.exit(main())

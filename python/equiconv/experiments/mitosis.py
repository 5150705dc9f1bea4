# SPDX-License-Identifier: Apache-2.0
"""Normal against mitotic cells: `equiconv_experiments.mitosis`."""

import sys

from equiconv_experiments.mitosis.program import main as main

if __name__ == "__main__":
    sys.exit(main())

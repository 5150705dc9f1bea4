# SPDX-License-Identifier: Apache-2.0
"""Images turned once by random angles, P4CNN beside Z2CNN: `equiconv_experiments.rotated_mnist`."""

import sys

from equiconv_experiments.rotated_mnist.program import main as main

if __name__ == "__main__":
    sys.exit(main())

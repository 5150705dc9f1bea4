# SPDX-License-Identifier: Apache-2.0
"""``python -m equiconv``: see ``python -m equiconv --help``."""

import sys

from ._network.commands import main

if __name__ == "__main__":
    sys.exit(main())

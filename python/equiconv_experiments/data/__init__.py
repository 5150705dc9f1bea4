# SPDX-License-Identifier: Apache-2.0
"""Public images: from installed packages, or from the official files on the user's disk."""

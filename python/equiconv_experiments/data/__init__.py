# SPDX-License-Identifier: Apache-2.0
"""Public sets of small images: from installed packages, or from the official files on the user's disk."""

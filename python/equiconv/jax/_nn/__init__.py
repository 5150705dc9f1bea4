# SPDX-License-Identifier: Apache-2.0
"""What modules of Flax and of Equinox have in common: all but their arrays."""

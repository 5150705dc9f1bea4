# SPDX-License-Identifier: Apache-2.0
"""Images turned once by random angles, to train and to test: P4CNN beside Z2CNN, then C8 and D4."""

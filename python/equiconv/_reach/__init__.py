# SPDX-License-Identifier: Apache-2.0
"""What networks read: receptive fields, windows of large images, and classifiers as networks of maps."""

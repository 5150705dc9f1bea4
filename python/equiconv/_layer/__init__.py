# SPDX-License-Identifier: Apache-2.0
"""A layer as data: its spaces, kernel, sampling and weights, and the calls of the extension."""

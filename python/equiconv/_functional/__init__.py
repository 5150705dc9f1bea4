# SPDX-License-Identifier: Apache-2.0
"""The layers as functions of arrays."""

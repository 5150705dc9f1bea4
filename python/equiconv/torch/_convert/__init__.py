# SPDX-License-Identifier: Apache-2.0
"""Ordinary networks made equivariant: another network with new weights, or the mean of one over an orbit."""

# SPDX-License-Identifier: Apache-2.0
"""Finite groups of matrices."""

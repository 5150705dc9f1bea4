# SPDX-License-Identifier: Apache-2.0
"""Layers that hold their weights."""

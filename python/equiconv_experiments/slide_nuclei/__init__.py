# SPDX-License-Identifier: Apache-2.0
"""Nuclei found in an image by a network that was trained on another."""

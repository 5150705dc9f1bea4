# SPDX-License-Identifier: Apache-2.0
"""Trained on upright digits, tested on turned ones."""

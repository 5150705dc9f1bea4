# SPDX-License-Identifier: Apache-2.0
"""Signals: the spaces they live on, the action of the group on them, and windows of their axes."""

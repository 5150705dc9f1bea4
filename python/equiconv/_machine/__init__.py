# SPDX-License-Identifier: Apache-2.0
"""Threads, memory, and what this installation is made of."""

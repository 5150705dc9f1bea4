# SPDX-License-Identifier: Apache-2.0
"""Layers and sequential models of other libraries, as modules of this one.

Each library has a file, and what they share is in `steps`, `walk` and `weights`. None of these libraries is imported.
"""

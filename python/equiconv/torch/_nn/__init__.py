# SPDX-License-Identifier: Apache-2.0
"""Modules of PyTorch, and what becomes of networks of them: in files, on the way from other libraries, for export."""

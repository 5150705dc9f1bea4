# SPDX-License-Identifier: Apache-2.0
"""Defective and functional solar cells, in images of their electroluminescence."""

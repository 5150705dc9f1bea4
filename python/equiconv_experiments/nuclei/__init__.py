# SPDX-License-Identifier: Apache-2.0
"""Nuclei of real tissue, outlined in an image of hematoxylin and eosin: their types, or whether there is one."""

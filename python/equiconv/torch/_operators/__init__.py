# SPDX-License-Identifier: Apache-2.0
"""Layers and pools as operators of PyTorch: on tensors, under compilers and transformations, with their derivatives."""

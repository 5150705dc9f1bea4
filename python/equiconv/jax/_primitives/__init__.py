# SPDX-License-Identifier: Apache-2.0
"""Layers and pools as primitives of JAX: their derivatives, how they are mapped, cut and compiled."""

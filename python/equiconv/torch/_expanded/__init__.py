# SPDX-License-Identifier: Apache-2.0
"""Layers in operations of PyTorch, for any device: an expanded filter bank and an ordinary convolution."""

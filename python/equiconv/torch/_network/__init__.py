# SPDX-License-Identifier: Apache-2.0
"""Networks to files and back: the operations of a program that `torch.export` wrote, and modules for operations."""

# SPDX-License-Identifier: Apache-2.0
"""What each operation of PyTorch is in a document: a function for each, of a `Step`, which returns what it writes."""

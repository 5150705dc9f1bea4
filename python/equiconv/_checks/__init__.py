# SPDX-License-Identifier: Apache-2.0
"""Checks of arguments, and the warnings and errors that are made of them."""

# SPDX-License-Identifier: Apache-2.0
"""What each step of an ordinary network becomes."""

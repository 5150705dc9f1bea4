# SPDX-License-Identifier: Apache-2.0
"""What is found in a map of scores: points, how many of them are right, and files of them."""

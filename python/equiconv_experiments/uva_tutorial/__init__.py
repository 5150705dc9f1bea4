# SPDX-License-Identifier: Apache-2.0
"""The two networks of a course's tutorial: trained on upright digits, tested on turned ones."""

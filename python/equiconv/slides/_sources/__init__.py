# SPDX-License-Identifier: Apache-2.0
"""Images that are read region by region: arrays, files of arrays, slides, and what resamples them."""

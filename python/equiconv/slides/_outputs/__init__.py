# SPDX-License-Identifier: Apache-2.0
"""Where the outputs for a slide go: arrays in memory, OME-Zarr folders, OME-TIFF files."""

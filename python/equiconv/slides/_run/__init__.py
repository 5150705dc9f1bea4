# SPDX-License-Identifier: Apache-2.0
"""Runs of a network over all tiles of a slide: in this process or on the workers of Dask, resumed after a kill."""

# SPDX-License-Identifier: Apache-2.0
"""Networks on whole slides."""

from ._mask import TileMask as TileMask
from ._mask import tissue_mask as tissue_mask
from ._sources.arrays import ArraySource as ArraySource
from ._sources.opening import open_source as open_source
from ._sources.source import Source as Source
from ._sources.source import SourceError as SourceError
from .synthetic import SyntheticSlide as SyntheticSlide
from .synthetic import write_tiff as write_tiff

__all__ = [
    "ArraySource",
    "Source",
    "SourceError",
    "SyntheticSlide",
    "TileMask",
    "open_source",
    "tissue_mask",
    "write_tiff",
]

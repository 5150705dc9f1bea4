# SPDX-License-Identifier: Apache-2.0
"""Networks on whole slides."""

from ._detect.curves import FrocCurve as FrocCurve
from ._detect.curves import PrecisionRecall as PrecisionRecall
from ._detect.curves import PrecisionRecallCurve as PrecisionRecallCurve
from ._detect.curves import average_precision as average_precision
from ._detect.curves import froc as froc
from ._detect.curves import precision_recall as precision_recall
from ._detect.curves import precision_recall_curve as precision_recall_curve
from ._detect.detections import detections as detections
from ._detect.geojson import read_geojson as read_geojson
from ._detect.geojson import write_geojson as write_geojson
from ._detect.points import Detections as Detections
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
    "Detections",
    "FrocCurve",
    "PrecisionRecall",
    "PrecisionRecallCurve",
    "Source",
    "SourceError",
    "SyntheticSlide",
    "TileMask",
    "average_precision",
    "detections",
    "froc",
    "open_source",
    "precision_recall",
    "precision_recall_curve",
    "read_geojson",
    "tissue_mask",
    "write_geojson",
    "write_tiff",
]

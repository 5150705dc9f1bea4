# SPDX-License-Identifier: Apache-2.0
"""Networks over whole slides: images of any size, read, computed and written tile by tile.

`predict` computes the outputs of a network for a slide, equal to the last bit to those of the network on all of it.
`open_source` opens what it reads: arrays, slides, pyramidal TIFF files. Results are arrays, OME-Zarr folders, which a
run that was killed goes on with, OME-TIFF files, or detections. `detections` finds objects in maps of scores, and
`precision_recall`, `average_precision` and `froc` compare them with true ones.

Example:
    >>> found = predict("network.safetensors", "slide.svs", "scores.zarr", mpp=0.5, mask="tissue")  # doctest: +SKIP
    >>> found.array[:, 2000:2256, 4000:4256]  # doctest: +SKIP
"""

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
from ._outputs.metadata import Placement as Placement
from ._run.bounds import memory_bound as memory_bound
from ._run.predict import predict as predict
from ._run.results import FailedTile as FailedTile
from ._run.results import Prediction as Prediction
from ._run.results import Times as Times
from ._sources.arrays import ArraySource as ArraySource
from ._sources.opening import open_source as open_source
from ._sources.source import Source as Source
from ._sources.source import SourceError as SourceError
from .synthetic import SyntheticSlide as SyntheticSlide
from .synthetic import write_tiff as write_tiff

__all__ = [
    "ArraySource",
    "Detections",
    "FailedTile",
    "FrocCurve",
    "Placement",
    "PrecisionRecall",
    "PrecisionRecallCurve",
    "Prediction",
    "Source",
    "SourceError",
    "SyntheticSlide",
    "TileMask",
    "Times",
    "average_precision",
    "detections",
    "froc",
    "memory_bound",
    "open_source",
    "precision_recall",
    "precision_recall_curve",
    "predict",
    "read_geojson",
    "tissue_mask",
    "write_geojson",
    "write_tiff",
]

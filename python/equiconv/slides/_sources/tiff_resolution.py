# SPDX-License-Identifier: Apache-2.0
"""Micrometers per pixel as TIFF files say them."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from .source import Resolution

_MICROMETERS = {"Å": 1e-4, "pm": 1e-6, "nm": 1e-3, "µm": 1.0, "μm": 1.0, "um": 1.0, "mm": 1e3, "cm": 1e4, "m": 1e6}
_UNITS = {2: 25400.0, 3: 10000.0}
_COARSEST = 100.0
"""Above it a resolution is taken for that of a print: 72 dots per inch are 353 micrometers."""


def resolution_of_tiff(file: Any) -> Resolution | None:
    """Along y and x: of OME metadata, of an Aperio description, or of the tags of resolution; None if none says it."""
    page = file.series[0].levels[0].keyframe
    found = _of_ome(file.ome_metadata) if file.is_ome else _of_aperio(page.description) or _of_tags(page)
    return found if found is not None and min(found) > 0 else None


def _of_ome(text: str) -> Resolution | None:
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return None
    pixels = next((element for element in root.iter() if element.tag.rpartition("}")[2] == "Pixels"), None)
    if pixels is None:
        return None
    values = []
    for axis in "YX":
        size, unit = pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm")
        if size is None or unit not in _MICROMETERS:
            return None
        values.append(float(size) * _MICROMETERS[unit])
    return values[0], values[1]


def _of_aperio(description: str) -> Resolution | None:
    found = re.search(r"\|\s*MPP\s*=\s*([0-9.]+)", description) if description.startswith("Aperio") else None
    return None if found is None else (float(found[1]), float(found[1]))


def _of_tags(page: Any) -> Resolution | None:
    unit = _UNITS.get(int(page.resolutionunit or 1))
    tags = [page.tags.get(name) for name in ("YResolution", "XResolution")]
    if unit is None or None in tags:
        return None
    y, x = (tag.value[0] / tag.value[1] if tag.value[1] else 0.0 for tag in tags)
    if y <= 0 or x <= 0 or unit / min(y, x) > _COARSEST:
        return None
    return unit / y, unit / x

# SPDX-License-Identifier: Apache-2.0
"""Points as GeoJSON, which QuPath reads and writes.

QuPath has pixels of full resolution as coordinates, x before y. `measurements` is an object of names and numbers, as
QuPath 0.4 and later write it; its lists of earlier versions are read too.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..._checks.arguments import choice, integer, items, value_text
from .points import Detections, Floats

__all__ = ["read_geojson", "write_geojson"]

SCORE = "score"
UNCLASSIFIED = "unclassified"
# Okabe and Ito's colors, which color-blind readers can distinguish.
_COLORS = ((213, 94, 0), (0, 114, 178), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233), (240, 228, 66))


def write_geojson(
    detections: Detections,
    path: str | os.PathLike[str],
    names: Sequence[str] | None = None,
    *,
    colors: Sequence[Sequence[int]] | None = None,
    object_type: str = "detection",
) -> None:
    """Writes points as a feature collection that QuPath opens by dragging it onto the image.

    One feature a line, with the class as ``classification`` and the score under ``measurements``. The file is whole or
    not there: it gets its name when all of it is written.

    Args:
        detections: the points.
        path: of the file.
        names: of the classes in QuPath; None for those of the detections.
        colors: red, green and blue of each class, from 0 to 255; None for colors that all can distinguish.
        object_type: what they are in QuPath, ``"detection"`` or ``"annotation"``. It handles millions of the former;
            the latter can be edited.

    Raises:
        TypeError, ValueError: arguments that are not as said.
        OSError: the file cannot be written.
    """
    if not isinstance(detections, Detections):
        raise TypeError(f"detections is {value_text(detections)} ({type(detections).__name__}), expected Detections")
    kind = choice("object_type", object_type, ("detection", "annotation"))
    classes = [
        {"name": name, "color": color}
        for name, color in zip(_names(names, detections), _colors(colors, len(detections.names)), strict=True)
    ]
    place = Path(path)
    unfinished = place.with_name(place.name + ".unfinished")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            _write(file, detections, classes, kind)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, place)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _write(file: IO[str], detections: Detections, classes: Sequence[Mapping[str, Any]], kind: str) -> None:
    file.write('{"type": "FeatureCollection", "features": [')
    for index in range(len(detections)):
        y, x = detections.positions[index].tolist()
        feature = {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [x, y]},
            "properties": {
                "objectType": kind,
                "classification": classes[detections.classes[index]],
                "measurements": {SCORE: float(detections.scores[index])},
            },
        }
        file.write(",\n" if index else "\n")
        file.write(json.dumps(feature, ensure_ascii=False, allow_nan=False))
    file.write("\n]}\n")


def _names(value: object, detections: Detections) -> tuple[str, ...]:
    if value is None:
        return detections.names
    names = items("names", value, "a text for each class")
    if len(names) != len(detections.names) or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"names is {value_text(value)}, expected {len(detections.names)} texts, one for each class")
    return tuple(names)


def _colors(value: object, count: int) -> list[list[int]]:
    if value is None:
        return [list(_COLORS[index % len(_COLORS)]) for index in range(count)]
    colors = [
        [integer("colors", part, 0, 255) for part in items("colors", color, "red, green and blue")]
        for color in items("colors", value, "red, green and blue of each class")
    ]
    if len(colors) != count or any(len(color) != 3 for color in colors):
        raise ValueError(f"colors is {value_text(value)}, expected red, green and blue of {count} classes")
    return colors


def read_geojson(path: str | os.PathLike[str], *, mpp: float | tuple[float, float] | None = None) -> Detections:
    """Reads points, from this package or from QuPath: a feature collection, a list of features, or one feature.

    Each point of a ``Point`` or ``MultiPoint`` is one, and of a ``Polygon`` or ``MultiPolygon`` the middle of its area.
    Scores are the measurement ``score``, 1 where there is none. Classes are the names of the classifications, in the
    order in which they appear.

    Args:
        path: of the file.
        mpp: micrometers of one pixel, one number or (y, x), which GeoJSON does not have.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no such GeoJSON; the message names the file and the feature.
    """
    place = Path(path)
    try:
        content = json.loads(place.read_bytes(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place} is no JSON ({error}), expected GeoJSON") from error
    positions: list[tuple[float, float]] = []
    scores: list[float] = []
    classes: list[int] = []
    names: dict[str, int] = {}
    for number, feature in enumerate(_features(content, place)):
        try:
            points = list(_points(_member(feature, "geometry", Mapping)))
            properties = feature.get("properties") or {}
            score, name = _score(properties), _class_name(properties)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
            raise ValueError(f"{place}: feature {number} is no point or polygon of QuPath: {error}") from error
        positions += points
        scores += [score] * len(points)
        classes += [names.setdefault(name, len(names))] * len(points)
    return Detections(
        np.array(positions, np.float64).reshape(-1, 2),
        np.array(scores, np.float64),
        np.array(classes, np.int64),
        tuple(names) or (UNCLASSIFIED,),
        mpp,  # type: ignore[arg-type]
    )


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _features(content: Any, place: Path) -> list[Any]:
    if isinstance(content, Mapping):
        content = content.get("features") if content.get("type") == "FeatureCollection" else [content]
    if not isinstance(content, list):
        raise ValueError(f"{place} has no features, expected a FeatureCollection, a list of features, or a Feature")
    return content


def _member(value: Any, name: str, kind: type) -> Any:
    found = value[name]
    if not isinstance(found, kind):
        raise TypeError(f"{name} is {value_text(found)}, expected {kind.__name__}")
    return found


def _score(properties: Mapping[str, Any]) -> float:
    measurements = properties.get("measurements") or {}
    if isinstance(measurements, list):
        measurements = {one["name"]: one["value"] for one in measurements}
    return _number(measurements.get(SCORE, 1.0))


def _class_name(properties: Mapping[str, Any]) -> str:
    classification = properties.get("classification") or {}
    name = classification.get("name")
    if name is None and isinstance(classification.get("names"), list):
        # A derived class of QuPath 0.4 and later, such as "Tumor: Positive".
        name = ": ".join(classification["names"])
    if name is None:
        return UNCLASSIFIED
    if not isinstance(name, str):
        raise TypeError(f"the name of its classification is {value_text(name)}, expected a text")
    return name


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value_text(value)} is no finite number")
    return float(value)


def _points(geometry: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Points (y, x) of a geometry."""
    kind, coordinates = geometry["type"], _member(geometry, "coordinates", list)
    if kind == "Point":
        yield _number(coordinates[1]), _number(coordinates[0])
    elif kind == "MultiPoint":
        for point in coordinates:
            yield _number(point[1]), _number(point[0])
    elif kind in ("Polygon", "MultiPolygon"):
        yield _middle([coordinates] if kind == "Polygon" else coordinates)
    else:
        raise ValueError(f"its geometry is {value_text(kind)}, expected Point, MultiPoint, Polygon or MultiPolygon")


def _middle(polygons: Sequence[Sequence[Any]]) -> tuple[float, float]:
    """The center (y, x) of the area of polygons; of their corners where they have none."""
    total, moment, corners = 0.0, np.zeros(2), []
    for rings in polygons:
        for index, ring in enumerate(rings):
            points = np.array([[_number(point[1]), _number(point[0])] for point in ring])
            corners.append(points)
            area, center = _area(points)
            # The first ring is the outline, the others are holes.
            sign = 1 if index == 0 else -1
            total, moment = total + sign * area, moment + sign * area * center
    y, x = moment / total if total > 0 else np.concatenate(corners).mean(0)
    return float(y), float(x)


def _area(points: Floats) -> tuple[float, Floats]:
    """The area within a ring and its center, by Green's theorem, from the first corner for the sake of rounding."""
    first = points[0]
    here = points - first
    after = np.roll(here, -1, 0)
    cross = here[:, 0] * after[:, 1] - after[:, 0] * here[:, 1]
    twice = float(cross.sum())
    if twice == 0:
        return 0.0, first
    return abs(twice) / 2, first + ((here + after) * cross[:, None]).sum(0) / (3 * twice)

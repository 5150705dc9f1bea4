# SPDX-License-Identifier: Apache-2.0
"""Files of points are those of QuPath, and are read back to the same bits."""

from __future__ import annotations

import json

import numpy as np
import pytest
from equiconv.slides._detect.geojson import read_geojson, write_geojson
from equiconv.slides._detect.points import Detections


def draw(count=50):
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 2, count)
    classes[:2] = 0, 1
    return Detections(
        rng.random((count, 2)) * 1e5, rng.random(count), classes, ("tumor", "Lymphozyt, groß"), (0.5, 0.25)
    )


def save(path, *features, **more):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features), **more}))
    return path


def feature(kind, coordinates, **properties):
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}


def test_what_is_written_is_read_to_the_same_bits(tmp_path):
    points = draw()
    write_geojson(points, tmp_path / "a.geojson")
    read = read_geojson(tmp_path / "a.geojson", mpp=(0.5, 0.25))
    for name in ("positions", "scores", "classes"):
        assert np.array_equal(getattr(read, name), getattr(points, name))
    assert (read.names, read.mpp) == (points.names, points.mpp)
    assert [file.name for file in tmp_path.iterdir()] == ["a.geojson"]


def test_features_are_as_qupath_has_them(tmp_path):
    points = Detections([[10.5, 20.25]], [0.75], [1], ("a", "b"))
    write_geojson(points, tmp_path / "a.geojson", ["x", "y"], colors=[(1, 2, 3), (4, 5, 6)], object_type="annotation")
    assert json.loads((tmp_path / "a.geojson").read_text("utf-8")) == {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [20.25, 10.5]},
                "properties": {
                    "objectType": "annotation",
                    "classification": {"name": "y", "color": [4, 5, 6]},
                    "measurements": {"score": 0.75},
                },
            }
        ],
    }


def test_no_points_are_a_file_too(tmp_path):
    write_geojson(Detections(np.zeros((0, 2)), []), tmp_path / "a.geojson")
    assert json.loads((tmp_path / "a.geojson").read_text())["features"] == []
    read = read_geojson(tmp_path / "a.geojson")
    assert (len(read), read.names) == (0, ("unclassified",))


def test_points_polygons_and_classes_of_qupath_are_read(tmp_path):
    square, hole = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]], [[0, 0], [2, 0], [2, 4], [0, 4], [0, 0]]
    path = save(
        tmp_path / "a.geojson",
        feature("MultiPoint", [[1, 2], [3, 4]], classification={"name": "tumor"}),
        feature("Polygon", [square], classification={"names": ["tumor", "positive"]}),
        feature("Polygon", [square[::-1], hole], measurements=[{"name": "score", "value": 0.5}]),
        feature("MultiPolygon", [[square], [[[10, 0], [12, 0], [12, 2], [10, 2]]]]),
        feature("Polygon", [[[7, 8], [7, 8]]]),
    )
    read = read_geojson(path)
    expected = [[2, 1], [4, 3], [2, 2], [2, 3], [(16 * 2 + 4 * 1) / 20, (16 * 2 + 4 * 11) / 20], [8, 7]]
    assert np.allclose(read.positions, expected, rtol=0, atol=1e-12)
    assert read.names == ("tumor", "tumor: positive", "unclassified")
    assert read.classes.tolist() == [0, 0, 1, 2, 2, 2]
    assert read.scores.tolist() == [1, 1, 1, 0.5, 1, 1]


def test_lists_of_features_and_one_feature_are_read(tmp_path):
    one = feature("Point", [1, 2])
    for content in ([one], one):
        (tmp_path / "a.json").write_text(json.dumps(content))
        assert read_geojson(tmp_path / "a.json").positions.tolist() == [[2, 1]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.geojson is no JSON"),
        ("{", "a.geojson is no JSON"),
        ("[" * 100000, "a.geojson is no JSON"),
        ("3", "a.geojson has no features"),
        ('{"type": "FeatureCollection"}', "a.geojson has no features"),
        ("[3]", "feature 0 is no point or polygon of QuPath"),
        ('[{"geometry": null}]', "feature 0 is no point or polygon of QuPath: geometry is None"),
        ('[{"geometry": {"type": "Point", "coordinates": [NaN, 1]}}]', "NaN is no number of JSON"),
        ('[{"geometry": {"type": "Point", "coordinates": [1e999, 1]}}]', "inf is no finite number"),
        ('[{"geometry": {"type": "Point", "coordinates": [true, 1]}}]', "True is no finite number"),
        ('[{"geometry": {"type": "Point", "coordinates": [1]}}]', "feature 0 is no point"),
        ('[{"geometry": {"type": "Point", "coordinates": "12"}}]', "coordinates is '12', expected list"),
        ('[{"geometry": {"type": "LineString", "coordinates": []}}]', "its geometry is 'LineString', expected Point"),
        ('[{"geometry": {"type": "Polygon", "coordinates": []}}]', "feature 0 is no point"),
        ('[{"geometry": {"type": "Polygon", "coordinates": [[]]}}]', "feature 0 is no point"),
        (f'[{{"geometry": {{"type": "Point", "coordinates": [1{"0" * 400}, 1]}}}}]', "feature 0 is no point"),
        (
            '[{"geometry": {"type": "Point", "coordinates": [1, 1]}, "properties": {"classification": {"name": 3}}}]',
            "the name of its classification is 3, expected a text",
        ),
        (
            '[{"geometry": {"type": "Point", "coordinates": [1, 1]}, "properties": {"measurements": {"score": "x"}}}]',
            "'x' is no finite number",
        ),
    ],
)
def test_files_of_something_else_are_refused_by_name(tmp_path, text, message):
    (tmp_path / "a.geojson").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_geojson(tmp_path / "a.geojson")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"names": ["a"]}, ValueError, r"names is \['a'\], expected 2 texts, one for each class"),
        ({"names": ["a", 3]}, ValueError, r"names is \['a', 3\], expected 2 texts"),
        ({"colors": [(0, 0, 0)]}, ValueError, "expected red, green and blue of 2 classes"),
        ({"colors": [(0, 0, 256), (0, 0, 0)]}, ValueError, "colors is 256, expected an integer from 0 to 255"),
        ({"object_type": "cell"}, ValueError, "object_type is 'cell', expected 'detection' or 'annotation'"),
        ({"detections": [[1, 1]]}, TypeError, r"detections is \[\[1, 1\]\] \(list\), expected Detections"),
    ],
)
def test_wrong_arguments_are_named_and_write_nothing(tmp_path, arguments, error, message):
    with pytest.raises(error, match=message):
        write_geojson(**({"detections": draw(), "path": tmp_path / "a.geojson"} | arguments))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_file_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "a.geojson"
    write_geojson(draw(3), path)
    old = path.read_bytes()

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_geojson(draw(9), path)
    assert path.read_bytes() == old
    assert [file.name for file in tmp_path.iterdir()] == ["a.geojson"]

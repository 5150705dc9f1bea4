# SPDX-License-Identifier: Apache-2.0
"""Damaged JPEG data are noticed, and whole data are not refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
from equiconv.slides import SourceError, open_source
from equiconv.slides._sources.jpeg_checks import check_jpeg
from slide_files import INSTALL

Image = pytest.importorskip("PIL.Image", reason=INSTALL)

OPTIONS = [
    {},
    {"quality": 30, "subsampling": "4:2:0"},
    {"quality": 95, "subsampling": "4:4:4"},
    {"optimize": True},
    {"restart_marker_blocks": 5},
    {"restart_marker_rows": 1, "subsampling": "4:2:2"},
]


def encoded(shape, **options):
    rng = np.random.default_rng(0)
    squares = rng.integers(0, 240, (-(-shape[0] // 8), -(-shape[1] // 8), *shape[2:]))
    pixels = squares.repeat(8, 0).repeat(8, 1)[: shape[0], : shape[1]] + rng.integers(0, 15, shape)
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG", **options)
    return file.getvalue()


def scan_of(data):
    """Where the code words begin and end."""
    begin = data.index(b"\xff\xda")
    return begin + 2 + int.from_bytes(data[begin + 2 : begin + 4], "big"), len(data) - 2


def is_refused(data):
    try:
        check_jpeg(data)
    except ValueError as error:
        return "JPEG" in str(error)
    return False


@pytest.mark.parametrize("options", [*OPTIONS, {"progressive": True}])
@pytest.mark.parametrize("shape", [(64, 64, 3), (61, 83, 3), (8, 130, 3), (50, 33)])
def test_whole_images_pass(shape, options):
    check_jpeg(encoded(shape, **options))


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("shape", [(96, 96, 3), (61, 83, 3)])
def test_damage_is_noticed(shape, options):
    data = encoded(shape, **options)
    begin, end = scan_of(data)
    middle, quarter = (begin + end) // 2, (end - begin) // 4
    noise = bytes(np.random.default_rng(1).integers(1, 255, quarter, np.uint8))
    damaged = {
        "cut": data[:middle],
        "without its end": data[:-2],
        "cut, with an end": data[:middle] + data[-2:],
        "zeros": data[:middle] + bytes(quarter) + data[middle + quarter :],
        "noise": data[:middle] + noise + data[middle + quarter :],
        "bytes lost": data[:middle] + data[middle + quarter :],
        "bytes twice": data[:middle] + data[middle - quarter :],
        "no image": bytes(len(data)),
        "no data": b"",
    }
    missed = {kind for kind, wrong in damaged.items() if not is_refused(wrong)}
    assert not missed


def test_every_cut_and_every_lost_byte_of_markers_is_an_error_and_no_crash():
    data = encoded((16, 16, 3))
    for length in range(len(data)):
        with pytest.raises(ValueError, match="JPEG"):
            check_jpeg(data[:length])
    rng = np.random.default_rng(2)
    for place in rng.integers(0, len(data), 300):
        wrong = bytearray(data)
        wrong[place] = rng.integers(256)
        try:
            check_jpeg(bytes(wrong))
        except ValueError as error:
            assert "JPEG" in str(error)  # noqa: PT017  it may also be as good as before


def test_tables_may_be_apart():
    data = encoded((32, 32, 3))
    begin = data.index(b"\xff\xc4")
    end = begin
    while data[end : end + 2] == b"\xff\xc4":
        end += 2 + int.from_bytes(data[end + 2 : end + 4], "big")
    tables = b"\xff\xd8" + data[begin:end] + b"\xff\xd9"
    check_jpeg(data[:begin] + data[end:], tables)
    with pytest.raises(ValueError, match="JPEG"):
        check_jpeg(data[:begin] + data[end:])


def test_damaged_pictures_are_not_opened(tmp_path):
    data = encoded((96, 96, 3))
    middle = sum(scan_of(data)) // 2
    (tmp_path / "x.jpg").write_bytes(data)
    assert open_source(tmp_path / "x.jpg").extents == (96, 96)
    (tmp_path / "x.jpg").write_bytes(data[:middle] + bytes(200) + data[middle + 200 :])
    with pytest.raises(SourceError, match=r"x\.jpg: cannot be read as an image: the JPEG data"):
        open_source(tmp_path / "x.jpg")

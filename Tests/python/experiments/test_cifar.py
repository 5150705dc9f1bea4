# SPDX-License-Identifier: Apache-2.0
"""Readers of CIFAR-10, on small files made here: whole ones, broken ones and hostile ones."""

from __future__ import annotations

import pickle
import struct

import experiment_runs
import numpy as np
import pytest

experiment_runs.require()

from equiconv_experiments.common.storage import RefusedError  # noqa: E402
from equiconv_experiments.data import sources  # noqa: E402
from equiconv_experiments.data.cifar import CLASSES  # noqa: E402
from equiconv_experiments.data.pickles import read_pickle  # noqa: E402

PIXELS = 3 * 32 * 32


def write_cifar(folder, form, protocol=2, count=2):
    """The six files of CIFAR-10, and what is in them."""
    rng = np.random.default_rng(2)
    parts = []
    for name in (*(f"data_batch_{batch}" for batch in range(1, 6)), "test_batch"):
        images, labels = rng.integers(0, 256, (count, PIXELS)).astype(np.uint8), rng.integers(0, 10, count)
        if form == "binary":
            rows = np.concatenate([labels[:, None].astype(np.uint8), images], axis=1)
            (folder / f"{name}.bin").write_bytes(rows.tobytes())
        else:
            (folder / name).write_bytes(form(images, labels.tolist(), protocol))
        parts.append((images.reshape(count, 3, 32, 32), labels))
    return parts


def by_python_3(images, labels, protocol):
    """A batch as Python 3 pickles it."""
    batch = {b"batch_label": b"a batch", b"labels": labels, b"data": images, b"filenames": [b"a.png"] * len(labels)}
    return pickle.dumps(batch, protocol)


def by_python_2(images, labels, _protocol):
    """A batch as Python 2 pickled it, byte by byte: text is BINSTRING, and the array comes from NumPy's old modules."""

    def text(value):
        short = len(value) < 256
        return (b"U" + bytes((len(value),)) if short else b"T" + struct.pack("<i", len(value))) + value

    def number(value):
        return b"J" + struct.pack("<i", value)

    dtype = b"cnumpy\ndtype\nq\x05" + text(b"u1") + b"K\x00K\x01\x87Rq\x06(K\x03" + text(b"|") + b"NNN"
    dtype += number(-1) + number(-1) + b"K\x00tb"
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85" + text(b"b") + b"\x87Rq\x04(K\x01"
    )
    array += b"".join(number(extent) for extent in images.shape) + b"\x86" + dtype
    array += b"\x89" + text(images.tobytes()) + b"tb"
    items = text(b"data") + array + text(b"labels") + b"](" + b"".join(number(label) for label in labels) + b"e"
    return b"\x80\x02}q\x01(" + items + b"u."


@pytest.mark.parametrize(
    ("form", "protocol"), [("binary", 0), (by_python_2, 2), (by_python_3, 2), (by_python_3, 3), (by_python_3, 4)]
)
@pytest.mark.parametrize("inside", [False, True])
def test_files_of_cifar_10_are_read_as_they_were_written(tmp_path, form, protocol, inside):
    home = tmp_path / ("cifar-10-batches-bin" if form == "binary" else "cifar-10-batches-py") if inside else tmp_path
    home.mkdir(exist_ok=True)
    written = write_cifar(home, form, protocol)
    data = sources.load(str(tmp_path))
    assert np.array_equal(data.train.images, np.concatenate([images for images, _ in written[:5]]))
    assert np.array_equal(data.train.labels, np.concatenate([labels for _, labels in written[:5]]))
    assert np.array_equal(data.test.images, written[5][0])
    assert data.classes == CLASSES
    if form is by_python_2:
        # What the reader is told to expect is what pickle itself makes of the file.
        known = pickle.loads((home / "test_batch").read_bytes(), encoding="bytes")
        assert np.array_equal(known[b"data"].reshape(-1, 3, 32, 32), written[5][0])


class Call:
    """What would call a function when it is unpickled."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


def _raise_if_called(*_):
    raise AssertionError("a file was obeyed")


def _array_state(**changes):
    """A pickle of an array with a changed state."""
    state = [1, (2, 3), np.dtype(np.uint8), False, bytes(6)]
    for index, value in changes.items():
        state[int(index[1:])] = value
    reconstruct = np.zeros(1, np.uint8).__reduce__()[0]
    return pickle.dumps({b"data": Call(reconstruct, (np.ndarray, (0,), b"b"), tuple(state))}, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps(Call(_raise_if_called, ()), 2), "it asks for"),
        (pickle.dumps(Call(eval, ("1",)), 4), "it asks for builtins.eval"),
        (pickle.dumps(Call(getattr, (np.ndarray, "mean")), 2), "it asks for"),
        (pickle.dumps({b"data": np.zeros(3, object)}, 2), "an array of 'O8', expected 'u1'"),
        (pickle.dumps({b"data": np.zeros(3, np.int16)}, 2), "an array of 'i2', expected 'u1'"),
        (pickle.dumps({b"data": np.float32(1)}, 2), "it asks for numpy"),
        (_array_state(_1=(2**40, 3)), "with 6 bytes, expected rows"),
        (_array_state(_1=(-2, -3)), "an array of shape"),
        (_array_state(_1=("a",)), "is no pickle of CIFAR-10"),
        (_array_state(_3=True), "with 6 bytes, expected rows"),
        (_array_state(_4=[1] * 6), "an array of 'u1', expected 'u1'"),
        (pickle.dumps([1, 2], 2), "has a list, expected a dict"),
        (pickle.dumps({"a": 1}, 0), "has the operation"),
        (b"\x80\x02}r\xff\xff\xff\x7f.", "numbers a value 2147483647 at byte 3, expected at most"),
        (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f", "is no pickle of CIFAR-10"),
        (b"\x80\x02}", "is no pickle of CIFAR-10"),
        (b"", "is no pickle of CIFAR-10"),
        (b"\x1f\x8b no pickle", "is no pickle of CIFAR-10"),
    ],
)
def test_pickles_that_ask_for_more_are_refused_and_not_obeyed(tmp_path, content, message):
    path = tmp_path / "test_batch"
    path.write_bytes(content)
    with pytest.raises(RefusedError) as raised:
        read_pickle(path)
    assert str(path) in str(raised.value)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({}, "data has 'NoneType', expected an array"),
        ({b"data": [1, 2]}, "data has 'list', expected an array"),
        ({b"data": np.zeros((2, 5), np.uint8)}, r"data has shape \(2, 5\), expected"),
        ({b"data": np.zeros((2, PIXELS), np.uint8)}, "labels are no list of 2 numbers"),
        ({b"data": np.zeros((2, PIXELS), np.uint8), b"labels": [1]}, "labels are no list of 2 numbers"),
        ({b"data": np.zeros((2, PIXELS), np.uint8), b"labels": [1, 10]}, "labels are no list of 2 numbers from 0 to 9"),
        ({b"data": np.zeros((2, PIXELS), np.uint8), b"labels": [1, None]}, "labels are no list"),
    ],
)
def test_pickled_batches_that_do_not_fit_are_refused(tmp_path, batch, message):
    write_cifar(tmp_path, by_python_3)
    (tmp_path / "data_batch_3").write_bytes(pickle.dumps(batch, 2))
    with pytest.raises(RefusedError, match=f"data_batch_3: {message}"):
        sources.load(str(tmp_path))


@pytest.mark.parametrize("content", [b"", bytes(PIXELS), bytes(PIXELS + 2)])
def test_broken_binary_batches_are_refused(tmp_path, content):
    write_cifar(tmp_path, "binary")
    (tmp_path / "data_batch_2.bin").write_bytes(content)
    with pytest.raises(RefusedError, match=rf"data_batch_2\.bin has {len(content)} bytes, expected a multiple of 3073"):
        sources.load(str(tmp_path))
    (tmp_path / "data_batch_2.bin").write_bytes(bytes((10,)) + bytes(PIXELS))
    with pytest.raises(RefusedError, match="label 0 is 10, expected 0 to 9"):
        sources.load(str(tmp_path))
    (tmp_path / "data_batch_2.bin").unlink()
    with pytest.raises(RefusedError, match=r"data_batch_2\.bin is not there; CIFAR-10 has the files"):
        sources.load(str(tmp_path))

# SPDX-License-Identifier: Apache-2.0
"""What counts as an array, and where results go."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from cases import DTYPES, FORWARD, LAYERS, identify

C4 = eq.cyclic(4)


def unaligned(array):
    buffer = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    buffer[...] = array
    assert not buffer.flags.aligned
    return buffer


def read_only(array):
    array = array.copy()
    array.setflags(write=False)
    return array


class ArrayLike:
    """What a tensor of another library looks like to numpy.asarray."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


class Subclass(np.ndarray):
    pass


FORMS = {
    "Fortran order": np.asfortranarray,
    "negative strides": lambda array: array[..., ::-1].copy()[..., ::-1],
    "every second": lambda array: np.repeat(array, 2, axis=1)[:, ::2],
    "broadcast": lambda array: np.broadcast_to(array[:1], array.shape),
    "read-only": read_only,
    "unaligned": unaligned,
    "array-like": ArrayLike,
    "subclass": lambda array: array.view(Subclass),
    "list": lambda array: array.tolist(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("layer", LAYERS)
def test_form_of_the_operands_does_not_matter(rng, layer, form):
    fiber = (4,) if layer in ("group", "projection") else ()
    x, weight, bias = rng.normal(size=(2, 3, *fiber, 6, 7)), rng.normal(size=(5, 3, *fiber, 3, 3)), rng.normal(size=5)
    if form == "broadcast":
        x, weight = np.repeat(x[:1], 2, axis=0), np.repeat(weight[:1], 5, axis=0)
    expected = FORWARD[layer](x, weight, C4, bias)
    kept = x.copy(), weight.copy(), bias.copy()
    make = FORMS[form]
    vector = bias if form in ("broadcast", "every second") else make(bias)
    y = FORWARD[layer](make(x), make(weight), C4, vector)
    assert type(y) is np.ndarray
    assert y.flags.c_contiguous
    np.testing.assert_array_equal(y, expected)
    for before, after in zip(kept, (x, weight, bias), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("dtype", DTYPES, ids=identify)
@pytest.mark.parametrize("layer", LAYERS)
def test_out_is_written_and_returned(rng, layer, dtype):
    fiber = (4,) if layer in ("group", "projection") else ()
    x, weight = rng.normal(size=(2, 3, *fiber, 6, 7)).astype(dtype), rng.normal(size=(5, 3, *fiber, 3, 3)).astype(dtype)
    expected = FORWARD[layer](x, weight, C4)
    out = np.full_like(expected, np.nan)
    assert FORWARD[layer](x, weight, C4, out=out) is out
    np.testing.assert_array_equal(out, expected)
    out[...] = np.nan
    assert FORWARD[layer](np.asfortranarray(x), weight, C4, out=out) is out
    np.testing.assert_array_equal(out, expected)


def test_out_beside_the_input_in_one_buffer(rng):
    buffer = rng.normal(size=(2, 1, 3, 6, 6))
    x = buffer[0]
    expected = eq.isotropic_conv(x, np.ones((3, 3, 3, 3)), C4, padding=1)
    assert eq.isotropic_conv(x, np.ones((3, 3, 3, 3)), C4, padding=1, out=buffer[1]).base is buffer
    np.testing.assert_array_equal(buffer[1], expected)


class Named(np.ndarray):
    """A subclass that adds a name and changes nothing."""

    name = "result"


class Metres(np.ndarray):
    """A subclass with arithmetic of its own, like one with units."""

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        raise TypeError("no unit")


WRITERS = {
    "lifting_conv": lambda x, out: eq.lifting_conv(x, np.ones((2, 2, 3, 3)), C4, padding="same", out=out),
    "conv": lambda x, out: eq.conv(
        x, np.ones((2, 2, 3, 3)), C4, input_stabilizer=range(4), output_stabilizer=[0], padding="same", out=out
    ),
    "separable_conv": lambda x, out: eq.separable_conv(
        np.stack([x] * 4, axis=2), np.ones((2, 2, 4)), np.ones((2, 3, 3)), C4, padding="same", out=out
    ),
    "LiftingConv": lambda x, out: eq.LiftingConv(2, 2, 3, C4, padding="same", dtype="float64", rng=0)(x, out=out),
    "group_pool": lambda x, out: eq.group_pool(np.stack([np.stack([x] * 4, axis=2)] * 4, axis=2), out=out),
    "partial_projection": lambda x, out: eq.partial_projection(
        np.stack([np.repeat(x, 4, axis=0).reshape(2, 4, 6, 6)] * 8, axis=2)[:1, :2], eq.dihedral(4), [0, 4], out=out
    ),
    "act": lambda x, out: eq.act(np.stack([x] * 4, axis=2), C4, 1, out=out),
}


@pytest.mark.parametrize("name", WRITERS)
def test_out_may_be_a_memory_map_or_a_plain_subclass(rng, tmp_path, name):
    x = rng.normal(size=(1, 2, 6, 6))
    expected = WRITERS[name](x, None)
    mapped = np.memmap(tmp_path / "out", np.float64, "w+", shape=expected.shape)
    for out in (mapped, np.empty(expected.shape).view(Named)):
        assert WRITERS[name](x, out) is out
        np.testing.assert_array_equal(np.asarray(out), expected)
    mapped.flush()
    np.testing.assert_array_equal(np.fromfile(tmp_path / "out").reshape(expected.shape), expected)
    with pytest.raises(ValueError, match="out is not writeable"):
        WRITERS[name](x, np.memmap(tmp_path / "out", np.float64, "r", shape=expected.shape))
    with pytest.raises(TypeError, match=r"out is .*\(Metres\), expected a numpy.ndarray"):
        WRITERS[name](x, np.empty(expected.shape).view(Metres))
    with pytest.raises(TypeError, match="out is a masked array, whose mask would not be written"):
        WRITERS[name](x, np.ma.empty(expected.shape))


def test_out_that_overlaps_what_became_an_array_is_refused():
    """An object that lends its memory to an array is not an array itself."""
    buffer = bytearray(8 * 36)
    x = memoryview(buffer).cast("d", (1, 1, 6, 6))
    with pytest.raises(ValueError, match="out overlaps x"):
        eq.isotropic_conv(x, np.ones((1, 1, 3, 3)), C4, padding=1, out=np.asarray(x))
    with pytest.raises(ValueError, match="out overlaps x"):
        eq.act(x, C4, 2, out=np.asarray(x))


def test_failed_call_leaves_out_untouched():
    out = np.full((1, 1, 4, 3, 3), 7.0)
    with pytest.raises(ValueError, match="winograd"):
        eq.lifting_conv(np.ones((1, 1, 8, 8)), np.ones((1, 1, 3, 3)), C4, algorithm="winograd", stride=2, out=out)
    np.testing.assert_array_equal(out, 7.0)


def test_results_do_not_share_memory(rng):
    x, weight = rng.normal(size=(1, 1, 8, 8)), rng.normal(size=(1, 1, 3, 3))
    first = eq.lifting_conv(x, weight, C4)
    kept = first.copy()
    eq.lifting_conv(-x, weight, C4)
    np.testing.assert_array_equal(first, kept)


def test_integers_of_numpy_and_lists_are_taken_for_sizes(rng):
    x, weight = rng.normal(size=(1, 1, 9, 9)), rng.normal(size=(1, 1, 3, 3))
    expected = eq.lifting_conv(x, weight, C4, stride=2, padding=1, dilation=2)
    y = eq.lifting_conv(x, weight, C4, stride=np.int32(2), padding=[1, 1], dilation=(2, np.uint8(2)))
    np.testing.assert_array_equal(y, expected)


def test_padding_words(rng):
    x, weight = rng.normal(size=(1, 1, 9, 9)), rng.normal(size=(1, 1, 5, 5))
    np.testing.assert_array_equal(
        eq.lifting_conv(x, weight, C4, padding="same", dilation=2),
        eq.lifting_conv(x, weight, C4, padding=4, dilation=2),
    )
    np.testing.assert_array_equal(
        eq.lifting_conv(x, weight, C4, padding="valid"), eq.lifting_conv(x, weight, C4, padding=0)
    )


@pytest.mark.parametrize("width", range(1, 40))
def test_memory_beside_the_result_is_not_written(rng, width):
    """Guards around `out`, at every remainder of the width by a vector."""
    x, weight = rng.normal(size=(1, 2, 3, width)).astype(np.float32), np.ones((3, 2, 1, 1), np.float32)
    size = 3 * 4 * 3 * width
    buffer = np.full(size + 128, -1.0, np.float32)
    out = buffer[64 : 64 + size].reshape(1, 3, 4, 3, width)
    eq.lifting_conv(x, weight, C4, out=out)
    np.testing.assert_array_equal(buffer[:64], -1.0)
    np.testing.assert_array_equal(buffer[64 + size :], -1.0)
    np.testing.assert_allclose(out, np.broadcast_to(x.sum(axis=1)[:, None, None], out.shape), rtol=1e-5, atol=1e-6)

# SPDX-License-Identifier: Apache-2.0
"""A layer as one object: found again by its options and by its text."""

from __future__ import annotations

import pickle

import equiconv as eq
import numpy as np
import pytest
from equiconv._checks.texts import number_text
from equiconv._layer.spec import LayerSpec, layer_of

C4, D4 = eq.cyclic(4), eq.dihedral(4)
PLAIN = (1, 0, 1, "zeros", "auto", None, "bilinear", None, False, 1)


def _specs():
    basis = eq.bspline_basis(5, 2)
    yield layer_of("lifting", C4, *PLAIN)
    yield layer_of("group", C4, 2, "same", 1, "circular", "direct", None, "bicubic", eq.localized([0, 1]), True, 2)
    yield layer_of("projection", D4, (2, 2), (1, 1), 1, "zeros", "auto", basis, "bilinear", None, False, 1)
    yield layer_of("conv", D4, *PLAIN, (0, 4), (0,))
    yield layer_of("conv", D4, *PLAIN[:-1], 3, (0,), (0,))
    matrices = eq.PointGroup.from_matrices(eq.cyclic(3).matrices)
    yield layer_of("group", matrices, 1, 0, 1, "zeros", "auto", eq.circular_harmonics(5), "bilinear", None, False, 1)


def test_a_text_makes_the_same_spec():
    for spec in _specs():
        assert LayerSpec.parse(spec.text) is spec
        assert pickle.loads(pickle.dumps(spec)) is spec
        again = LayerSpec._made(spec.text, spec.layer, spec.group, spec.sampling, spec.kernel)
        assert again.text == spec.text


def test_a_text_alone_makes_an_equal_layer():
    texts = [spec.text for spec in _specs()]
    assert len(set(texts)) == len(texts)
    for text in texts:
        spec = LayerSpec.parse(text)
        assert spec.text == text
        assert LayerSpec.checked(spec.layer, spec.group, spec.sampling, spec.kernel).text == text


def test_equal_options_give_one_object():
    assert layer_of("lifting", C4, *PLAIN) is layer_of("lifting", C4, *PLAIN)
    strided = (tuple([2, 2]), 0, 1, "zeros", "auto", None, "bilinear", None, False, 1)  # noqa: C409
    assert layer_of("lifting", C4, (2, 2), *PLAIN[1:]) is layer_of("lifting", C4, *strided)
    assert layer_of("lifting", C4, 2, *PLAIN[1:]) is layer_of("lifting", C4, (2, 2), *PLAIN[1:])


@pytest.mark.parametrize("stride", [True, (1, True), 1.0, (1, 1.0), "1"])
def test_what_equals_an_option_is_not_taken_for_it(stride):
    layer_of("lifting", C4, 1, *PLAIN[1:])
    layer_of("lifting", C4, (1, 1), *PLAIN[1:])
    with pytest.raises(TypeError):
        layer_of("lifting", C4, stride, *PLAIN[1:])


def test_more_layers_than_are_kept_are_found_again():
    specs = [layer_of("lifting", C4, 1, padding, *PLAIN[2:]) for padding in range(100)]
    again = [layer_of("lifting", C4, 1, padding, *PLAIN[2:]) for padding in range(100)]
    assert all(a is b for a, b in zip(specs, again, strict=True))


def test_shapes_are_those_of_arrays():
    spec = layer_of("group", C4, 2, 1, 1, *PLAIN[3:])
    x, weight = np.ones((2, 3, 4, 9, 8)), np.ones((5, 3, 4, 3, 3))
    assert spec.output_shape(x.shape, weight.shape) == (2, 5, 4, 5, 4)
    assert spec.find_stride_remainders(x.shape, weight.shape)[:2] == (0, 1)
    assert spec.find_weight_shape(5, 3, (3, 3)) == weight.shape
    with pytest.raises(ValueError, match="expected 3 on axis 1"):
        spec.output_shape(x.shape, (5, 2, 4, 3, 3))


def test_wrong_texts_are_refused_with_the_place():
    text = layer_of("lifting", C4, *PLAIN).text
    for wrong, expected in [
        ("", "ended at byte 0"), (text[:-1], "channel_groups"), (text + " ", "the end of the text"),
        (text.replace("/1", "/2"), "version 1"), (text.replace("zeros", "sevens"), '"zeros" or "circular"'),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match="text is") as error:
            LayerSpec.parse(wrong)
        assert expected in str(error.value) or expected == "channel_groups"


def test_numbers_are_spelled_as_the_engine_spells_them():
    rng = np.random.default_rng(3)
    numbers = [float(x) for x in rng.integers(0, 2**64, 3000, dtype=np.uint64).view(np.float64) if np.isfinite(x)]
    numbers += [0.0, -0.0, 5e-324, 1e-4, 9.9e-5, 2.0**53, 2.0**53 + 2, 9999999999999998.0, 1e16, 0.1 + 0.2, 1.7e308]
    text = f"equiconv-basis/1 bspline_at([3],1,1.0,[{','.join(map(number_text, numbers))}])"
    assert eq.bspline_basis((3,), 1, centers=np.array(numbers)[:, None]).text == text

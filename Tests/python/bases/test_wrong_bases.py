# SPDX-License-Identifier: Apache-2.0
"""Wrong calls with bases and quotients: the right exception, naming the argument, its value and what was expected."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from right_calls import C4, D4, WG, XG, G, W, X, lift


def general(**keywords):
    """conv from the plane to C4 / {0, 2}."""
    return lambda: eq.conv(X, W, C4, **{"input_stabilizer": range(4), "output_stabilizer": [0, 2], **keywords})


# name: (call, exception, fragments of the message)
CALLS = {
    # bases
    "basis text": (lift(basis="splines"), TypeError, ["basis is 'splines' (str)", "KernelBasis"]),
    "basis of a group": (lift(basis=eq.localized([0])), TypeError, ["basis is equiconv.localized([0])", "KernelBasis"]),
    "basis dimension": (
        lift(basis=eq.gaussian_derivatives(3, 1, 1.0, dimension=3)), ValueError,
        ["basis is", "of dimension 3", "2 as C4"]
    ),
    "weight of a basis": (
        lift(basis=eq.circular_harmonics(5)), ValueError, ["weight has shape (5, 3, 3, 3)", "(O, C, J)", "3 axes"]
    ),
    "functions of a basis": (
        lift(X, np.ones((5, 3, 7)), basis=eq.circular_harmonics(5)), ValueError,
        ["weight has shape (5, 3, 7)", "to end in (6,)", "equiconv.circular_harmonics(5, None)"],
    ),
    "taps of a pixel basis": (
        lift(basis=eq.pixel_basis(5)), ValueError, ["weight has shape (5, 3, 3, 3)", "to end in (5, 5)"]
    ),
    "basis beyond x": (
        lift(X, np.ones((5, 3, 28)), basis=eq.circular_harmonics(9)), ValueError,
        ["reaches over 9", "on axis 2", "at most 8"]
    ),
    "basis even": (
        lift(X, np.ones((5, 3, 6)), basis=eq.gaussian_derivatives(4, 2, 1.0), padding="same"), ValueError,
        ["padding is 'same'", "kernel extent 4", "is even"],
    ),
    "interpolation": (
        lift(interpolation="linear"), ValueError, ["interpolation is 'linear'", "'bilinear', 'bicubic' or"]
    ),
    "interpolation int": (lift(interpolation=1), TypeError, ["interpolation is 1", "'bilinear', 'bicubic' or"]),
    "quadrature": (lift(quadrature=1), TypeError, ["quadrature is 1 (int)", "a bool"]),
    "group_basis text": (lift(group_basis="full"), TypeError, ["group_basis is 'full' (str)", "GroupBasis"]),
    "group_basis on the plane": (
        lift(group_basis=eq.localized([0])), ValueError,
        ["group_basis is", "None for lifting_conv", "not a signal on the group"]
    ),
    "group_basis of another group": (
        lambda: eq.group_conv(np.ones((1, 1, 8, 5, 5)), np.ones((1, 1, 3, 3, 3)), D4, group_basis=eq.group_bspline(1,
            3)),
        ValueError, ["group_basis is equiconv.group_bspline(1, 3)", "group is D4", "cyclic(n)"],
    ),
    "group_basis element": (
        lambda: eq.group_conv(XG, WG[:, :, :1], C4, group_basis=eq.localized([4])), ValueError,
        ["group_basis is equiconv.localized([4])", "C4"],
    ),
    "group_basis count": (
        lambda: eq.group_conv(XG, WG, C4, group_basis=eq.localized([0, 1])), ValueError,
        ["weight has shape (5, 3, 4, 3, 3)", "(O, C, I, k, k)", "I = 2"],
    ),
    "KernelBasis()": (lambda: eq.KernelBasis(5), TypeError, ["KernelBasis cannot be called", "bspline_basis"]),
    "GroupBasis()": (lambda: eq.GroupBasis(5), TypeError, ["GroupBasis cannot be called", "localized"]),
    "basis kernel 0": (lambda: eq.bspline_basis(0), ValueError, ["kernel is 0"]),
    "basis kernel fraction": (lambda: eq.bspline_basis(5.0), TypeError, ["kernel is 5.0 (float)"]),
    "basis kernel of 4-D": (lambda: eq.bspline_basis((3,) * 4), ValueError, ["kernel is (3, 3, 3, 3)", "1, 2 or 3"]),
    "basis kernel and dimension": (
        lambda: eq.bspline_basis((3, 3), dimension=3), ValueError, ["kernel is (3, 3)", "an int or 3 extents"]
    ),
    "basis kernel huge": (lambda: eq.bspline_basis(2**31 - 1), ValueError, ["kernel is 2147483647", "taps"]),
    "basis many": (lambda: eq.bspline_basis(99, scale=1e-5), ValueError, ["centers has", "on a grid"]),
    "basis dimension 4": (lambda: eq.bspline_basis(3, dimension=4), ValueError, ["dimension is 4", "from 1 to 3"]),
    "degree 6": (lambda: eq.bspline_basis(5, 6), ValueError, ["degree is 6", "from 0 to 5"]),
    "scale 0": (lambda: eq.bspline_basis(5, scale=0), ValueError, ["scale is 0.0", "positive"]),
    "scale text": (lambda: eq.bspline_basis(5, scale="1"), TypeError, ["scale is '1' (str)", "a number"]),
    "centers shape": (lambda: eq.bspline_basis(5, 3, [[0.0]]), ValueError, ["centers has shape (1, 1)", "(J, 2)"]),
    "centers NaN": (lambda: eq.bspline_basis(5, 3, [[0, np.nan]]), ValueError, ["centers[0][1] is nan", "finite"]),
    "centers text": (lambda: eq.bspline_basis(5, 3, [["a", "b"]]), TypeError, ["centers has dtype <U1"]),
    "spacing": (lambda: eq.atrous_bspline_basis(5, spacing=-1), ValueError, ["spacing is -1.0"]),
    "radius": (lambda: eq.round_bspline_basis(5, radius=-1), ValueError, ["radius is -1.0", "at least 0 or None"]),
    "harmonics extent": (lambda: eq.circular_harmonics(2**30), ValueError, ["kernel is 1073741824"]),
    "harmonics tuple": (lambda: eq.circular_harmonics((5, 5)), TypeError, ["kernel is (5, 5)"]),
    "harmonics frequency": (lambda: eq.circular_harmonics(5, -1), ValueError, ["highest_frequency is -1"]),
    "rings alone": (
        lambda: eq.circular_harmonics(5, radii=[1]), ValueError, ["radii is [1]", "frequencies is None", "both"]
    ),
    "rings length": (
        lambda: eq.circular_harmonics(5, radii=[1], frequencies=[1, 2]), ValueError, ["frequencies has 2", "expected 1"]
    ),
    "rings frequency": (
        lambda: eq.circular_harmonics(5, radii=[1], frequencies=[4]), ValueError, ["frequencies[0] is 4", "0...3"]
    ),
    "rings sigma": (
        lambda: eq.circular_harmonics(5, radii=[1], frequencies=[1], sigma=0.1), ValueError, ["sigma is 0.1"]
    ),
    "derivatives order": (lambda: eq.gaussian_derivatives(5, 11, 1.0), ValueError, ["order is 11", "from 0 to 10"]),
    "derivatives sigma": (
        lambda: eq.gaussian_derivatives(5, 1, np.inf), ValueError, ["sigma is inf", "positive finite"]
    ),
    "points shape": (lambda: eq.bspline_basis(5).sample([1.0]), ValueError, ["points has shape (1,)", "(..., 2)"]),
    "points dtype": (lambda: eq.bspline_basis(5).sample([[1j, 0]]), TypeError, ["points has dtype complex128"]),
    "localized twice": (lambda: eq.localized([1, 1]), ValueError, ["elements is [1, 1]", "different"]),
    "localized empty": (lambda: eq.localized([]), ValueError, ["elements is []", "one or more"]),
    "localized text": (lambda: eq.localized("01"), TypeError, ["elements is '01'", "integers"]),
    "localized negative": (lambda: eq.localized([0, -1]), ValueError, ["elements[1] is -1"]),
    "group_bspline nothing": (lambda: eq.group_bspline(3), ValueError, ["count is None", "count, or centers and"]),
    "group_bspline scale": (
        lambda: eq.group_bspline(3, centers=[0.0], scale=7.0), ValueError, ["scale is 7.0", "at most 2π"]
    ),
    "group_bspline scale 0": (lambda: eq.group_bspline(3, centers=[0.0], scale=0), ValueError, ["scale is 0.0"]),
    "group_basis matrix": (lambda: eq.localized([0]).matrix("C4"), TypeError, ["group is 'C4' (str)", "PointGroup"]),
    # quotients
    "conv stabilizer": (
        general(output_stabilizer=[0, 1]), ValueError, ["output_stabilizer is [0, 1]", "subgroup of C4"]
    ),
    "conv stabilizer element": (
        general(input_stabilizer=[0, 4]), ValueError, ["input_stabilizer[1] is 4", "from 0 to 3"]
    ),
    "conv stabilizer twice": (
        general(input_stabilizer=[0, 0]), ValueError, ["input_stabilizer is [0, 0]", "subgroup of C4"]
    ),
    "conv stabilizer empty": (general(input_stabilizer=[]), ValueError, ["input_stabilizer is []", "subgroup of C4"]),
    "conv stabilizer int": (general(input_stabilizer=0), TypeError, ["input_stabilizer is 0 (int)", "subgroup of C4"]),
    "conv stabilizer fraction": (general(input_stabilizer=[0.0]), TypeError, ["input_stabilizer[0] is 0.0 (float)"]),
    "conv x": (
        general(input_stabilizer=[0, 2]), ValueError,
        ["x has shape (2, 3, 8, 9)", "(B, C, |H/K|, rows, columns)", "conv"]
    ),
    "conv fiber": (
        lambda: eq.conv(XG, WG, C4, input_stabilizer=[0, 2], output_stabilizer=[0]), ValueError,
        ["x has shape (2, 3, 4, 8, 9)", "|H/K| = 2 of C4"],
    ),
    "conv group": (
        lambda: eq.conv(X, W, "C4", input_stabilizer=[0], output_stabilizer=[0]), TypeError, ["group is 'C4' (str)"]
    ),
    "conv group_basis": (
        general(group_basis=eq.localized([0])), ValueError,
        ["group_basis is", "None for conv", "not a signal on the group"]
    ),
    "conv out": (general(out=np.empty((2, 5, 4, 6, 7))), ValueError, ["out has shape", "expected (2, 5, 2, 6, 7)"]),
    "conv grad_out": (
        lambda: eq.conv_vjp(G, X, W, C4, input_stabilizer=range(4), output_stabilizer=[0, 2]), ValueError,
        ["grad_out has shape (2, 5, 4, 6, 7)", "expected (2, 5, 2, 6, 7)"],
    ),
    "act stabilizer": (lambda: eq.act(XG, C4, 1, [0, 1]), ValueError, ["stabilizer is [0, 1]", "subgroup of C4"]),
    "act quotient": (lambda: eq.act(XG, C4, 1, [0, 2]), ValueError, ["x has shape (2, 3, 4, 8, 9)", "|H/K| = 2 of C4"]),
    "restrict": (lambda: eq.restrict(XG, C4, [0, 1]), ValueError, ["subgroup is [0, 1]", "subgroup of C4"]),
    "restrict x": (lambda: eq.restrict(X, C4, [0]), ValueError, ["x has shape (2, 3, 8, 9)", "for restrict"]),
    "restrict group": (lambda: eq.restrict(XG, 4, [0]), TypeError, ["group is 4 (int)"]),
    "partial_projection": (
        lambda: eq.partial_projection(XG, C4, [1]), ValueError, ["stabilizer is [1]", "subgroup of C4"]
    ),
    "partial_projection mode": (lambda: eq.partial_projection(XG, C4, [0, 2], "sum"), ValueError, ["mode is 'sum'"]),
    "partial_projection out": (
        lambda: eq.partial_projection(XG, C4, [0, 2], out=np.empty(3)), ValueError,
        ["out has shape (3,)", "(2, 3, 2, 8, 9)"]
    ),
    "induce": (
        lambda: eq.induce(XG, C4, [0, 2]), ValueError, ["x has shape (2, 3, 4, 8, 9)", "|H/K| = 2 of C4", "induce"]
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "exception", "fragments"), CALLS.values(), ids=CALLS.keys())
def test_wrong_call_is_refused_with_a_reason(call, exception, fragments):
    with pytest.raises(exception) as caught:
        call()
    assert caught.type is exception
    for fragment in fragments:
        assert fragment in str(caught.value), f"{fragment!r} not in {str(caught.value)!r}"


def test_native_types_refuse_unchecked_arguments():
    native = eq.__dict__["_native"]
    for kind in (native.Basis, native.GroupBasis):
        for arguments in [(), (None,), ([0],), ("a", "b"), (b"equiconv-basis/1 pixel([3,3],bilinear)",)]:
            with pytest.raises(TypeError, match="checked arguments"):
                kind(*arguments)
    with pytest.raises(ValueError, match="expected the name of a basis"):
        native.Basis("equiconv-basis/1 fourier([3,3])")
    for arguments in [(), (1, 2), (eq.localized([0]), 1)]:
        with pytest.raises(TypeError, match="checked arguments"):
            native.group_basis_matrix(*arguments)

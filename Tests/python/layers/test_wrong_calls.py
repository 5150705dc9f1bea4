# SPDX-License-Identifier: Apache-2.0
"""Wrong calls: each gets the right exception, whose message names the argument, its value and what was expected."""

from __future__ import annotations

import subprocess
import sys

import equiconv as eq
import numpy as np
import pytest
from right_calls import BIG, C4, C8, CUBE, D4, WG, XG, G, W, X, lift


def with_x(x):
    return lift(x)


def with_weight(weight):
    return lift(X, weight)


def vjp(grad_out=G, x=X, weight=W, group=C4, **keywords):
    return lambda: eq.lifting_conv_vjp(grad_out, x, weight, group, **keywords)


def matrices(*values):
    return lambda: eq.PointGroup.from_matrices(*values)


def read_only(shape):
    array = np.empty(shape)
    array.setflags(write=False)
    return array


def unaligned(shape):
    size = int(np.prod(shape)) * 8
    return np.zeros(size + 1, np.uint8)[1:].view(np.float64).reshape(shape)


def overlapping():
    """x and an `out` of the right shape in one buffer."""
    buffer = np.zeros(2000)
    x, out = buffer[: X.size].reshape(X.shape), buffer[100 : 100 + G.size].reshape(G.shape)
    return eq.lifting_conv(x, W, C4, out=out)


EYE, QUARTER = [[1.0, 0.0], [0.0, 1.0]], [[0.0, -1.0], [1.0, 0.0]]

# name: (call, exception, fragments of the message)
CALLS = {
    # dtypes
    "integers": (
        with_x(X.astype(int)), TypeError, ["x has dtype int64", "float32 or float64", "x.astype(numpy.float32)"]
    ),
    "list of integers": (with_x([[[[1, 2], [3, 4]]]]), TypeError, ["x has dtype int64"]),
    "half precision": (with_x(X.astype(np.float16)), TypeError, ["x has dtype float16", "x.astype(numpy.float32)"]),
    "long double": (with_x(X.astype(np.longdouble)), TypeError, ["x has dtype", "float32 or float64"]),
    "complex": (with_x(X.astype(complex)), TypeError, ["x has dtype complex128"]),
    "bool": (with_x(X.astype(bool)), TypeError, ["x has dtype bool"]),
    "objects": (with_x(X.astype(object)), TypeError, ["x has dtype object", "float32 or float64"]),
    "text": (with_x("picture"), TypeError, ["x has dtype <U7"]),
    "None": (with_x(None), TypeError, ["x has dtype object"]),
    "ragged": (with_x([[1.0], [1.0, 2.0]]), TypeError, ["x cannot be turned into an array", "inhomogeneous"]),
    "big-endian": (with_x(X.astype(">f4")), TypeError, ["x has dtype >f4 (big-endian)", "x.astype(numpy.float32)"]),
    "masked": (with_x(np.ma.ones((1, 3, 8, 8))), TypeError, ["x is a masked array", "x.filled"]),
    "mixed": (with_weight(W.astype(np.float32)), TypeError, ["weight has dtype float32", "float64", "as x has"]),
    "weight of integers": (with_weight(W.astype(int)), TypeError, ["weight has dtype int64"]),
    "bias of integers": (lift(X, W, C4, [1, 2, 3, 4, 5]), TypeError, ["bias has dtype int64"]),
    "bias mixed": (lift(X, W, C4, np.ones(5, np.float32)), TypeError, ["bias has dtype float32", "float64 as x has"]),
    # shapes
    "x without batch": (
        with_x(X[0]), ValueError, ["x has shape (3, 8, 9)", "(B, C, rows, columns)", "2-D group: 4 axes"]
    ),
    "x on the group": (with_x(XG), ValueError, ["x has shape (2, 3, 4, 8, 9)", "4 axes"]),
    "x scalar": (with_x(1.0), ValueError, ["x has shape ()", "(B, C, rows, columns)"]),
    "x empty": (with_x(np.ones((1, 3, 0, 8))), ValueError, ["x has shape (1, 3, 0, 8)", "at least 1 on axis 2"]),
    "x without channels": (with_x(X[:, :0]), ValueError, ["x has shape (2, 0, 8, 9)", "axis 1"]),
    "weight rank": (
        with_weight(np.ones((4, 3, 3))), ValueError, ["weight has shape (4, 3, 3)", "(O, C, k, k)", "lifting_conv"]
    ),
    "weight channels": (
        with_weight(np.ones((5, 2, 3, 3))), ValueError, ["weight has shape (5, 2, 3, 3)", "expected 3 on axis 1"]
    ),
    "weight without outputs": (with_weight(W[:0]), ValueError, ["weight has shape (0, 3, 3, 3)", "axis 0"]),
    "weight without taps": (with_weight(W[..., :0]), ValueError, ["weight has shape (5, 3, 3, 0)", "axis 3"]),
    "bias length": (lift(X, W, C4, np.ones(4)), ValueError, ["bias has shape (4,)", "expected (5,)"]),
    "bias scalar": (lift(X, W, C4, 1.0), ValueError, ["bias has shape ()", "expected (5,)"]),
    "fiber of x": (
        lambda: eq.group_conv(XG, WG, D4), ValueError, ["x has shape (2, 3, 4, 8, 9)", "|H| = 8 of D4 on axis 2"]
    ),
    "fiber of weight": (
        lambda: eq.group_conv(XG, WG[:, :, :3], C4), ValueError, ["weight has shape (5, 3, 3, 3, 3)", "|H| = 4 of C4"]
    ),
    "plane weight in group_conv": (
        lambda: eq.group_conv(XG, W, C4), ValueError, ["weight has shape", "(O, C, |H|, k, k)"]
    ),
    "plane signal in projection": (
        lambda: eq.projection_conv(X, WG, C4), ValueError, ["x has shape", "(B, C, |H|, rows"]
    ),
    "group of 3-D": (
        lift(X, W, CUBE), ValueError, ["x has shape (2, 3, 8, 9)", "(B, C, depth, rows, columns)", "3-D group"]
    ),
    "group of 1-D": (lift(X, W, eq.reflection()), ValueError, ["x has shape", "(B, C, width)", "1-D group"]),
    # the group
    "group is an int": (lift(X, W, 4), TypeError, ["group is 4 (int)", "PointGroup", "equiconv.cyclic(4)"]),
    "group is None": (lift(X, W, None), TypeError, ["group is None", "PointGroup"]),
    "group is a class": (lift(X, W, eq.PointGroup), TypeError, ["group is <class", "PointGroup"]),
    "kernel of C8": (lift(X, W[..., :2], C8), ValueError, ["kernel is (3, 2)", "C8"]),
    "act by 45 degrees": (
        lambda: eq.act(X, C8, 1), ValueError, ["element is 1 of C8", "[0, 2, 4, 6]", "without interpolation"]
    ),
    "C3 turns by 120": (lambda: eq.act(X, eq.cyclic(3), 1), ValueError, ["element is 1 of C3", "grid to itself"]),
    # stride, padding, dilation
    "stride 0": (lift(stride=0), ValueError, ["stride is 0", "an integer from 1"]),
    "stride negative": (lift(stride=-2), ValueError, ["stride is -2", "an integer from 1"]),
    "stride fraction": (lift(stride=1.0), TypeError, ["stride is 1.0 (float)", "an integer from 1"]),
    "stride NaN": (lift(stride=float("nan")), TypeError, ["stride is nan (float)", "an integer"]),
    "stride bool": (lift(stride=True), TypeError, ["stride is True (bool)", "an integer"]),
    "stride text": (lift(stride="2"), TypeError, ["stride is '2' (str)", "an integer"]),
    "stride None": (lift(stride=None), TypeError, ["stride is None", "an integer"]),
    "stride huge": (lift(stride=BIG), ValueError, [f"stride is {BIG}", "to 2147483647"]),
    "stride too many": (
        lift(stride=(1, 2, 3)), ValueError, ["stride is (1, 2, 3)", "2 integers, one for each spatial axis"]
    ),
    "stride too few": (lift(stride=(1,)), ValueError, ["stride is (1,)", "2 integers"]),
    "stride entry": (lift(stride=(1, 0)), ValueError, ["stride[1] is 0", "an integer from 1"]),
    "stride entry bool": (lift(stride=(1, False)), TypeError, ["stride[1] is False (bool)"]),
    "padding negative": (lift(padding=-1), ValueError, ["padding is -1", "an integer from 0"]),
    "padding word": (lift(padding="full"), ValueError, ["padding is 'full'", "'same', 'valid' or 'equivariant'"]),
    "padding fraction": (lift(padding=0.5), TypeError, ["padding is 0.5 (float)", '"same", "valid" or "equivariant"']),
    "padding entry": (lift(padding=(0, -3)), ValueError, ["padding[1] is -3", "an integer from 0"]),
    "padding huge": (lift(padding=BIG), ValueError, [f"padding is {BIG}", "to 2147483647"]),
    "padding beyond 63 bits": (
        lift(np.ones((1, 1, 8, 8)), np.ones((9, 1, 3, 3)), padding=2**31 - 1), ValueError, ["63 bits"]
    ),
    "padding same, even kernel": (
        lift(X, np.ones((5, 3, 4, 4)), padding="same"),
        ValueError, ["padding is 'same'", "weight of shape (5, 3, 4, 4)", "4 on"],
    ),
    "dilation 0": (lift(dilation=0), ValueError, ["dilation is 0", "an integer from 1"]),
    "dilation list": (lift(dilation=[1, 2, 3]), ValueError, ["dilation is [1, 2, 3]", "2 integers"]),
    "dilation array": (lift(dilation=np.array([1, 1])), TypeError, ["dilation is array([1, 1])", "an integer"]),
    "dilation too large": (lift(dilation=4), ValueError, ["kernel reaches over 9 (dilation 4) on axis 2", "at most 8"]),
    "kernel too large": (
        with_weight(np.ones((5, 3, 9, 9))), ValueError, ["weight has shape (5, 3, 9, 9)", "reaches over 9", "at most 8"]
    ),
    "strides that C4 exchanges": (lift(stride=(1, 2)), ValueError, ["stride"]),
    "paddings that C4 exchanges": (lift(padding=(1, 2)), ValueError, ["padding"]),
    "dilations that C4 exchanges": (lift(dilation=(1, 2)), ValueError, ["dilation"]),
    "kernel extents that C4 exchanges": (with_weight(np.ones((5, 3, 3, 1))), ValueError, ["kernel"]),
    # words
    "padding mode": (lift(padding_mode="mirror"), ValueError, ["padding_mode is 'mirror'", "'reflect' or 'replicate'"]),
    "padding mode int": (lift(padding_mode=0), TypeError, ["padding_mode is 0", "'reflect' or 'replicate'"]),
    "algorithm": (
        lift(algorithm="fft"), ValueError, ["algorithm is 'fft'", "'fourier', 'group-fourier' or 'exact'"]
    ),
    "algorithm None": (lift(algorithm=None), TypeError, ["algorithm is None"]),
    "winograd": (lift(algorithm="winograd", stride=2), ValueError, ["algorithm is winograd"]),
    "fourier": (lift(algorithm="fourier", stride=2), ValueError, ["algorithm is fourier", "stride"]),
    "surplus keyword": (lift(strides=2), TypeError, ["strides"]),
    "missing group": (lambda: eq.lifting_conv(X, W), TypeError, ["group"]),
    "positional stride": (lift(X, W, C4, None, 2), TypeError, ["positional"]),
    # out
    "out shape": (
        lift(out=np.empty((2, 5, 4, 6, 6))), ValueError, ["out has shape (2, 5, 4, 6, 6)", "expected (2, 5, 4, 6, 7)"]
    ),
    "out dtype": (lift(out=np.empty(G.shape, np.float32)), TypeError, ["out has dtype <f4", "float64"]),
    "out byte order": (lift(out=np.empty(G.shape, ">f8")), TypeError, ["out has dtype >f8", "float64"]),
    "out list": (lift(out=[]), TypeError, ["out is [] (list)", "numpy.ndarray"]),
    "out read-only": (lift(out=read_only(G.shape)), ValueError, ["out is not writeable"]),
    "out order": (lift(out=np.empty(G.shape, order="F")), ValueError, ["out is not C-contiguous"]),
    "out alignment": (lift(out=unaligned(G.shape)), ValueError, ["out is not aligned"]),
    "out overlap": (overlapping, ValueError, ["out overlaps x"]),
    "pool out": (lambda: eq.group_pool(XG, out=np.empty((2, 3, 8, 8))), ValueError, ["out has shape", "(2, 3, 8, 9)"]),
    "act out is x": (lambda: eq.act(X, eq.cyclic(2), 1, out=X), ValueError, ["out overlaps x"]),
    # gradients
    "grad_out shape": (vjp(G[..., 1:]), ValueError, ["grad_out has shape (2, 5, 4, 6, 6)", "expected (2, 5, 4, 6, 7)"]),
    "grad_out dtype": (vjp(G.astype(np.float32)), TypeError, ["grad_out has dtype float32", "float64 as x has"]),
    "grad_out integers": (vjp(G.astype(int)), TypeError, ["grad_out has dtype int64"]),
    "vjp weight rank": (vjp(weight=W[0]), ValueError, ["weight has shape (3, 3, 3)", "lifting_conv_vjp"]),
    "vjp stride": (vjp(stride=0), ValueError, ["stride is 0"]),
    "vjp group": (vjp(group="C4"), TypeError, ["group is 'C4' (str)"]),
    "vjp algorithm": (vjp(algorithm="winograd"), ValueError, ["algorithm is winograd"]),
    "wanted text": (vjp(wanted="x"), TypeError, ["wanted is 'x'", "'x', 'weight' and 'bias'"]),
    "wanted unknown": (vjp(wanted=("y",)), ValueError, ["wanted is ('y',)", "'x', 'weight' and 'bias'"]),
    # pooling, action, expansion
    "pool mode": (lambda: eq.group_pool(XG, "sum"), ValueError, ["mode is 'sum'", "'mean' or 'max'"]),
    "pool mode int": (lambda: eq.group_pool(XG, 0), TypeError, ["mode is 0", "'mean' or 'max'"]),
    "pool rank": (lambda: eq.group_pool(np.ones((2, 3, 4))), ValueError, ["x has shape (2, 3, 4)", "4 to 6 axes"]),
    "pool dtype": (lambda: eq.group_pool(XG.astype(int)), TypeError, ["x has dtype int64"]),
    "pool empty": (lambda: eq.group_pool(XG[:, :, :0]), ValueError, ["x has shape (2, 3, 0, 8, 9)", "axis 2"]),
    "pool gradient shape": (
        lambda: eq.group_pool_vjp(X[:1], XG), ValueError, ["grad_out has shape (1, 3, 8, 9)", "(2, 3, 8, 9)"]
    ),
    "pool gradient dtype": (lambda: eq.group_pool_vjp(X.astype("f4"), XG), TypeError, ["grad_out has dtype float32"]),
    "act element": (lambda: eq.act(X, C4, 4), ValueError, ["element is 4", "an integer from 0 to 3"]),
    "act element negative": (lambda: eq.act(X, C4, -1), ValueError, ["element is -1", "from 0 to 3"]),
    "act element fraction": (lambda: eq.act(X, C4, 1.0), TypeError, ["element is 1.0 (float)"]),
    "act rank": (lambda: eq.act(X[0], C4, 1), ValueError, ["x has shape (3, 8, 9)", "4 or 5 axes"]),
    "act fiber": (lambda: eq.act(XG, D4, 1), ValueError, ["x has shape (2, 3, 4, 8, 9)", "|H| = 8 of D4"]),
    "act group": (lambda: eq.act(X, "C4", 1), TypeError, ["group is 'C4' (str)"]),
    "error f": (lambda: eq.equivariance_error(3, X, C4), TypeError, ["f is 3", "callable"]),
    "error f(x)": (
        lambda: eq.equivariance_error(lambda x: x[0, 0], X[:, :, :4, :4], eq.octahedral()),
        ValueError, ["x has shape"],
    ),
    "error shapes": (
        lambda: eq.equivariance_error(lambda x: x[:, :, 1:], X, C4),
        ValueError, ["f(L_g x) has shape", "element 1 of C4"],
    ),
    "expand layer": (
        lambda: eq.expand(W, C4, "lift"), ValueError, ["layer is 'lift'", "'isotropic', 'lifting', 'group' or"]
    ),
    "expand weight": (
        lambda: eq.expand(W, C4, "group"), ValueError, ["weight has shape (5, 3, 3, 3)", "(O, C, |H|, k, k)"]
    ),
    "expand dtype": (lambda: eq.expand(W.astype(int), C4, "lifting"), TypeError, ["weight has dtype int64"]),
    "expand basis": (
        lambda: eq.expand(W, C8, "lifting", basis=eq.circular_harmonics(5)), ValueError, ["weight has", "(O, C, J)"]
    ),
    # groups
    "trivial 0": (lambda: eq.trivial(0), ValueError, ["d is 0", "from 1 to 3"]),
    "trivial 4": (lambda: eq.trivial(4), ValueError, ["d is 4", "from 1 to 3"]),
    "cyclic 0": (lambda: eq.cyclic(0), ValueError, ["n is 0", "from 1 to 4096"]),
    "cyclic negative": (lambda: eq.cyclic(-4), ValueError, ["n is -4", "from 1 to 4096"]),
    "cyclic huge": (lambda: eq.cyclic(BIG), ValueError, [f"n is {BIG}", "from 1 to 4096"]),
    "cyclic fraction": (lambda: eq.cyclic(4.0), TypeError, ["n is 4.0 (float)"]),
    "cyclic bool": (lambda: eq.cyclic(True), TypeError, ["n is True (bool)"]),
    "dihedral large": (lambda: eq.dihedral(2049), ValueError, ["n is 2049", "from 1 to 2048"]),
    "PointGroup()": (lambda: eq.PointGroup(4), TypeError, ["PointGroup cannot be called", "from_matrices"]),
    "matrices shape": (matrices([[1.0, 0.0], [0.0, 1.0]]), ValueError, ["matrices has shape (2, 2)", "(order, d, d)"]),
    "matrices not square": (matrices(np.ones((1, 2, 3))), ValueError, ["matrices has shape (1, 2, 3)"]),
    "matrices of 4-D": (matrices(np.eye(4)[None]), ValueError, ["matrices has shape (1, 4, 4)", "d = 1, 2 or 3"]),
    "no matrices": (matrices(np.ones((0, 2, 2))), ValueError, ["matrices has shape (0, 2, 2)", "order from 1"]),
    "matrices of objects": (matrices([[[None]]]), TypeError, ["matrices has dtype object"]),
    "matrices complex": (matrices([[[1j]]]), TypeError, ["matrices has dtype complex128"]),
    "matrices ragged": (matrices([[[1.0]], [[1.0, 2.0]]]), TypeError, ["matrices cannot be turned"]),
    "matrices NaN": (
        matrices([EYE, [[np.nan, 0], [0, 1]]]), ValueError, ["matrices[1][0][0] is", "not a number", "finite"]
    ),
    "matrices infinite": (matrices([EYE, [[np.inf, 0], [0, 1]]]), ValueError, ["matri", "finite"]),
    "identity not first": (matrices([QUARTER, EYE]), ValueError, ["matri", "identity"]),
    "duplicate": (matrices([EYE, EYE]), ValueError, ["1"]),
    "singular": (matrices([EYE, [[0, 0], [0, 0]]]), ValueError, ["inverse"]),
    "not closed": (matrices([EYE, QUARTER, [[0, 1], [-1, 0]]]), ValueError, ["product"]),
    "cosets fraction": (lambda: D4.cosets([0, 1.5]), TypeError, ["subgroup[1] is 1.5 (float)", "an integer"]),
    "cosets element": (lambda: D4.cosets([0, 8]), ValueError, ["subgroup[1] is 8", "0 to 7"]),
    "cosets not closed": (lambda: D4.cosets([0, 1]), ValueError, ["subgroup"]),
    "cosets empty": (lambda: D4.cosets([]), ValueError, ["subgroup"]),
    # threads
    "threads 0": (lambda: eq.set_num_threads(0), ValueError, ["count is 0", "from 1 to 1024"]),
    "threads huge": (lambda: eq.set_num_threads(BIG), ValueError, [f"count is {BIG}"]),
    "threads fraction": (lambda: eq.set_num_threads(2.0), TypeError, ["count is 2.0 (float)"]),
}  # fmt: skip


@pytest.mark.parametrize(("call", "exception", "fragments"), CALLS.values(), ids=CALLS.keys())
def test_wrong_call_is_refused_with_a_reason(call, exception, fragments):
    with pytest.raises(exception) as caught:
        call()
    assert caught.type is exception
    for fragment in fragments:
        assert fragment in str(caught.value), f"{fragment!r} not in {str(caught.value)!r}"


def test_right_calls_beside_the_wrong_ones_work():
    assert eq.lifting_conv(X, W, C4).shape == G.shape
    assert eq.lifting_conv(X, W, C4, np.ones(5), stride=[1, 1], padding=np.int64(1), dilation=(np.int8(1), 1)).shape
    assert eq.group_conv(XG, WG, C4, algorithm="direct", padding_mode="circular", padding="valid").shape == G.shape
    assert eq.lifting_conv_vjp(G, X, W, C4)[1].shape == W.shape


def test_output_beyond_memory_is_a_memory_error():
    x, weight = np.ones((1, 1, 8, 8), np.float32), np.ones((1, 1, 3, 3), np.float32)
    with pytest.raises(MemoryError):
        eq.lifting_conv(x, weight, C4, padding=2**27)


EXTREMES = [
    "dict(stride=2**31 - 1, dilation=2**30, padding='same')",
    "dict(stride=2**31 - 1, dilation=2**30, padding=2**30, padding_mode='circular')",
    "dict(stride=2**30, padding=2**29)",
    "dict(stride=2**21, padding=2**20, padding_mode='circular')",
    "dict(dilation=2**28, padding='same')",
    "dict(dilation=2**20, padding='same', padding_mode='circular')",
    "dict(padding=2**30)",
    "dict(padding=2**31 - 1)",
]
EXTREME_CALL = """
import resource, numpy, equiconv as eq
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
try:
    y = eq.lifting_conv(numpy.ones((1, 1, 8, 8)), numpy.ones((1, 1, 3, 3)), eq.cyclic(4), **{keywords})
    print("computed", y.shape)
except (ValueError, MemoryError) as error:
    print("refused", error)
"""


@pytest.mark.parametrize("keywords", EXTREMES)
def test_extreme_sizes_are_computed_or_refused_but_never_crash(keywords):
    code = EXTREME_CALL.replace("{keywords}", keywords)
    command = [sys.executable, "-W", "ignore", "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(("computed (1, 1, 4,", "refused "))


def test_native_functions_refuse_unchecked_arguments():
    native = eq.__dict__["_native"]
    for name in ("forward", "vjp", "expand", "explain", "pool", "pool_vjp", "act"):
        for arguments in [(), (None,) * 3, (0, X), (0,) * 11 + (True,), (2**70,) * 5, (1,) * 13 + (True,)]:
            with pytest.raises(TypeError, match="checked arguments"):
                getattr(native, name)(*arguments)
    for arguments in [(), (W,), (4,), (None,), ("cyclic", 4), (b"equiconv-group/1 cyclic(4)",)]:
        with pytest.raises(TypeError, match="checked arguments"):
            native.Group(*arguments)
    for weight in (None, [1.0], W.astype(np.int32), np.ones((0, 1, 1)), np.ones((1,) * 7)):
        with pytest.raises(TypeError, match="checked arguments"):
            native.Weight(weight)
    with pytest.raises(ValueError, match="expected a whole number"):
        native.Group("equiconv-group/1 cyclic(x)")

# SPDX-License-Identifier: Apache-2.0
"""Any value for any parameter gives a result, or an error of the right kind that names the parameter.

Every parameter of every public function gets every value of a list that conversions trip over. An exception that the
extension leaves set beside a result would show as SystemError.
"""

from __future__ import annotations

import enum
import inspect
import re
import sys

import equiconv as eq
import numpy as np
import pytest
from equiconv import theory
from paths import ROOT

C4, C8 = eq.cyclic(4), eq.cyclic(8)
X, W, XG, WG = (np.ones(s) for s in [(1, 2, 6, 6), (2, 2, 3, 3), (1, 2, 4, 6, 6), (2, 2, 4, 3, 3)])
PLANE = theory.Space.plane(C4, 3)
LINE = theory.Space.plane(eq.reflection(), 3)
DIGITS = ROOT / "examples" / "networks" / "digits-c4.safetensors"


class Raising:
    """Refuses every conversion, each with another kind of error."""

    def refuse(self, *_arguments):
        raise ZeroDivisionError("of the value's own")

    __index__ = __int__ = __float__ = __array__ = __iter__ = __len__ = __bool__ = __repr__ = __str__ = refuse


class RaisingNumber(float):
    """A number to `isinstance` that cannot be converted to one."""

    __float__ = __index__ = __repr__ = __eq__ = Raising.refuse
    __hash__ = float.__hash__


def pretender(kind):
    """An object that `isinstance` takes for another type, like a mock."""
    return type(f"Like{kind.__name__}", (), {"__class__": property(lambda _: kind)})()


PRETENDED = (eq.PointGroup, eq.KernelBasis, eq.GroupBasis, eq.PreparedWeight, np.ndarray, tuple, int, float, str)


class Two(enum.IntEnum):
    VALUE = 2


class Word(str, enum.Enum):
    """A str whose text is another."""

    VALUE = "direct"


def endless(depth=2000):
    value = []
    for _ in range(depth):
        value = [value]
    return value


# No parameter takes these.
ALWAYS_WRONG = {
    "lone surrogate": "\ud800",
    "raising": Raising(),
    "list of raising": [Raising()],
    "object": object(),
    "bytes": b"12",
    "bytes of no text": b"\xff\x00",
    "null character": "direct\0",
    "complex": 1j,
    "complex array": np.full((1, 2, 6, 6), 1j),
    "objects": np.array([None, 1], object),
    "ragged": [[1.0], [1.0, 2.0]],
    "deeply nested": endless(),
    "type": int,
    "masked": np.ma.masked_array(np.ones((1, 2, 6, 6)), True),
    "-2**100": -(2**100),
    **{f"like a {kind.__name__}": pretender(kind) for kind in PRETENDED},
    "int of 10000 digits": 10**10000,
}
# Some take some of these.
OFTEN_WRONG = {
    "2**31 - 1": 2**31 - 1,
    "2**31": 2**31,
    "2**62": 2**62,
    "2**63 - 1": 2**63 - 1,
    "2**63": 2**63,
    "2**64": 2**64,
    "2**100": 2**100,
    "-1": -1,
    "-2**63": -(2**63),
    "-2**63 - 1": -(2**63) - 1,
    "zero": 0,
    "True": True,
    "1.5": 1.5,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "1e308": 1e308,
    "longdouble": np.longdouble("1e4000"),
    "raising number": RaisingNumber(1.0),
    "NumPy bool": np.bool_(True),
    "NumPy unsigned": np.uint64(2**64 - 1),
    "text": "x",
    "empty text": "",
    "None": None,
    "empty tuple": (),
    "empty list": [],
    "tuple of big": (2**63, 2**100),
    "tuple of None": (None, None),
    "tuple of floats": (1.5, float("nan")),
    "nested tuple": ((1, 1), (1, 1)),
    "huge tuple": (1,) * 100_000,
    "big in a list": [1.0, 2**2000],
    "dict": {"a": 1},
    "set": {2**70},
    "generator": (number for number in ("a", "b")),
    "int array": np.array([2**62, -1]),
    "float array": np.ones((3, 3)),
    "enum": Two.VALUE,
    "str enum": Word.VALUE,
    "huge range": range(2**40, 2**40 + 100),
}
VALUES = ALWAYS_WRONG | OFTEN_WRONG
# Parameters for which a number this large is valid, and only memory runs out.
BEYOND_MEMORY = {
    "2**31 - 1",
    "2**31",
    "2**62",
    "2**63 - 1",
    "2**63",
    "2**64",
    "2**100",
    "NumPy unsigned",
    "huge tuple",
    "set",
}

LAYER = {"group": C4, "bias": None, "stride": 1, "padding": 0, "dilation": 1, "padding_mode": "zeros",
         "algorithm": "auto", "basis": None, "interpolation": "bilinear", "group_basis": None,
         "quadrature": False, "groups": 1, "out": None}  # fmt: skip
GRADIENT = {name: value for name, value in LAYER.items() if name not in ("bias", "out")} | {"wanted": ("x",)}
SPACES = {"input_stabilizer": (0,), "output_stabilizer": (0,)}
TRANSPOSED = {"layer": "group", "output_padding": 0}
MODULE = {"in_channels": 1, "out_channels": 1, "kernel": 3, "group": C4, "stride": 1, "padding": 0, "dilation": 1,
          "padding_mode": "zeros", "algorithm": "auto", "interpolation": "bilinear", "group_basis": None,
          "quadrature": False, "groups": 1, "bias": True, "dtype": "float32", "rng": 0}  # fmt: skip
PLANES = {"x_space": PLANE, "y_space": PLANE}
SEPARABLE = {name: value for name, value in LAYER.items() if name not in ("group_basis", "groups")}
OVER_H = {"x": XG, "weight_h": np.ones((2, 2, 4)), "weight_x": np.ones((2, 3, 3))}


def without(arguments, *names):
    return {name: value for name, value in arguments.items() if name not in names}


def lifting(x):
    return eq.lifting_conv(x, np.ones((2, 2, 3, 3)), C4, padding="same")


# function: all of its parameters, with values that it accepts
CALLS = {
    eq.isotropic_conv: {"x": X, "weight": W} | LAYER,
    eq.lifting_conv: {"x": X, "weight": W} | LAYER,
    eq.group_conv: {"x": XG, "weight": WG} | LAYER,
    eq.projection_conv: {"x": XG, "weight": WG} | LAYER,
    eq.conv: {"x": XG, "weight": WG} | LAYER | SPACES,
    eq.isotropic_conv_vjp: {"grad_out": np.ones((1, 2, 4, 4)), "x": X, "weight": W} | GRADIENT,
    eq.lifting_conv_vjp: {"grad_out": np.ones((1, 2, 4, 4, 4)), "x": X, "weight": W} | GRADIENT,
    eq.group_conv_vjp: {"grad_out": np.ones((1, 2, 4, 4, 4)), "x": XG, "weight": WG} | GRADIENT,
    eq.projection_conv_vjp: {"grad_out": np.ones((1, 2, 4, 4)), "x": XG, "weight": WG} | GRADIENT,
    eq.conv_vjp: {"grad_out": np.ones((1, 2, 4, 4, 4)), "x": XG, "weight": WG} | GRADIENT | SPACES,
    eq.transposed_conv: {"x": XG, "weight": WG} | LAYER | TRANSPOSED,
    eq.transposed_conv_vjp: {"grad_out": np.ones((1, 2, 4, 8, 8)), "x": XG, "weight": WG} | GRADIENT | TRANSPOSED,
    eq.separable_conv: OVER_H | SEPARABLE,
    eq.separable_conv_vjp: {"grad_out": np.ones((1, 2, 4, 4, 4))} | OVER_H | without(SEPARABLE, "bias", "out"),
    eq.expand: {"weight": W, "group": C4, "layer": "lifting", "basis": None, "interpolation": "bilinear",
                "group_basis": None, "quadrature": False},
    eq.explain: {"layer": eq.lifting_conv, "x": (1, 2, 6, 6), "weight": (2, 2, 3, 3), "group": C4, "run": "forward",
                 "dtype": None},
    eq.prepare: {"weight": W},
    eq.act: {"x": XG, "group": C4, "element": 1, "stabilizer": None, "out": None},
    eq.group_pool: {"x": XG, "mode": "mean", "out": None},
    eq.group_pool_vjp: {"grad_out": X, "x": XG, "mode": "max"},
    eq.restrict: {"x": XG, "group": C4, "subgroup": [0, 2]},
    eq.partial_projection: {"x": XG, "group": C4, "stabilizer": [0, 2], "mode": "mean", "out": None},
    eq.induce: {"x": XG[:, :, :2], "group": C4, "stabilizer": [0, 2]},
    eq.equivariance_error: {"f": lifting, "x": X, "group": C4, "input_stabilizer": None, "output_stabilizer": None,
                            "angles": 90, "scales": None, "spline_order": 3, "radius": 0.5},
    eq.trivial: {"d": 2},
    eq.cyclic: {"n": 4},
    eq.dihedral: {"n": 4},
    eq.axial_cyclic: {"n": 4, "axis": "z"},
    eq.axial_dihedral: {"n": 4, "axis": "z"},
    eq.scaling: {"factors": [1.0, 2.0], "dimension": 2},
    eq.similarity: {"n": 4, "factors": [1.0, 2.0]},
    eq.PointGroup.from_matrices: {"matrices": C4.matrices},
    C4.subgroup: {"generators": [2]},
    C4.cosets: {"subgroup": [0, 2]},
    eq.pixel_basis: {"kernel": 3, "interpolation": "bilinear", "dimension": None},
    eq.bspline_basis: {"kernel": 3, "degree": 3, "centers": None, "scale": 1.0, "dimension": None},
    eq.atrous_bspline_basis: {"kernel": 3, "degree": 3, "spacing": 1.0, "dimension": None},
    eq.round_bspline_basis: {"kernel": 3, "degree": 3, "radius": 1.0, "dimension": None},
    eq.circular_harmonics: {"kernel": 5, "highest_frequency": None, "radii": [1.0], "frequencies": [1], "sigma": 0.5},
    eq.gaussian_derivatives: {"kernel": 3, "order": 1, "sigma": 1.0, "dimension": None},
    eq.bspline_basis(3).sample: {"points": [[0.0, 0.0]]},
    eq.localized: {"elements": [0]},
    eq.group_bspline: {"degree": 3, "count": None, "centers": [0.0, 1.0], "scale": 1.0},
    eq.localized([0]).matrix: {"group": C4},
    eq.IsotropicConv: MODULE,
    eq.LiftingConv: MODULE,
    eq.GroupConv: MODULE,
    eq.ProjectionConv: MODULE,
    eq.TransposedConv: MODULE | TRANSPOSED,
    eq.TransposedConv(2, 1, 3, C8, layer="projection", dtype="float64").__call__: {"x": X, "out": None},
    eq.LiftingConv(2, 1, 3, C8, dtype="float64").__call__: {"x": X, "out": None},
    eq.LiftingConv(2, 1, 3, C8).load: {"parameters": {"weight": np.ones((1, 2, 3, 3)), "bias": [1.0]}},
    eq.BatchNorm: {"num_features": 2, "eps": 1e-5, "dtype": "float32"},
    eq.BatchNorm(2, dtype="float64").__call__: {"x": X},
    eq.GroupNorm: {"num_groups": 1, "num_channels": 2, "eps": 1e-5, "affine": True, "dtype": "float32"},
    eq.GroupNorm(1, 2, dtype="float64").__call__: {"x": X},
    eq.InstanceNorm: {"num_features": 2, "eps": 1e-5, "affine": True, "dtype": "float32"},
    eq.LayerNorm: {"num_features": 2, "group": C4, "eps": 1e-5, "affine": True, "dtype": "float32"},
    eq.LayerNorm(2, C4, dtype="float64").__call__: {"x": X},
    eq.SqueezeExcite: {"channels": 2, "reduction": 2, "group": C4, "dtype": "float32"},
    eq.SqueezeExcite(2, 2, C4, dtype="float64").__call__: {"x": X},
    eq.Linear: {"in_features": 2, "out_features": 3, "bias": True, "dtype": "float32"},
    eq.Linear(2, 3, dtype="float64").__call__: {"x": np.ones((1, 2))},
    eq.SpatialMaxPool: {"group": C4, "kernel": 2, "stride": 2, "padding": 0, "ceil_mode": False},
    eq.SpatialAvgPool: {
        "group": C4, "kernel": 2, "stride": 2, "padding": 0, "ceil_mode": True, "count_include_pad": True,
    },
    eq.SpatialMaxPool(C4, 2).__call__: {"x": X},
    eq.SpatialAvgPool(C4, 2).__call__: {"x": X},
    eq.SpatialMean: {"group": C4},
    eq.SpatialMean(C4).__call__: {"x": X},
    eq.Upsample: {"group": C4, "factor": 2, "mode": "linear", "align_corners": False},
    eq.Upsample(C4, 2, "linear").__call__: {"x": X},
    eq.BlurPool: {"group": C4, "stride": 2, "taps": 4, "padding": 1, "padding_mode": "zeros"},
    eq.BlurPool(C4).__call__: {"x": X},
    eq.MaxBlurPool: {
        "group": C4, "kernel": 2, "stride": 2, "taps": 4, "padding": 1, "padding_mode": "replicate",
    },
    eq.MaxBlurPool(C4).__call__: {"x": X},
    eq.AdaptiveMean: {"group": C4, "size": 2},
    eq.upsample: {"x": X, "group": C4, "factor": 2, "mode": "linear", "align_corners": False},
    eq.upsample_vjp: {"grad_out": np.ones((1, 2, 12, 12)), "x": X, "group": C4, "factor": 2, "mode": "linear",
                      "align_corners": False},
    eq.blur_pool: {"x": X, "group": C4, "stride": 2, "taps": 4, "padding": 1, "padding_mode": "zeros"},
    eq.blur_pool_vjp: {"grad_out": np.ones((1, 2, 3, 3)), "x": X, "group": C4, "stride": 2, "taps": 4, "padding": 1,
                       "padding_mode": "zeros"},
    eq.max_blur_pool: {"x": X, "group": C4, "kernel": 3, "stride": 2, "taps": 4, "padding": 1, "padding_mode": "zeros"},
    eq.max_blur_pool_vjp: {"grad_out": np.ones((1, 2, 3, 3)), "x": X, "group": C4, "kernel": 3, "stride": 2, "taps": 4,
                           "padding": 1, "padding_mode": "zeros"},
    eq.adaptive_mean: {"x": X, "group": C4, "size": 2},
    eq.adaptive_mean_vjp: {"grad_out": np.ones((1, 2, 2, 2)), "x": X, "group": C4, "size": 2},
    eq.AdaptiveMean(C4, 2).__call__: {"x": X},
    eq.relu: {"x": X},
    eq.leaky_relu: {"x": X, "slope": 0.01},
    eq.elu: {"x": X, "alpha": 1.0},
    eq.gelu_tanh: {"x": X},
    eq.silu: {"x": X},
    eq.sigmoid: {"x": X},
    eq.softmax: {"x": X},
    eq.load_network(DIGITS).__call__: {"x": np.ones((1, 1, 16, 16), np.float32)},
    eq.GroupPool: {"group": C4, "mode": "max"},
    eq.GroupPool(C4).__call__: {"x": XG, "out": None},
    eq.Sequential(np.tanh).__call__: {"x": X},
    eq.set_algorithm: {"network": eq.LiftingConv(1, 1, 3, C4), "algorithm": "direct"},
    eq.set_num_threads: {"count": 2},
    eq.set_workspace_limit: {"bytes": eq.workspace_limit()},
    theory.Space: {"group": C4, "shape": (3, 3), "stabilizer": (0,)},
    theory.Space.plane: {"group": C4, "shape": 3},
    theory.Space.whole_group: {"group": C4, "shape": 3},
    PLANE.permutation: {"translation": (0, 0), "h": 1},
    theory.subgroups: {"group": C4},
    theory.matrix_of: {"f": lambda x: x} | PLANES | {"channels_in": 1, "channels_out": 1},
    theory.equivariance_defect: {"matrix": np.eye(9)} | PLANES,
    theory.project: {"matrix": np.eye(9)} | PLANES,
    theory.kernel_of: {"matrix": np.eye(9)} | PLANES | {"tolerance": 1e-9},
    theory.operator_from_kernel: {"kernel": np.ones((1, 1, 3, 3))} | PLANES | {"check_stabilizer": True},
    theory.stabilizer_defect: {"kernel": np.ones((1, 1, 3, 3))} | PLANES,
    theory.symmetrize: {"kernel": np.ones((1, 1, 3, 3))} | PLANES,
    theory.dimension_by_rank: {"x_space": LINE, "y_space": LINE},
    theory.dimension_by_orbits: PLANES,
    theory.kernel_orbits: PLANES,
    theory.dyadic_lifting: {"signal": [1.0], "kernel": [1.0, 1.0], "scales": 2, "normalized": True},
    theory.dilate: {"signal": [1.0]},
    theory.dilation_defect: {"signal": [1.0], "kernel": [1.0, 1.0], "scales": 2, "normalized": True},
}  # fmt: skip
# Messages that name two parameters, because the value of one limits the other.
NAMED = {
    "radii": ("radii", "frequencies"),
    "channels_in": ("channels_in", "f returns"),
    "channels_out": ("channels_out", "f returns"),
    "stride": ("stride", "grad_out"),
    "padding": ("padding", "padded", "grad_out"),
    "taps": ("taps", "padding", "grad_out"),
    "factor": ("factor", "grad_out"),
    "kernel": ("kernel", "grad_out"),
    "size": ("size", "grad_out"),
    "dilation": ("dilation", "grad_out"),
    "groups": ("groups", "weight", "channels", "grad_out"),
}
# Parameters that take any number.
TAKES_ANY_NUMBER = {"slope", "alpha"}
# Parameters that other parameters replace are given in other calls.
TAKES_ANY_OPTIONS = {"options"}


@pytest.fixture(autouse=True)
def settings():
    threads, limit = eq.get_num_threads(), eq.workspace_limit()
    yield
    eq.set_num_threads(threads)
    eq.set_workspace_limit(limit)


def name_of(function):
    return getattr(function, "__qualname__", repr(function))


@pytest.mark.filterwarnings("ignore::equiconv.EquivarianceWarning")
@pytest.mark.parametrize("function", CALLS, ids=name_of)
def test_a_hostile_value_is_taken_or_refused_with_the_name_of_its_parameter(function):
    good = CALLS[function]
    function(**good)
    for name in good:
        for label, value in VALUES.items():
            refused = refusal(function, good | {name: value}, label)
            may_be_taken = label not in ALWAYS_WRONG or (name in TAKES_ANY_NUMBER and label == "-2**100")
            assert refused is not None or may_be_taken, f"{name} = {label} was taken"
            expected = rf"\b({'|'.join(NAMED.get(name, (name,)))})\b"
            is_of_f = name == "f" and callable(value)  # what that raises
            assert refused is None or is_of_f or re.search(expected, refused), f"{name} = {label}: {refused}"
            assert sys.exc_info() == (None, None, None)
    function(**good)


def refusal(function, arguments, label):
    """The message of the error, or None."""
    try:
        function(**arguments)
    except MemoryError:
        assert label in BEYOND_MEMORY
        return None
    except (TypeError, ValueError) as error:
        if type(error) not in (TypeError, ValueError):  # UnicodeEncodeError, for one
            raise
        return str(error)
    return None


def public_functions():
    for module in (eq, theory):
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value):
                yield name, value


def test_every_parameter_of_every_public_function_is_tried():
    made_by_others = {"EquivarianceWarning", "Explanation", "GroupBasis", "KernelBasis", "PointGroup", "PreparedWeight",
                      "Network", "ReceptiveField", "SignalSpace", "Sequential"}  # fmt: skip
    # Tests/python/network and reach try paths and bytes, of which the system refuses some by errors of its own.
    made_by_others |= {"load_network", "receptive_field", "dense"}
    for name, function in public_functions():
        parameters = {} if name in made_by_others else inspect.signature(function).parameters
        if parameters:
            assert set(parameters) - TAKES_ANY_OPTIONS == set(CALLS[function]), name


@pytest.mark.parametrize("label", [*ALWAYS_WRONG, "2**63", "2**100", "None", "text", "huge tuple"])
def test_the_extension_leaves_no_exception_behind_a_result(label):
    """Operands of `forward` and `vjp` reach the words of Python; all else is refused with a TypeError."""
    native = eq.__dict__["_native"]
    value = VALUES[label]
    spec = native.layer_of("lifting", C4, 1, 0, 1, "zeros", "auto", None, "bilinear", None, False, 1)
    forward, vjp = (spec, X, W, None, None), (spec, np.ones((1, 2, 4, 4, 4)), X, W)
    for position in range(1, len(forward)):
        if value is not None or position < 3:
            with pytest.raises((TypeError, ValueError)):
                native.forward(*forward[:position], value, *forward[position + 1 :], True)
    for position in range(1, len(vjp)):
        with pytest.raises((TypeError, ValueError)):
            native.vjp(*vjp[:position], value, *vjp[position + 1 :], True, True, True)
    with pytest.raises(TypeError, match="checked arguments"):
        native.forward(value, *forward[1:], True)
    with pytest.raises(TypeError, match="checked arguments"):
        native.vjp(value, *vjp[1:], True, True, True)
    good_text = "equiconv-group/1 cyclic(4)"
    for make, text in ((native.Group, good_text), (native.Basis, "equiconv-basis/1 bspline([3,3],3,1.0)"),
                       (native.GroupBasis, "equiconv-group-basis/1 localized([0])")):  # fmt: skip
        make(text)
        with pytest.raises((TypeError, ValueError), match=r"checked arguments|text is"):
            make(value)
    with pytest.raises((TypeError, ValueError), match=r"checked arguments|text is"):
        native.Layer(value, False)
    with pytest.raises(TypeError, match="checked arguments"):
        native.Layer(spec.text, value)
    calls = (
        (native.pool, (native.MEAN, XG, np.ones((1, 2, 6, 6)))),
        (native.pool_vjp, (native.MEAN, np.ones((1, 2, 6, 6)), XG, XG.copy())),
        (native.act, (C4, 1, native.PLANE_SIGNAL, X, X.copy())),
        (native.expand, (spec, W)),
        (native.explain, (spec, native.FORWARD, False, X.shape, W.shape, True)),
        (native.group_basis_matrix, (eq.localized([0]), C4)),
        (native.set_num_threads, (2,)),
        (native.set_workspace_limit, (2**26,)),
        (native.Weight, (W,)),
        (lambda *rest: native.view(X, *rest), (X.ctypes.data, X.shape, True)),
        (native.Subgroup, (C4, np.array([0, 2], np.int32))),
    )
    for function, good in calls:
        function(*good)
        for position in range(len(good)):
            with pytest.raises(TypeError, match="checked arguments"):
                function(*good[:position], value, *good[position + 1 :])


def test_numbers_and_words_of_other_types_are_what_they_equal():
    """Values that only look like exact ints and strs reach the extension as such."""
    direct = eq.lifting_conv(X, W, C4, stride=1, algorithm="direct")
    for stride in (np.int8(1), np.uint64(1), np.array(1)):
        assert np.array_equal(eq.lifting_conv(X, W, C4, stride=stride, algorithm=Word.VALUE), direct)
    assert eq.lifting_conv(X, W, C4, dilation=Two.VALUE).shape == (1, 2, 4, 2, 2)
    assert eq.cyclic(Two.VALUE) == eq.cyclic(2)


def test_what_float64_cannot_hold_is_refused_and_not_made_infinite():
    for call in (
        lambda: eq.bspline_basis(3, scale=10**400),
        lambda: eq.bspline_basis(3, scale=np.longdouble("1e4000")),
        lambda: eq.scaling([1.0, np.longdouble("1e4000")]),
        lambda: eq.bspline_basis(3).sample(np.array([[0, np.longdouble("1e4000")]])),
    ):
        with pytest.raises(ValueError, match="float64 can hold"):
            call()

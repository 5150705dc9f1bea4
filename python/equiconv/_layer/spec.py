# SPDX-License-Identifier: Apache-2.0
"""A layer as one object: all of it but its sizes and its numbers.

`layer_of` returns the `LayerSpec` of options, which are checked once; plain options are found again by a few
comparisons. A spec computes: `_native.forward(spec, x, weight, bias, out, warns)` and `_native.vjp(spec, ...)` take
whatever the user gave, and come back to `convert_forward` and `convert_vjp` for what is not plain, does not fit, or is
to be warned of.

For operators of other frameworks:

    spec.text                                   what a program carries; docs/LayerFormat.md
    LayerSpec.parse(text)                       the spec again, in any process; one object for one text
    spec.output_shape(x.shape, weight.shape)    checked, with a worded error
    spec.check_operands(x, weight)              the same for arrays, with their dtypes
    spec.warn_of_remainders(x, weight)          the EquivarianceWarning of a call, if there is one
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, cast
from weakref import WeakValueDictionary

import numpy as np

from .. import _native
from .._bases.basis import parse_group_basis, parse_kernel_basis
from .._checks.arguments import is_a
from .._checks.arrays import Array, Shaped, check_same_dtype, float_array, output
from .._checks.texts import integers_text
from .._groups.arguments import point_group
from .._groups.point_group import PointGroup, parse_group
from .algorithms import ALGORITHMS, ChosenAlgorithm
from .explanation import Explanation, Run
from .fitting import EQUIVARIANT, Window, fitted_padding, padding_of_all_sizes
from .layer import LAYERS, Kernel, KernelArguments, Layer, general_layer
from .operands import check_operands
from .sampling import Sampling, SamplingArguments, check_fit, warn_of_remainders
from .weights import PreparedWeight

RUNS: dict[Run, int] = {
    "forward": _native.FORWARD,
    "input_gradient": _native.INPUT_GRADIENT,
    "weight_gradient": _native.WEIGHT_GRADIENT,
}

_HEADER = "equiconv-layer/1"


class LayerSpec(_native.Layer):
    """A layer with all its options, checked. Frozen; one object for equal layers of one name.

    Attributes:
        layer: what it reads and writes, and what messages call it.
        group: H.
        sampling: stride, padding, dilation, padding mode and algorithm.
        kernel: what its kernels are made of.
        text: all of that in one line, which `parse` reads.
    """

    __slots__ = ("__weakref__", "group", "kernel", "layer", "sampling")

    # Whether the padding follows from the sizes of a signal, so that `sized` alone can compute.
    is_open = False

    layer: Layer
    group: PointGroup
    sampling: Sampling
    kernel: Kernel

    @classmethod
    def of(
        cls, layer: Layer, group: PointGroup, sampling_arguments: SamplingArguments, kernel_arguments: KernelArguments
    ) -> LayerSpec:
        """The layer with these options. Raises TypeError or ValueError for those that do not fit."""
        kernel = Kernel.checked(group, layer, kernel_arguments)
        return cls.checked(layer, group, Sampling.checked(group.dimension, *sampling_arguments), kernel)

    @classmethod
    def checked(cls, layer: Layer, group: PointGroup, sampling: Sampling, kernel: Kernel) -> LayerSpec:
        """The layer with these options, which have been checked one by one."""
        text = _text(layer, group, sampling, kernel)
        known = _INTERNED.get((layer.function, text))
        return known or cls._made(text, layer, group, sampling, kernel)

    @classmethod
    def parse(cls, text: str) -> LayerSpec:
        """The layer of a text. Raises ValueError for anything else, with the place and what was expected."""
        for function in (*(layer.function for layer in LAYERS.values()), "conv"):
            known = _INTERNED.get((function, text))
            if known is not None:
                return known
        _native.Layer(_of_engine(text), False)  # Whatever is wrong with the text is said here.
        parts = dict(part.split("=", 1) for part in text.split(" ")[1:])
        group = parse_group(f"equiconv-group/1 {parts['group']}")
        return cls._made(text, _layer_of_parts(parts, group), group, _sampling(parts), _kernel(parts))

    @classmethod
    def _made(cls, text: str, layer: Layer, group: PointGroup, sampling: Sampling, kernel: Kernel) -> LayerSpec:
        kind = OpenLayerSpec if sampling.is_open else cls
        spec = _native.Layer.__new__(kind, _of_engine(text), any(stride > 1 for stride in sampling.stride))
        for name, value in (("layer", layer), ("group", group), ("sampling", sampling), ("kernel", kernel)):
            object.__setattr__(spec, name, value)
        return _INTERNED.setdefault((layer.function, text), spec)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"LayerSpec is immutable: {name} cannot be set")

    def __repr__(self) -> str:
        return f"LayerSpec({self.text!r})"

    def __copy__(self) -> LayerSpec:
        return self

    def __deepcopy__(self, _memo: dict[int, object]) -> LayerSpec:
        return self

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (LayerSpec.parse, (self.text,))

    # ---- Shapes

    def output_shape(self, x: tuple[int, ...], weight: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the output for operands of these shapes. Raises ValueError where they do not fit."""
        return self.check_operands(_Form(x), _Form(weight))

    def check_operands(self, x: Shaped, weight: Shaped) -> tuple[int, ...]:
        """The shape of the output. Raises TypeError or ValueError unless the operands fit the layer and each other."""
        check_same_dtype("weight", weight, "x", x)
        try:
            return self.find_output_shape(tuple(x.shape), tuple(weight.shape))
        except (TypeError, ValueError):
            # In the words of Python's arguments; what they do not know of is the engine's to say.
            check_operands(x, weight, self.group, self.layer, self.kernel, self.layer.function)
            check_fit(x, weight, self.kernel.extents(weight, self.group.dimension), self.sampling)
            raise

    def warn_of_remainders(self, x: Shaped, weight: Shaped) -> None:
        """The EquivarianceWarning for strides that leave something over, at the line of the user's that led here."""
        if max(self.sampling.stride) > 1:
            extents = self.kernel.extents(weight, self.group.dimension)
            warn_of_remainders(x, extents, self.group, self.sampling)

    def sized(self, x: object, weight: object) -> LayerSpec:
        """The layer with the padding of operands like these, which is the layer itself where that is a number.

        Raises TypeError or ValueError for operands that do not fit, or sizes that no padding fits.
        """
        return self

    def of_sizes(self, sizes: tuple[int, ...], weight: Shaped) -> LayerSpec:
        """The same for the sizes of a signal on its spatial axes alone, and a weight that fits the layer."""
        return self

    def of_all_sizes(self, weight: Shaped) -> LayerSpec | None:
        """The layer with its padding for all sizes that the stride fits; None where that is not one."""
        return self

    # ---- Calls

    def convert_forward(
        self, x: object, weight: object, bias: object, out: object
    ) -> tuple[Array, Array | PreparedWeight, Array | None, Array | None]:
        """Operands of a forward call as plain arrays that fit, in the places of these.

        Called by the extension where they are not. Raises TypeError or ValueError for others.
        """
        x_array = float_array("x", x)
        weight_array = weight if is_a(weight, PreparedWeight) else float_array("weight", weight)
        bias_array = None if bias is None else float_array("bias", bias)
        shape = self.check_operands(x_array, weight_array)
        check_bias(bias_array, x_array, weight_array)
        numbers = None
        if out is not None:
            inputs = {"x": (x, x_array), "weight": (weight, weight_array), "bias": (bias, bias_array)}
            numbers = output(out, shape, x_array.dtype, inputs)
        return x_array, weight_array, bias_array, numbers

    def convert_vjp(self, grad_out: object, x: object, weight: object) -> tuple[Array, Array, Array]:
        """The same for the operands of the gradients."""
        x_array, weight_array = float_array("x", x), float_array("weight", weight)
        check_same_dtype("weight", weight_array, "x", x_array)
        grad_array = float_array("grad_out", grad_out)
        user = self.layer.function + "_vjp"
        try:
            shape = self.find_output_shape(x_array.shape, weight_array.shape)
        except (TypeError, ValueError):
            check_operands(x_array, weight_array, self.group, self.layer, self.kernel, user)
            check_fit(x_array, weight_array, self.kernel.extents(weight_array, self.group.dimension), self.sampling)
            raise
        check_same_dtype("grad_out", grad_array, "x", x_array)
        if grad_array.shape != shape:
            raise ValueError(f"grad_out has shape {grad_array.shape}, expected {shape}, the shape of the output")
        return grad_array, x_array, weight_array

    def explain(self, x: Shaped, weight: Shaped, run: Run) -> Explanation:
        """What a run of layer(x, weight) would do; see `equiconv.explain`."""
        self.check_operands(x, weight)
        shapes = tuple(x.shape), tuple(weight.shape)
        algorithm, tile, operations, definition, workspace, weights, threads, seconds, is_exact, reason = (
            _native.explain(self, RUNS[run], isinstance(weight, PreparedWeight), *shapes, x.dtype.itemsize == 8)
        )
        return Explanation(
            self.layer.function, run, cast(ChosenAlgorithm, ALGORITHMS[algorithm]), tile, operations, definition,
            workspace, weights, threads, seconds, is_exact, reason,
        )  # fmt: skip


class OpenLayerSpec(LayerSpec):
    """A layer with padding "equivariant", which the sizes of a signal decide.

    It computes nothing by itself: `sized` gives the layer of a signal, whose text programs and files carry.
    """

    __slots__ = ()

    is_open = True

    @property
    def text(self) -> str:
        """All of the layer but its sizes in one line, which this package alone reads."""
        return _text(self.layer, self.group, self.sampling, self.kernel)

    def sized(self, x: object, weight: object) -> LayerSpec:
        """The layer with the padding of operands like these."""
        return _sized(self, *(_shape_of(name, value) for name, value in (("x", x), ("weight", weight))))

    def check_operands(self, x: Shaped, weight: Shaped) -> tuple[int, ...]:
        """The shape of the output. Raises TypeError or ValueError unless the operands fit the layer and each other."""
        return self.sized(x, weight).check_operands(x, weight)

    def warn_of_remainders(self, x: Shaped, weight: Shaped) -> None:
        """Does nothing: there are none."""

    def explain(self, x: Shaped, weight: Shaped, run: Run) -> Explanation:
        """What a run of layer(x, weight) would do; see `equiconv.explain`."""
        return self.sized(x, weight).explain(x, weight, run)

    def of_sizes(self, sizes: tuple[int, ...], weight: Shaped) -> LayerSpec:
        """The same for the sizes of a signal on its spatial axes alone, and a weight that fits the layer."""
        first = 2 if self.layer.input_points(self.group) is None else 3
        return self.padded(fitted_padding(self._windows(weight), sizes, self.group, first))

    def of_all_sizes(self, weight: Shaped) -> LayerSpec | None:
        """The layer with its padding for all sizes that the stride fits; None where that is not one."""
        padding = padding_of_all_sizes(self._windows(weight))
        return None if padding is None else self.padded(padding)

    def least_padding(self, weight: Shaped) -> tuple[int, ...]:
        """The least of all paddings that sizes may have."""
        return tuple(window.least for window in self._windows(weight))

    def padded(self, padding: tuple[int, ...]) -> LayerSpec:
        """The layer with padding in numbers."""
        return LayerSpec.checked(self.layer, self.group, replace(self.sampling, padding=padding), self.kernel)

    def _windows(self, weight: Shaped) -> tuple[Window, ...]:
        return self.sampling.windows(self.kernel.extents(weight, self.group.dimension))


@lru_cache(maxsize=256)
def _sized(spec: OpenLayerSpec, x: tuple[int, ...], weight: tuple[int, ...]) -> LayerSpec:
    check_operands(_Form(x), _Form(weight), spec.group, spec.layer, spec.kernel, spec.layer.function)
    return spec.of_sizes(x[-spec.group.dimension :], _Form(weight))


def _shape_of(name: str, value: object) -> tuple[int, ...]:
    shape = getattr(value, "shape", None)
    # A framework may have sizes that are symbols, of which this makes numbers.
    return tuple(map(int, shape if isinstance(shape, tuple) else float_array(name, value).shape))


_INTERNED: WeakValueDictionary[tuple[str, str], LayerSpec] = WeakValueDictionary()


class _Form:
    """The shape of an array of any dtype."""

    dtype = np.dtype(np.float32)

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.ndim = len(shape)


def check_bias(bias: Shaped | None, x: Shaped, weight: Shaped) -> None:
    """Raises TypeError or ValueError unless there is one number for each output channel."""
    if bias is None:
        return
    check_same_dtype("bias", bias, "x", x)
    if bias.shape != weight.shape[:1]:
        raise ValueError(
            f"bias has shape {bias.shape}, expected {weight.shape[:1]}: one number for each of the output channels "
            f"O of weight of shape {weight.shape}"
        )


# ---- The text


def _text(layer: Layer, group: PointGroup, sampling: Sampling, kernel: Kernel) -> str:
    source, target = (
        _space(group, *place)
        for place in ((layer.reads_group, layer.input_stabilizer), (layer.writes_group, layer.output_stabilizer))
    )
    if sampling.padding in ("same", EQUIVARIANT):
        padding = "[" + ",".join([str(sampling.padding)] * group.dimension) + "]"
    else:
        padding = integers_text(sampling.amounts((1,) * group.dimension))
    basis = "none" if kernel.basis is None else _part(kernel.basis.text)
    group_basis = "full" if kernel.group_basis is None else _part(kernel.group_basis.text)
    return (
        f"{_HEADER} group={_part(group.text)} input={source} output={target} stride={integers_text(sampling.stride)} "
        f"padding={padding} dilation={integers_text(sampling.dilation)} padding_mode={sampling.padding_mode} "
        f"algorithm={sampling.algorithm} interpolation={kernel.interpolation} basis={basis} group_basis={group_basis} "
        f"quadrature={_flag(kernel.quadrature)} channel_groups={kernel.groups}"
    )


def _of_engine(text: str) -> str:
    """A text as the engine reads it, which has padding in numbers."""
    return text.replace(EQUIVARIANT, "0") if EQUIVARIANT in text else text


def _space(group: PointGroup, has_fiber: bool, stabilizer: _native.Subgroup | None) -> str:
    if not has_fiber:
        return "plane"
    if stabilizer is None or len(stabilizer) == 1:
        return "group"
    return f"quotient({integers_text(sorted(map(int, stabilizer.get_elements())))})"


def _part(text: str) -> str:
    """What comes behind the header of a text."""
    return text.split(" ", 1)[1]


def _flag(value: bool) -> str:
    return "yes" if value else "no"


def _integers(text: str) -> tuple[int, ...]:
    return tuple(int(item) for item in text.strip("[]").split(",") if item)


def _layer_of_parts(parts: dict[str, str], group: PointGroup) -> Layer:
    names = {(layer.reads_group, layer.writes_group): layer for layer in LAYERS.values()}
    spaces = (parts["input"], parts["output"])
    if all(space in ("plane", "group") for space in spaces):
        return names[spaces[0] == "group", spaces[1] == "group"]
    plain = {"plane": tuple(range(group.order)), "group": (0,)}
    stabilizers = (plain.get(space) or _integers(space[len("quotient(") : -1]) for space in spaces)
    return general_layer(group, *stabilizers)


def _sampling(parts: dict[str, str]) -> Sampling:
    word = next((word for word in ("same", EQUIVARIANT) if word in parts["padding"]), None)
    padding = word or _integers(parts["padding"])
    return Sampling(
        _integers(parts["stride"]), padding, _integers(parts["dilation"]), parts["padding_mode"], parts["algorithm"]
    )


def _kernel(parts: dict[str, str]) -> Kernel:
    basis = None if parts["basis"] == "none" else parse_kernel_basis(f"equiconv-basis/1 {parts['basis']}")
    group_basis = parts["group_basis"]
    on_group = None if group_basis == "full" else parse_group_basis(f"equiconv-group-basis/1 {group_basis}")
    is_integral, groups = parts["quadrature"] == "yes", int(parts["channel_groups"])
    return Kernel(basis, parts["interpolation"], on_group, is_integral, groups)


# ---- Options, found again by a few comparisons


def _make(name: str, group: object, *options: object) -> LayerSpec:
    """The spec of the options of a function: stride, ..., groups, and of "conv" the two stabilizers."""
    checked_group = point_group(group)
    layer = general_layer(checked_group, *options[10:]) if name == "conv" else LAYERS[name]
    stride, padding, dilation, padding_mode, algorithm = options[:5]
    basis, interpolation, group_basis, quadrature, groups = options[5:10]
    return LayerSpec.of(
        layer,
        checked_group,
        (stride, padding, dilation, padding_mode, algorithm),
        (basis, interpolation, group_basis, quadrature, groups),
    )


_native.set_layer_maker(_make)
layer_of = _native.layer_of

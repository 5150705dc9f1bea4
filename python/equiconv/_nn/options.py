# SPDX-License-Identifier: Apache-2.0
"""What a layer is beside its weights, checked: the same for the modules of NumPy, PyTorch, Flax and Equinox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .._bases.basis import GroupBasis, Interpolation, KernelBasis
from .._checks.arguments import LARGEST, choice, integer
from .._functional.convolutions import Axes, LayerName, Padding, PaddingMode
from .._functional.pool import PoolMode
from .._groups.arguments import point_group
from .._groups.point_group import PointGroup
from .._layer.algorithms import Algorithm
from .._layer.initialization import he_deviation
from .._layer.kernel_shape import kernel_shape, weight_shape
from .._layer.layer import LAYERS, Kernel, KernelArguments, Layer
from .._layer.sampling import Sampling, SamplingArguments
from .._layer.transposed import checked_output_padding
from .._layer.transposed_initialization import transposed_deviation
from .._signals.space import SignalSpace, check_signal_space

if TYPE_CHECKING:
    from typing_extensions import Self


def defaults(options: ConvolutionOptions | PoolOptions) -> Mapping[str, object]:
    """The options that have a default, and may be set later: the shape of weights follows from the others."""
    return {field.name: field.default for field in fields(options) if field.default is not MISSING}


@dataclass(frozen=True, repr=False)
class ConvolutionOptions:
    """The arguments that made a layer: hashable, and equal to those of a layer that computes the same of its weights.

    They are kept as they were given, so that a layer shows what its user wrote; lists as tuples. Other options are
    made by `dataclasses.replace`, and checked again.

    Attributes:
        layer_name: which layer, a key of `LAYERS`.
        group: H.
        in_channels, out_channels: C and O.
        extents: the taps of the kernel.
        basis: what kernels are made of, or None for pixels.
        stride, padding, dilation, padding_mode, algorithm, interpolation, group_basis, quadrature,
            groups: as `lifting_conv`.

    Raises:
        TypeError, ValueError: an option of the wrong kind, out of range, or for another group or layer.
    """

    layer_name: LayerName
    group: PointGroup
    in_channels: int
    out_channels: int
    extents: tuple[int, ...]
    basis: KernelBasis | None
    stride: Axes = 1
    padding: Padding = 0
    dilation: Axes = 1
    padding_mode: PaddingMode = "zeros"
    algorithm: Algorithm = "auto"
    interpolation: Interpolation = "bilinear"
    group_basis: GroupBasis | None = None
    quadrature: bool = False
    groups: int = 1

    @classmethod
    def checked(
        cls,
        layer_name: LayerName,
        in_channels: object,
        out_channels: object,
        kernel: object,
        group: object,
        **options: Any,
    ) -> Self:
        """Those of a layer made with these arguments; `kernel` is an extent, one for each axis, or a basis."""
        checked_group = point_group(group)
        inputs = integer("in_channels", in_channels, 1, LARGEST)
        outputs = integer("out_channels", out_channels, 1, LARGEST)
        extents, basis = kernel_shape(kernel, checked_group)
        return cls(layer_name, checked_group, inputs, outputs, extents, basis, **options)

    def __post_init__(self) -> None:
        sampling = Sampling.checked(self.group.dimension, *self.sampling_arguments)
        own = self.__dict__  # frozen, but for this
        own.update(padding_mode=sampling.padding_mode, algorithm=sampling.algorithm)
        own.update(interpolation=self.made_of.interpolation, quadrature=self.made_of.quadrature)
        own.update(groups=self.made_of.groups)
        for name in ("stride", "padding", "dilation"):
            if isinstance(own[name], list):
                own[name] = tuple(own[name])
        _ = self.weight_shape

    @property
    def kernel(self) -> tuple[int, ...] | KernelBasis:
        """What kernels are made of: the basis, or the extents of pixels."""
        return self.extents if self.basis is None else self.basis

    @property
    def layer(self) -> Layer:
        """What the layer reads and writes."""
        return LAYERS[self.layer_name]

    @property
    def input_space(self) -> SignalSpace:
        """What the layer reads."""
        return SignalSpace.of(self.group, self.layer.reads_group)

    @property
    def output_space(self) -> SignalSpace:
        """What the layer writes."""
        return SignalSpace.of(self.group, self.layer.writes_group)

    @cached_property
    def made_of(self) -> Kernel:
        """What kernels are made of, checked."""
        return Kernel.checked(self.group, self.layer, self.kernel_arguments)

    @cached_property
    def weight_shape(self) -> tuple[int, ...]:
        """(O, C, ...) as the weights of the functions."""
        channels = (self.in_channels, self.out_channels)
        return weight_shape(*channels, self.extents, self.made_of, self.group, self.layer)

    @property
    def keywords(self) -> dict[str, Any]:
        """Those of the layer's function."""
        return {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "padding_mode": self.padding_mode,
            "algorithm": self.algorithm,
            "basis": self.basis,
            "interpolation": self.interpolation,
            "group_basis": self.group_basis,
            "quadrature": self.quadrature,
            "groups": self.groups,
        }

    @property
    def _kind(self) -> list[str]:
        """What a layer of this class shows to say which layer it is."""
        return []

    @cached_property
    def leading(self) -> tuple[int, ...]:
        """The sizes C and |H| of the axes between the batch and space of a signal that is read."""
        return (self.in_channels,) if self.input_space.group is None else (self.in_channels, self.group.order)

    @cached_property
    def _rank(self) -> int:
        return 1 + len(self.leading) + self.group.dimension

    @property
    def sampling_arguments(self) -> SamplingArguments:
        """Stride, padding, dilation, padding mode and algorithm."""
        return (self.stride, self.padding, self.dilation, self.padding_mode, self.algorithm)

    @property
    def kernel_arguments(self) -> KernelArguments:
        """Basis, interpolation, basis on the group, quadrature and groups of channels."""
        return (self.basis, self.interpolation, self.group_basis, self.quadrature, self.groups)

    @property
    def deviation(self) -> float:
        """He's deviation of weights for such kernels: layers and rectifiers in turn keep the variance of a signal."""
        return he_deviation(self.layer_name, self.group, self.in_channels, self.made_of, self.extents)

    @property
    def kernel_text(self) -> str:
        """The kernel in a word, such as ``5 x 5``."""
        return " x ".join(map(str, self.extents)) if self.basis is None else str(self.basis)

    @property
    def signature(self) -> str:
        """What weights of the layer are for, which their shapes alone do not say."""
        on_group = "" if self.group_basis is None else f", {self.group_basis!r}"
        return f"{self.layer.function} on {self.group.name}, kernel {self.kernel_text}{on_group}"

    def spaces_text(self, has_bias: bool) -> str:
        """The spaces of the layer, with the shapes of its signals and of its parameters, in a line."""
        source, target = self.input_space, self.output_space
        bias = f"bias {(self.out_channels,)}" if has_bias else "no bias"
        return (
            f"{source} {source.shape_text(self.in_channels)} -> {target} {target.shape_text(self.out_channels)}; "
            f"weight {self.weight_shape}, {bias}"
        )

    def check(self, user: str, shape: tuple[int, ...]) -> None:
        """Raises ValueError unless a signal of `shape` is one that the layer reads; `user` is its name in messages."""
        if len(shape) != self._rank or shape[1 : self._rank - self.group.dimension] != self.leading:
            check_signal_space(user, self.input_space, self.in_channels, shape)

    def __repr__(self) -> str:
        arguments = [str(self.in_channels), str(self.out_channels), self.kernel_text, self.group.name, *self._kind]
        options = [(name, getattr(self, name), default) for name, default in defaults(self).items()]
        return ", ".join(arguments + [f"{name}={value!r}" for name, value, default in options if value != default])


@dataclass(frozen=True, repr=False)
class TransposedOptions(ConvolutionOptions):
    """Those of a transposed convolution: of a layer K, `layer_name`, and of how its adjoint K* is called.

    Attributes:
        in_channels, out_channels: of K*: the channels that K writes, and those that it reads.
        output_padding: as `transposed_conv`.

    Raises:
        TypeError, ValueError: as `ConvolutionOptions`.
    """

    output_padding: Axes = 0

    def __post_init__(self) -> None:
        choice("layer", self.layer_name, tuple(LAYERS))
        super().__post_init__()
        _ = self.more
        if isinstance(self.output_padding, list):
            self.__dict__.update(output_padding=tuple(self.output_padding))

    @property
    def input_space(self) -> SignalSpace:
        """What K* reads: the space that K writes."""
        return SignalSpace.of(self.group, self.layer.writes_group)

    @property
    def output_space(self) -> SignalSpace:
        """What K* writes: the space that K reads."""
        return SignalSpace.of(self.group, self.layer.reads_group)

    @cached_property
    def more(self) -> tuple[int, ...]:
        """The output padding of each spatial axis, checked."""
        return checked_output_padding(
            self.output_padding, Sampling.checked(self.group.dimension, *self.sampling_arguments)
        )

    @cached_property
    def weight_shape(self) -> tuple[int, ...]:
        """(O, C, ...) as the weights of K, for O the channels that K* reads."""
        channels = (self.in_channels, self.out_channels)
        return weight_shape(*channels, self.extents, self.made_of, self.group, self.layer, is_transposed=True)

    @property
    def keywords(self) -> dict[str, Any]:
        """Those of `transposed_conv`."""
        return {**super().keywords, "layer": self.layer_name, "output_padding": self.output_padding}

    @property
    def deviation(self) -> float:
        """He's deviation of weights for such kernels and strides."""
        sampling = Sampling.checked(self.group.dimension, *self.sampling_arguments)
        steps = tuple(zip(sampling.stride, sampling.dilation, strict=True))
        return transposed_deviation(self.layer_name, self.group, self.in_channels, self.made_of, self.extents, steps)

    @property
    def signature(self) -> str:
        """What weights of the adjoint are for, which their shapes alone do not say."""
        return f"transposed_conv of {super().signature}"

    @property
    def _kind(self) -> list[str]:
        return [] if self.layer_name == "group" else [f"layer={self.layer_name!r}"]


@dataclass(frozen=True)
class PoolOptions:
    """The mean or maximum over H.

    Attributes:
        group: H.
        mode: ``"mean"`` or ``"max"``.

    Raises:
        TypeError, ValueError: an option of the wrong kind.
    """

    group: PointGroup
    mode: PoolMode = "mean"

    def __post_init__(self) -> None:
        point_group(self.group)
        object.__setattr__(self, "mode", choice("mode", self.mode, ("mean", "max")))

    @property
    def input_space(self) -> SignalSpace:
        """What the pool reads."""
        return SignalSpace.of(self.group, True)

    @property
    def output_space(self) -> SignalSpace:
        """What the pool writes."""
        return SignalSpace.of(self.group, False)

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises ValueError unless a signal of `shape` is one that the pool reads."""
        check_signal_space("GroupPool", self.input_space, shape[1] if len(shape) > 1 else 0, shape)

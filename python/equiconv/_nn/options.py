# SPDX-License-Identifier: Apache-2.0
"""What a layer is beside its weights, checked: the same for the modules of NumPy, PyTorch, Flax and Equinox."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar

from .._bases.basis import GroupBasis, Interpolation, KernelBasis
from .._checks.arguments import LARGEST, choice, integer
from .._functional.convolutions import Algorithm, Axes, LayerName, Padding, PaddingMode
from .._functional.pool import PoolMode
from .._groups.arguments import point_group
from .._groups.point_group import PointGroup
from .._layer.initialization import he_deviation
from .._layer.kernel_shape import kernel_shape, weight_shape
from .._layer.layer import LAYERS, Kernel, KernelArguments, Layer
from .._layer.sampling import Sampling, SamplingArguments
from .._signals.space import SignalSpace, check_signal_space


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
        stride, padding, dilation, padding_mode, algorithm, interpolation, group_basis, quadrature: as `lifting_conv`.

    Raises:
        TypeError, ValueError: an option of the wrong kind, out of range, or for another group or layer.
    """

    # Those with a default; from the others the shape of the weights follows.
    settable: ClassVar[frozenset[str]] = frozenset(
        ("stride", "padding", "dilation", "padding_mode", "algorithm", "interpolation", "group_basis", "quadrature")
    )

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

    @classmethod
    def checked(
        cls,
        layer_name: LayerName,
        in_channels: object,
        out_channels: object,
        kernel: object,
        group: object,
        **options: Any,
    ) -> ConvolutionOptions:
        """Those of a layer made with these arguments; `kernel` is an extent, one for each axis, or a basis."""
        checked_group = point_group(group)
        inputs = integer("in_channels", in_channels, 1, LARGEST)
        outputs = integer("out_channels", out_channels, 1, LARGEST)
        extents, basis = kernel_shape(kernel, checked_group)
        return cls(layer_name, checked_group, inputs, outputs, extents, basis, **options)

    def __post_init__(self) -> None:
        for name in ("stride", "padding", "dilation"):
            value = getattr(self, name)
            if isinstance(value, list):
                object.__setattr__(self, name, tuple(value))
        object.__setattr__(self, "quadrature", self.made_of.quadrature)
        Sampling.checked(self.group.dimension, *self.sampling_arguments)
        _ = self.weight_shape

    def with_option(self, name: str, value: object) -> ConvolutionOptions:
        """The same but for one option. Raises TypeError or ValueError."""
        return replace(self, **{name: value})  # type: ignore[arg-type]

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
    def sampling_arguments(self) -> SamplingArguments:
        """Stride, padding, dilation, padding mode and algorithm."""
        return (self.stride, self.padding, self.dilation, self.padding_mode, self.algorithm)

    @property
    def kernel_arguments(self) -> KernelArguments:
        """Basis, interpolation, basis on the group and quadrature."""
        return (self.basis, self.interpolation, self.group_basis, self.quadrature)

    @property
    def deviation(self) -> float:
        """He's deviation of weights for such kernels: layers and rectifiers in turn keep the variance of a signal."""
        return he_deviation(self.layer_name, self.group, self.in_channels, self.made_of, self.extents)

    @property
    def signature(self) -> str:
        """What weights of the layer are for, which their shapes alone do not say."""
        kernel = " x ".join(map(str, self.extents)) if self.basis is None else str(self.basis)
        on_group = "" if self.group_basis is None else f", {self.group_basis!r}"
        return f"{self.layer.function} on {self.group.name}, kernel {kernel}{on_group}"

    def check(self, user: str, shape: tuple[int, ...]) -> None:
        """Raises ValueError unless a signal of `shape` is one that the layer reads; `user` is its name in messages."""
        check_signal_space(user, self.input_space, self.in_channels, shape)

    def __repr__(self) -> str:
        return arguments_text(self)


def arguments_text(layer: Any) -> str:
    """The arguments that made a layer, without those that are the default."""
    kernel = " x ".join(map(str, layer.extents)) if layer.basis is None else str(layer.basis)
    options = [(field.name, field.default) for field in fields(ConvolutionOptions) if field.default is not MISSING]
    given = [(name, getattr(layer, name, default), default) for name, default in options]
    texts = [f"{name}={value!r}" for name, value, default in given if value != default]
    return ", ".join([str(layer.in_channels), str(layer.out_channels), kernel, layer.group.name, *texts])


def spaces_text(layer: Any, weight: tuple[int, ...], has_bias: bool) -> str:
    """The spaces of a layer, with the shapes of its signals and of its parameters."""
    source, target = layer.input_space, layer.output_space
    bias = f"bias {(layer.out_channels,)}" if has_bias else "no bias"
    return (
        f"{source} {source.shape_text(layer.in_channels)} -> {target} {target.shape_text(layer.out_channels)}; "
        f"weight {weight}, {bias}"
    )


@dataclass(frozen=True)
class PoolOptions:
    """The mean or maximum over H.

    Attributes:
        group: H.
        mode: ``"mean"`` or ``"max"``.
    """

    settable: ClassVar[frozenset[str]] = frozenset(("mode",))

    group: PointGroup
    mode: PoolMode

    @classmethod
    def checked(cls, group: object, mode: object) -> PoolOptions:
        """Raises TypeError or ValueError for anything else."""
        return cls(point_group(group), "max" if choice("mode", mode, ("mean", "max")) == "max" else "mean")

    def with_option(self, name: str, value: object) -> PoolOptions:
        """The same but for one option. Raises TypeError or ValueError."""
        return PoolOptions.checked(**{"group": self.group, "mode": self.mode, name: value})

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

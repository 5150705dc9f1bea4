# SPDX-License-Identifier: Apache-2.0
"""The layers as modules, to train."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized
from typing_extensions import Self

from ..._bases.basis import GroupBasis, Interpolation, KernelBasis
from ..._functional.convolutions import Axes, LayerName, Padding, PaddingMode
from ..._groups.point_group import PointGroup
from ..._layer.algorithms import Algorithm
from ..._nn.attributes import ConvolutionAttributes
from ..._nn.options import ConvolutionOptions
from ..._signals.space import check_signal_space
from .._backends import Backed, Backend, checked_backend, forward
from .._expanded.layer import Kept, bank_of
from .._expanded.operands import check_numbers
from .._operators.layers import sized_text, spec_of, text_of, text_of_all_sizes, warn_of_layer
from .._operators.tracing import written_down
from .kept_bank import KeptBank
from .ordinary import OrdinaryConvolution, ordinary_convolution
from .signal_module import SignalModule
from .state import encoded, problem_with, purpose


class Convolution(ConvolutionAttributes, Backed, SignalModule):
    """What `IsotropicConv`, `LiftingConv`, `GroupConv` and `ProjectionConv` have in common.

    Options such as `algorithm` are attributes, and may be set: a trained network may be run with ``"exact"`` for bits.
    """

    layer_name: LayerName
    weight: nn.Parameter
    bias: nn.Parameter | None

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int | tuple[int, ...] | KernelBasis, group: PointGroup, *,
        stride: Axes = 1, padding: Padding = 0, dilation: Axes = 1, padding_mode: PaddingMode = "zeros",
        algorithm: Algorithm = "auto", interpolation: Interpolation = "bilinear", group_basis: GroupBasis | None = None,
        quadrature: bool = False, groups: int = 1,
        bias: bool = True, backend: Backend | None = None, device: Any = None, dtype: torch.dtype | None = None,
    ) -> None:  # fmt: skip
        """Makes a layer with weights of He's deviation for such kernels, as `equiconv.GroupConv`, and biases of 0.

        Args:
            in_channels, out_channels: C and O.
            kernel: the extents of a kernel of pixels, an int or one for each array axis; or a basis such as
                `equiconv.bspline_basis(5)`.
            group: H, any group.
            stride, padding, dilation, padding_mode, algorithm, interpolation, group_basis, quadrature,
                groups: as the function of the layer, such as `equiconv.group_conv`.
            bias: whether there is one.
            backend: as of `conv`: what computes the layer, ``"engine"``, ``"torch"``, or None for what fits the signal.
            device, dtype: of the parameters: any device; float32, float64, bfloat16 or float16.

        Raises:
            TypeError, ValueError: an argument of the wrong kind, or out of range.
        """
        super().__init__()
        self.backend = checked_backend(backend)
        self.options = ConvolutionOptions.checked(
            self.layer_name, in_channels, out_channels, kernel, group, stride=stride, padding=padding,
            dilation=dilation, padding_mode=padding_mode, algorithm=algorithm, interpolation=interpolation,
            group_basis=group_basis, quadrature=quadrature, groups=groups,
        )  # fmt: skip
        self._make_parameters(bias, device, dtype)

    def _make_parameters(self, bias: bool, device: Any, dtype: torch.dtype | None) -> None:
        """Draws the weights of the options."""
        weight = torch.empty(self.options.weight_shape, device=device, dtype=dtype)
        check_numbers("weight", weight)
        self.weight = nn.Parameter(weight)
        outputs = self.options.out_channels
        self.bias = nn.Parameter(torch.empty(outputs, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weights with He's deviation for such kernels, as `equiconv.GroupConv`, and sets biases to 0."""
        self._draw("weight", lambda weight: nn.init.normal_(weight, std=self.options.deviation))
        if self._has_bias:
            self._draw("bias", nn.init.zeros_)

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output for a signal on `input_space`."""
        if not isinstance(x, Tensor) or x.is_nested:
            return self._write_down(x)  # type: ignore[no-any-return]
        shape = x.shape
        if len(shape) != self._axes or shape[1 : len(self._leading) + 1] != self._leading:
            options = self.options
            check_signal_space(type(self).__name__, options.input_space, options.in_channels, tuple(shape))
        # Once: a parametrization computes them each time.
        weight, bias = self.weight, self.bias
        y = self._computed(x, weight, bias)
        if not torch.compiler.is_compiling():
            self._look_back(x, self.options.input_space.group)
            self._warn(x, weight, y)
        return y

    def _computed(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The layer's output for a signal of the right form."""
        return forward(x, weight, bias, self._text, self.backend, self._kept(weight))

    def _warn(self, x: Tensor, weight: Tensor, y: Tensor) -> None:
        """The EquivarianceWarning of a call, if there is one."""
        warn_of_layer(self._text, x, weight)

    @property
    def text(self) -> str:
        """The layer without its sizes and numbers, in one line: docs/LayerFormat.md.

        With padding ``"equivariant"`` no other program reads it: `text_for` has the padding of a signal in numbers.
        """
        text: str = self._text
        return text

    def text_for(self, x: Tensor) -> str:
        """The text with the padding of a signal, or of one of its shape. Raises ValueError if none fits its size."""
        return sized_text(self._text, x, self.weight)

    def expand(self) -> OrdinaryConvolution:
        """The equal ordinary convolution, from (B, C |X|, spatial...) to (B, O |Y|, spatial_out...).

        |X| and |Y| are |H| for a signal on the group, flattened into channels, and 1 for one on the plane. A copy: it
        is equal up to rounding until one of both is trained on. See `expand` for whole networks.
        """
        options = self.options
        # Once: a parametrization computes them each time.
        weight, bias = self.weight.detach(), self.bias
        text = self._text_of_all_sizes(weight)
        spec = spec_of(text)
        points = options.layer.output_points(options.group) or 1
        biases = None if bias is None else bias.detach().repeat_interleave(points)
        return ordinary_convolution(
            bank_of(weight, weight.dtype, text), biases, options.extents, spec.sampling, options.groups
        )

    def _text_of_all_sizes(self, weight: Tensor) -> str:
        """The text with padding in numbers. Raises ValueError where it is another for each size."""
        text = text_of_all_sizes(self._text, weight)
        if not text:
            raise ValueError(
                f"padding is 'equivariant' for stride {self.options.stride}, which is another for each size: expected "
                "numbers, such as those that text_for(x) has for a signal"
            )
        return text

    def ordinary(self) -> nn.Module:
        """What `equiconv.torch.expand` puts in the layer's place: `expand`, between reshapes to its signals."""
        options = self.options
        steps: list[nn.Module] = [] if options.input_space.group is None else [nn.Flatten(1, 2)]
        steps.append(self.expand())
        if options.output_space.group is not None:
            steps.append(nn.Unflatten(1, (options.out_channels, options.group.order)))
        return nn.Sequential(*steps)

    def extra_repr(self) -> str:
        """The options that are not the default, the spaces, and the shapes of the parameters."""
        backend = "" if self.backend is None else f", backend={self.backend!r}"
        return f"{self.options}{backend}: {self.options.spaces_text(self._has_bias)}"

    def get_extra_state(self) -> Tensor:
        """What the weights are for, the group and the bases, for `state_dict`."""
        return encoded(self._purpose)

    def set_extra_state(self, state: Tensor) -> None:
        """Does nothing: `load_state_dict` has compared it."""

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        key = prefix + "_extra_state"
        user = type(self).__name__
        # Without the entry torch says which key is missing, unless loading is not strict.
        problem = problem_with(state_dict[key], key, self._purpose, user) if key in state_dict else None
        if problem is None:
            super()._load_from_state_dict(
                state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
            )
        else:
            error_msgs.append(problem)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """As of `torch.nn.Module`, but memory formats, which are for the weights of other layers, change nothing."""
        return super()._apply(lambda tensor: _converted(fn, tensor), recurse)  # type: ignore[no-untyped-call,no-any-return]

    def _traced(self, x: Any) -> Any:
        return written_down(forward, x, self.weight, self.bias, self._text, self.backend)

    def _kept(self, weight: Tensor) -> Kept | None:
        """What keeps the expanded bank between calls: in evaluation, of a parameter that nothing computes anew."""
        if self.training or torch.compiler.is_compiling() or self._parameters.get("weight") is not weight:
            return None
        kept: KeptBank | None = self.__dict__.get("_bank")
        if kept is None:
            # Of two threads at once both get the same.
            kept = self.__dict__.setdefault("_bank", KeptBank())
        return kept.get

    @property
    def _purpose(self) -> str:
        """What the weights are for."""
        return purpose(self.options.group, self.options.basis, self.options.group_basis)

    @property
    def _has_bias(self) -> bool:
        # Without computing it.
        return (
            self._parameters.get("bias") is not None
            or self.__dict__.get("bias") is not None
            or is_parametrized(self, "bias")
        )

    def _draw(self, name: str, draw: Callable[[Tensor], Tensor]) -> None:
        """Fills a parameter, or what its parametrization computes it from."""
        if is_parametrized(self, name):
            with torch.no_grad():
                setattr(self, name, draw(torch.empty_like(getattr(self, name))))
        else:
            draw(getattr(self, name))

    def __setattr__(self, name: str, value: Any) -> None:
        checked: Any = checked_backend(value) if name == "backend" else value
        super().__setattr__(name, checked)
        if name == "options":
            self._follow_options()
        elif name == "weight":
            # FSDP sets the weight in front of each call, often in the same memory, and counts nothing that it writes.
            self.__dict__.pop("_bank", None)

    def train(self, mode: bool = True) -> Self:
        """As `torch.nn.Module.train`."""
        self.__dict__.pop("_bank", None)
        return super().train(mode)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_bank"}

    def _follow_options(self) -> None:
        """Makes of the options what calls need: the text of the layer, and what the shape of a signal is held to."""
        options = self.options
        arguments = (*options.sampling_arguments, *options.kernel_arguments)
        self._text = text_of(options.layer_name, options.group, *arguments)
        self._leading = options.leading
        self._axes = 1 + len(self._leading) + options.group.dimension


def _converted(fn: Callable[[Tensor], Tensor], tensor: Tensor) -> Tensor:
    """`fn` of a tensor; of its numbers in one row if `fn` asks for a memory format of tensors with other axes."""
    try:
        result = fn(tensor)
    except RuntimeError:
        if tensor.dim() not in (4, 5):
            raise
        return fn(tensor.flatten()).reshape(tensor.shape)
    is_changed = result.layout is torch.strided and tensor.is_contiguous() and not result.is_contiguous()
    return result.contiguous() if is_changed else result


class IsotropicConv(Convolution):
    """Isotropic convolution R^d -> R^d: `equiconv.isotropic_conv` as a module.

    Shape:
        (B, C, spatial...) -> (B, O, spatial_out...).
        `weight` is (O, C, kernel...), or (O, C, J) with a basis.

    Example:
        >>> IsotropicConv(3, 8, 5, cyclic(4))(torch.zeros(1, 3, 9, 9)).shape
        torch.Size([1, 8, 5, 5])
    """

    layer_name = "isotropic"


class LiftingConv(Convolution):
    """Lifting convolution R^d -> G: `equiconv.lifting_conv` as a module.

    Shape:
        (B, C, spatial...) -> (B, O, |H|, spatial_out...).
        `weight` is (O, C, kernel...), or (O, C, J) with a basis.

    Example:
        >>> LiftingConv(3, 8, 5, cyclic(4))(torch.zeros(1, 3, 9, 9)).shape
        torch.Size([1, 8, 4, 5, 5])
    """

    layer_name = "lifting"


class GroupConv(Convolution):
    """Group convolution G -> G: `equiconv.group_conv` as a module.

    Shape:
        (B, C, |H|, spatial...) -> (B, O, |H|, spatial_out...).
        `weight` is (O, C, |H|, kernel...): J in place of the kernel's axes with a basis, I for |H| with a group basis.

    Example:
        >>> GroupConv(3, 8, 5, cyclic(4))(torch.zeros(1, 3, 4, 9, 9)).shape
        torch.Size([1, 8, 4, 5, 5])
    """

    layer_name = "group"


class ProjectionConv(Convolution):
    """Projection convolution G -> R^d: `equiconv.projection_conv` as a module.

    Shape:
        (B, C, |H|, spatial...) -> (B, O, spatial_out...).
        `weight` is (O, C, |H|, kernel...): J in place of the kernel's axes with a basis, I for |H| with a group basis.

    Example:
        >>> ProjectionConv(3, 8, 5, cyclic(4))(torch.zeros(1, 3, 4, 9, 9)).shape
        torch.Size([1, 8, 5, 5])
    """

    layer_name = "projection"

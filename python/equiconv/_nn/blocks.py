# SPDX-License-Identifier: Apache-2.0
"""Residual and dense blocks without their arrays: the same for the modules of PyTorch, Flax and Equinox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from .._bases.basis import KernelBasis
from .._checks.arguments import LARGEST, axes, boolean, choice, integer, value_text
from .._checks.frameworks import is_equinox_module, is_flax_module, is_torch_module
from .._groups.arguments import point_group
from .._groups.point_group import PointGroup
from .._layer.kernel_shape import kernel_shape
from .._signals.space import SignalSpace

# The channels of a bottleneck: a quarter of those that a residual block writes, and four times those that a dense layer
# adds. Sources: He et al. 2016; Huang et al. 2017.
_BOTTLENECK = 4
# More than any network has.
_MOST_LAYERS = 4096

Downsample: TypeAlias = Literal["stride", "pool", "blur"]


@dataclass(frozen=True)
class BlockConvolution:
    """A group convolution in a block; its padding keeps sizes where the stride is 1, unless it is ``"valid"``."""

    name: str
    in_channels: int
    out_channels: int
    kernel: tuple[int, ...] | KernelBasis
    stride: tuple[int, ...]
    padding: Literal["same", "valid"] = "same"


@dataclass(frozen=True)
class BlockPlan:
    """What a block is made of, checked.

    Attributes:
        group: H.
        in_channels, out_channels: C and O.
        convolutions, norms: by their names; norms with their channels.
        head: names of layers that come before the branch and the shortcut part.
        branch, shortcut, tail: names of layers in the order in which they are called. The tail reads the sum of branch
            and shortcut.
        text: the arguments as a user writes them.
    """

    group: PointGroup
    in_channels: int
    out_channels: int
    convolutions: tuple[BlockConvolution, ...]
    norms: tuple[tuple[str, int], ...]
    branch: tuple[str, ...]
    head: tuple[str, ...] = ()
    shortcut: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    text: str = ""

    def parts(
        self, convolution: Callable[[BlockConvolution], Any], norm: Callable[[int], Any] | None
    ) -> Iterator[tuple[str, Any]]:
        """The layers with their names, made by these functions; None for each norm if there is to be none."""
        convolutions = {part.name: part for part in self.convolutions}
        norms = dict(self.norms)
        for name in (*self.head, *self.branch, *self.shortcut):
            if name in convolutions:
                yield name, convolution(convolutions[name])
            elif name in norms:
                yield name, None if norm is None else norm(norms[name])


Call = Callable[[str, Any], Any]


def called(names: tuple[str, ...], x: Any, call: Call) -> Any:
    """What layers of these names make of a signal; `call` calls one."""
    for name in names:
        x = call(name, x)
    return x


def residual(plan: BlockPlan, x: Any, call: Call) -> Any:
    """The sum of the branch and the shortcut, with what comes before and behind."""
    start = called(plan.head, x, call)
    # A shortcut that is no layer passes the signal itself on.
    shortcut = called(plan.shortcut, start, call) if plan.shortcut else x
    return called(plan.tail, called(plan.branch, start, call) + shortcut, call)


def dense(plan: BlockPlan, x: Any, call: Call, joined: Callable[[Any, Any], Any]) -> Any:
    """The signal with the channels of all layers; `joined` puts channels behind others."""
    for name in plan.branch:
        x = joined(x, call(name, x))
    return x


class Block:
    """A module that is made of others, from G to G."""

    plan: BlockPlan

    @property
    def group(self) -> PointGroup:
        """H."""
        return self.plan.group

    @property
    def in_channels(self) -> int:
        """C."""
        return self.plan.in_channels

    @property
    def out_channels(self) -> int:
        """O."""
        return self.plan.out_channels

    @property
    def input_space(self) -> SignalSpace:
        """What the block reads."""
        return SignalSpace.of(self.plan.group, True)

    @property
    def output_space(self) -> SignalSpace:
        """What the block writes."""
        return SignalSpace.of(self.plan.group, True)


def residual_plan(
    in_channels: object, out_channels: object, group: object, stride: object, kernel: object, bottleneck: object,
    preactivation: object, downsample: object = "stride", has_dropout: bool = False,
) -> BlockPlan:  # fmt: skip
    """That of `ResidualBlock`. Raises TypeError or ValueError for an argument of the wrong kind, or out of range.

    With another `downsample` than ``"stride"`` a layer ``pool`` makes sizes smaller in place of strides: behind the
    activation that follows the convolution which would have the stride, and first in the shortcut. ``dropout`` comes
    before the last convolution.
    """
    inputs, outputs, checked_group = _channels(in_channels, out_channels, group)
    d = checked_group.dimension
    steps, taps, one, still = axes("stride", stride, d, 1), _odd_kernel(kernel, checked_group), (1,) * d, (1,) * d
    pools = choice("downsample", downsample, ("stride", "pool", "blur")) != "stride" and steps != still
    own_steps = still if pools else steps
    convolutions = _of_branch(inputs, outputs, boolean("bottleneck", bottleneck), taps, own_steps)
    is_early = boolean("preactivation", preactivation)
    norms = _norms(convolutions, is_early)
    branch = _in_turn(convolutions, is_early)
    if pools:
        branch = _with_pool(branch, "conv2" if bottleneck else "conv1")
    if has_dropout:
        last = branch.index(convolutions[-1].name)
        branch = (*branch[:last], "dropout", *branch[last:])
    shortcut: tuple[str, ...] = ()
    if inputs != outputs or steps != still:
        convolutions.append(BlockConvolution("shortcut", inputs, outputs, one, own_steps))
        shortcut = (*(("pool",) if pools else ()), "shortcut", *(() if is_early else ("shortcut_norm",)))
        norms += [] if is_early else [("shortcut_norm", outputs)]
    head, branch, tail = (branch[:2], branch[2:], ()) if is_early else ((), branch[:-1], branch[-1:])
    text = f"{inputs}, {outputs}, {checked_group.name}, stride={steps}, kernel={_kernel_text(taps)}"
    text += f", bottleneck={bottleneck}, preactivation={preactivation}"
    text += f", downsample={downsample!r}" if pools else ""
    return BlockPlan(
        checked_group, inputs, outputs, tuple(convolutions), tuple(norms), branch, head, shortcut, tail, text
    )


def dense_plans(
    in_channels: object, growth: object, layers: object, group: object, kernel: object, bottleneck: object,
    padding: object = "same", has_dropout: bool = False,
) -> tuple[BlockPlan, tuple[BlockPlan, ...]]:  # fmt: skip
    """That of `DenseBlock`, and those of its layers, each of which reads all before it. Raises as `residual_plan`.

    ``dropout`` comes behind the last convolution of a layer.
    """
    inputs = integer("in_channels", in_channels, 1, LARGEST)
    more = integer("growth", growth, 1, LARGEST)
    count = integer("layers", layers, 1, _MOST_LAYERS)
    checked_group = point_group(group)
    taps, one = _odd_kernel(kernel, checked_group), (1,) * checked_group.dimension
    is_narrow = boolean("bottleneck", bottleneck)
    keeps: Any = choice("padding", padding, ("same", "valid"))
    outputs = integer("in_channels + layers growth", inputs + count * more, 1, LARGEST)
    plans = []
    for read in range(inputs, outputs, more):
        width = _BOTTLENECK * more if is_narrow else read
        convolutions = [BlockConvolution("conv1", read, width, one, one)] if is_narrow else []
        convolutions.append(BlockConvolution(f"conv{len(convolutions) + 1}", width, more, taps, one, keeps))
        norms = tuple(_norms(convolutions, True))
        branch = (*_in_turn(convolutions, True), *(("dropout",) if has_dropout else ()))
        plans.append(BlockPlan(checked_group, read, more, tuple(convolutions), norms, branch, text=f"{read}, {more}"))
    names = tuple(f"layer{number}" for number in range(1, count + 1))
    text = f"{inputs}, {more}, {count}, {checked_group.name}, kernel={_kernel_text(taps)}, bottleneck={is_narrow}"
    return BlockPlan(checked_group, inputs, outputs, (), (), names, text=text), tuple(plans)


def transition_plan(in_channels: object, out_channels: object, group: object) -> BlockPlan:
    """That of `DenseTransition`, up to its pool. Raises as `residual_plan`."""
    inputs, outputs, checked_group = _channels(in_channels, out_channels, group)
    one = (1,) * checked_group.dimension
    convolution = BlockConvolution("conv", inputs, outputs, one, one)
    text = f"{inputs}, {outputs}, {checked_group.name}"
    branch = ("norm", "activation", "conv", "pool")
    return BlockPlan(checked_group, inputs, outputs, (convolution,), (("norm", inputs),), branch, text=text)


def checked_functions(norm: Any, activation: Any) -> None:
    """Raises TypeError unless `norm` makes modules, or is None, and `activation` is a function of signals."""
    if norm is not None and (not callable(norm) or _is_module(norm)):
        raise TypeError(
            f"norm is {value_text(norm)} ({type(norm).__name__}), expected a function from channels to a module, such "
            "as BatchNorm or functools.partial(GroupNorm, 4), or None"
        )
    if not callable(activation) or isinstance(activation, type):
        raise TypeError(
            f"activation is {value_text(activation)} ({type(activation).__name__}), expected a function of signals "
            "such as relu, or a module"
        )


def _is_module(value: object) -> bool:
    is_class = isinstance(value, type)
    return not is_class and any(is_one(value) for is_one in (is_torch_module, is_flax_module, is_equinox_module))


def _channels(in_channels: object, out_channels: object, group: object) -> tuple[int, int, PointGroup]:
    inputs = integer("in_channels", in_channels, 1, LARGEST)
    return inputs, integer("out_channels", out_channels, 1, LARGEST), point_group(group)


def _odd_kernel(kernel: object, group: PointGroup) -> tuple[int, ...] | KernelBasis:
    """A kernel that has a middle, so that a block can keep sizes, and samples where its shortcut does."""
    extents, basis = kernel_shape(kernel, group)
    for axis, extent in enumerate(extents):
        if extent % 2 == 0:
            raise ValueError(f"kernel is {extent} on axis {axis}, expected an odd extent, about whose middle it reads")
    return extents if basis is None else basis


def _kernel_text(kernel: tuple[int, ...] | KernelBasis) -> str:
    return " x ".join(map(str, kernel)) if isinstance(kernel, tuple) else str(kernel)


def _norms(convolutions: list[BlockConvolution], is_early: bool) -> list[tuple[str, int]]:
    """A norm for each convolution: of what it reads, or of what it writes."""
    channels = [part.in_channels if is_early else part.out_channels for part in convolutions]
    return [(f"norm{number}", count) for number, count in enumerate(channels, start=1)]


def _in_turn(convolutions: list[BlockConvolution], is_early: bool) -> tuple[str, ...]:
    """The names of norms, activation and convolutions in their order."""
    names: list[str] = []
    for number in range(1, len(convolutions) + 1):
        norm = [f"norm{number}", "activation"]
        names += [*norm, f"conv{number}"] if is_early else [f"conv{number}", *norm]
    return tuple(names)


def _of_branch(
    inputs: int, outputs: int, is_narrow: bool, taps: tuple[int, ...] | KernelBasis, steps: tuple[int, ...]
) -> list[BlockConvolution]:
    """The convolutions of a residual branch: two, or the three of a bottleneck."""
    one = still = (1,) * len(steps)
    if not is_narrow:
        return [
            BlockConvolution("conv1", inputs, outputs, taps, steps),
            BlockConvolution("conv2", outputs, outputs, taps, still),
        ]
    if outputs % _BOTTLENECK:
        raise ValueError(f"out_channels is {outputs}, expected a multiple of {_BOTTLENECK} for a bottleneck")
    width = outputs // _BOTTLENECK
    return [
        BlockConvolution("conv1", inputs, width, one, still),
        BlockConvolution("conv2", width, width, taps, steps),
        BlockConvolution("conv3", width, outputs, one, still),
    ]


def _with_pool(names: tuple[str, ...], convolution: str) -> tuple[str, ...]:
    """The names with a pool behind the activation that follows a convolution."""
    place = names.index("activation", names.index(convolution)) + 1
    return (*names[:place], "pool", *names[place:])

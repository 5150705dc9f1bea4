# SPDX-License-Identifier: Apache-2.0
"""Whether a device and its libraries hold what turned signals rely on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._checks.arguments import value_text
from .._groups.named import cyclic, dihedral, octahedral
from .._groups.point_group import PointGroup
from .._layer.spec import layer_of
from .._signals.action import act
from ._backends import forward
from ._operators.sums import has_double

# Name, group, sizes, kernel, batch and stride. Planes that are not square make two stacks.
_LAYERS: tuple[tuple[str, PointGroup, tuple[int, ...], int, int, int], ...] = (
    ("lifting", dihedral(4), (32, 32), 5, 4, 1),
    ("group", cyclic(4), (17, 17), 3, 1, 1),
    ("group", dihedral(4), (32, 32), 3, 4, 1),
    ("group", dihedral(4), (17, 33), 5, 2, 2),
    ("group", octahedral(), (5, 5, 5), 3, 1, 1),
    ("projection", dihedral(4), (17, 17), 3, 2, 1),
    ("isotropic", dihedral(4), (17, 17), 3, 2, 1),
)
# Enough for the wide instructions of GPUs; on the CPU half precision is slow.
_CHANNELS, _CHANNELS_OF_CPU = 8, 2


@dataclass(frozen=True)
class ExactnessRow:
    """One layer in one arithmetic.

    Attributes:
        layer: its function, group, sizes, kernel, batch and stride.
        arithmetic: ``"float64"``, ``"float32"``, ``"tf32"``, ``"bfloat16"`` or ``"float16"``.
        elements: how many elements were tried.
        forward, input_gradient: how many of them gave equal bits.
    """

    layer: str
    arithmetic: str
    elements: int
    forward: int
    input_gradient: int

    @property
    def holds(self) -> bool:
        """Whether all elements did."""
        return self.forward == self.input_gradient == self.elements


@dataclass(frozen=True, repr=False)
class ExactnessReport:
    """What `check_exactness` found. Prints as a table.

    Attributes:
        device: what was tried, with the versions of its libraries.
        rows: one for each layer and arithmetic.
    """

    device: str
    rows: tuple[ExactnessRow, ...]

    @property
    def holds(self) -> bool:
        """Whether every layer commutes with the group to the last bit, in every arithmetic."""
        return all(row.holds for row in self.rows)

    def __bool__(self) -> bool:
        return self.holds

    def __repr__(self) -> str:
        width = max(len(row.layer) for row in self.rows)
        lines = [
            f"{row.layer:<{width}}  {row.arithmetic:<8}  forward {row.forward} of {row.elements}, input gradient "
            f"{row.input_gradient} of {row.elements}"
            for row in self.rows
        ]
        answer = "equal to the last bit" if self.holds else "not equal to the last bit"
        return "\n".join([f"{self.device}: {answer}", *lines])


def check_exactness(device: torch.device | str | None = None) -> ExactnessReport:
    """Whether layers with ``algorithm="direct"`` commute with the group to the last bit on a device.

    PyTorch's backend relies on two properties of the library of convolutions: the result for one image does not depend
    on its place in the batch, and two calls of equal shapes use the same algorithm. This runs layers of several groups,
    sizes and arithmetics, for all elements, with their input gradients, and compares bits. It takes some seconds, on
    the CPU several times as long.

    Args:
        device: for example ``"cuda"``; the CPU if not given.

    Returns:
        A report, true if everything was equal.

    Raises:
        TypeError, ValueError: `device` is no device, or PyTorch cannot use it.

    Example:
        >>> bool(check_exactness("cpu"))
        True
    """
    place = _usable(device)
    rows = tuple(
        _row(layer, place, name, dtype, is_tf32) for name, dtype, is_tf32 in _arithmetics(place) for layer in _LAYERS
    )
    return ExactnessReport(_title(place), rows)


def _usable(device: torch.device | str | None) -> torch.device:
    try:
        place = torch.device("cpu" if device is None else device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"device is {value_text(device)}, expected a device of PyTorch such as 'cuda'") from error
    try:
        torch.zeros(1, device=place).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f"device is {value_text(device)}, which PyTorch cannot use here: {error}") from error
    return place


def _title(device: torch.device) -> str:
    if device.type != "cuda":
        return f"{device}, PyTorch {torch.__version__}"
    library = torch.version.hip or torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return f"{torch.cuda.get_device_name(device)}, PyTorch {torch.__version__}, cuDNN or HIP {library}"


def _arithmetics(device: torch.device) -> Iterator[tuple[str, torch.dtype, bool]]:
    if has_double(device):
        yield "float64", torch.float64, False
    yield "float32", torch.float32, False
    if device.type == "cuda":
        yield "tf32", torch.float32, True
    yield "bfloat16", torch.bfloat16, False
    yield "float16", torch.float16, False


def _row(layer: tuple[Any, ...], device: torch.device, name: str, dtype: torch.dtype, is_tf32: bool) -> ExactnessRow:
    kind, group, sizes, kernel, batch, stride = layer
    padding = kernel // 2
    spec = layer_of(kind, group, stride, padding, 1, "zeros", "direct", None, "bilinear", None, False, 1)
    random, channels = np.random.default_rng(20200426), _CHANNELS_OF_CPU if device.type == "cpu" else _CHANNELS
    source, target = ((group.order,) if flag else () for flag in (spec.layer.reads_group, spec.layer.writes_group))
    x = random.standard_normal((batch, channels, *source, *sizes)).astype(np.float32)
    weight = random.standard_normal((channels, channels, *source, *(kernel,) * group.dimension)) / 30
    ends = [(size + 2 * padding - kernel) // stride + 1 for size in sizes]
    gradient = random.standard_normal((batch, channels, *target, *ends)).astype(np.float32)
    weights = torch.from_numpy(weight).to(device, dtype)

    def run(signal: Any, slope: Any) -> tuple[Any, Any]:
        return _outputs(
            spec.text, torch.from_numpy(signal).to(device, dtype), torch.from_numpy(slope).to(device, dtype), weights
        )

    equal = [0, 0]
    with _tf32(is_tf32):
        expected = run(x, gradient)
        for element in range(group.order):
            turned = run(act(x, group, element), act(gradient, group, element))
            for i in range(2):
                equal[i] += np.array_equal(turned[i], act(expected[i], group, element))
    shape = " x ".join(map(str, sizes))
    title = f"{spec.layer.function}, {group.name}, {batch} of {shape}, kernel {kernel}, stride {stride}"
    return ExactnessRow(title, name, group.order, *equal)


def _outputs(text: str, x: Tensor, gradient: Tensor, weight: Tensor) -> tuple[Any, Any]:
    """The output and the gradient of the signal, as arrays that hold their numbers exactly."""
    x.requires_grad_()
    y = forward(x, weight, None, text, "torch")
    (slope,) = torch.autograd.grad(y, x, gradient)
    return tuple(  # type: ignore[return-value]
        (array if array.dtype is torch.float64 else array.float()).detach().cpu().numpy() for array in (y, slope)
    )


@contextmanager
def _tf32(is_allowed: bool) -> Iterator[None]:
    """Inside, convolutions of float32 on CUDA may or may not use TF32."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = is_allowed
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before

# SPDX-License-Identifier: Apache-2.0
"""PyTorch (its convolutions are oneDNN's) in both memory layouts, and NNPACK, which PyTorch carries."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from adapters import Array, Inputs, Prepared

CONVOLUTIONS: tuple[Any, ...] = (functional.conv1d, functional.conv2d, functional.conv3d)


def layouts(dimension: int) -> dict[str, Any]:
    """Channels last and first, for signals on so many axes."""
    last = {2: torch.channels_last, 3: torch.channels_last_3d}
    return {"last": last[dimension], "first": torch.contiguous_format}


class Expansion:
    """The bank of a layer from its weight, by one gather; the gradient by the inverse gather and a sum over H.

    bank = weight.ravel()[index]. Every number of the weight is in the bank |H| times, once for each h, so that the
    gradient needs no scattered additions.
    """

    def __init__(self, index: Array, copies: int) -> None:
        self.shape = index.shape
        self.index = torch.from_numpy(index.ravel())
        inverse = np.argsort(index, axis=None, kind="stable").reshape(-1, copies)
        self.inverse, self.copies = torch.from_numpy(np.ascontiguousarray(inverse.T)).ravel(), copies

    def __call__(self, weight: Tensor) -> Tensor:
        """The bank, with a gradient."""
        bank: Tensor = _Gather.apply(weight, self)  # type: ignore[no-untyped-call]
        return bank


class _Gather(torch.autograd.Function):
    """See `Expansion`."""

    @staticmethod
    def forward(context: Any, weight: Tensor, expansion: Expansion) -> Tensor:
        context.expansion, context.shape = expansion, weight.shape
        return weight.reshape(-1).index_select(0, expansion.index).view(expansion.shape)

    @staticmethod
    def backward(context: Any, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        expansion = context.expansion
        copies = grad.reshape(-1).index_select(0, expansion.inverse).view(expansion.copies, -1)
        return copies.sum(0).view(context.shape), None


def _forward(inputs: Inputs, layout: torch.memory_format) -> Prepared:
    """The convolutions without autograd."""
    x = torch.from_numpy(inputs.flat_x).contiguous(memory_format=layout)
    stages = [(torch.from_numpy(stage.bank).contiguous(memory_format=layout), stage) for stage in inputs.stages]
    convolve = CONVOLUTIONS[inputs.case.dimension - 1]

    def call() -> Tensor:
        with torch.inference_mode():
            y = x
            for bank, stage in stages:
                y = convolve(y, bank, stride=stage.stride, padding=stage.padding, groups=stage.groups)
            return y

    return Prepared({"conv": call}, lambda y: {"y": y.contiguous().numpy()})


def _gradients(inputs: Inputs, layout: torch.memory_format) -> Prepared:
    """The gradients of input and weight, with or without the output; the bank is made in each call."""
    assert inputs.index is not None
    case, stage = inputs.case, inputs.stages[0]
    expansion, convolve = Expansion(inputs.index, case.order), CONVOLUTIONS[case.dimension - 1]
    x = torch.from_numpy(inputs.flat_x).contiguous(memory_format=layout).requires_grad_()
    weight = torch.from_numpy(inputs.weights[0]).requires_grad_()
    grad = torch.from_numpy(inputs.flat_grad).contiguous(memory_format=layout)
    axes = [case.dimension * [number] for number in (stage.stride, stage.padding, 1, 0)]

    def training() -> dict[str, Tensor]:
        bank = expansion(weight).contiguous(memory_format=layout)
        y = convolve(x, bank, stride=stage.stride, padding=stage.padding)
        grad_x, grad_weight = torch.autograd.grad(y, (x, weight), grad)
        return {"y": y.detach(), "grad_x": grad_x, "grad_weight": grad_weight}

    def gradients() -> dict[str, Tensor]:
        bank = expansion(weight)
        stride, padding, dilation, output = axes
        wanted = [name in case.results for name in ("grad_x", "grad_weight")]
        grad_x, grad_bank, _ = torch.ops.aten.convolution_backward(
            grad, x.detach(), bank.detach().contiguous(memory_format=layout), None, stride, padding, dilation, False,
            output, 1, [*wanted, False],
        )  # fmt: skip
        found = {"grad_x": grad_x} if wanted[0] else {}
        return found | ({"grad_weight": torch.autograd.grad(bank, weight, grad_bank)[0]} if wanted[1] else {})

    call = training if case.run == "training" else gradients
    return Prepared({"conv": call}, lambda found: {name: part.contiguous().numpy() for name, part in found.items()})


def _prepare(inputs: Inputs, layout: str) -> Prepared:
    """Either of the two."""
    torch.set_num_threads(inputs.threads)
    memory = layouts(inputs.case.dimension)[layout]
    return (_forward if inputs.case.run == "forward" else _gradients)(inputs, memory)


def channels_last(inputs: Inputs) -> Prepared:
    """NHWC."""
    return _prepare(inputs, "last")


def channels_first(inputs: Inputs) -> Prepared:
    """NCHW."""
    return _prepare(inputs, "first")


def nnpack(inputs: Inputs) -> Prepared:
    """NNPACK's choice of algorithm: Winograd for k = 3, Fourier tiles for larger kernels."""
    torch.set_num_threads(inputs.threads)
    if not torch.backends.nnpack.is_available():
        raise RuntimeError("this PyTorch has no NNPACK, or the processor is not one it supports")
    stage = inputs.stages[0]
    x, bank = torch.from_numpy(inputs.flat_x), torch.from_numpy(stage.bank)

    def call() -> Tensor:
        with torch.inference_mode():
            y: Tensor = torch._nnpack_spatial_convolution(x, bank, None, stage.padding, 1)
            return y

    return Prepared({"nnpack": call}, lambda y: {"y": y.numpy()})

# SPDX-License-Identifier: Apache-2.0
"""PyTorch (its convolutions are oneDNN's) in both memory layouts, and NNPACK, which PyTorch carries."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import conv2d

from adapters import Inputs, Prepared


def _forward(inputs: Inputs, layout: torch.memory_format) -> Prepared:
    """The convolution without autograd."""
    x, bank = (torch.from_numpy(array).contiguous(memory_format=layout) for array in (inputs.x, inputs.bank))
    padding = inputs.case.kernel // 2

    def call() -> torch.Tensor:
        with torch.inference_mode():
            return conv2d(x, bank, padding=padding)

    return Prepared({"conv2d": call}, lambda _, y: {"y": y.numpy()})


def _train(inputs: Inputs, layout: torch.memory_format) -> Prepared:
    """The convolution and the gradients of the input and of the bank."""
    x, bank, grad = (
        torch.from_numpy(array).contiguous(memory_format=layout) for array in (inputs.x, inputs.bank, inputs.grad)
    )
    x.requires_grad_()
    bank.requires_grad_()
    padding = inputs.case.kernel // 2

    def call() -> tuple[Any, ...]:
        y = conv2d(x, bank, padding=padding)
        return y.detach(), *torch.autograd.grad(y, (x, bank), grad)

    names = ("y", "grad_x", "grad_bank")
    return Prepared({"conv2d": call}, lambda _, found: {n: t.numpy() for n, t in zip(names, found, strict=True)})


def _prepare(inputs: Inputs, layout: torch.memory_format) -> Prepared:
    """Either of the two."""
    torch.set_num_threads(inputs.threads)
    return (_train if inputs.case.kind == "train" else _forward)(inputs, layout)


def channels_last(inputs: Inputs) -> Prepared:
    """NHWC."""
    return _prepare(inputs, torch.channels_last)


def channels_first(inputs: Inputs) -> Prepared:
    """NCHW."""
    return _prepare(inputs, torch.contiguous_format)


def nnpack(inputs: Inputs) -> Prepared:
    """NNPACK's choice of algorithm: Winograd for k = 3, Fourier tiles for larger kernels."""
    torch.set_num_threads(inputs.threads)
    if not torch.backends.nnpack.is_available():
        raise RuntimeError("this PyTorch has no NNPACK, or the processor is not one it supports")
    x, bank = torch.from_numpy(inputs.x), torch.from_numpy(inputs.bank)
    padding = inputs.case.kernel // 2

    def call() -> torch.Tensor:
        with torch.inference_mode():
            return torch._nnpack_spatial_convolution(x, bank, None, padding, 1)

    return Prepared({"nnpack": call}, lambda _, y: {"y": y.numpy()})

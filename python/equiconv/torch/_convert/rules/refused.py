# SPDX-License-Identifier: Apache-2.0
"""What has no counterpart, and what to use instead."""

from __future__ import annotations

import operator
from typing import Any, NoReturn

import torch
from torch import nn
from torch.nn import functional

from ..._nn.signal_module import SignalModule
from ..walk import Step

SUPPORTED = (
    "Networks may be made of convolutions, also transposed, batch, group and instance norm, max and mean pools, "
    "adaptive ones to one place, Upsample by integers, functions of each number, dropout, softmax over channels, sums "
    "and products of signals, torch.cat along channels, Flatten behind a pool over all of space, and Linear behind that"
)

_NORMS = (nn.LocalResponseNorm, nn.RMSNorm)
_NORM_FUNCTIONS = (
    functional.group_norm, functional.layer_norm, functional.instance_norm, functional.local_response_norm,
)  # fmt: skip
_WITH_WEIGHTS = (
    functional.conv1d, functional.conv2d, functional.conv3d, functional.conv_transpose1d, functional.conv_transpose2d,
    functional.conv_transpose3d, functional.linear, functional.batch_norm,
)  # fmt: skip
_REARRANGING: tuple[Any, ...] = (
    "permute", "transpose", "movedim", "swapaxes", "moveaxis", "squeeze", "unsqueeze", "unflatten", "expand", "repeat",
    "chunk", "split", "roll", "flip", "rot90", "t", torch.permute, torch.transpose, torch.movedim, torch.swapaxes,
    torch.squeeze, torch.unsqueeze, torch.chunk, torch.split, torch.roll, torch.flip, torch.rot90, torch.stack,
    nn.PixelShuffle, nn.PixelUnshuffle, nn.Unflatten, nn.Unfold, nn.Fold, nn.ChannelShuffle, functional.pixel_shuffle,
    functional.pixel_unshuffle, functional.unfold,
)  # fmt: skip
_ATTENTION: tuple[Any, ...] = (
    nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.TransformerEncoder, functional.scaled_dot_product_attention,
    torch.matmul, torch.bmm, torch.einsum, operator.matmul, "matmul", "bmm",
)  # fmt: skip
_PADDING: tuple[Any, ...] = (functional.pad, nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d, nn.ReflectionPad2d)
_NO_NORM = (
    "normalizes over axes that H changes, or by weights that are no module's: use the modules BatchNorm1d, 2d or 3d, "
    "GroupNorm or InstanceNorm2d"
)
_REASONS: dict[Any, str] = {
    **dict.fromkeys((*_NORMS, *_NORM_FUNCTIONS), _NO_NORM),
    **dict.fromkeys(
        _WITH_WEIGHTS,
        "is a function of weights that the module holds itself, expected a module: use torch.nn.Conv2d and the like",
    ),
    **dict.fromkeys(
        _REARRANGING,
        "rearranges axes or places of a signal, which tears space or H apart: take it out. To flatten behind a pool "
        "over all of space use torch.flatten(x, 1)",
    ),
    **dict.fromkeys(_ATTENTION, "mixes places or channels by products of matrices, expected convolutions: take it out"),
    **dict.fromkeys(_PADDING, "pads by itself, expected the padding of a convolution or pool: use its `padding`"),
}


def refused(step: Step) -> NoReturn:
    """Raises ValueError for a step without a counterpart."""
    key = step.node.target if step.module is None else type(step.module)
    if isinstance(step.module, SignalModule):
        step.refuse("is a layer of equiconv already, expected an ordinary network")
    if step.node.op == "call_function" and not step.node.all_input_nodes:
        step.refuse(
            "makes a constant, as embeddings of positions do, which does not follow the image when it turns: take it "
            "out"
        )
    reason = _REASONS.get(key)
    step.refuse(f"is nothing that can be converted. {SUPPORTED}" if reason is None else reason)

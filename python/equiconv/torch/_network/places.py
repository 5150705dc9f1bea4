# SPDX-License-Identifier: Apache-2.0
"""Where a step of a program stands: the module it is of, and the line of the user's code."""

from __future__ import annotations

import os
import re
from typing import NoReturn

import torch
from torch import nn
from torch.fx import Node

_FRAME = re.compile(r'File "([^"]+)", line (\d+), in [^\n]*\n([^\n]*)')
_CALL = re.compile(r"@\d+$")
_PACKAGES = tuple(os.path.dirname(os.path.abspath(file)) + os.sep for file in (torch.__file__, __file__))
_OWN = os.path.dirname(os.path.dirname(_PACKAGES[1].rstrip(os.sep))) + os.sep

SUPPORTED = (
    "A network file has: convolutions of equiconv; torch's convolutions of signals on the plane with groups=1 or one "
    "for each channel, transposed ones too; batch norm in evaluation; relu, leaky_relu, elu, gelu, silu, sigmoid, tanh;"
    " softmax over channels; mean and maximum over H; max and mean pools over windows of space; means over space; "
    "nearest and linear upsampling by integers; sums; concatenation of channels; restriction and induction; linear "
    "maps; flattening; and dropout in evaluation, which does nothing"
)


def calls_of(node: Node) -> list[tuple[str, str]]:
    """The calls of modules that a step is of, from the outermost: a key for each call, and the module's name."""
    return [(str(key), str(entry[0])) for key, entry in (node.meta.get("nn_module_stack") or {}).items()]


def path_of(node: Node) -> str:
    """The name of the innermost module that a step is of."""
    calls = calls_of(node)
    return _CALL.sub("", calls[-1][1]) if calls else ""


def module_of(root: nn.Module, path: str) -> nn.Module | None:
    """A module of the network by its name."""
    try:
        return root.get_submodule(path)
    except AttributeError:
        return None


def name_of(root: nn.Module, node: Node, kind: str) -> str:
    """The name of the operation of a step: that of its module, or, in a module of the user's, with its kind behind."""
    path = path_of(node)
    module = module_of(root, path)
    family = type(module).__module__
    is_layer = family.startswith(("torch.nn.modules.", "equiconv.torch.")) and not isinstance(
        module, nn.Sequential | nn.ModuleList | nn.ModuleDict
    )
    if is_layer and path:
        return path
    return f"{path}.{kind}" if path else kind


def refuse(root: nn.Module, node: Node, reason: str, supported: bool = False) -> NoReturn:
    """Raises ValueError for a step: what it is, where it stands, and what there is instead."""
    raise ValueError(f"{_title(node)} at {place_of(root, node)} {reason}{'. ' + SUPPORTED if supported else ''}")


def _title(node: Node) -> str:
    target = node.target
    return (
        str(target) if not callable(target) or hasattr(target, "_schema") else getattr(target, "__name__", repr(target))
    )


def place_of(root: nn.Module, node: Node) -> str:
    """The module that a step is of, and the line of the user's code."""
    path = path_of(node)
    module = module_of(root, path)
    name = f"{path or 'the module itself'} ({type(module).__name__})"
    line = _line(node.meta.get("stack_trace") or "")
    return f"{name}, {line}," if line else name


def _line(trace: str) -> str:
    """The innermost line that is not of torch or of this package."""
    frames = _FRAME.findall(trace)
    outside = [frame for frame in frames if not os.path.abspath(frame[0]).startswith((_PACKAGES[0], _OWN))]
    if not frames:
        return ""
    file, number, code = (outside or frames)[-1]
    return f'File "{file}", line {number}: {code.strip()}'

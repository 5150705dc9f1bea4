# SPDX-License-Identifier: Apache-2.0
"""The program of an ordinary network, written down by `torch.fx`."""

from __future__ import annotations

import os
import traceback
from typing import Any

import torch
from torch import fx, nn

from .._nn.signal_module import SignalModule

_TORCH = os.path.dirname(os.path.abspath(torch.__file__)) + os.sep
_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class _Tracer(fx.Tracer):
    """Modules of PyTorch and of this package are steps; the code of all others is looked into."""

    record_stack_traces = True

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, SignalModule) or super().is_leaf_module(m, module_qualified_name)


def traced(module: nn.Module) -> fx.Graph:
    """The steps of a module. Raises ValueError, with the line of the user's code, where they depend on numbers."""
    try:
        return _Tracer().trace(module)
    except RecursionError:
        raise
    except Exception as error:
        raise ValueError(
            f"module ({type(module).__name__}) cannot be traced by torch.fx{_line(error)}: {error}. Expected a forward "
            "whose steps do not depend on the numbers or sizes of signals: take branches and loops over them out, or "
            "convert the parts between them"
        ) from error


def _line(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not os.path.abspath(frame.filename).startswith((_TORCH, _OWN))]
    return f', File "{own[-1].filename}", line {own[-1].lineno}: {own[-1].line}' if own else ""


def arguments_of(node: fx.Node, names: tuple[str, ...]) -> dict[str, Any]:
    """The arguments of a call by their names."""
    return dict(zip(names, node.args, strict=False)) | dict(node.kwargs)

# SPDX-License-Identifier: Apache-2.0
"""Networks as programs of PyTorch alone: expanded, since TorchScript and ONNX have no layers of this package."""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.jit._trace import TracerWarning

from .._nn.expansion import expand

# Of the larger of two numbers: a network and its expansion differ by rounding.
_TOLERANCE = 1e-3


def ordinary(network: nn.Module) -> nn.Module:
    """The network without layers of this package, in evaluation, whose gradients nobody needs."""
    return expand(network).eval().requires_grad_(False)


def write_torchscript(network: nn.Module, example: Tensor, path: Path) -> None:
    """Writes the traced program of an ordinary network.

    Args:
        network: of `ordinary`.
        example: an input, of a batch of any size.
        path: of the file.

    Raises:
        ValueError: the program computes something else for a batch of another size.
    """
    with torch.no_grad(), warnings.catch_warnings():
        # That there are newer ways, while the zoos read this one; and that checks of shapes are not traced.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", TracerWarning)
        program = torch.jit.trace(network, example)  # type: ignore[no-untyped-call]
        pair = torch.cat([example, example.flip(-1)])
        check_is_close("the traced program", program(pair), network(pair))
        file = io.BytesIO()
        torch.jit.save(program, file)
    path.write_bytes(file.getvalue())


def write_onnx(network: nn.Module, example: Tensor, path: Path) -> int:
    """Writes an ordinary network as ONNX; returns the version of the set of operators.

    Raises:
        ModuleNotFoundError: the packages onnx and onnxscript are not installed.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401 (the exporter needs it)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'weights in ONNX need the package {error.name}, which is not installed: pip install "equiconv[onnx]"',
            name=error.name,
        ) from None
    dynamic = {0: torch.export.Dim("batch")}
    with warnings.catch_warnings():
        # Of the exporter, about itself.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, (example,), path, dynamo=True, verbose=False, external_data=False,
            input_names=["input"], output_names=["output"], dynamic_shapes=(dynamic,),
        )  # fmt: skip
    model: Any = onnx.load(path)
    return int(model.opset_import[0].version)


def check_is_close(name: str, found: Tensor, expected: Tensor) -> None:
    """Raises ValueError unless two results agree up to rounding."""
    scale = max(1.0, float(expected.abs().max())) if expected.numel() else 1.0
    difference = float((found - expected).abs().max()) if found.shape == expected.shape else float("inf")
    if not difference <= _TOLERANCE * scale:
        raise ValueError(
            f"network computes {tuple(expected.shape)}, and {name} {tuple(found.shape)} numbers that differ by "
            f"{difference:.2g}, expected up to {_TOLERANCE * scale:.2g}: does it compute with Python's numbers?"
        )


def digest(path: Path) -> str:
    """The SHA-256 of a file, as text."""
    return hashlib.sha256(path.read_bytes()).hexdigest()

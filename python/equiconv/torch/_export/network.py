# SPDX-License-Identifier: Apache-2.0
"""The network that is exported: its file, which goes into the folder too, and the equal program of PyTorch alone."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from ..._checks.arguments import value_text
from ..._network.about import About
from ..._network.file import Document, read_file
from .._network.loading import load_network
from .._network.saving import save_network
from .program import check_is_close, ordinary

NETWORK_FILE = "network.safetensors"
PathText: TypeAlias = str | PathLike[str]


@dataclass(frozen=True)
class Exported:
    """A network in a folder.

    Attributes:
        document: of its file.
        about: what the document says of the network.
        program: the equal network of PyTorch alone, in evaluation; it reads normalized pixels.
        example: pixels, of the test in the file.
        expected: what the network writes for them.
    """

    document: Document
    about: About
    program: nn.Module
    example: Tensor
    expected: Tensor

    @property
    def input(self) -> Document:
        """The entry of the input."""
        entry: Document = self.document["input"]
        return entry

    @property
    def classes(self) -> list[str] | None:
        """The names of the channels of the output."""
        classes: list[str] | None = self.document["outputs"][0].get("classes")
        return classes

    @property
    def pixel_size(self) -> Sequence[float] | None:
        """In micrometers, for each axis."""
        return self.about.pixel_sizes(self.input["dimension"])

    def normalized(self, pixels: Tensor) -> Tensor:
        """What the program reads for pixels."""
        normalization = self.about.normalization
        return pixels if normalization is None else torch.from_numpy(normalization.apply(pixels.numpy()))


def into_folder(network: object, folder: Path, example: Tensor | None, about: dict[str, Any]) -> Exported:
    """Puts the file of a network into a folder, and makes the program of PyTorch alone.

    Args:
        network: a module, or the path of a network file.
        folder: made if it is not there.
        example: of a module: pixels, before the normalization.
        about: of a module: further arguments of `save_network`, without those that are None.

    Raises:
        TypeError, ValueError: an argument of the wrong kind; a network that has no file, one input that is not on the
            plane, or several outputs.
        OSError: the folder or a file cannot be read or written.
    """
    given = {key: value for key, value in about.items() if value is not None}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NETWORK_FILE
    if isinstance(network, nn.Module):
        if example is None:
            raise TypeError("example is None, expected an input of the module")
        save_network(network, path, example, **given)
    elif isinstance(network, str | PathLike):
        if example is not None or given:
            names = ", ".join([*given, *(["example"] if example is not None else [])])
            raise TypeError(f"{names} are given, expected them for a module only: the file of a network has them")
        if Path(network).resolve() != path.resolve():
            shutil.copyfile(network, path)
    else:
        raise TypeError(f"network is {value_text(network)}, expected a torch.nn.Module or the path of a network file")
    return _exported(path)


def _exported(path: Path) -> Exported:
    document, tensors = read_file(path)
    if document["input"]["space"] != "plane":
        raise ValueError(f"network reads a signal on {document['input']['space']}, expected one on the plane")
    if len(document["outputs"]) != 1:
        raise ValueError(f"network has {len(document['outputs'])} outputs, expected 1")
    test = document.get("test")
    if test is None:
        raise ValueError("network has no test, expected a file with the tensors of an input and its output")
    example, expected = (torch.from_numpy(tensors[name]) for name in (test["input"], test["outputs"][0]))
    network = load_network(path)
    # The descriptions of zoos say how pixels are normalized.
    network._modules.pop("_normalize", None)
    found = Exported(document, About.of(document), ordinary(network), example, expected)
    with torch.no_grad():
        check_is_close("its expansion", found.program(found.normalized(example)), expected)
    return found

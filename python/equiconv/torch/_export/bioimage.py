# SPDX-License-Identifier: Apache-2.0
"""The layout of bioimage.io: a model with its description, test tensors and weights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..._checks.arguments import LARGEST, integer, items, value_text
from .bioimage_tensors import INPUT, OUTPUT, Sizes, input_axes, output_axes, preprocessing
from .network import NETWORK_FILE, Exported, PathText, into_folder
from .program import digest, write_onnx, write_torchscript
from .yaml_text import yaml_text

# The oldest version that has all of it; newer programs read it.
_FORMAT = "0.5.3"
_NAME = re.compile(r"[A-Za-z0-9_+\- ()]{5,128}")
_WEIGHTS = ("torchscript", "onnx")
_PERSON = frozenset(("name", "affiliation", "email", "github_user", "orcid"))
_EXPANDED = (
    "Traced from the network expanded into ordinary convolutions, which equals it up to rounding and has as many times "
    f"the weights of a group layer as the group has elements; the network itself is {NETWORK_FILE}"
)


def export_bioimage(
    network: nn.Module | PathText,
    folder: PathText,
    *,
    authors: Sequence[str | Mapping[str, str]],
    license: str,  # noqa: A002 (the word of the description)
    title: str | None = None,
    cite: Sequence[Mapping[str, str]] = (),
    tags: Sequence[str] = (),
    documentation: str | None = None,
    maintainers: Sequence[Mapping[str, str]] = (),
    weights: Sequence[str] = ("torchscript",),
    step: int | None = None,
    example: Tensor | None = None,
    name: str | None = None,
    description: str | None = None,
    classes: Sequence[str] | None = None,
    normalization: Mapping[str, Any] | None = None,
    pixel_size: float | Sequence[float] | None = None,
) -> Path:
    """Writes a model of bioimage.io: ``rdf.yaml`` of version 0.5, test tensors, weights, and the network file.

    The weights are those of the network *expanded* (`equiconv.torch.expand`), as a traced program of TorchScript and,
    if asked for, as ONNX: neither has layers of this package. They have |H| times the numbers of a group layer, and
    equal it up to rounding. The network itself, ``network.safetensors``, is an attachment. The test tensors are those
    of the network file: pixels, and what the network writes for them.

    Args:
        network: a module, or the path of a network file. It reads signals on the plane.
        folder: made if it is not there.
        authors: names, or mappings with ``name`` and any of ``affiliation``, ``email``, ``github_user``, ``orcid``.
        license: an SPDX identifier, such as ``"Apache-2.0"``.
        title: a name for people, 5 to 128 letters, digits, ``_+- ()``; the name of the network unless given.
        cite: mappings with ``text`` and ``doi`` or ``url``.
        tags: words.
        documentation: text of ``README.md``; a short one unless given. It should have a heading "Validation".
        maintainers: mappings with ``github_user``; needed by the zoo if no author has one.
        weights: ``"torchscript"``, and ``"onnx"``, which needs the packages onnx and onnxscript.
        step: the network also reads images that are larger by multiples of this many pixels than the example; only its
            size unless given.
        example, name, description, classes, normalization, pixel_size: of a module, as for `save_network`.

    Returns:
        The path of ``rdf.yaml``.

    Raises:
        TypeError, ValueError: an argument of the wrong kind; a network that has no file, or does not read such sizes.
        ModuleNotFoundError: a package for ONNX is not installed.
        OSError: the folder or a file cannot be read or written.

    Example:
        ``export_bioimage("cells.safetensors", "cells", authors=["A. Person"], license="MIT")``.

    Source: bioimage.io model description 0.5, https://bioimage.io/docs.
    """
    if not set(weights) <= set(_WEIGHTS) or "torchscript" not in weights:
        raise ValueError(f"weights is {value_text(weights)}, expected 'torchscript', and 'onnx' if wanted")
    people = [_person(f"authors[{index}]", person) for index, person in enumerate(items("authors", authors, "names"))]
    about = {
        "name": name, "description": description, "classes": classes, "normalization": normalization,
        "pixel_size": pixel_size,
    }  # fmt: skip
    pixels = None if step is None else integer("step", step, 1, LARGEST)
    place = Path(folder)
    found = into_folder(network, place, example, about)
    heading = _title(found.document["name"] if title is None else title)
    sizes = [Sizes(extent, pixels) for extent in found.example.shape[2:]]
    tensors = _tensors(found, place, sizes)
    text = documentation if documentation is not None else _documentation(heading, found)
    (place / "README.md").write_text(text, encoding="utf-8")
    described: dict[str, Any] = {
        "format_version": _FORMAT, "type": "model", "name": heading,
        "description": found.document.get("description", found.document["name"]),
        "authors": people, "license": license, "cite": [dict(each) for each in cite], "tags": list(tags),
        **({"maintainers": [dict(each) for each in maintainers]} if maintainers else {}),
        "documentation": "README.md", "attachments": [_file(place / NETWORK_FILE)],
        **tensors, "weights": _weights(found, place, weights),
    }  # fmt: skip
    path = place / "rdf.yaml"
    path.write_text(yaml_text(described) + "\n", encoding="utf-8")
    return path


def _title(title: object) -> str:
    if not isinstance(title, str) or _NAME.fullmatch(title) is None:
        raise ValueError(f"title is {value_text(title)}, expected 5 to 128 letters, digits or characters of '_+- ()'")
    return title


def _person(name: str, person: object) -> dict[str, str]:
    if isinstance(person, str):
        return {"name": person}
    if not isinstance(person, Mapping) or "name" not in person or not set(person) <= _PERSON:
        raise TypeError(
            f"{name} is {value_text(person)}, expected a name, or a mapping with name and {sorted(_PERSON)}"
        )
    return dict(person)


def _tensors(found: Exported, place: Path, sizes: Sequence[Sizes]) -> dict[str, Any]:
    """The entries of input and output, whose test tensors are written."""
    for file, tensor in (("test_input.npy", found.example), ("test_output.npy", found.expected)):
        np.save(place / file, tensor.numpy())
    data = {"type": found.document["dtype"]}
    source = {
        "id": INPUT, "axes": input_axes(found, sizes), "test_tensor": _file(place / "test_input.npy"), "data": data,
        "preprocessing": preprocessing(found),
    }  # fmt: skip
    result = {
        "id": OUTPUT, "axes": output_axes(found, sizes), "test_tensor": _file(place / "test_output.npy"), "data": data,
    }  # fmt: skip
    return {"inputs": [source], "outputs": [result]}


def _weights(found: Exported, place: Path, formats: Sequence[str]) -> dict[str, Any]:
    """The entries of weights, which are written."""
    example = found.normalized(found.example)
    write_torchscript(found.program, example, place / "weights.pt")
    version = torch.__version__.split("+")[0]
    entries = {"torchscript": {**_file(place / "weights.pt"), "pytorch_version": version, "comment": _EXPANDED}}
    if "onnx" in formats:
        opset = write_onnx(found.program, example, place / "weights.onnx")
        entries["onnx"] = {**_file(place / "weights.onnx"), "opset_version": opset, "parent": "torchscript"}
    return entries


def _file(path: Path) -> dict[str, Any]:
    return {"source": path.name, "sha256": digest(path)}


def _documentation(title: str, found: Exported) -> str:
    groups = ", ".join(found.document["groups"]) or "no group"
    about = found.document.get("description", found.document["name"])
    return (
        f"# {title}\n\n{about}\n\nAn equivariant network for {groups}, of Equiconv: `{NETWORK_FILE}` is the network, "
        "the other weights are those of the equal network of ordinary convolutions.\n\n## Validation\n\n"
        "The network is equal, up to rounding, to the test tensors beside this file. How good its answers are on other "
        "images has to be measured on labeled images of their kind.\n"
    )

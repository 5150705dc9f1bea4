# SPDX-License-Identifier: Apache-2.0
"""The layout of WSInfer's model zoo: classifiers of patches of slides."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..._checks.arguments import LARGEST, integer, real
from .network import Exported, PathText, into_folder
from .program import write_torchscript

_COLORS = 3
# WSInfer gives networks the numbers 0 to 255 of a pixel as 0 to 1.
_WHITE = 255.0


def export_wsinfer(
    network: nn.Module | PathText,
    folder: PathText,
    *,
    patch_size: int,
    pixel_size: float | None = None,
    example: Tensor | None = None,
    name: str | None = None,
    description: str | None = None,
    classes: Sequence[str] | None = None,
    normalization: Mapping[str, Any] | None = None,
    architecture: str = "equiconv",
) -> Path:
    """Writes a classifier of patches in the layout of WSInfer's model zoo, which QuPath reads too.

    The folder gets ``config.json``; ``torchscript_model.pt``, which WSInfer runs: the network *expanded*
    (`equiconv.torch.expand`), since TorchScript has no layers of this package, with |H| times the weights of a group
    layer and equal up to rounding; and ``network.safetensors``, the network itself. WSInfer applies softmax to the
    scores, or the sigmoid to the only one.

    Args:
        network: a module, or the path of a network file. It reads (B, 3, rows, columns), and writes (B, classes).
        folder: made if it is not there.
        patch_size: rows and columns of patches.
        pixel_size: micrometers of a pixel; that of the network file unless given.
        example, name, description, classes, normalization: of a module, as for `save_network`. The classes are needed.
            Without a normalization the network reads numbers from 0 to 1.
        architecture: a word for the config.

    Returns:
        The path of ``config.json``.

    Raises:
        TypeError, ValueError: an argument of the wrong kind; a network that has no file, reads or writes something
            else, or has no classes or no size of pixels.
        OSError: the folder or a file cannot be read or written.

    Example:
        ``export_wsinfer("cells.safetensors", "cells", patch_size=48, pixel_size=0.25)``.

    Source: Kaczmarzyk et al., "Open and reusable deep learning for pathology with WSInfer and QuPath", npj Precision
    Oncology 2024; the schema of ``wsinfer-zoo``.
    """
    size = integer("patch_size", patch_size, 1, LARGEST)
    about: dict[str, Any] = {
        "name": name,
        "description": description,
        "classes": classes,
        "normalization": normalization,
    }
    if isinstance(network, nn.Module):
        about["pixel_size"] = pixel_size
    place = Path(folder)
    found = into_folder(network, place, example, about)
    spacing = _spacing(found, pixel_size)
    patch = torch.rand(1, _COLORS, size, size, dtype=found.example.dtype)
    names = _classes(found, patch)
    config = {
        "spec_version": "1.0",
        "architecture": architecture,
        "num_classes": len(names),
        "patch_size_pixels": size,
        "spacing_um_px": spacing,
        "class_names": names,
        "transform": _transform(found),
    }
    write_torchscript(found.program, patch, place / "torchscript_model.pt")
    path = place / "config.json"
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return path


def _classes(found: Exported, patch: Tensor) -> list[str]:
    """The names of classes, of a network that has a score for each for a patch."""
    entry, names = found.input, found.classes
    if (entry["dimension"], entry["channels"], found.document["dtype"]) != (2, _COLORS, "float32"):
        raise ValueError(
            f"network reads {entry['channels']} channels in {entry['dimension']} dimensions, "
            f"{found.document['dtype']}, expected {_COLORS} channels of images, float32"
        )
    if names is None or len(set(names)) < len(names):
        raise ValueError(f"network has the classes {names}, expected a list of different names")
    try:
        with torch.no_grad():
            shape = tuple(found.program(patch).shape)
    except RuntimeError as error:
        raise ValueError(f"patch_size is {patch.shape[-1]}, expected a size that the network reads: {error}") from error
    if shape != (1, len(names)):
        raise ValueError(f"network writes {shape} for a patch, expected (1, {len(names)}), a score for each class")
    return names


def _spacing(found: Exported, pixel_size: float | None) -> float:
    if pixel_size is not None:
        spacing = real("pixel_size", pixel_size)
    elif found.pixel_size is None:
        raise ValueError("pixel_size is None, expected micrometers: the network file has none")
    elif len(set(found.pixel_size)) > 1:
        raise ValueError(f"network has pixels of {list(found.pixel_size)} micrometers, expected squares")
    else:
        spacing = float(found.pixel_size[0])
    if not 0 < spacing < float("inf"):
        raise ValueError(f"pixel_size is {spacing}, expected micrometers above 0")
    return spacing


def _transform(found: Exported) -> list[dict[str, Any]]:
    """WSInfer's steps from a patch to what the network reads: numbers from 0 to 1, then mean and deviation."""
    normalization = found.about.normalization
    if normalization is None:
        return [{"name": "ToTensor"}]
    # (scale x - mean) / deviation of x = 255 t is (t - mean / (255 scale)) / (deviation / (255 scale)).
    unit = _WHITE * normalization.scale
    if unit <= 0:
        raise ValueError(f"normalization has the scale {normalization.scale}, expected one above 0 for WSInfer")
    mean, std = ([number / unit for number in row] for row in (normalization.mean, normalization.deviation))
    return [{"name": "ToTensor"}, {"name": "Normalize", "arguments": {"mean": mean, "std": std}}]

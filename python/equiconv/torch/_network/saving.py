# SPDX-License-Identifier: Apache-2.0
"""Modules to network files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ..._checks.arguments import boolean, value_text
from ..._checks.arrays import Array
from ..._checks.warnings import EquivarianceWarning
from ..._groups.point_group import PointGroup
from ..._network.about import About
from ..._network.builder import with_test
from ..._network.file import Document, Path, write_file
from ..._network.types import ValueType, layer_types
from .._backends import engine_only
from .._expanded.operands import check_numbers
from .._nn.sharded import check_is_whole, inside
from .._operators.layers import spec_of
from .constants import Constants
from .exporting import export, for_engine, has_largest_size, in_evaluation, input_of, output_names
from .loading import NetworkModule, network_of
from .places import refuse
from .rules.convolutions import RULES as CONVOLUTIONS
from .rules.leaves import LEAVES
from .rules.pointwise import RULES as POINTWISE
from .rules.pools import RULES as POOLS
from .rules.reshapes import RULES as RESHAPES
from .views import Tracked
from .walk import NeedsFixedSizesError, Walk

_RULES = {**CONVOLUTIONS, **POINTWISE, **POOLS, **RESHAPES}

# Of the largest number of an output: rounding in another order, far below what a wrong operation would do.
_TOLERANCE = {torch.float32: 1e-3, torch.float64: 1e-9}


def save_network(
    module: nn.Module,
    path: Path,
    example: Tensor,
    *,
    name: str | None = None,
    description: str | None = None,
    classes: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    normalization: Mapping[str, Any] | None = None,
    pixel_size: float | Sequence[float] | None = None,
    dynamic: bool = True,
    input_name: str = "x",
) -> None:
    """Writes a trained network as one file, which Equiconv runs without Python; see docs/NetworkFormat.md.

    The module is traced by `torch.export` in evaluation mode, and each step becomes an operation of the file. It may be
    made of the modules and functions of this package and of those of PyTorch that have an operation there; other steps
    are errors that say where they stand. Tensors have their names in the `state_dict`. What is computed from parameters
    alone, as by a parametrization, is computed once, and is a tensor ``weight`` or ``bias`` of its module. The module
    is in evaluation mode for that time, and otherwise does not change. What the file computes for the example is
    compared with the module.

    What ``torch.compile`` and ``DistributedDataParallel`` wrap is saved as without them.

    Layers are traced as the engine's, whatever their `backend`. Of a module on another device, or in half precision, a
    copy is traced, on the CPU and in float32, which holds the numbers of half precision exactly.

    Args:
        module: the network, on any device, of one dtype. It reads one signal and returns a tensor, or a tuple or a
            dictionary of tensors.
        path: of the file; one that is there is replaced.
        example: a signal (B, C, spatial...) or (B, C, |X|, spatial...), in the file afterwards with its outputs, as a
            test.
        name: for people; the name of the module's class if not given.
        description: for people.
        classes: names of the channels of the output; a dictionary by the names of outputs if there are several.
        normalization: a dictionary of ``mean`` and ``deviation``, numbers or one for each channel, and ``scale``: the
            file reads x, and computes ``module((scale x - mean) / deviation)``. The example is such an x.
        pixel_size: in micrometers, a number or one for each spatial axis.
        dynamic: whether the file should read all sizes that the module does; those of the example alone otherwise, and
            where the module needs them.
        input_name: of the input.

    Outputs are called ``y``; ``y0``, ``y1`` and so on in a tuple; and by their keys in a dictionary.

    Raises:
        TypeError: an argument of the wrong kind; parameters of another dtype than that of the example.
        ValueError: a step that is no operation of a file, with the module and the line of code where it stands; a
            module that `torch.export` cannot trace; parameters that are shared out between processes.
        OSError: the file cannot be written.

    Example:
        ``save_network(network, "network.safetensors", torch.zeros(1, 1, 28, 28), name="digits")``.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"module is of type {type(module).__name__}, expected a torch.nn.Module")
    module = inside(module)
    check_is_whole("module", module)
    _check_example(example)
    module, example = for_engine(module, example)
    kept = module.about if isinstance(module, NetworkModule) else About(type(module).__name__)
    about = About.checked(
        kept.name if name is None else name, description, classes, normalization, pixel_size, example.shape[1]
    )
    about = about.completed(kept)
    if not isinstance(input_name, str) or not input_name:
        kind = ValueError if isinstance(input_name, str) else TypeError
        raise kind(f"input_name is {value_text(input_name)}, expected a name")
    with in_evaluation(module), engine_only():
        document, tensors = _document(module, example, about, boolean("dynamic", dynamic), input_name)
    write_file(document, tensors, path)


def _check_example(example: Tensor) -> None:
    """Raises TypeError or ValueError."""
    check_numbers("example", example)
    if not 3 <= example.dim() <= 6 or 0 in example.shape:
        raise ValueError(
            f"example has shape {tuple(example.shape)}, expected (B, C, spatial...) or (B, C, |X|, spatial...), "
            "not empty"
        )


def _document(
    module: nn.Module, example: Tensor, about: About, dynamic: bool, input_name: str
) -> tuple[Document, dict[str, Array]]:
    """The document and the tensors, with a test."""
    try:
        walk, outputs = _walked(module, example, dynamic, input_name)
    except NeedsFixedSizesError:
        walk, outputs = _walked(module, example, False, input_name)
    x = example.detach().cpu().contiguous().numpy()
    results = _results(module, x if about.normalization is None else about.normalization.apply(x), example)
    if walk.normalization is not None:
        if about.normalization is not None:
            raise ValueError("normalization is given, and the module has one of its own: expected one of both")
        about = replace(about, normalization=walk.normalization)
    document = walk.builder.document(about, outputs)
    _compare(document, walk.builder.tensors, x, results)
    test, tensors = with_test(walk.builder.tensors, x, [result.numpy() for result in results])
    return document | {"test": test}, tensors


def _results(module: nn.Module, x: Array, example: Tensor) -> list[Tensor]:
    """The outputs of the module in their order."""
    with torch.no_grad():
        result = module(torch.from_numpy(x).to(example.device))
    leaves = torch.utils._pytree.tree_leaves(result)
    return [leaf.detach().cpu().contiguous().clone() for leaf in leaves]


def _walked(module: nn.Module, example: Tensor, dynamic: bool, input_name: str) -> tuple[Walk, list[tuple[str, str]]]:
    """A program as a document, and the outputs: their names and values. The space of the input is what fits."""
    try:
        program = export(module, example, dynamic)
    except ValueError as error:
        if not dynamic:
            raise
        raise NeedsFixedSizesError from error
    if dynamic and has_largest_size(program):
        raise NeedsFixedSizesError
    constants = Constants(program, module)
    x = input_of(program)
    best: tuple[int, Exception] | None = None
    for value in _input_types(module, program, example):
        walk = Walk(module, program, constants, _RULES, LEAVES)
        try:
            states = walk.run(x, value, input_name)
            names = module.output_names if isinstance(module, NetworkModule) else output_names(program)
            outputs = [(name, _output(walk, name, state)) for name, state in zip(names, states, strict=True)]
        except (TypeError, ValueError) as error:
            if best is None or walk.done > best[0]:
                best = (walk.done, error)
            continue
        return walk, outputs
    raise (
        best[1]
        if best is not None
        else ValueError(
            f"example has shape {tuple(example.shape)}, expected a signal on the plane, or on a group of the network"
        )
    )


def _input_types(module: nn.Module, program: Any, example: Tensor) -> Iterator[ValueType]:
    """What the input may be: a signal on the plane, or on a group that the network knows."""
    axes, channels = example.dim(), example.shape[1]
    if axes <= 5:
        yield ValueType(channels, axes - 2)
    spaces: list[ValueType] = []
    for node in program.graph.nodes:
        text = next((item for item in node.args if isinstance(item, str) and item.startswith("equiconv-layer/")), None)
        spaces += [] if text is None else layer_types(spec_of(text))
    named = [getattr(part, "group", None) for part in module.modules()]
    groups = [group for group in named if isinstance(group, PointGroup)]
    spaces += [ValueType(None, group.dimension, group) for group in groups]
    for space in dict.fromkeys(spaces):
        if space.group is not None and space.dimension == axes - 3 and space.fiber == example.shape[2]:
            yield replace(space, channels=channels)


def _output(walk: Walk, name: str, state: Any) -> str:
    """The name of the value of an output. Raises ValueError for what is no value."""
    if not isinstance(state, Tracked):
        raise ValueError(f"output {name} of the module does not depend on its input, expected a signal")
    last = list(walk.program.graph.nodes)[-1]
    if state.cell.type.dimension == 0 and state.without_ones().is_natural:
        if not state.is_natural:
            refuse(walk.module, state.node or last, f"gives output {name} axes of size 1, expected {state.cell.type}")
        return state.cell.name
    if state.is_natural and state.dtype == walk.dtype:
        return state.cell.name
    if not state.is_flat:
        refuse(walk.module, state.node or last, f"gives output {name} another shape than that of {state.cell.type}")
    return walk.flattened(state, state.node).cell.name


def _compare(document: Document, tensors: dict[str, Array], x: Array, expected: list[Tensor]) -> None:
    """Raises ValueError unless the document computes what the module does."""
    network = network_of(document, tensors).eval()
    with torch.no_grad(), warnings.catch_warnings():
        # The module has said it.
        warnings.simplefilter("ignore", EquivarianceWarning)
        result = network(torch.from_numpy(x))
    results = list(result.values()) if isinstance(result, dict) else [result]
    for output, found, wanted in zip(document["outputs"], results, expected, strict=True):
        bound = _TOLERANCE[wanted.dtype] * float(wanted.abs().nan_to_num().max()) if wanted.numel() else 0.0
        if found.shape != wanted.shape or not torch.allclose(found, wanted, rtol=0, atol=bound, equal_nan=True):
            difference = float((found - wanted).abs().max()) if found.shape == wanted.shape else float("nan")
            raise ValueError(
                f"the operations found in the module do not compute what it does: output {output['name']} of the "
                f"example differs by {difference:g} (shapes {tuple(found.shape)} and {tuple(wanted.shape)}). Does it "
                "change tensors in place, or compute something new at each call?"
            )

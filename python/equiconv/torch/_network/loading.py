# SPDX-License-Identifier: Apache-2.0
"""Network files to modules that train."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..._checks.arrays import Array
from ..._groups.point_group import PointGroup, parse_group
from ..._network.about import About
from ..._network.file import Document, Path, read_file
from ..._network.types import ValueType, written_type
from ..._network.values import input_type
from .choice import choose
from .modules import Normalize

_Held = tuple[nn.Module, str]


@dataclass
class _Call:
    """A call of a module: names of the values that it reads and writes, and tensors that it does not hold itself.

    The path of the module is known when all of the network is there.
    """

    module: nn.Module
    inputs: list[str]
    output: str
    tensors: dict[str, _Held]
    path: str = ""


class NetworkModule(nn.Module):
    """The network of a file as a module, which trains: its parameters have the names of the file's tensors.

    The modules of the operations are found by their names: ``network.get_submodule("layers.0")``. There are no
    parameters for what a file does not say, such as the momentum of batch norm, which is PyTorch's default.

    Attributes:
        about: what the document says of the network: name, description, classes, normalization and pixel size.
        output_names: of the outputs.

    Example:
        ``load_network("network.safetensors").about.name``.
    """

    def __init__(self, about: About, input_name: str, outputs: Mapping[str, str], calls: list[_Call]) -> None:
        super().__init__()
        self.about = about
        self.output_names = list(outputs)
        self._input_name = input_name
        self._outputs = dict(outputs)
        self._calls = calls

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        """The output for a signal; a dictionary of outputs by their names if there are several."""
        normalize: Any = self._modules.get("_normalize")
        values = {self._input_name: x if normalize is None else normalize(x)}
        for call in self._calls:
            tensors = {key: getattr(holder, name) for key, (holder, name) in call.tensors.items()}
            values[call.output] = self.get_submodule(call.path)(*(values[name] for name in call.inputs), **tensors)
        results = {name: values[value] for name, value in self._outputs.items()}
        return results if len(results) > 1 else next(iter(results.values()))


def load_network(path: Path) -> NetworkModule:
    """The network of a file as a module of PyTorch, which trains.

    Its parameters and buffers have the names and numbers of the file's tensors, so that its `state_dict` fits the
    module that was saved. Convolutions are layers of this package, such as `GroupConv`; those without a group are
    `torch.nn.Conv2d` and the like. `save_network` writes it again.

    Args:
        path: of a file that `save_network`, `equiconv.Sequential.save` or another program wrote.

    Returns:
        The module, in evaluation mode. It returns a tensor, or, if the network has several outputs, a dictionary.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no network file, of another version, or says what does not fit.

    Example:
        ``network = load_network("network.safetensors").train()``.
    """
    return network_of(*read_file(path)).eval()


def network_of(document: Document, tensors: Mapping[str, Array]) -> NetworkModule:
    """The network of a document and its tensors. Raises ValueError for what does not fit."""
    about, own = About.of(document), document["input"]
    groups = {name: parse_group(entry["text"]) for name, entry in document["groups"].items()}
    outputs = {output["name"]: output["value"] for output in document["outputs"]}
    builder = _Builder(document, tensors, groups)
    network = NetworkModule(about, own["name"], outputs, builder.calls)
    if about.normalization is not None:
        dtype = getattr(torch, document["dtype"])
        network.add_module("_normalize", Normalize(about.normalization, own["dimension"], dtype))
    for operation in document["operations"]:
        builder.add(network, operation)
    # By their names, so that modules can be replaced, as by `expand`.
    paths = {id(module): path for path, module in network.named_modules()}
    for call in builder.calls:
        call.path = paths[id(call.module)]
    missing = [value for value in outputs.values() if value not in builder.types]
    if missing:
        raise ValueError(f"outputs are {missing}, expected values that operations write")
    return network


class _Builder:
    """The modules and calls of operations, one after the other."""

    def __init__(self, document: Document, tensors: Mapping[str, Array], groups: Mapping[str, PointGroup]) -> None:
        self.calls: list[_Call] = []
        self.types = {document["input"]["name"]: input_type(document, groups)}
        self._groups = groups
        self._arrays = tensors
        self._shapes = {name: array.shape for name, array in tensors.items()}
        self._tensors: dict[str, Tensor] = {}
        self._known: list[tuple[dict[str, Any], _Call]] = []

    def add(self, network: NetworkModule, operation: dict[str, Any]) -> None:
        """Adds the module of an operation to the network, and its call."""
        try:
            inputs = [self.types[name] for name in operation["inputs"]]
            written = written_type(operation, inputs, self._shapes, self._groups)
        except KeyError as error:
            raise ValueError(f"operation {operation.get('name')!r} needs {error}, which is not there") from None
        if operation["output"] in self.types:
            raise ValueError(f"operation {operation['name']!r} writes {operation['output']!r}, which is there already")
        self.types[operation["output"]] = written
        call = self._again(operation) or self._first(network, operation, inputs)
        self.calls.append(_Call(call.module, list(operation["inputs"]), operation["output"], call.tensors))
        self._known.append((operation, self.calls[-1]))

    def _again(self, operation: dict[str, Any]) -> _Call | None:
        """The call of an earlier operation that is the same module, by its name and all that it has."""
        first = re.sub(r"_\d+$", "", operation["name"])
        if "weight" not in operation or first == operation["name"]:
            return None
        for known, call in self._known:
            places = ("name", "inputs", "output")
            if known["name"] == first and all(
                known.get(key) == operation.get(key) for key in {*known, *operation} - {*places}
            ):
                return call
        return None

    def _first(self, network: NetworkModule, operation: dict[str, Any], inputs: list[ValueType]) -> _Call:
        name = operation["name"]
        tensors = {key: self._arrays[operation[key]] for key in _tensor_keys(operation)}
        chosen = choose(operation, inputs, tensors, self._groups)
        attributes = {key: operation[key].rpartition(".") for key in _tensor_keys(operation)}
        holds = all(
            chosen.attributes.get(key) == attribute and not _is_above(owner, name)
            for key, (owner, _, attribute) in attributes.items()
        )
        module = chosen.module if holds and chosen.module is not None else chosen.function
        if module is None:
            raise AssertionError(f"no module for {operation}")
        module = _put(network, name, module)
        if module is chosen.module:
            for key, attribute in chosen.attributes.items():
                if key in operation:
                    self._give(module, attribute, operation[key], chosen.is_buffer(key))
            return _Call(module, [], "", {})
        return _Call(
            module, [], "", {key: self._held(network, operation[key], chosen.is_buffer(key)) for key in attributes}
        )

    def _give(self, module: nn.Module, attribute: str, tensor: str, is_buffer: bool) -> None:
        """Makes a tensor of the file that of a module."""
        setattr(module, attribute, self._tensor(tensor, is_buffer))

    def _held(self, network: NetworkModule, tensor: str, is_buffer: bool) -> _Held:
        """Where a tensor is held: in the module that its name says."""
        owner, _, attribute = tensor.rpartition(".")
        holder = _descend(network, owner)
        value = self._tensor(tensor, is_buffer)
        if attribute in holder._parameters or attribute in holder._buffers:
            return holder, attribute
        try:
            if isinstance(value, nn.Parameter):
                holder.register_parameter(attribute, value)
            else:
                holder.register_buffer(attribute, value)
        except KeyError as error:
            raise ValueError(f"tensor {tensor!r} cannot be that of a module of torch: {error}") from None
        return holder, attribute

    def _tensor(self, name: str, is_buffer: bool) -> Tensor:
        if name not in self._tensors:
            tensor = torch.from_numpy(self._arrays[name].copy())
            self._tensors[name] = tensor if is_buffer else nn.Parameter(tensor)
        return self._tensors[name]


def _tensor_keys(operation: Mapping[str, Any]) -> list[str]:
    return [key for key in ("weight", "bias", "mean", "variance") if key in operation]


def _is_above(owner: str, name: str) -> bool:
    """Whether a module holds another one."""
    return owner != name and (owner == "" or name.startswith(owner + "."))


def _descend(network: nn.Module, path: str) -> nn.Module:
    """The module of a path, made where there is none."""
    module = network
    for word in path.split(".") if path else []:
        child = module._modules.get(word)
        if child is None:
            child = nn.Module()
            try:
                module.add_module(word, child)
            except KeyError as error:
                raise ValueError(f"{path!r} cannot be the name of a module of torch: {error}") from None
        module = child
    return module


def _put(network: nn.Module, path: str, module: nn.Module) -> nn.Module:
    """Puts a module in its place, with what is in that place already."""
    owner, _, name = path.rpartition(".")
    holder = _descend(network, owner)
    known = holder._modules.get(name)
    if known is not None:
        for child, value in known.named_children():
            module.add_module(child, value)
        holder._modules[name] = module
        return module
    try:
        holder.add_module(name, module)
    except KeyError as error:
        raise ValueError(f"operation {path!r} cannot be the name of a module of torch: {error}") from None
    return module

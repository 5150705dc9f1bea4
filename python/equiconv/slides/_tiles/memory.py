# SPDX-License-Identifier: Apache-2.0
"""How much memory a run takes."""

from __future__ import annotations

from math import prod

from ..._network.network import Network
from .._sources.source import Source
from .plan import TilePlan


def plan_memory(network: Network, source: Source, plan: TilePlan) -> int:
    """The bytes that a run takes beyond the process before, as the formula of `predict` has them.

    Runs the network twice on zeros of the size of the largest read, to learn what its operations need.

    Args:
        network, source, plan: of the run.
    """
    height, width = plan.largest_read()
    shape = (1, source.channels, height, width)
    size = network.dtype.itemsize
    inputs = source.channels * height * width * (2 * size + source.dtype.itemsize)
    written = [prod(network.output_shape(shape, number)) for number in range(len(network.output_names))]
    blocks = sum(output.channels * prod(output.chunk) for output in plan.outputs)
    return inputs + 2 * network_memory(network, shape) + (sum(written) + 3 * blocks) * size


def network_memory(network: Network, shape: tuple[int, ...]) -> int:
    """The bytes that a call needs beside input and outputs: values that are needed at a time, workspaces, weights.

    Args:
        network: which.
        shape: of the input.
    """
    explanation = network.explain(shape)
    document = network.document
    sizes = {document["input"]["name"]: 0}
    last_use = {name: number for number, each in enumerate(document["operations"]) for name in each["inputs"]}
    written = {output["value"] for output in document["outputs"]}
    steps = {step.position: step for step in explanation.operations}
    largest, live = 0, dict[str, int]()
    for number, operation in enumerate(document["operations"]):
        name, step = operation["output"], steps.get(number)
        # An operation that is folded into another writes where it reads.
        read = max(sizes[value] for value in operation["inputs"])
        found = read if step is None else prod(step.shape) * network.dtype.itemsize
        live[name] = sizes[name] = 0 if name in written else found
        if step is not None:
            largest = max(largest, sum(live.values()) + step.workspace_bytes)
        live = {value: count for value, count in live.items() if last_use.get(value, -1) > number}
    weights = sum(step.weight_bytes + step.transform_bytes for step in explanation.operations)
    return largest + weights

# SPDX-License-Identifier: Apache-2.0
"""Prints as JSON what each case gives with both layers; names of cases as arguments restrict it to these.

``python -m jax_sharding engine`` or ``xla``, the backend of our layers, in a process of its own, which
`jax/test_sharding.py` starts: it gets four devices.
"""

from __future__ import annotations

import json
import os
import re
import sys
import warnings
from functools import partial

if __name__ == "__main__":
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import jax
import numpy as np

from .cases import CASES, REFUSED, names
from .layers import DATA, loss_of, operands, ours, theirs
from .partitioned import put


def run(case, layer, backend):
    arrays = operands(layer)
    results = []
    for make in (partial(ours, backend=backend), theirs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            leaves = jax.tree.leaves(CASES[case](make(layer), arrays))
        results.append([leaf if isinstance(leaf, str) else np.asarray(leaf) for leaf in leaves])
    return compare(*results)


def compare(mine, other):
    """What differs, in words; nothing if all is equal up to rounding."""
    if len(mine) != len(other):
        return [f"{len(mine)} results, expected {len(other)}"]
    wrong = []
    for one, expected in zip(mine, other, strict=True):
        if isinstance(one, str):
            wrong += [] if one == expected else [f"{one}, expected {expected}"]
        elif one.shape != expected.shape or not np.any(expected):
            wrong.append(f"shape {one.shape}, expected {expected.shape}")
        elif not np.allclose(one, expected, rtol=1e-10, atol=1e-12):
            wrong.append(f"off by {np.max(np.abs(one - expected)):.3}, largest {np.max(np.abs(expected)):.3}")
    return wrong


def refuse(case, backend):
    """The exceptions of ours and of theirs."""
    errors = []
    for make in (partial(ours, backend=backend), theirs):
        try:
            jax.block_until_ready(REFUSED[case](make("lifting"), operands("lifting")))
        except Exception as error:
            errors.append(type(error).__name__)
        else:
            errors.append("accepted")
    return errors


def programs(backend):
    """What the partitioner made of a training step: calls of handlers, batches of convolutions, and collectives."""
    found = {}
    for layer in ("isotropic", "lifting", "group", "projection"):
        arguments = put(operands(layer), *DATA)
        step = jax.jit(jax.value_and_grad(loss_of(ours(layer, backend)), (0, 1, 2)))
        text = step.lower(*arguments).compile().as_text()
        calls = re.findall(r"= f64\[(\d+)[^\n]*custom_call_target=\"equiconv_(\w+)\"", text)
        # Of those whose result is a signal, (B, 5, 5, channels), not a bank.
        batches = re.findall(r"= f64\[(\d+),5,5,\d+\]\S* convolution\(", text)
        collectives = re.findall(r" (all-gather|all-to-all|collective-permute|all-reduce)(?:-start)?\(", text)
        found[layer] = {
            "calls": {name: int(batch) for batch, name in calls},
            "batches": sorted({int(batch) for batch in batches}),
            "collectives": collectives,
        }
    return found


def main():
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_disable_most_optimizations", True)
    results = {}
    backend, *chosen = sys.argv[1:]
    for case, layer in names():
        if chosen and case not in chosen:
            continue
        try:
            results[f"{case}, {layer}"] = run(case, layer, backend)
        except Exception as error:
            results[f"{case}, {layer}"] = [f"{type(error).__name__}: {str(error)[:1000]}"]
    refused = {case: refuse(case, backend) for case in REFUSED}
    print(json.dumps({"equal": results, "refused": refused, "programs": programs(backend)}))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""``python -m equiconv``: network files on the command line."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import numpy as np

from .._checks.arrays import Array
from .._machine.config import set_num_threads
from .check import check_network, outputs_of
from .explanation import channels_text, time_text
from .network import Network, load_network

_SLIDES = "slides"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; its exit status: 0, 1 for a failed check or failed tiles of a slide, 2 for a wrong call."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == [_SLIDES]:
        return int(import_module("equiconv.slides._run.commands").main(given[1:]))
    options = _parser().parse_args(given)
    try:
        return int(options.run(options))
    except (OSError, ValueError, TypeError) as error:
        print(f"python -m equiconv {options.command}: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m equiconv", description="Runs trained networks that are files.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, run, text in (
        ("info", _info, "prints what is in a file: operations, shapes, parameters"),
        ("run", _run, "computes the output for an array"),
        ("bench", _bench, "measures the time of a call, and of each operation"),
        ("check", _check, "runs the file's own test, and measures equivariance; exit status 1 if one fails"),
    ):
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        command.set_defaults(run=run)
        command.add_argument("file", metavar="FILE", help="a network file")
        command.add_argument("--threads", type=int, help="the number of threads")
        if name != "run":
            command.add_argument("--size", type=int, help="pixels of the axes whose extents are free")
        if name != "check":
            command.add_argument("--exact", action="store_true", help="equivariant to the last bit")
        if name == "bench":
            command.add_argument("--batch", type=int, default=1, help="1 unless given")
            command.add_argument("--seconds", type=float, default=1.0, help="to measure for; 1 unless given")
        if name == "run":
            command.add_argument("input", metavar="INPUT.npy", help="(batch, channels, ...); integers are converted")
            command.add_argument("-o", "--output", required=True, metavar="OUTPUT", help=".npy, or .npz for several")
    # Listed here; what follows it is parsed where it is known, with packages that others need not have.
    commands.add_parser(_SLIDES, help="computes the outputs for whole slides: see slides --help", add_help=False)
    return parser


def _load(options: argparse.Namespace) -> Network:
    if options.threads is not None:
        set_num_threads(options.threads)
    return load_network(options.file, "exact" if getattr(options, "exact", False) else "fast")


def _info(options: argparse.Namespace) -> int:
    network = _load(options)
    document = network.document
    given = document["input"]
    print(network)
    if document.get("description"):
        print(document["description"])
    axes = ", ".join(given.get("axes", []))
    print(f"input {given['name']}: ({axes}), {channels_text(given['channels'])}, {network.dtype}")
    if given.get("normalization") is not None:
        print(f"  normalized in the network: {given['normalization']}")
    for output in document["outputs"]:
        classes = output.get("classes")
        print(f"output {output['name']}: ({', '.join(output.get('axes', []))})" + (f", {classes}" if classes else ""))
    print(f"groups: {', '.join(document['groups'])}")
    if document.get("geometry"):
        print("geometry: " + ", ".join(f"{name} {value}" for name, value in document["geometry"].items()))
    print(network.summary(network.example_shape(1, options.size)))
    return 0


def _run(options: argparse.Namespace) -> int:
    network = _load(options)
    x = _numbers(np.load(options.input, allow_pickle=False), network)
    outputs = dict(zip(network.output_names, outputs_of(network, x), strict=True))
    target = Path(options.output)
    if target.suffix == ".npz":
        np.savez(target, **outputs)  # type: ignore[arg-type]
    elif len(outputs) == 1:
        with target.open("wb") as file:
            np.save(file, next(iter(outputs.values())))
    else:
        raise ValueError(f"OUTPUT is {options.output}, expected a name with .npz for the {len(outputs)} outputs")
    for name, value in outputs.items():
        print(f"{name} {value.shape}{_best(network, value)}")
    return 0


def _numbers(x: Array, network: Network) -> Array:
    """Integers, such as the pixels of images, in the network's dtype; other arrays as they are."""
    if x.dtype.kind not in "iu":
        return x
    largest = 2 ** (np.finfo(network.dtype).nmant + 1)
    for value in (int(x.max(initial=0)), int(x.min(initial=0))):
        if abs(value) > largest:
            raise ValueError(f"INPUT.npy has {value}, expected integers up to {largest}, which {network.dtype} has")
    return x.astype(network.dtype)


def _best(network: Network, scores: Array) -> str:
    """The most likely classes of a batch of scores, if they have names."""
    if network.classes is None or scores.ndim != 2 or scores.shape[1] != len(network.classes):
        return ""
    return ": " + ", ".join(network.classes[number] for number in scores.argmax(axis=1))


def _bench(options: argparse.Namespace) -> int:
    network = _load(options)
    shape = network.example_shape(options.batch, options.size)
    x = np.random.default_rng(0).standard_normal(shape).astype(network.dtype)
    start = time.perf_counter()
    network.reserve(shape)
    print(f"input {shape}: plans and transforms in {time_text(time.perf_counter() - start)}")
    times: list[float] = []
    end = time.perf_counter() + options.seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        network(x)
        times.append(time.perf_counter() - start)
    middle = float(np.median(times))
    least = f"least {time_text(min(times))} of {len(times)} calls"
    print(f"median {time_text(middle)}, {least}; {shape[0] / middle:.3g} inputs/s")
    print(network.explain(shape))
    return 0


def _check(options: argparse.Namespace) -> int:
    fast, exact = _load(options), load_network(options.file, "exact")
    x = None
    if options.size is not None:
        shape = fast.example_shape(1, options.size)
        x = np.random.default_rng(0).standard_normal(shape).astype(fast.dtype)
    findings = []
    for finding in check_network(fast, exact, x):
        print(finding)
        findings.append(finding)
    failed = sum(not finding.holds for finding in findings)
    print(f"{len(findings) - failed} hold, {failed} do not")
    return 1 if failed else 0

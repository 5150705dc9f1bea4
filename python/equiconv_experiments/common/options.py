# SPDX-License-Identifier: Apache-2.0
"""The command line that the experiments have in common, and the process they run in."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Collection
from pathlib import Path
from typing import Any

import equiconv as eq
import numpy
import scipy
import sklearn
import torch

__all__ = ["add_options", "check_options", "device_text", "environment", "parser_of", "set_up_process"]

MOST_SEED = 2**31 - 1


def parser_of(experiment: str, description: str | None) -> argparse.ArgumentParser:
    """A parser without options, for ``python -m equiconv.experiments.experiment``."""
    return argparse.ArgumentParser(
        prog=f"python -m equiconv.experiments.{experiment}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_options(
    parser: argparse.ArgumentParser, networks: Collection[str], default_networks: str, output_dir: str, epochs: int
) -> None:
    """Adds the options that all experiments have. Those not given are None where --quick has another default."""
    parser.add_argument("--output-dir", type=Path, default=Path(output_dir), help="where everything goes")
    parser.add_argument("--seeds", help="seeds of weights and order, by commas; 0,1,2 by default")
    parser.add_argument("--epochs", type=int, help=f"how often each image is seen; {epochs} by default")
    parser.add_argument("--networks", default=default_networks, help=f"by commas, of {', '.join(networks)}; or all")
    # Networks and images are so small that a second thread gains little, and loses much where the other core is busy.
    parser.add_argument("--threads", type=int, default=1, help="threads to compute with; results may depend on it")
    parser.add_argument(
        "--jobs",
        type=int,
        help="trainings at a time, each in a process with these threads; by default as many as there are processors "
        "for, or 1 with --quick; results do not depend on it",
    )
    parser.add_argument("--device", default="cpu", help="what PyTorch trains on, such as cuda; cpu by default")
    parser.set_defaults(full_epochs=epochs)
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes; the figures mean nothing")


def check_options(parser: argparse.ArgumentParser, options: argparse.Namespace, networks: Collection[str]) -> None:
    """Turns lists into tuples and checks ranges; ends the process with status 2 and a message where they are wrong."""
    options.networks = tuple(networks) if options.networks == "all" else _names(parser, options.networks, networks)
    options.seeds = _seeds(
        parser, options.seeds if options.seeds is not None else ("0,1" if options.quick else "0,1,2")
    )
    if options.epochs is None:
        options.epochs = 2 if options.quick else options.full_epochs
    if options.epochs < 1:
        parser.error(f"--epochs is {options.epochs}, expected 1 or more")
    if not 1 <= options.threads <= 1024:
        parser.error(f"--threads is {options.threads}, expected 1 to 1024")
    if options.jobs is None:
        # A worker needs seconds to begin, which is as long as all of a quick run.
        options.jobs = 1 if options.quick else max(1, _processors() // options.threads)
    if not 1 <= options.jobs <= 1024:
        parser.error(f"--jobs is {options.jobs}, expected 1 to 1024")
    _check_device(parser, options.device)


def _check_device(parser: argparse.ArgumentParser, name: str) -> None:
    """Ends the process with a message unless PyTorch has the device and can put numbers there and back."""
    try:
        torch.zeros(1, device=name).cpu()
    except Exception as error:  # devices raise what their libraries do
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        parser.error(f"--device is {name!r}, expected cpu or another device that PyTorch has here: {reason}")


def device_text(name: str) -> str:
    """A device, with the name of the model where it is a GPU of NVIDIA or AMD."""
    device = torch.device(name)
    return f"{name} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else name


def _processors() -> int:
    """How many this process may run on, or how many there are, where the system does not say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _names(parser: argparse.ArgumentParser, text: str, networks: Collection[str]) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in networks:
            parser.error(f"--networks has {name!r}, expected some of {', '.join(networks)}, by commas, or all")
    if len(set(names)) < len(names):
        parser.error(f"--networks is {text}, expected each at most once")
    return names


def _seeds(parser: argparse.ArgumentParser, text: str) -> tuple[int, ...]:
    try:
        seeds = tuple(int(part) for part in text.split(","))
    except ValueError:
        parser.error(f"--seeds is {text!r}, expected numbers by commas, such as 0,1,2")
    for seed in seeds:
        if not 0 <= seed <= MOST_SEED:
            parser.error(f"--seeds has {seed}, expected 0 to {MOST_SEED}")
    if len(set(seeds)) < len(seeds):
        parser.error(f"--seeds is {text}, expected each at most once")
    return seeds


def set_up_process(threads: int) -> None:
    """Makes results depend on nothing but the configuration: fixed threads, deterministic operations."""
    torch.set_num_threads(threads)
    eq.set_num_threads(threads)
    # What PyTorch asks for where matrices are multiplied on a GPU; without effect elsewhere.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)


def environment() -> dict[str, Any]:
    """What else the last bits of results depend on: versions and the instruction sets in use."""
    return {
        "equiconv": eq.__version__,
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "python": platform.python_version(),
        "instruction_set": eq.config()["instruction set"],
        "torch_instruction_set": torch.backends.cpu.get_cpu_capability(),
        "processor": _processor(),
    }


def _processor() -> str:
    """The model's name from Linux, or what Python knows of it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} processors" if names else platform.processor()

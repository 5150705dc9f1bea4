# SPDX-License-Identifier: Apache-2.0
"""The steps of the benchmark of slides, each in a process of its own, so that its peak of memory is its own.

    python benchmarks/slides/steps.py '{"step": "run", ...}'

prints its result as the last line, in JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import equiconv as eq
import numpy as np
from equiconv._reach.methods import steady_network
from subjects import make_files, source_of

REPEATS = 3


def peak() -> int:
    """Bytes that this process has had at most. Not those of `getrusage`, which begin with its parent's."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def least(call: Callable[[], object], repeats: int = REPEATS) -> float:
    """Seconds of the fastest of some calls."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def files(folder: str) -> dict[str, Any]:
    """Writes the network in both forms."""
    make_files(Path(folder))
    return {"size": Path(folder, "network.safetensors").stat().st_size}


def middle(extent: int, part: int) -> Any:
    """A mask of the pixels of a square of `part` pixels in the middle of a slide; None for all of it."""
    if part >= extent:
        return None
    count = max(1, extent // part)
    mask = np.zeros((count, count), np.uint8)
    mask[count // 2, count // 2] = 1
    return mask


def run(
    folder: str, kind: str, extent: int, tile: int, mode: str, threads: int, workers: int, part: int
) -> dict[str, Any]:
    """`predict` over a slide, or over a part of it, into a folder of Zarr that is removed afterwards."""
    source, path = source_of(kind, extent), str(Path(folder, "network.safetensors"))
    eq.set_num_threads(threads)
    options: dict[str, Any] = {"tile": tile, "mode": mode, "mask": middle(extent, part)}
    before = peak()
    with TemporaryDirectory(dir=folder) as place:
        start = time.perf_counter()
        found = eq.slides.predict(path, source, f"{place}/scores.zarr", client=client_of(workers, threads), **options)
        seconds = time.perf_counter() - start
        written = sum(file.stat().st_size for file in Path(place).rglob("*") if file.is_file())
    times = {name: getattr(found.times, name) for name in ("reading", "network", "writing", "pyramid", "total")}
    found_parts = {"tiles": found.tiles.computed, "failed": len(found.failed), "written": written}
    sizes = {"peak": peak(), "before": before, "pixels": pixels_of(found.tiles.computed, tile, extent)}
    return {"seconds": seconds, "times": times, **sizes, **found_parts}


def pixels_of(tiles: int, tile: int, extent: int) -> int:
    """The pixels that so many tiles stand for."""
    return min(tiles * tile**2, extent**2)


def client_of(workers: int, threads: int) -> Any:
    """A client of so many processes of a thread each; None for this process."""
    if workers == 0:
        return None
    import distributed

    cluster = distributed.LocalCluster(
        n_workers=workers, threads_per_worker=max(1, threads // workers), dashboard_address=":0"
    )
    client = distributed.Client(cluster)
    client.wait_for_workers(workers)
    client.run(lambda: __import__("equiconv.slides"))
    return client


def piece(folder: str, kind: str, size: int, tile: int, mode: str, threads: int) -> dict[str, Any]:
    """The network on one piece of a slide, and whether tiles have its bits."""
    source, path = source_of(kind, size), str(Path(folder, "network.safetensors"))
    eq.set_num_threads(threads)
    loaded = eq.load_network(path)
    network = steady_network(loaded, (size, size)) if mode == "exact" else loaded
    x = source.read((0, 0), (size, size))[None].astype(np.float32)
    network.reserve(x.shape)
    whole: Any = network(x)
    seconds = least(lambda: network(x))
    found = eq.slides.predict(path, source, tile=tile, mode=mode).array
    return {"seconds": seconds, "pixels": size**2, "same_bits": bool(np.array_equal(found, whole[0]))}


def onnx(folder: str, kind: str, extent: int, tile: int, mode: str, threads: int) -> dict[str, Any]:
    """A tile in the middle of a slide, by ONNX Runtime with expanded weights and by Equiconv, one after the other."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(str(Path(folder, "network.onnx")), options, providers=["CPUExecutionProvider"])
    eq.set_num_threads(threads)
    loaded = eq.load_network(Path(folder, "network.safetensors"))
    network = steady_network(loaded, (extent, extent)) if mode == "exact" else loaded
    field = eq.receptive_field(network)
    side = tile + field.before[0] + field.after[0]
    x = source_of(kind, extent).read((0, 0), (side, side))[None].astype(np.float32)
    name = session.get_inputs()[0].name
    theirs, ours = session.run(None, {name: x})[0], network(x)
    rounds = [(least(lambda: session.run(None, {name: x}), 1), least(lambda: network(x), 1)) for _ in range(5)]
    error = float(np.abs(theirs - ours).max())
    return {"onnx": min(a for a, _ in rounds), "equiconv": min(b for _, b in rounds), "difference": error, "side": side}


STEPS: dict[str, Callable[..., dict[str, Any]]] = {"files": files, "run": run, "piece": piece, "onnx": onnx}

if __name__ == "__main__":
    arguments = json.loads(sys.argv[1])
    result = STEPS[arguments.pop("step")](**arguments)
    print("\n" + json.dumps(result), flush=True)

# SPDX-License-Identifier: Apache-2.0
"""Compiles probes.c and measures the processor's multiply-add peak and the cost of a call from C."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
import threading
from pathlib import Path

import equiconv as eq
import numpy as np

HERE = Path(__file__).resolve().parent


class Descriptor(ctypes.Structure):
    """equiconv_descriptor of include/equiconv.h."""

    _fields_ = (
        ("struct_size", ctypes.c_size_t),
        ("group", ctypes.c_void_p),
        *[(name, ctypes.c_int32) for name in ("layer", "dtype", "mode", "algorithm", "dimension", "channel_groups")],
        ("in_channels", ctypes.c_int64),
        ("out_channels", ctypes.c_int64),
        *[(name, ctypes.c_int64 * 3) for name in ("spatial", "kernel", "stride", "padding", "dilation")],
        *[(name, ctypes.c_void_p) for name in ("basis", "group_basis", "input_stabilizer", "output_stabilizer")],
        *[(name, ctypes.c_int32) for name in ("interpolation", "quadrature")],
    )


class Probes:
    """The compiled probes."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        library = Path(self._folder.name) / "probes.so"
        command = ["cc", "-O2", "-ffp-contract=fast", "-shared", "-fPIC", str(HERE / "probes.c"), "-o", str(library)]
        subprocess.run(command, check=True)
        self._library = ctypes.CDLL(str(library))

    def peak(self, isa: str, dtype: str, threads: int, milliseconds: float = 20) -> float:
        """Multiply-add operations a second, two for each, of `threads` threads together."""
        probe = getattr(self._library, f"peak_{isa}_{dtype}")
        probe.restype, probe.argtypes = ctypes.c_double, [ctypes.c_int64]
        count = int(milliseconds * 1e-3 * 3e9 / 12)
        rates = [0.0] * threads

        def run(index: int) -> None:
            rates[index] = probe(count)

        workers = [threading.Thread(target=run, args=(index,)) for index in range(1, threads)]
        for worker in workers:
            worker.start()
        run(0)
        for worker in workers:
            worker.join()
        return sum(rates)

    def small_call_from_c(self, count: int = 20_000) -> float:
        """Seconds of one lifting convolution of a 1×1×8×8 image with a 3×3 kernel for C4, called from C."""
        package = Path(eq.__file__).parent
        engine = ctypes.CDLL(str(next(package.glob("libequiconv.so*"))))
        group = ctypes.c_void_p()
        engine.equiconv_group_create_cyclic(ctypes.c_int64(4), ctypes.byref(group))
        three = ctypes.c_int64 * 3
        descriptor = Descriptor(
            ctypes.sizeof(Descriptor), group, 1, 0, 0, 0, 2, 1, 1, 1,
            three(8, 8), three(3, 3), three(1, 1, 1), three(1, 1), three(1, 1, 1),
        )  # fmt: skip
        x, w, y = (np.ones(shape, np.float32) for shape in ((1, 1, 8, 8), (1, 1, 3, 3), (1, 1, 4, 8, 8)))
        timer = self._library.time_simple_call
        timer.restype = ctypes.c_double
        address = ctypes.cast(engine.equiconv_lifting_conv, ctypes.c_void_p)
        arrays = [ctypes.c_void_p(array.ctypes.data) for array in (x, w, y)]
        seconds = min(
            timer(address, ctypes.byref(descriptor), ctypes.c_int64(1), *arrays, ctypes.c_int64(count // 10))
            for _ in range(10)
        )
        engine.equiconv_group_destroy(group)
        if seconds < 0:
            raise RuntimeError("the call from C failed")
        return float(seconds)

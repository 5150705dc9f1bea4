# SPDX-License-Identifier: Apache-2.0
"""One file has the same bits in Python, C, C++ and Rust."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
from pathlib import Path

import equiconv as eq
import numpy as np
import pytest
from equiconv._network.file import write_file
from networks import classifier
from paths import ROOT

ENGINE = next(Path(importlib.import_module("equiconv._native").__file__).parent.glob("libequiconv.so.*"))
PIXELS = np.random.default_rng(3).integers(0, 256, (11, 13, 3), dtype=np.uint8)
FLAGS = ("-O1", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{ROOT / 'include'}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the engine under the name that linkers look for, a network of three channels and a picture."""
    folder = tmp_path_factory.mktemp("languages")
    (folder / "libequiconv.so").symlink_to(ENGINE)
    (folder / ENGINE.name).symlink_to(ENGINE)
    document, tensors = classifier(outputs=("scores",))
    document["input"]["channels"] = 3
    document["input"]["normalization"] = {"scale": 1 / 255, "mean": [0.5, 0.4, 0.3], "deviation": [0.2, 0.3, 0.25]}
    tensors["lift.weight"] = np.random.default_rng(4).standard_normal((4, 3, 3, 3)).astype(np.float32)
    write_file(document, tensors, folder / "network")
    (folder / "image.ppm").write_bytes(b"P6\n13 11\n255\n" + PIXELS.tobytes())
    return folder


def compiled(folder, compiler, *arguments):
    """A program, or a skipped test where there is no such compiler."""
    path = shutil.which(compiler)
    if path is None:
        pytest.skip(f"no {compiler}")
    subprocess.run([path, *arguments], cwd=folder, check=True)


def scores(folder, program):
    """The float32 numbers that a program prints behind the names of classes."""
    environment = os.environ | {
        "LD_LIBRARY_PATH": os.pathsep.join([str(folder), os.environ.get("LD_LIBRARY_PATH", "")])
    }
    with (folder / "image.ppm").open("rb") as image:
        result = subprocess.run(
            [folder / program, folder / "network"],
            stdin=image,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    words = [line.split() for line in result.stdout.splitlines()]
    assert [name for name, _ in words] == ["cat", "dog", "übrig"]
    return np.array([number for _, number in words], np.float64).astype(np.float32)


def expected(folder):
    x = np.ascontiguousarray(PIXELS.transpose(2, 0, 1)[None], np.float32)
    return eq.load_network(folder / "network")(x)[0]


def test_c_has_the_bits_of_python(folder):
    source = ROOT / "examples" / "c" / "classify.c"
    compiled(folder, "cc", "-std=c11", *FLAGS, source, "-L.", "-lequiconv", "-Wl,--allow-shlib-undefined", "-o", "in_c")
    assert np.array_equal(scores(folder, "in_c"), expected(folder))


def test_cplusplus_has_the_bits_of_python(folder):
    source = ROOT / "examples" / "cpp" / "classify.cpp"
    compiled(
        folder, "c++", "-std=c++17", *FLAGS, source, "-L.", "-lequiconv", "-Wl,--allow-shlib-undefined", "-o", "in_cpp"
    )
    assert np.array_equal(scores(folder, "in_cpp"), expected(folder))


@pytest.mark.slow
def test_rust_has_the_bits_of_python(folder):
    rust = ROOT / "examples" / "rust"
    options = ("--edition", "2021", "-O", "-L", "native=.", "-C", "link-arg=-Wl,--allow-shlib-undefined")
    compiled(
        folder, "rustc", *options, "--crate-type", "rlib", "--crate-name", "equiconv", rust / "src" / "lib.rs",
        "-o", "libequiconv.rlib",
    )  # fmt: skip
    extern = ("--extern", "equiconv=libequiconv.rlib")
    compiled(folder, "rustc", *options, *extern, rust / "examples" / "classify.rs", "-o", "in_rust")
    assert np.array_equal(scores(folder, "in_rust"), expected(folder))

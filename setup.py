# SPDX-License-Identifier: Apache-2.0
"""Builds the engine (Swift) and the extension (C) that links it. Metadata is in pyproject.toml."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
PACKAGE = "equiconv"
LIBRARY = "libequiconv.so"


def version() -> str:
    """The version, of which include/equiconv.h is the one source."""
    header = (ROOT / "include" / "equiconv.h").read_text(encoding="utf-8")
    parts = [re.search(rf"#define EQUICONV_VERSION_{part} (\d+)", header) for part in ("MAJOR", "MINOR", "PATCH")]
    return ".".join(part.group(1) for part in parts if part is not None)


def build_library() -> Path:
    """The engine's shared library: the one in EQUICONV_LIBRARY_DIR, or made by `swift build`."""
    given = os.environ.get("EQUICONV_LIBRARY_DIR")
    if given:
        library = Path(given).resolve() / LIBRARY
        if not library.exists():
            raise SystemExit(f"EQUICONV_LIBRARY_DIR is {given}, expected a directory with {LIBRARY}")
        return library
    if shutil.which("swift") is None:
        raise SystemExit("swift is not on the PATH; install Swift 6.2 or later, or set EQUICONV_LIBRARY_DIR")
    scratch = ROOT / ".build" / "c"
    command = [
        "swift", "build", "--package-path", str(ROOT), "--scratch-path", str(scratch), "-c", "release",
        "-Xswiftc", "-static-stdlib", "--product", "equiconv",
        "-Xlinker", f"--version-script={ROOT / 'packaging' / 'equiconv.map'}",
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return scratch / "release" / LIBRARY


def soname(library: Path) -> str:
    """The name under which the loader looks for `library`."""
    dynamic = subprocess.run(["readelf", "-d", str(library)], check=True, capture_output=True, text=True).stdout
    found = re.search(r"\(SONAME\).*\[(.+)\]", dynamic)
    return found.group(1) if found else library.name


class BuildWithEngine(build_ext):
    """Builds the engine first, links the extension to it, and puts it next to the extension."""

    def run(self) -> None:
        """Builds everything, in the source tree too for an editable installation."""
        library = build_library()
        name = soname(library)
        linked = Path(self.build_temp) / "engine"
        linked.mkdir(parents=True, exist_ok=True)
        shutil.copy2(library, linked / name)
        if name != LIBRARY:
            shutil.copy2(library, linked / LIBRARY)
        for extension in self.extensions:
            extension.library_dirs.append(str(linked))
            extension.depends.append(str(linked / name))
        super().run()
        destinations = [Path(self.build_lib) / PACKAGE]
        if self.inplace:
            destinations.append(ROOT / "python" / PACKAGE)
        for destination in destinations:
            destination.mkdir(parents=True, exist_ok=True)
            shutil.copy2(library, destination / name)


WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-fvisibility=hidden"]
HEADERS = [*map(str, sorted(Path("include").rglob("*.h"))), f"python/{PACKAGE}/_recipes.h"]

sources = [
    "_native.c",
    "_native_group.c",
    "_native_bases.c",
    "_native_kernel.c",
    "_native_weight.c",
    "_native_layer.c",
    "_native_convolution.c",
    "_native_explanation.c",
    "_native_expansion.c",
    "_native_signal.c",
    "_recipes.c",
]
native = Extension(
    f"{PACKAGE}._native",
    sources=[f"python/{PACKAGE}/{source}" for source in sources],
    depends=[f"python/{PACKAGE}/_native.h", *HEADERS],
    include_dirs=["include", numpy.get_include()],
    libraries=["equiconv"],
    extra_compile_args=WARNINGS,
    extra_link_args=["-Wl,-rpath,$ORIGIN"],
)

# The handlers of equiconv.jax. They need one header of XLA, which is in third_party, and nothing of JAX to be built.
handlers = Extension(
    f"{PACKAGE}._jax",
    sources=[
        f"python/{PACKAGE}/{source}"
        for source in ("_jax.c", "_jax_handlers.c", "_jax_layer.c", "_jax_words.c", "_recipes.c")
    ],
    depends=[f"python/{PACKAGE}/_jax.h", "third_party/xla/xla/ffi/api/c_api.h", *HEADERS],
    include_dirs=["include", "third_party/xla"],
    libraries=["equiconv"],
    extra_compile_args=WARNINGS,
    extra_link_args=["-Wl,-rpath,$ORIGIN"],
)

setup(version=version(), license="Apache-2.0", ext_modules=[native, handlers], cmdclass={"build_ext": BuildWithEngine})

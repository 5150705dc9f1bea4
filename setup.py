# SPDX-License-Identifier: Apache-2.0
"""Builds the extensions (C) and lays beside them the engine's library (Swift), which packaging/c.mk makes.

Metadata is in pyproject.toml.
"""

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
    build = ROOT / ".build" / "c"
    # Of an enclosing make only the order counts, not its flags and job server.
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS")}
    recipe = ["make", "-f", str(ROOT / "packaging" / "c.mk"), "c-shared", f"BUILD_DIR={build}"]
    subprocess.run(recipe, check=True, env=environment)
    return build / "release" / LIBRARY


def dynamic_entries(library: Path, kind: str) -> list[str]:
    """Entries of the dynamic section, such as SONAME and RUNPATH."""
    dynamic = subprocess.run(["readelf", "-d", str(library)], check=True, capture_output=True, text=True).stdout
    return re.findall(rf"\({kind}\).*\[(.+)\]", dynamic)


def soname(library: Path) -> str:
    """The name under which the loader looks for `library`."""
    names = dynamic_entries(library, "SONAME")
    if not names:
        raise SystemExit(f"{library} has no SONAME, expected a library made by packaging/c.mk")
    return names[0]


def without_run_paths(command: list[str]) -> list[str]:
    """A command of the linker without directories for the loader, of which interpreters bring some from their build."""
    words = (re.sub(r",(?:--?rpath[,=]|-R,?)[^,]*", "", word) for word in command)
    return [word for word in words if word != "-Wl"]


class BuildWithEngine(build_ext):
    """Builds the engine first, links the extension to it, and puts it next to the extension."""

    def run(self) -> None:
        """Builds everything, in the source tree too for an editable installation."""
        library = build_library()
        name = soname(library)
        linked = Path(self.build_temp) / "engine"
        linked.mkdir(parents=True, exist_ok=True)
        for linked_as in (name, LIBRARY):
            shutil.copy2(library, linked / linked_as)
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

    def build_extensions(self) -> None:
        """Builds them so that the loader finds the engine beside them and nothing elsewhere."""
        for linker in ("linker_so", "linker_so_cxx"):
            setattr(self.compiler, linker, without_run_paths(getattr(self.compiler, linker, [])))
        super().build_extensions()
        for extension in self.extensions:
            built = Path(self.get_ext_fullpath(extension.name))
            if (found := dynamic_entries(built, "(?:RUNPATH|RPATH)")) != [RUN_PATH]:
                raise SystemExit(f"{built} has the run path {found}, expected {RUN_PATH}; see LDFLAGS and LDSHARED")


RUN_PATH = "$ORIGIN"
COMPILE = ["-std=c11", "-Wall", "-Wextra", "-fvisibility=hidden", "-fstack-protector-strong", "-U_FORTIFY_SOURCE",
           "-D_FORTIFY_SOURCE=2", f"-ffile-prefix-map={ROOT}=."]  # fmt: skip
LINK = [f"-Wl,-rpath,{RUN_PATH}", "-Wl,-z,relro,-z,now", "-Wl,-s"]
# Where one of these is newer, extensions are compiled again; setup.py has their flags.
SHARED = ["setup.py", *map(str, sorted(Path("include").rglob("*.h"))), f"python/{PACKAGE}/_recipes.h"]

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
    depends=[f"python/{PACKAGE}/_native.h", *SHARED],
    include_dirs=["include", numpy.get_include()],
    libraries=["equiconv"],
    extra_compile_args=COMPILE,
    extra_link_args=LINK,
)

# The handlers of equiconv.jax. They need one header of XLA, which is in third_party, and nothing of JAX to be built.
handlers = Extension(
    f"{PACKAGE}._jax",
    sources=[
        f"python/{PACKAGE}/{source}"
        for source in ("_jax.c", "_jax_handlers.c", "_jax_layer.c", "_jax_words.c", "_recipes.c")
    ],
    depends=[f"python/{PACKAGE}/_jax.h", "third_party/xla/xla/ffi/api/c_api.h", *SHARED],
    include_dirs=["include", "third_party/xla"],
    libraries=["equiconv"],
    extra_compile_args=COMPILE,
    extra_link_args=LINK,
)

setup(version=version(), license="Apache-2.0", ext_modules=[native, handlers], cmdclass={"build_ext": BuildWithEngine})

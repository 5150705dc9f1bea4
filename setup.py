# SPDX-License-Identifier: Apache-2.0
"""Builds the extensions (C) and lays beside them the engine's library (Swift), which packaging/c.mk makes.

Metadata is in pyproject.toml, except for what packaging/equiconv_metadata.py reads from other files. The environment
may set

    EQUICONV_LIBRARY_DIR   a directory with libequiconv.so, which is then not built
    EQUICONV_BUNDLE=0      the extensions load the library that is installed on the system, and have no copy beside
                           them: for packages of a distribution, which have the library as one of their own
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "packaging"))
from equiconv_metadata import long_description, project_urls, version  # noqa: E402

PACKAGE = "equiconv"
LIBRARY = "libequiconv.so"
BUNDLES = os.environ.get("EQUICONV_BUNDLE", "1") != "0"


def build_library() -> Path:
    """The engine's shared library: the one in EQUICONV_LIBRARY_DIR, or made by `packaging/c.mk`."""
    given = os.environ.get("EQUICONV_LIBRARY_DIR")
    if given:
        library = Path(given).resolve() / LIBRARY
        if not library.exists():
            raise SystemExit(f"EQUICONV_LIBRARY_DIR is {given}, expected a directory with {LIBRARY}")
        return library
    if shutil.which("swift") is None:
        raise SystemExit("swift is not on the PATH; install Swift 6.2 or later, or set EQUICONV_LIBRARY_DIR")
    build = ROOT / ".build" / "c"
    # Flags and job server of an enclosing make must not reach this one.
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS")}
    recipe = ["make", f"-j{os.cpu_count() or 1}", "-f", str(ROOT / "packaging" / "c.mk")]
    subprocess.run([*recipe, "c-shared", f"BUILD_DIR={build}"], check=True, env=environment)
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
    """A command of the linker without directories for the loader; some interpreters add those of their own build."""
    words = (re.sub(r",(?:--?rpath[,=]|-R,?)[^,]*", "", word) for word in command)
    return [word for word in words if word != "-Wl"]


class BuildWithEngine(build_ext):
    """Builds the engine first, links the extension to it, and puts it next to the extension."""

    def run(self) -> None:
        """Builds everything; in the source tree too with --inplace."""
        library = build_library()
        name = soname(library)
        for extension in self.extensions:
            extension.library_dirs.append(str(library.parent))
            extension.depends.append(str(library))
        destinations = [Path(self.build_lib) / PACKAGE]
        if self.inplace:
            destinations.append(ROOT / "python" / PACKAGE)
        for destination in destinations:
            self.remove_others(destination, name)
        super().run()
        for destination in destinations if BUNDLES else []:
            destination.mkdir(parents=True, exist_ok=True)
            shutil.copy2(library, destination / name)

    def remove_others(self, folder: Path, name: str) -> None:
        """Removes what builds of earlier versions left: Python would prefer an extension for its own version alone."""
        names = {Path(self.get_ext_filename(extension.name)).name for extension in self.extensions}
        if BUNDLES:
            names.add(name)
        for path in folder.glob("*.so*"):
            if path.name not in names:
                path.unlink()

    def build_extensions(self) -> None:
        """Builds them so that the loader finds the engine beside them, or where the system has it."""
        for linker in ("linker_so", "linker_so_cxx"):
            setattr(self.compiler, linker, without_run_paths(getattr(self.compiler, linker, [])))
        super().build_extensions()
        for extension in self.extensions:
            built = Path(self.get_ext_fullpath(extension.name))
            if (found := dynamic_entries(built, "(?:RUNPATH|RPATH)")) != RUN_PATHS:
                raise SystemExit(f"{built} has the run path {found}, expected {RUN_PATHS}; see LDFLAGS and LDSHARED")


RUN_PATHS = ["$ORIGIN"] if BUNDLES else []
COMPILE = ["-std=c11", "-Wall", "-Wextra", "-fvisibility=hidden", "-fstack-protector-strong", "-U_FORTIFY_SOURCE",
           "-D_FORTIFY_SOURCE=2", f"-ffile-prefix-map={ROOT}=."]  # fmt: skip
# The engine's library is linked with them too; see packaging/c.mk.
HARDENING = (ROOT / "packaging" / "hardening.ld").read_text().split()
LINK = [*(f"-Wl,-rpath,{path}" for path in RUN_PATHS), ",".join(["-Wl", *HARDENING])]
# Where one of these is newer, extensions are compiled again; setup.py has their flags.
SHARED = ["setup.py", *map(str, sorted(Path("include").rglob("*.h")))]

# One build for all versions of CPython from this one on: only the stable interface of its C API is used. Interpreters
# without a global lock have none.
OLDEST = (3, 10)
IS_STABLE = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")
STABLE = [("Py_LIMITED_API", f"0x{OLDEST[0]:02X}{OLDEST[1]:02X}0000")] if IS_STABLE else []

NATIVE = Path("python", "native")
native = Extension(
    f"{PACKAGE}._native",
    sources=[str(source) for source in sorted(NATIVE.glob("*.c"))],
    depends=[str(NATIVE / "native.h"), *SHARED],
    include_dirs=["include", numpy.get_include()],
    libraries=["equiconv"],
    define_macros=STABLE,
    py_limited_api=IS_STABLE,
    extra_compile_args=COMPILE,
    extra_link_args=LINK,
)

# The handlers of equiconv.jax. They are built with one header of XLA, which is in third_party, and without JAX.
handlers = Extension(
    f"{PACKAGE}._jax",
    sources=[str(source) for source in sorted(NATIVE.glob("jax/*.c"))],
    depends=[*map(str, sorted(NATIVE.glob("jax/*.h"))), "third_party/xla/xla/ffi/api/c_api.h", *SHARED],
    include_dirs=["include", "third_party/xla"],
    libraries=["equiconv"],
    define_macros=STABLE,
    py_limited_api=IS_STABLE,
    extra_compile_args=COMPILE,
    extra_link_args=LINK,
)

# Intermediate files stay out of the folder of the sources, where they would look like an installation.
BUILD = Path(".build", "python")
(ROOT / BUILD).mkdir(parents=True, exist_ok=True)
setup(
    version=version(),
    license="Apache-2.0",
    long_description=long_description(),
    long_description_content_type="text/markdown",
    project_urls=project_urls(),
    ext_modules=[native, handlers],
    cmdclass={"build_ext": BuildWithEngine},
    options={
        "build": {"build_base": str(BUILD)},
        "egg_info": {"egg_base": str(BUILD)},
        "bdist_wheel": {"py_limited_api": f"cp{OLDEST[0]}{OLDEST[1]}"} if IS_STABLE else {},
    },
)

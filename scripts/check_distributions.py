# SPDX-License-Identifier: Apache-2.0
"""Checks what is going to be uploaded: wheels and the source distribution.

usage: check_distributions.py FILE...

A wheel holds the package as it is in the source tree, two extensions and the engine, and nothing else. Its binaries
export nothing but their own interface, are stripped and hardened, run with the oldest glibc that is supported, and find
the engine beside them. A source distribution holds the files of the clone, and nothing else. Prints sizes and problems;
exit status 1 if there are some.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "packaging"))
from equiconv_metadata import version  # noqa: E402

MIB = 1 << 20
# The most that is accepted, in bytes.
SIZE_LIMITS = {"wheel": 4 * MIB, "source distribution": 8 * MIB}

OLDEST_GLIBC = (ROOT / "packaging" / "oldest-glibc").read_text(encoding="utf-8").strip()

WHEEL_NAME = r"equiconv-{version}-cp3\d+-(?:abi3|cp3\d+t?)-(?:manylinux_\d+_\d+_\w+\.?)+\.whl"
ENGINE = r"equiconv/libequiconv\.so\.\d+"
EXTENSION = r"equiconv/_(?:native|jax)\.[\w-]+\.so"
EXPORTS = {ENGINE: r"equiconv_\w+", EXTENSION: r"PyInit__\w+"}
METADATA = r"equiconv-{version}\.dist-info/(?:METADATA|WHEEL|RECORD|top_level\.txt|licenses/LICENSE|LICENSE|sboms/.+)"
# What only tools of the repository read, and what setuptools adds.
NOT_DISTRIBUTED = r"\.ci/.*|\.github/.*|\.gitignore|\.gitattributes"
ADDED_TO_SOURCES = r"PKG-INFO|setup\.cfg|(?:python|\.build/python)/equiconv\.egg-info/.*"


def expected_sources() -> set[str]:
    """Files of the package that are copied into a wheel as they are."""
    folder = ROOT / "python"
    packages = (folder / "equiconv", folder / "equiconv_experiments")
    found = (path for package in packages for path in package.rglob("*") if path.suffix in (".py", ".pyi", ".typed"))
    return {str(path.relative_to(folder)) for path in found}


def readelf(option: str, path: Path) -> str:
    """What `readelf` (binutils) says of a binary."""
    return subprocess.run(["readelf", "-W", option, str(path)], check=True, capture_output=True, text=True).stdout


def exported_symbols(path: Path) -> list[str]:
    """Names that other programs can link to."""
    rows = (line.split() for line in readelf("--dyn-syms", path).splitlines())
    defined = (row[7] for row in rows if len(row) > 7 and row[4] in ("GLOBAL", "WEAK", "UNIQUE") and row[6] != "UND")
    return [name.split("@")[0] for name in defined]


def number(version: str) -> tuple[int, ...]:
    """A version in the order of versions."""
    return tuple(map(int, re.split(r"[._]", version)))


def is_late(wheel: str) -> bool:
    """Whether a wheel is by its name for a later glibc than the oldest one that is supported."""
    versions = [number(version) for version in re.findall(r"manylinux_(\d+_\d+)_", wheel)]
    return bool(versions) and min(versions) > number(OLDEST_GLIBC)


def too_new(path: Path) -> list[str]:
    """What a binary needs of glibc that the oldest one supported does not have."""
    needed = re.findall(r" UND (\S+)@GLIBC_([\d.]+)", readelf("--dyn-syms", path))
    return sorted(f"{name} of glibc {version}" for name, version in needed if number(version) > number(OLDEST_GLIBC))


def binary_problems(path: Path, allowed: str) -> list[str]:
    """What is wrong with a binary that may export the names that match `allowed`."""
    segments, dynamic, sections = readelf("-l", path), readelf("-d", path), readelf("-S", path)
    exports = exported_symbols(path)
    stray = sorted({name for name in exports if re.fullmatch(allowed, name) is None})
    run_paths = re.findall(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", dynamic)
    faults = {
        f"exports {', '.join(stray[:5])}, expected {allowed} alone": bool(stray),
        f"exports nothing, expected {allowed}": not exports,
        "is not read-only after relocation (-z relro -z now)": "GNU_RELRO" not in segments
        or re.search(r"\(FLAGS_1\).*\bNOW\b", dynamic) is None,
        "may execute its stack": re.search(r"GNU_STACK.* RW ", segments) is None,
        "is not stripped (-s)": re.search(r"\.symtab|\.debug_", sections) is not None,
        f"has the run path {run_paths}, expected $ORIGIN": run_paths != ["$ORIGIN"],
    }
    return [f"{path.name} {fault}" for fault, is_found in faults.items() if is_found]


def size_problems(path: Path, kind: str) -> list[str]:
    """Whether a file is larger than its kind may be."""
    size, limit = path.stat().st_size, SIZE_LIMITS[kind]
    return [f"has {size / MIB:.2f} MiB, expected at most {limit / MIB:.2f} MiB"] if size > limit else []


def name_problems(names: set[str]) -> list[str]:
    """Files of a wheel that are missing or should not be there."""
    sources = expected_sources()
    patterns = (ENGINE, EXTENSION, METADATA.format(version=re.escape(version())))
    problems = [f"lacks {name}" for name in sorted(sources - names)]
    for name in sorted(names - sources):
        if not any(re.fullmatch(pattern, name) for pattern in patterns):
            problems.append(f"has {name}, which is no part of the package")
    for pattern, count in ((ENGINE, 1), (EXTENSION, 2)):
        found = sorted(name for name in names if re.fullmatch(pattern, name))
        if len(found) != count:
            problems.append(f"has the binaries {found}, expected {count} that match {pattern}")
    return problems


def wheel_problems(path: Path) -> list[str]:
    """What is wrong with a wheel."""
    problems = size_problems(path, "wheel")
    if re.fullmatch(WHEEL_NAME.format(version=re.escape(version())), path.name) is None:
        problems.append(f"is named {path.name}, expected a manylinux wheel of version {version()}")
    elif is_late(path.name):
        problems.append(f"is for a later glibc than {OLDEST_GLIBC}")
    with zipfile.ZipFile(path) as wheel, tempfile.TemporaryDirectory() as folder:
        names = {name for name in wheel.namelist() if not name.endswith("/")}
        problems += name_problems(names)
        record = next((name for name in names if name.endswith(".dist-info/RECORD")), None)
        listed = {line.split(",")[0] for line in wheel.read(record).decode().splitlines()} if record else set()
        if listed != names:
            problems.append(f"lists other files than it has: {sorted(listed ^ names)[:5]}")
        for name in sorted(names):
            for pattern, allowed in EXPORTS.items():
                if re.fullmatch(pattern, name):
                    binary = Path(wheel.extract(name, folder))
                    problems += binary_problems(binary, allowed)
                    problems += (
                        [f"{binary.name} needs {late}" for late in too_new(binary)] if is_late(path.name) else []
                    )
    return problems


def files_of_clone() -> set[str]:
    """Files that git does not ignore, with those behind links to folders under the names that the links give them."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    files: set[str] = set()
    for name in filter(lambda name: name and (ROOT / name).exists(), listed):
        path = ROOT / name
        files |= {f"{name}/{inner.name}" for inner in path.iterdir()} if path.is_dir() else {name}
    return {name for name in files if re.fullmatch(NOT_DISTRIBUTED, name) is None}


def source_problems(path: Path) -> list[str]:
    """What is wrong with a source distribution."""
    problems = size_problems(path, "source distribution")
    root = f"equiconv-{version()}"
    if path.name != f"{root}.tar.gz":
        problems.append(f"is named {path.name}, expected {root}.tar.gz")
    with tarfile.open(path) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if not member.isdir()}
    own = files_of_clone()
    added = {name for name in names if re.fullmatch(ADDED_TO_SOURCES, name)}
    problems += [f"lacks {name}" for name in sorted(own - names)]
    problems += [f"has {name}, which is not in the clone" for name in sorted(names - own - added)]
    return problems


def problems_of(path: Path) -> list[str]:
    """What is wrong with a distribution, a sentence each."""
    try:
        found = wheel_problems(path) if path.suffix == ".whl" else source_problems(path)
    except (zipfile.BadZipFile, tarfile.TarError) as error:
        found = [f"cannot be read ({error})"]
    return [f"{path.name}: {problem}" for problem in found]


def description_of(path: Path) -> str:
    """A distribution with its size."""
    return f"{path.name}: {path.stat().st_size / MIB:.2f} MiB"


def main() -> None:
    """Reads the command line."""
    paths = [Path(name) for name in sys.argv[1:]]
    if not paths:
        raise SystemExit("check_distributions.py: expected files")
    problems = [problem for path in paths for problem in problems_of(path)]
    for path in paths:
        print(description_of(path))
    if problems:
        raise SystemExit("\n".join(problems))


if __name__ == "__main__":
    main()

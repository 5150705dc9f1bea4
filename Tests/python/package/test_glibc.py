# SPDX-License-Identifier: Apache-2.0
"""Linking against an old glibc: what is linked names no later version, and old versions compute the same bits."""

from __future__ import annotations

import ctypes
import platform
import re
import shutil
import subprocess

import numpy as np
import pytest
from paths import ROOT

OLDEST = "2.17"
SOURCE = """\
#include <math.h>
#include <pthread.h>
#include <sys/stat.h>
static void *same(void *value) { return value; }
double all(double x, float y, const char *path, int file);
double all(double x, float y, const char *path, int file) {
  struct stat status;
  pthread_t thread;
  pthread_atfork(0, 0, 0);
  if (pthread_create(&thread, 0, same, 0) == 0) pthread_join(thread, 0);
  const int has_status = stat(path, &status) == 0 && lstat(path, &status) == 0 && fstat(file, &status) == 0;
  return exp(x) + exp2(x) + log(x) + log2(x) + pow(x, x) + (double)(expf(y) + logf(y) + hypotf(y, y)) + has_status;
}
"""
# Functions of libm with a later version of equal results: doubles, then single precision.
FUNCTIONS = ["exp", "exp2", "log", "log2", "expf", "exp2f", "logf", "log2f"]
OF_TWO = ["pow", "powf", "hypotf"]

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="there is no glibc")


@pytest.fixture(scope="module")
def stubs(tmp_path_factory):
    """A folder to link against."""
    if shutil.which("cc") is None or shutil.which("readelf") is None:
        pytest.skip("there is no C compiler, or no readelf")
    folder = tmp_path_factory.mktemp("glibc")
    subprocess.run([ROOT / "packaging" / "glibc-stubs.sh", OLDEST, folder], check=True)
    return folder


def link(folder, *flags):
    """A shared library of SOURCE."""
    source, library = folder / "all.c", folder / "all.so"
    source.write_text(SOURCE, encoding="utf-8")
    subprocess.run(["cc", "-std=gnu11", "-O1", "-fPIC", "-shared", "-o", library, source, *flags, "-lm"], check=True)
    return library


def versions(library):
    """Versions of glibc that a library needs, as numbers."""
    text = subprocess.run(["readelf", "-W", "-V", library], check=True, capture_output=True, text=True).stdout
    return {tuple(map(int, found.split("."))) for found in re.findall(r"Name: GLIBC_([\d.]+)", text)}


def number(version):
    return tuple(map(int, version.split(".")))


def test_what_is_linked_needs_no_later_glibc(stubs, tmp_path):
    assert max(versions(link(tmp_path, f"-L{stubs}"))) <= number(OLDEST)
    assert max(versions(link(tmp_path))) > number(OLDEST)


def test_what_is_linked_runs_here(stubs, tmp_path):
    function = ctypes.CDLL(str(link(tmp_path, f"-L{stubs}"))).all
    function.restype = ctypes.c_double
    function.argtypes = [ctypes.c_double, ctypes.c_float, ctypes.c_char_p, ctypes.c_int]
    with open(__file__, "rb") as file:
        found = function(2.0, 1.0, __file__.encode(), file.fileno())
    expected = np.exp(2.0) + 4 + np.log(2.0) + 1 + 4 + np.exp(1.0) + np.sqrt(2.0) + 1
    assert found == pytest.approx(expected, rel=1e-6)


def versioned(name, version, arguments):
    """A function of libm in a version; None if this system has no such version."""
    ctypes.CDLL("libm.so.6", mode=ctypes.RTLD_GLOBAL)
    look_up = ctypes.CDLL(None).dlvsym
    look_up.restype, look_up.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
    address = look_up(None, name.encode(), version.encode())
    number_type = ctypes.c_float if name.endswith("f") else ctypes.c_double
    return ctypes.CFUNCTYPE(number_type, *[number_type] * arguments)(address) if address else None


@pytest.mark.parametrize("name", FUNCTIONS + OF_TWO)
def test_old_versions_compute_the_same_bits(name):
    arguments = 2 if name in OF_TWO else 1
    old = {"x86_64": "GLIBC_2.2.5", "aarch64": "GLIBC_2.17"}.get(platform.machine(), "none")
    later = ["GLIBC_2.27", "GLIBC_2.29", "GLIBC_2.35"]
    both = [
        versioned(name, old, arguments),
        next(filter(None, (versioned(name, each, arguments) for each in later)), None),
    ]
    if None in both:
        pytest.skip(f"this glibc has no two versions of {name}")
    dtype = np.float32 if name.endswith("f") else np.float64
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2 ** (8 * dtype().itemsize) - 1, (20_000, arguments), dtype=f"u{dtype().itemsize}")
    usual = rng.standard_normal((20_000, arguments)).astype(dtype) * dtype(20)
    special = np.array([0, 1, np.inf, np.nan, np.finfo(dtype).tiny, np.finfo(dtype).max], dtype)
    special = np.stack(np.meshgrid(*[np.concatenate([special, -special])] * arguments), -1).reshape(-1, arguments)
    for values in (bits.view(dtype), usual, np.abs(usual), special):
        first, second = (np.array([each(*map(float, row)) for row in values], dtype) for each in both)
        assert np.array_equal(first, second, equal_nan=True)
        assert np.array_equal(np.signbit(first[~np.isnan(first)]), np.signbit(second[~np.isnan(second)]))

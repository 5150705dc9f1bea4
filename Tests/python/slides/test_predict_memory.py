# SPDX-License-Identifier: Apache-2.0
"""Memory of a run keeps to the formula of its documentation, whatever the size of the slide."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import equiconv.slides as slides
import pytest
from paths import environment
from slide_networks import GROUPS, NETWORKS
from slide_runs import PlainSource

pytest.importorskip("zarr", reason='needs Zarr: pip install "equiconv[slides]"')

# Each run is a process of its own. What comes with the first, such as imported modules, is not counted.
pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux, which tells peaks")
PROGRAM = """
import sys
import equiconv as eq
from slide_runs import PlainSource

def memory(key):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(key))

network, extents, tile, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
eq.set_num_threads(1)
eq.slides.predict(network, PlainSource((64, 64)), out + "/small.zarr", tile=16)
before = memory("VmRSS")
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # The peak begins anew.
eq.slides.predict(network, PlainSource((extents, extents)), out + "/large.zarr", tile=tile)
print(memory("VmHWM") - before)
"""
MARGIN = 24 * 2**20
"""Of the allocator, and of threads."""


def peak_of(path, extents, tile, folder):
    """The bytes that a run takes more than a small one before."""
    command = [sys.executable, "-c", PROGRAM, path, str(extents), str(tile), str(folder)]
    variables = environment(OMP_NUM_THREADS="1")
    found = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    assert found.returncode == 0, found.stderr
    return int(found.stdout.split()[-1])


@pytest.mark.parametrize("name", ["strided", "unet"])
def test_the_peak_is_within_the_formula(tmp_path, name):
    path = NETWORKS[name](GROUPS["C4"], tmp_path / "network")
    bound = slides.memory_bound(path, PlainSource((1536, 1536)), tile=512)
    peak = peak_of(path, 1536, 512, tmp_path)
    assert peak <= bound + MARGIN
    if name == "unet":  # Of whose values there are enough for the formula to be measured against.
        assert bound <= 3 * peak


@pytest.mark.slow
def test_larger_slides_take_no_more(tmp_path):
    path = NETWORKS["strided"](GROUPS["C4"], tmp_path / "network")
    small = PlainSource((1024, 1024)), PlainSource((10**5, 10**5))
    bounds = [slides.memory_bound(path, source, tile=256) for source in small]
    # Of tiles in the middle, which read on all sides.
    assert bounds[0] <= bounds[1] <= 1.3 * bounds[0]
    peaks = []
    for extents in (768, 2048):
        folder = tmp_path / str(extents)
        folder.mkdir()
        peaks.append(peak_of(path, extents, 256, folder))
    assert peaks[1] <= peaks[0] + MARGIN


def test_larger_tiles_take_more_as_they_read_more(tmp_path):
    path = NETWORKS["unet"](GROUPS["C4"], tmp_path / "network")
    bounds = [slides.memory_bound(path, PlainSource((10**5, 10**5)), tile=tile) for tile in (128, 256, 512)]
    assert bounds == sorted(bounds)
    assert 2 < bounds[2] / bounds[1] < 4

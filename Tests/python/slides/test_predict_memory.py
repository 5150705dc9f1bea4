# SPDX-License-Identifier: Apache-2.0
"""Memory of a run keeps to the formula of its documentation, whatever the size of the slide."""

from __future__ import annotations

import subprocess
import sys

import equiconv.slides as slides
import pytest
from paths import environment
from slide_networks import GROUPS, NETWORKS
from slide_runs import PlainSource

pytest.importorskip("zarr", reason='needs Zarr: pip install "equiconv[slides]"')

# Peaks are those of a process, so that each run has one of its own. What comes with the first run of a process, such as
# imported modules, is not counted.
PROGRAM = """
import resource, sys
import equiconv as eq
from slide_runs import PlainSource

network, extents, tile, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
eq.set_num_threads(1)
eq.slides.predict(network, PlainSource((64, 64)), out + "/small.zarr", tile=16)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
eq.slides.predict(network, PlainSource((extents, extents)), out + "/large.zarr", tile=tile)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""
MARGIN = 12 * 2**20
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

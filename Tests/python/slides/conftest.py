# SPDX-License-Identifier: Apache-2.0
"""A network and what it writes, for tests of runs that end early or are shared."""

from __future__ import annotations

import equiconv.slides as slides
import pytest


@pytest.fixture(scope="module")
def strided(tmp_path_factory):
    """The path of a network of stride 4."""
    from slide_networks import GROUPS, NETWORKS

    return NETWORKS["strided"](GROUPS["C4"], tmp_path_factory.mktemp("network") / "network")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, strided):
    """The digest of a run that nothing interrupts."""
    from slide_runs import TILE, NoiseSource, digest

    out = tmp_path_factory.mktemp("whole") / "s.zarr"
    slides.predict(strided, NoiseSource(), out, tile=TILE)
    return digest(out)

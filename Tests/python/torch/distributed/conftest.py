# SPDX-License-Identifier: Apache-2.0
"""Two processes that the tests of a file share."""

from __future__ import annotations

import pytest
from process_pairs import Processes


@pytest.fixture(scope="package")
def pair():
    """Two processes of one group."""
    torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
    if not (torch.distributed.is_available() and torch.distributed.is_gloo_available()):
        pytest.skip("this torch has no torch.distributed with gloo")
    with Processes() as processes:
        yield processes

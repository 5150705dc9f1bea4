# SPDX-License-Identifier: Apache-2.0
"""What the tests of the experiments share: running, killing and comparing them."""

from __future__ import annotations

import json
from pathlib import Path

import equiconv as eq
import pytest

REASON = 'equiconv.experiments is not tested: pip install "equiconv[experiments]"'


def require() -> None:
    """Skips the test module that calls it where a package of the extra is missing."""
    for package in ("torch", "sklearn", "matplotlib", "tqdm", "h5py", "PIL"):
        pytest.importorskip(package, reason=REASON)
    pytest.importorskip("scipy", minversion="1.15", reason=REASON)


@pytest.fixture(scope="module")
def process():
    """Puts back what an experiment sets for its process."""
    import torch

    before = torch.get_num_threads(), eq.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    state = torch.get_rng_state()
    yield
    torch.set_num_threads(before[0])
    eq.set_num_threads(before[1])
    torch.use_deterministic_algorithms(before[2])
    torch.set_rng_state(state)


def read_metrics(folder: Path) -> dict:
    """The JSON file without the times, which are those of the process."""
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics.pop("time")["processor_seconds"] > 0
    return metrics


def stopped_at(step: int):
    """The optimizer's step, interrupted when it is called so many times."""
    import torch

    calls = iter(range(1, 1000))
    original = torch.optim.AdamW.step

    def stopped(*values, **keywords):
        if next(calls) == step:
            raise KeyboardInterrupt
        return original(*values, **keywords)

    return stopped

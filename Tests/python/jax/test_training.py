# SPDX-License-Identifier: Apache-2.0
"""Networks of both frameworks are trained with Optax, and restored in another process with their bits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from jax_cases import assert_same_bits, ej

for package, extra in (("optax", "flax"), ("flax", "flax"), ("equinox", "equinox")):
    pytest.importorskip(package, reason=f'{package} is not installed: pip install "equiconv[{extra}]"')

import jax_training  # noqa: E402
from jax_training import C4, D2, digest, stripes  # noqa: E402

PROGRAM = Path(jax_training.__file__)


@pytest.mark.parametrize("name", ["nnx", "equinox"])
def test_training_reduces_the_loss_and_a_checkpoint_has_the_bits_in_another_process(name, tmp_path):
    framework = {"nnx": jax_training.Nnx, "equinox": jax_training.Equinox}[name]
    if name == "nnx":
        pytest.importorskip("orbax.checkpoint")
    model, losses = framework.train(framework.make(), 60)
    assert sum(losses[-5:]) / 5 < 0.6 * losses[0]
    framework.save(model, tmp_path)
    command = [sys.executable, str(PROGRAM), name, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == digest(framework.output(model))
    with pytest.raises(ValueError, match=r"is lifting_conv on D2, .* the checkpoint has lifting_conv on C4"):
        framework.restore(tmp_path, D2)


@pytest.mark.parametrize("name", ["nnx", "equinox"])
def test_a_trained_network_is_invariant_to_the_last_bit(name):
    framework = {"nnx": jax_training.Nnx, "equinox": jax_training.Equinox}[name]
    model, _ = framework.train(framework.make(), 2)
    y = framework.output(model)
    x = stripes()[0]
    for element in range(4):
        turned = ej.act(x, C4, element)
        if name == "nnx":
            assert_same_bits(model(turned), y)
        else:
            import equinox

            assert_same_bits(equinox.nn.inference_mode(model[0])(turned, model[1])[0], y)

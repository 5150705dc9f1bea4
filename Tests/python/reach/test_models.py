# SPDX-License-Identifier: Apache-2.0
"""The laws of windows and of dense networks for networks of the literature."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest
from reach_cases import assert_law, image

torch = pytest.importorskip("torch", reason="networks of PyTorch")
network_cases = pytest.importorskip("network_cases", reason="the cases of the tests of networks need PyTorch")

from equiconv._reach.sources import as_network  # noqa: E402
from equiconv.torch import models  # noqa: E402

C4, D4 = eq.cyclic(4), eq.dihedral(4)


def converted(module, shape):
    """The network of a module, with statistics of batch norm that are not those of a new one."""
    torch.manual_seed(0)
    for part in module.modules():
        if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    return as_network(module.eval(), torch.zeros(shape))


UNETS = [
    (D4, "max", "transposed", "reflect"), (C4, "mean", "linear", "zeros"), (C4, "stride", "transposed", "replicate"),
]  # fmt: skip


@pytest.mark.parametrize(("group", "down", "up", "border"), UNETS)
def test_unets(group, down, up, border):
    torch.manual_seed(0)
    options = {"widths": (4, 4, 8), "matched_to": None, "down": down, "up": up, "padding_mode": border}
    more = 1 if down == "stride" else 0
    network = converted(models.UNet(group, 3, 2, **options), (1, 2, 16 + more, 16 + more))
    field = eq.receptive_field(network)
    assert (field.period, field.outputs_per_period) == ((4, 4), (4, 4))
    shares = assert_law(network, (76 + more, 92 + more), 0, 10)
    assert min(shares) < 0.5


def test_the_p4cnn_scores_each_place():
    torch.manual_seed(0)
    network = converted(models.p4cnn(), (1, 1, 28, 28))
    dense = eq.dense(network)
    x = image(0, network, (61, 47))
    y = dense(x)
    assert y.shape == (1, 10, 17, 10)
    for i, j in ((0, 0), (3, 7), (16, 9)):
        patch = np.ascontiguousarray(x[:, :, 2 * i : 2 * i + 28, 2 * j : 2 * j + 28])
        assert np.allclose(y[:, :, i, j], network(patch), rtol=1e-5, atol=1e-5)
    assert eq.receptive_field(dense).size == (28, 28)
    assert_law(dense, (61, 47), 0, 10)


@pytest.mark.parametrize("group", [C4, D4], ids=["C4", "D4"])
def test_residual_classifiers(group):
    torch.manual_seed(0)
    module = models.ResNet(group, (1, 1, 1, 1), 3, stem="cifar", widths=(4, 4, 4, 4), matched_to=None)
    network = converted(module, (1, 3, 33, 33))
    x = image(0, network, (33, 33))
    scores = network(x)
    dense = eq.dense(network)
    assert np.allclose(dense(x).mean((2, 3)), scores, rtol=1e-4, atol=1e-5)
    assert np.allclose(eq.dense(network, patch=33)(x)[..., 0, 0], scores, rtol=1e-4, atol=1e-5)
    assert_law(dense, (97, 131), 0, 8)


# Cases of what the drawn networks do not have: one and three axes of space, torch's own layers, quotients, circular
# padding, which has no windows.
NAMES = ("p4", "residual", "quotients", "transposed-exact", "ordinary", "line", "volume", "bases")
CIRCULAR = {"ordinary", "bases"}
FINER = {"ordinary", "transposed-exact"}


@pytest.mark.parametrize("name", NAMES)
def test_networks_with_every_operation(name):
    _, x, path = network_cases.saved(name)
    dense = eq.dense(path)
    field, given = eq.receptive_field(dense), dense.document["geometry"]
    assert [p / n for p, n in zip(field.period, field.outputs_per_period, strict=True)] == given["stride"]
    # The document's field counts the places of transposed convolutions as parts of pixels, and rounds up at the end.
    assert name in FINER or list(field.size) == given["receptive_field"]
    assert all(size <= most for size, most in zip(field.size, given["receptive_field"], strict=True))
    if name not in CIRCULAR:
        assert_law(dense, tuple(n + 4 * axis + 4 for axis, n in enumerate(x.shape[2:])), 0, 4)

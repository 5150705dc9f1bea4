# SPDX-License-Identifier: Apache-2.0
"""The networks of the experiments: their sizes, what the plain one is, and layers of other libraries."""

from __future__ import annotations

import doctest
import importlib
import re
from types import SimpleNamespace

import equiconv as eq
import experiment_runs
import pytest

experiment_runs.require()

import equiconv.torch as et  # noqa: E402
import torch  # noqa: E402
from equiconv_experiments.common.networks import (  # noqa: E402
    CELL_NETWORKS,
    DIGIT_NETWORKS,
    Architecture,
    GroupNetwork,
    parameter_count,
)
from torch import nn  # noqa: E402


@pytest.mark.parametrize(("family", "channels", "classes"), [(DIGIT_NETWORKS, 1, 10), (CELL_NETWORKS, 3, 2)])
def test_networks_have_equally_many_parameters_within_3_percent(family, channels, classes):
    counts = {name: parameter_count(GroupNetwork(one, channels, classes)) for name, one in family.items()}
    assert set(counts) == {"cnn", "c4", "c8", "d4"}
    assert min(counts.values()) > 10_000
    assert max(counts.values()) < 1.03 * min(counts.values()), counts


@pytest.mark.parametrize(("family", "channels", "size"), [(DIGIT_NETWORKS, 1, 16), (CELL_NETWORKS, 3, 48)])
def test_the_plain_network_is_one_of_ordinary_convolutions(family, channels, size):
    torch.manual_seed(0)
    network = GroupNetwork(family["cnn"], channels, 4)
    x = torch.randn(3, channels, size, size)
    network(x)
    network.eval()
    y, paddings = x, iter((0, *family["cnn"].paddings))
    for module in network.features:
        if hasattr(module, "algorithm"):
            weight = module.weight.reshape(*module.weight.shape[:2], *module.weight.shape[-2:])
            y = nn.functional.conv2d(y, weight, padding=next(paddings))
        elif isinstance(module, et.SpatialMaxPool):
            y = nn.functional.max_pool2d(y, module.kernel, module.stride)
        elif isinstance(module, et.BatchNorm):
            y = nn.functional.batch_norm(
                y, module.running_mean, module.running_var, module.weight, module.bias, eps=module.eps
            )
        else:
            assert isinstance(module, nn.ReLU)
            y = torch.relu(y)
    expected = nn.functional.linear(y.mean((2, 3)), network.classify.weight, network.classify.bias)
    assert torch.allclose(network(x), expected, rtol=0, atol=1e-5 * float(expected.detach().abs().max()))


def test_the_same_network_is_built_from_another_namespace():
    made = []

    def record(name):
        def make(*arguments, **options):
            made.append((name, arguments, options))
            return getattr(et, name)(*arguments, **options)

        return make

    names = ("LiftingConv", "GroupConv", "BatchNorm", "SpatialMaxPool", "GroupPool", "SpatialMean")
    layers = SimpleNamespace(**{name: record(name) for name in names})
    # Both a padding and a pool, neither of which the two families have in one.
    architecture = Architecture("both", eq.cyclic(4), (4, 6, 8), (5, 3, 3), (1, 0), (2, 1))
    torch.manual_seed(1)
    other = GroupNetwork(architecture, 1, 10, layers)
    torch.manual_seed(1)
    own = GroupNetwork(architecture, 1, 10)
    assert {name for name, _, _ in made} == set(names)
    assert [options["padding"] for name, _, options in made if name == "GroupConv"] == [1, 0]
    x = torch.randn(2, 1, 16, 16)
    assert torch.equal(own.eval()(x), other.eval()(x))


def test_maps_of_the_digits_have_12_12_and_8_rows():
    network = GroupNetwork(DIGIT_NETWORKS["c4"], 1, 10)
    rows, y = [], torch.zeros(1, 1, 16, 16)
    for module in network.features:
        y = module(y)
        if hasattr(module, "algorithm"):
            rows.append(tuple(y.shape[-2:]))
    assert rows == [(12, 12), (12, 12), (8, 8)]


@pytest.mark.parametrize(
    ("kernels", "paddings", "pools"),
    [((5, 5, 5), (0,), (2,)), ((5, 5), (), (2,)), ((5, 5), (0, 0), (2,)), ((5, 5), (0,), (2, 2))],
)
def test_widths_kernels_paddings_and_pools_must_fit(kernels, paddings, pools):
    wrong = Architecture("wrong", eq.cyclic(4), (8, 8), kernels, paddings, pools)
    text = f"widths (8, 8), kernels {kernels}, paddings {paddings} and pools {pools}, expected"
    with pytest.raises(ValueError, match=re.escape(text)):
        GroupNetwork(wrong, 1, 10)


@pytest.mark.parametrize("name", ["common.networks", "digits.images", "mitosis.nuclei", "common.statistics"])
def test_examples_of_docstrings_run(name):
    module = importlib.import_module(f"equiconv_experiments.{name}")
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0

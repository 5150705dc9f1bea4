# SPDX-License-Identifier: Apache-2.0
"""Models of the literature: they turn with their input, have the parameters they should, and build for any group."""

from __future__ import annotations

import copy
import pickle
import warnings

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch")
import equiconv.torch as et  # noqa: E402
from equiconv.torch import models  # noqa: E402
from model_cases import C4, CASES, D4, act, signal, trained  # noqa: E402


def lattice(group):
    """The elements that map the grid to itself."""
    matrices = np.asarray(group.matrices)
    return [int(e) for e in np.flatnonzero(np.all(np.abs(matrices - np.rint(matrices)) < 1e-12, axis=(1, 2)))]


def counted(module):
    return sum(parameter.numel() for parameter in module.parameters())


def weights_of(module):
    """The numbers of kernels and matrices, without norms and biases."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.dim() > 1)


@pytest.mark.parametrize("name", CASES)
def test_models_in_direct_turn_with_their_input_to_the_last_bit(name):
    case = CASES[name]
    model = trained(case.model())
    eq.set_algorithm(model, "direct")
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("error")
        for sizes in case.sizes:
            x = signal(model, sizes)
            y = model(x)
            assert len(set(y.flatten().tolist())) > 1
            for element in lattice(case.group):
                expected = act(y, case.group, element) if case.writes_plane else y
                assert torch.equal(model(act(x, case.group, element)), expected)


@pytest.mark.parametrize("name", CASES)
def test_exact_sizes_are_those_that_calls_do_not_warn_of(name):
    case = CASES[name]
    model = case.model(device="meta").eval()
    sizes, largest = [], max(case.sizes[0]) + 6
    for size in range(1, largest + 1):
        x = torch.zeros(1, model.in_channels, *(size,) * case.group.dimension, device="meta")
        with warnings.catch_warnings():
            warnings.simplefilter("error", eq.EquivarianceWarning)
            try:
                model(x)
            except (eq.EquivarianceWarning, ValueError, RuntimeError):
                continue
        sizes.append(size)
    assert model.exact_sizes(largest=largest) == tuple(sizes)
    assert sizes


@pytest.mark.parametrize("name", CASES)
def test_models_expand_pickle_and_load_their_state(name):
    case = CASES[name]
    model = trained(case.model())
    x = signal(model, case.sizes[0])
    with torch.no_grad():
        y = model(x)
        torch.testing.assert_close(et.expand(model)(x), y, atol=1e-4 * float(y.abs().max()), rtol=0)
        assert torch.equal(pickle.loads(pickle.dumps(model))(x), y)
        other = case.model().eval()
        assert not torch.equal(other(x), y)
        other.load_state_dict(copy.deepcopy(model.state_dict()))
        assert torch.equal(other(x), y)


@pytest.mark.parametrize("name", CASES)
def test_models_train(name):
    case = CASES[name]
    torch.manual_seed(0)
    model = case.model()
    x = signal(model, case.sizes[0], batch=2)
    model(x).square().mean().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("name", CASES)
def test_matched_models_have_the_parameters_that_come_nearest_and_the_trivial_group_all(name):
    case = CASES[name]
    given = tuple(4 * width for width in case.model().widths)
    model = case.model(widths=given, matched_to="parameters")
    plain = model.counterpart()
    assert plain.widths == given
    assert plain.group.order == 1
    error = abs(counted(model) - counted(plain))
    for factor in (0.9, 1.1):
        widths = tuple(max(1, round(width * factor)) for width in model.widths)
        if widths != model.widths:
            assert error <= abs(counted(case.model(widths=widths)) - counted(plain))
    assert case.model(widths=given, matched_to="width").widths == tuple(
        max(1, int(width / case.group.order + 0.5)) for width in given
    )


def test_p4cnn_has_the_published_weights():
    # 10 channels: a lifting layer, five group layers of 3 x 3 and one of 4 x 4; the paper counts nothing else.
    assert weights_of(models.p4cnn()) == 10 * 9 + 5 * 10 * 10 * 4 * 9 + 10 * 10 * 4 * 16 == 24_490
    assert counted(models.p4cnn()) == 24_490 + 6 * 2 * 10 + 10
    assert weights_of(models.z2cnn()) == 20 * 9 + 5 * 20 * 20 * 9 + 20 * 10 * 16 == 21_380
    assert models.z2cnn().layer3.dropout.p == 0.3


def test_z2cnn_is_an_ordinary_network():
    model = trained(models.z2cnn(widths=3))
    layers = [torch.nn.Conv2d(1 if number == 0 else 3, 3, 3) for number in range(6)]
    x = y = signal(model, (28, 28))
    with torch.no_grad():
        for number, layer in enumerate(layers, start=1):
            own = getattr(model, f"layer{number}")
            layer.weight.copy_(own.conv.weight.reshape(layer.weight.shape))
            norm = own.norm
            y = layer(y) - layer.bias.reshape(-1, 1, 1)
            y = torch.nn.functional.batch_norm(y, norm.running_mean, norm.running_var, norm.weight, norm.bias)
            y = torch.relu(y)
            y = torch.nn.functional.max_pool2d(y, 2) if number == 2 else y
        y = torch.nn.functional.conv2d(y, model.top.weight.reshape(10, 3, 4, 4), model.top.bias)
        torch.testing.assert_close(model(x), y.amax((2, 3)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["p4cnn", "p4cnn-D4"])
def test_network_files_have_models(name, tmp_path):
    case = CASES[name]
    model = trained(case.model())
    x = signal(model, case.sizes[0])
    path = tmp_path / "model.safetensors"
    et.save_network(model, path, x)
    with torch.no_grad():
        y = model(x)
    np.testing.assert_allclose(eq.load_network(path)(x.numpy()), y, atol=1e-4 * float(y.abs().max()))
    assert torch.equal(et.load_network(path)(x), y)


def test_counterparts_of_models_of_their_own_widths_have_nearly_as_many_parameters():
    model = models.p4cnn()
    assert abs(counted(model.counterpart()) / counted(model) - 1) < 0.05


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"group": "C4"}, "group is 'C4'"),
        ({"widths": 0}, "widths is 0"),
        ({"widths": (1, 2)}, "widths has 2 numbers, expected 6"),
        ({"widths": "wide"}, "widths is 'wide'"),
        ({"num_classes": 0}, "num_classes is 0"),
        ({"in_channels": 1.5}, "in_channels is 1.5"),
        ({"matched_to": "flops"}, "matched_to is 'flops', expected 'parameters' or 'width'"),
        ({"dropout": 2}, "is 2.0, expected a probability"),
        ({"norm": et.BatchNorm(3)}, "norm is "),
        ({"activation": 3}, "activation is 3"),
        ({"group_pool": "sum"}, "mode is 'sum'"),
    ],
)
def test_arguments_of_the_wrong_kind_are_errors_that_name_them(arguments, words):
    with pytest.raises((TypeError, ValueError), match=words):
        models.P4CNN(**{"group": C4, **arguments})


def test_exact_sizes_check_their_arguments():
    model = models.p4cnn(D4, widths=1)
    with pytest.raises(ValueError, match="largest is 3, expected an integer from 5"):
        model.exact_sizes(5, 3)
    with pytest.raises(ValueError, match="axis is 2"):
        model.exact_sizes(axis=2)

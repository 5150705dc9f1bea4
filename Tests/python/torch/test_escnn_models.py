# SPDX-License-Identifier: Apache-2.0
"""Sequential models of escnn give their results: those that are recorded, and those of an installed escnn."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

import escnn_models as models  # noqa: E402

C4 = eq.cyclic(4)
QUARTER_TURNS = np.array([np.linalg.matrix_power([[0.0, -1.0], [1.0, 0.0]], power) for power in range(4)])


@pytest.fixture(scope="module")
def table():
    with np.load(models.RECORDED) as file:
        return dict(file)


def close(found, expected):
    return torch.allclose(found, expected, rtol=1e-4, atol=1e-5 * max(1.0, expected.abs().max().item()))


def in_their_shape(found, expected):
    """Our signals, (B, C) where they keep axes of one place."""
    return found.reshape(expected.shape) if found.numel() == expected.numel() else found


def test_recorded_models_give_their_results(table):
    for name in models.MODELS:
        modules = torch.nn.ModuleList(models.stand_ins(name, table)).eval()
        ours = et.from_escnn(list(modules))
        assert type(ours) is torch.nn.Sequential
        assert not ours.training, name
        expected = torch.from_numpy(table[f"{name}/y"])
        found = ours(torch.from_numpy(table[f"{name}/x"]))
        assert close(in_their_shape(found, expected), expected), name


def test_recorded_models_train_as_theirs(table):
    """With the statistics of the batch, which move the running ones by escnn's momentum."""
    for name in models.MODELS:
        ours = et.from_escnn(torch.nn.ModuleList(models.stand_ins(name, table)).train())
        assert ours.training, name
        expected = torch.from_numpy(table[f"{name}/y in training"])
        found = ours(torch.from_numpy(table[f"{name}/x"]))
        assert close(in_their_shape(found, expected), expected), name
        norms = [module for module in ours.modules() if isinstance(module, et.BatchNorm)]
        for part in ("running_mean", "running_var"):
            keys = [key for key in table if key.startswith(f"{name} trained/") and key.endswith(part)]
            assert len(keys) == len(norms)
            for key, norm in zip(keys, norms, strict=True):
                assert close(getattr(norm, part), torch.from_numpy(table[key])), key


def test_imported_models_become_files(table, tmp_path):
    """But for convolutions behind the mean over space, where files have no axes of space any more."""
    for name in set(models.MODELS) - {"pooled"}:
        ours = et.from_escnn(models.stand_ins(name, table)).eval()
        x = torch.from_numpy(table[f"{name}/x"])
        et.save_network(ours, tmp_path / "network.safetensors", x)
        with torch.no_grad():
            assert close(et.load_network(tmp_path / "network.safetensors")(x), ours(x)), name


def test_models_of_volumes_give_the_results_of_their_filters():
    """A recorded layer on ``dihedralOnR3(2)``, and what escnn does with its filter."""
    with np.load(models.RECORDED.with_name("escnn.npz")) as file:
        matrices, bank, bias = (
            file[f"dihedral in space_{part}"] for part in ("matrices", "lifting_filter", "lifting_bias")
        )
    space = models.stand_in_space(matrices)
    image, group = trivial(space, 1), regular(space)
    layer = models.R3Conv(image, group, 3, stride=2, padding=1)
    layer.filter, layer.expanded_bias = torch.from_numpy(bank), torch.from_numpy(bias)
    pools = [models.PointwiseMaxPool3D(group, 2, 1), models.GroupPooling(group)]
    ours = et.from_escnn([layer, *pools, models.PointwiseAdaptiveAvgPool3D(trivial(space), 1)])
    x = torch.randn(1, 1, 7, 7, 7)
    maps = torch.nn.functional.conv3d(x, layer.filter, layer.expanded_bias, stride=2, padding=1)
    windows = torch.nn.functional.max_pool3d(maps, 2, 1).unflatten(1, (2, len(matrices)))
    assert close(ours(x), windows.amax(2).mean((2, 3, 4)))


@pytest.fixture
def space():
    return models.stand_in_space(QUARTER_TURNS)


def regular(space, count=2):
    return models.fields(models, space, True, count)


def trivial(space, count=2):
    return models.fields(models, space, False, count)


def test_modules_become_their_counterparts(space):
    group, plane = regular(space), trivial(space)
    ours = et.from_escnn(
        models.SequentialModule(
            models.InnerBatchNorm(group, eps=0.25, momentum=None, affine=False),
            models.PointwiseMaxPool2D(group, 3, 2, 1),
            models.PointwiseDropout(group, 0.25),
            models.FieldDropout(group, 0.75),
            models.R2Upsampling(group, scale_factor=2),
            models.GroupPooling(group),
            models.GroupPooling(plane),
            models.PointwiseAvgPool2D(plane, 2),
            models.PointwiseAdaptiveAvgPool2D(plane, 1),
        )
    )
    kinds = [type(module).__name__ for module in ours]
    assert kinds == [
        "BatchNorm", "SpatialMaxPool", "Dropout", "FieldDropout", "Sequential", "GroupPool", "SpatialAvgPool",
        "SpatialMean",
    ]  # fmt: skip
    norm, windows, dropout, fields = list(ours)[:4]
    assert (norm.eps, norm.momentum, norm.affine, norm.num_features) == (0.25, None, False, 2)
    assert (windows.kernel, windows.stride, windows.padding) == ((3, 3), (2, 2), (1, 1))
    assert (dropout.p, fields.p) == (0.25, 0.75)
    assert ours[5].mode == "max"
    assert ours.eval()(torch.zeros(1, 2, 4, 5, 5)).shape == (1, 2)


def test_modules_that_unwrap_the_tensor_are_nothing(space):
    class Unwrap(torch.nn.Module):
        def forward(self, x):
            return x.tensor

    group = regular(space)
    model = torch.nn.Sequential(models.ReLU(group), Unwrap(), torch.nn.Conv2d(8, 3, 1), torch.nn.ReLU())
    ours = et.from_escnn(model)
    assert [type(module).__name__ for module in ours] == ["ReLU", "Flatten", "Conv2d", "ReLU"]
    x = torch.randn(1, 2, 4, 5, 5)
    assert torch.equal(ours(x), model[2:](x.flatten(1, 2).relu()))
    assert ours[2] is not model[2]


MIXED = "has trivial and regular fields, mixed, as in_type, expected all trivial or all regular"


def mixed(space):
    return models.FieldType(space, [space.regular_repr, space.trivial_repr])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda s: [models.ReLU(mixed(s))], ValueError, MIXED),
        (lambda s: [models.PointwiseMaxPoolAntialiased2D(regular(s), 2)], ValueError,
         r"model\[0\] is a PointwiseMaxPoolAntialiased2D, which has no counterpart, expected one of R2Conv"),
        (lambda s: models.SequentialModule(models.ReLU(regular(s)), models.StandIn(regular(s))), ValueError,
         r"model\[1\] is a StandIn, which has no counterpart"),
        (lambda s: [models.PointwiseMaxPool2D(regular(s), 2, ceil_mode=True)], ValueError, "ceil_mode True"),
        (lambda s: [models.PointwiseMaxPool2D(regular(s), 2, dilation=2)], ValueError, r"dilation \(2, 2\), expected"),
        (lambda s: [models.PointwiseAdaptiveAvgPool2D(regular(s), 2)], ValueError, r"to \(2, 2\), expected to 1"),
        (lambda s: [models.ReLU(regular(s)), models.ReLU(trivial(s))], ValueError,
         r"model\[1\] reads 2 trivial fields of C4, expected 2 regular fields of C4, which"),
        (lambda s: [models.ReLU(regular(s)), torch.nn.Flatten(), models.ReLU(regular(s))], ValueError,
         r"model\[2\] is a ReLU behind modules of PyTorch"),
        (lambda s: [models.ReLU(regular(s)), torch.relu], TypeError, r"model\[1\] is <built-in method relu"),
        (lambda s: [], ValueError, "model has no modules"),
        (lambda s: [models.IdentityModule(regular(s))], ValueError, "model has no modules that do anything"),
        (lambda s: [torch.nn.Linear(2, 2)], ValueError, r"model\[0\] is a Linear, which has no counterpart"),
    ],
)  # fmt: skip
def test_modules_without_a_counterpart_are_named_with_their_place(space, make, error, message):
    with pytest.raises(error, match=message):
        et.from_escnn(make(space))


def test_functions_and_norms_that_differ_are_refused(space):
    function = models.PointwiseNonLinearity(regular(space), "p_relu")
    function._function = torch.nn.functional.gelu
    with pytest.raises(ValueError, match=r"model is a PointwiseNonLinearity of gelu, expected one of relu, elu"):
        et.from_escnn(function)
    norm = models.InnerBatchNorm(regular(space))
    norm.in_type = norm.out_type = trivial(space)
    with pytest.raises(ValueError, match=r"InnerBatchNorm with \['batch_norm_\[4\]'\], expected batch_norm_\[1\]"):
        et.from_escnn(norm)


def test_a_model_with_a_forward_of_its_own_is_refused(space):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.block = models.SequentialModule(models.ReLU(regular(space)))

        def forward(self, x):
            return self.block(x).tensor

    model = Model()
    with pytest.raises(TypeError, match=r"model is a Model, whose forward is its own, .* pass its modules in a list"):
        et.from_escnn(model)
    assert len(et.from_escnn([model.block, torch.nn.Flatten()])) == 2


def test_elements_in_another_order_reach_only_linear_maps(space, table):
    matrices = table["D4 at pi/4/matrices"]
    group = regular(models.stand_in_space(matrices), 1)
    with pytest.raises(ValueError, match=r"model\[1\] reads 1 regular fields of D4 as channels, whose elements"):
        et.from_escnn([models.ReLU(group), torch.nn.Conv2d(8, 1, 1)])
    with pytest.raises(ValueError, match=r"model\[2\] is a BatchNorm1d, which .* expected one of torch.nn.Linear"):
        et.from_escnn([models.ReLU(group), torch.nn.Flatten(), torch.nn.BatchNorm1d(8)])


def test_signals_have_elements_in_the_order_of_the_layers(table):
    """A model that ends on the group: escnn's linear maps read its numbers by escnn's numbers of the elements."""
    modules = models.stand_ins("D4 at pi/4", table)
    y = et.from_escnn(modules[:4])(torch.from_numpy(table["D4 at pi/4/x"]))
    distances = np.abs(eq.dihedral(4).matrices - table["D4 at pi/4/matrices"][:, None]).sum((2, 3))
    theirs = y[:, :, distances.argmin(1)].flatten(1)
    assert close(torch.nn.Sequential(*modules[5:])(theirs), torch.from_numpy(table["D4 at pi/4/y"]))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", models.MODELS)
def test_models_of_an_installed_escnn_give_their_results(name, training):
    models.without_three_dimensions()
    nn = pytest.importorskip("escnn.nn", reason="escnn is not installed: its recorded results are tested alone")
    gspaces = pytest.importorskip("escnn.gspaces")
    modules, x = models.made(name, nn, gspaces)
    everything = torch.nn.ModuleList(modules).train(training)
    ours = et.from_escnn(list(everything))
    with torch.no_grad():
        expected = models.run(nn, modules, x)
        found = ours(x)
    assert close(in_their_shape(found, expected), expected)

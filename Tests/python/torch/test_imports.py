# SPDX-License-Identifier: Apache-2.0
"""Weights of GrouPy give its published numbers; layers of escnn give its results.

``data/escnn.npz`` has filters, biases, inputs and outputs of ``escnn.nn.R2Conv`` 1.0.11 with kernels of 3 x 3, stride 2
and padding 1, from one field to two, on ``rot2dOnR2(4)`` and ``flipRot2dOnR2(4)``; and, with the matrices of the
elements, on ``flip2dOnR2()``, whose group escnn calls C2, ``flip2dOnR2(axis=0)``, ``flipRot2dOnR2(4, axis=pi/4)``
and, of ``R3Conv``, ``dihedralOnR3(2)``.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

C4, D4 = eq.cyclic(4), eq.dihedral(4)
# This package's number of each of GrouPy's elements of p4m.
OURS = [0, 1, 2, 3, 6, 5, 4, 7]
IMAGE = torch.arange(25.0, dtype=torch.float64).reshape(1, 1, 5, 5)


def ramp(*shape):
    return torch.arange(float(np.prod(shape)), dtype=torch.float64).reshape(shape)


def test_p4_gives_the_published_numbers():
    lifted = et.from_groupy(ramp(1, 1, 1, 3, 3), C4)
    y = lifted(IMAGE)
    assert isinstance(lifted, et.LiftingConv)
    assert y[0, 0, :, 0].tolist() == [[312, 348, 384], [204, 240, 276], [120, 156, 192], [228, 264, 300]]
    group = et.from_groupy(ramp(1, 1, 4, 3, 3), C4)
    assert isinstance(group, et.GroupConv)
    assert group(y).flatten().tolist() == [272376, 287928, 271944, 256392]
    turned = torch.rot90(IMAGE, 1, (2, 3))
    assert group(lifted(turned)).flatten().tolist() == [256392, 272376, 287928, 271944]


def test_p4m_gives_the_published_numbers_in_the_order_of_elements_here():
    y = et.from_groupy(ramp(1, 1, 1, 3, 3), D4)(IMAGE)
    assert y[0, 0, OURS, 1, 1].tolist() == [528, 420, 336, 444, 348, 480, 516, 384]
    assert y[0, 0, OURS, 0, 0].tolist() == [312, 204, 120, 228, 132, 264, 300, 168]
    z = et.from_groupy(ramp(1, 1, 8, 3, 3).numpy(), D4)(y)
    assert z[0, 0, OURS, 0, 0].tolist() == [
        1124064, 1139616, 1084320, 1068768, 1072224, 1079136, 1136160, 1129248
    ]  # fmt: skip


def test_groupy_bias_stride_and_padding_are_taken_over():
    layer = et.from_groupy(ramp(2, 3, 4, 3, 3), C4, np.array([1.0, 2.0]).reshape(1, 2, 1, 1, 1), stride=2, padding=1)
    assert layer.bias.tolist() == [1, 2]
    assert (layer.stride, layer.padding) == (2, 1)
    plain = et.from_groupy(ramp(2, 3, 4, 3, 3), C4, stride=2, padding=1)
    x = torch.randn(1, 3, 4, 5, 5, dtype=torch.float64)
    assert torch.allclose(layer(x) - plain(x), torch.tensor([1.0, 2.0], dtype=torch.float64).reshape(1, 2, 1, 1, 1))


@pytest.mark.parametrize(
    ("weight", "group", "bias", "error", "message"),
    [
        (ramp(1, 1, 8, 3, 3), C4, None, ValueError, r"weight has shape \(1, 1, 8, 3, 3\), expected .*4, k, k\) for C4"),
        (ramp(1, 1, 4, 3, 5), C4, None, ValueError, "weight has shape"),
        (ramp(1, 1, 4, 3, 3), eq.cyclic(8), None, ValueError, "group is C8, expected cyclic"),
        (ramp(1, 1, 4, 3, 3), 4, None, TypeError, "group is 4"),
        (ramp(1, 1, 4, 3, 3).int(), C4, None, TypeError, "weight has dtype int32"),
        (ramp(2, 1, 4, 3, 3), C4, np.zeros(3), ValueError, r"bias has shape \(3,\), expected \(2,\)"),
    ],
)
def test_groupy_weights_of_another_kind_are_refused(weight, group, bias, error, message):
    with pytest.raises(error, match=message):
        et.from_groupy(weight, group, bias)


def stand_in(group, kind, table, **changes):
    """What `from_escnn` reads of a layer, with recorded tensors."""

    class Representation(SimpleNamespace):
        def is_trivial(self):
            return self.name != "regular"

    def fields(regular, count):
        name = "regular" if regular else "irrep_0"
        space = SimpleNamespace(fibergroup=SimpleNamespace(name=group))
        if f"{group}_matrices" in table:
            space.fibergroup = SimpleNamespace(name="C2", elements=range(len(table[f"{group}_matrices"])))
            space.basespace_action = table[f"{group}_matrices"].__getitem__
        return SimpleNamespace(gspace=space, representations=[Representation(name=name)] * count)

    tensors = torch.from_numpy(table[f"{group}_{kind}_filter"]), torch.from_numpy(table[f"{group}_{kind}_bias"])
    layer = {
        "in_type": fields(kind in ("group", "projection"), 1),
        "out_type": fields(kind in ("lifting", "group"), 2),
        "expand_parameters": lambda: tensors,
        "stride": 2, "padding": 1, "dilation": 1, "groups": 1, "padding_mode": "zeros",
    }  # fmt: skip
    return SimpleNamespace(**(layer | changes))


@pytest.fixture(scope="module")
def table():
    with np.load(Path(__file__).parent / "data" / "escnn.npz") as file:
        return dict(file)


@pytest.mark.parametrize("kind", ["isotropic", "lifting", "group", "projection"])
@pytest.mark.parametrize("group", ["C4", "D4"])
def test_escnn_layers_give_their_results(table, group, kind):
    layer = et.from_escnn(stand_in(group, kind, table))
    assert layer.layer_name == kind
    assert layer.group == {"C4": C4, "D4": D4}[group]
    x, expected = (torch.from_numpy(table[f"{group}_{kind}_{part}"]) for part in "xy")
    if kind in ("group", "projection"):
        x = x.unflatten(1, (1, -1))
    y = layer(x)
    assert torch.allclose(y.reshape(expected.shape), expected, rtol=1e-5, atol=1e-5 * expected.abs().max().item())


D1, D2_IN_SPACE = eq.dihedral(1), eq.axial_dihedral(2)
BY_MATRICES = {
    # The group here, and escnn's number of each of its elements.
    "flip": (D1, [0, 1]),
    "flip at 0": (eq.PointGroup.from_matrices([np.eye(2), np.diag([1.0, -1.0])]), [0, 1]),
    "D4 at pi/4": (D4, [0, 1, 2, 3, 5, 6, 7, 4]),
    "dihedral in space": (D2_IN_SPACE, [0, 1, 2, 3]),
}


@pytest.mark.parametrize("kind", ["isotropic", "lifting", "group", "projection"])
@pytest.mark.parametrize("name", BY_MATRICES)
def test_escnn_groups_are_known_by_their_matrices(table, name, kind):
    """Not by their names, which mirrors share with turns; axes |H| are in the order of the group here."""
    group, order = BY_MATRICES[name]
    layer = et.from_escnn(stand_in(name, kind, table))
    assert (layer.group, layer.layer_name) == (group, kind)
    x, expected = (torch.from_numpy(table[f"{name}_{kind}_{part}"]) for part in "xy")
    if kind in ("group", "projection"):
        x = x.unflatten(1, (1, -1))[:, :, order]
    if kind in ("lifting", "group"):
        expected = expected.unflatten(1, (2, -1))[:, :, order]
    assert torch.allclose(layer(x), expected, rtol=1e-5, atol=1e-5 * expected.abs().max().item())


def test_flips_of_e2cnn_are_known_by_their_gspace(table):
    """It gives no matrices."""

    class Flip2dOnR2(SimpleNamespace):
        pass

    module = stand_in("flip", "group", table)
    module.in_type.gspace = Flip2dOnR2(fibergroup=SimpleNamespace(name="C2"))
    assert et.from_escnn(module).group == D1


def test_escnn_layers_that_have_no_equal_are_refused(table):
    with pytest.raises(ValueError, match=r"model is a Conv2d, which has no counterpart, expected one of R2Conv"):
        et.from_escnn(torch.nn.Conv2d(1, 1, 3))
    with pytest.raises(TypeError, match=r"without out_type, expected a layer such as escnn"):
        et.from_escnn(SimpleNamespace(in_type=None))
    with pytest.raises(ValueError, match="padding mode 'reflect'"):
        et.from_escnn(stand_in("C4", "group", table, padding_mode="reflect"))
    continuous = stand_in("C4", "group", table)
    continuous.in_type.gspace.fibergroup.name = "SO(2)"
    with pytest.raises(ValueError, match="for the group SO"):
        et.from_escnn(continuous)
    continuous.in_type.gspace = SimpleNamespace(
        fibergroup=SimpleNamespace(name="O(2)", continuous=True), basespace_action=np.eye
    )
    with pytest.raises(ValueError, match=r"for the group O\(2\), which is not finite"):
        et.from_escnn(continuous)
    mirrored = stand_in("D4", "group", table)
    bank, bias = mirrored.expand_parameters()
    # The mirroring at another axis: the same kernel at elements of another order.
    order = [0, 1, 2, 3, 6, 5, 4, 7]
    bank = bank.unflatten(0, (2, 8))[:, order][:, :, order].flatten(0, 1)
    mirrored.expand_parameters = lambda: (bank, bias)
    with pytest.raises(ValueError, match="not one kernel turned by D4"):
        et.from_escnn(mirrored)
    mixed = stand_in("C4", "group", table)
    mixed.in_type.representations[0].name = "irrep_1"
    mixed.in_type.representations[0].is_trivial = lambda: False
    with pytest.raises(ValueError, match=r"fields \['irrep_1'\] as in_type"):
        et.from_escnn(mixed)


def test_layers_of_an_installed_escnn_give_their_results():
    nn = pytest.importorskip("escnn.nn", reason="escnn is not installed: its recorded results are tested alone")
    gspaces = pytest.importorskip("escnn.gspaces")
    space = gspaces.flip2dOnR2()
    fields = 2 * [nn.FieldType(space, 2 * [space.regular_repr])]
    assert et.from_escnn(nn.R2Conv(*fields, 3)).group == D1
    space = gspaces.flipRot2dOnR2(4)
    fields = [nn.FieldType(space, 3 * [space.trivial_repr]), nn.FieldType(space, 2 * [space.regular_repr])]
    theirs = nn.R2Conv(*fields, 5, padding=2)
    x = torch.randn(1, 3, 9, 9)
    expected = theirs(nn.GeometricTensor(x, fields[0])).tensor
    assert torch.allclose(et.from_escnn(theirs)(x).flatten(1, 2), expected, atol=1e-5)

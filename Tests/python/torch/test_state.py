# SPDX-License-Identifier: Apache-2.0
"""Weights record their group and basis: weights of another group or basis are refused, however they are loaded."""

from __future__ import annotations

import copy
import io
import pickle

import equiconv as eq
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from torch import nn  # noqa: E402 (torch may be missing)

C4, D2 = eq.cyclic(4), eq.dihedral(2)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)


def network(group, **keywords):
    return nn.Sequential(
        et.LiftingConv(1, 2, 3, group, **keywords), et.BatchNorm(2), et.GroupConv(2, 3, 3, group), et.GroupPool(group)
    )


def through_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def averaged(state):
    return {name: sum([value, value]) / 2 for name, value in state.items()}


WAYS = {
    "itself": lambda state: state,
    "a file of weights only": through_file,
    "a pickle": lambda state: pickle.loads(pickle.dumps(state)),
    "a plain dictionary": lambda state: dict(state.items()),
    "an average": averaged,
    "half precision": lambda state: {name: value.bfloat16() for name, value in state.items()},
    "names taken off": lambda state: {name.removeprefix("module."): value for name, value in state.items()},
}


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_weights_of_another_group_of_equal_order_are_an_error_that_names_both(way, strict):
    ours, theirs = network(C4), network(D2)
    before = copy.deepcopy(ours.state_dict())
    wrapped = nn.Module()
    wrapped.module = theirs
    source = wrapped if way == "names taken off" else theirs
    state = WAYS[way](source.state_dict())
    with pytest.raises(
        RuntimeError, match=r"weights are for D2, expected weights for C4 \(0._extra_state, LiftingConv"
    ):
        ours.load_state_dict(state, strict=strict)
    assert torch.equal(ours[0].weight, before["0.weight"])
    assert torch.equal(ours[2].weight, before["2.weight"])


@pytest.mark.parametrize("way", WAYS)
def test_weights_of_the_same_group_load_strictly(way):
    ours, theirs = network(C4), network(C4)
    wrapped = nn.Module()
    wrapped.module = theirs
    source = wrapped if way == "names taken off" else theirs
    ours.load_state_dict(WAYS[way](source.state_dict()))
    torch.testing.assert_close(ours[2].weight, theirs[2].weight, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(
    ("ours", "theirs", "message"),
    [
        (
            {"kernel": eq.bspline_basis(3)},
            {"kernel": eq.bspline_basis(3, degree=2)},
            "bspline_basis.*expected.*bspline",
        ),
        ({"group_basis": eq.localized([0, 1])}, {"group_basis": eq.localized([0, 2])}, r"\[0, 2\].*expected.*\[0, 1\]"),
    ],
    ids=["kernel basis", "group basis"],
)
def test_coefficients_of_another_basis_are_an_error(ours, theirs, message):
    modules = [et.GroupConv(1, 2, **({"kernel": 3} | options), group=C4) for options in (ours, theirs)]
    with pytest.raises(RuntimeError, match=message):
        modules[0].load_state_dict(modules[1].state_dict())


def test_groups_with_one_name_are_told_apart_and_equal_groups_are_not():
    """By the matrices in their order, however they were made."""
    named = et.GroupConv(1, 1, 3, C4)
    same = et.GroupConv(1, 1, 3, eq.PointGroup.from_matrices(C4.matrices))
    other = et.GroupConv(1, 1, 3, eq.PointGroup.from_matrices(C4.matrices[[0, 3, 2, 1]]))
    assert same.group == named.group
    x = torch.randn(1, 1, 4, 5, 5)
    saved = {name: value for name, value in named.state_dict().items() if name != "_extra_state"}
    with pytest.raises(RuntimeError, match=r"weights are for .*, expected weights for"):
        same.load_state_dict(other.state_dict())
    with pytest.raises(RuntimeError, match=r"weights are for .* #.*, expected weights for .* #|weights are for"):
        named.load_state_dict(other.state_dict())
    same.load_state_dict(same.state_dict() | saved)
    assert torch.equal(same(x), named(x))


def test_state_without_the_entry_loads_where_the_layer_gives_its_own():
    ours, state = network(C4), network(C4).state_dict()
    weights = {name: value for name, value in state.items() if not name.endswith("_extra_state")}
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "0._extra_state", "2._extra_state"'):
        ours.load_state_dict(weights)
    ours.load_state_dict(ours.state_dict() | weights)
    assert torch.equal(ours[2].weight, weights["2.weight"])
    again = network(C4)
    again.load_state_dict(weights, strict=False)
    assert torch.equal(again[2].weight, weights["2.weight"])


def test_entry_that_is_no_text_is_an_error():
    ours = et.GroupConv(1, 1, 3, C4)
    for entry, message in (("C4", "is of type str"), (torch.zeros(3), "weights are for"), (torch.zeros(0), "for ''")):
        with pytest.raises(RuntimeError, match=message):
            ours.load_state_dict(ours.state_dict() | {"_extra_state": entry})


def test_meta_modules_take_weights_of_their_group_alone():
    with torch.device("meta"):
        ours = network(C4)
    with pytest.raises(RuntimeError, match=r"weights are for D2"):
        ours.load_state_dict(network(D2).state_dict(), assign=True)
    theirs = network(C4)
    ours.load_state_dict(theirs.state_dict(), assign=True)
    x = torch.randn(2, 1, 7, 7)
    assert torch.equal(ours.eval()(x), theirs.eval()(x))


def test_copies_ask_for_the_group_of_the_original():
    module = et.GroupConv(1, 1, 3, C4)
    for again in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        again.load_state_dict(module.state_dict())
        with pytest.raises(RuntimeError, match=r"weights are for D2"):
            again.load_state_dict(et.GroupConv(1, 1, 3, D2).state_dict())


def test_parametrized_layers_ask_for_their_group():
    ours, theirs = (nn.utils.parametrizations.weight_norm(et.GroupConv(1, 1, 3, group)) for group in (C4, D2))
    with pytest.raises(RuntimeError, match=r"weights are for D2, expected weights for C4"):
        ours.load_state_dict(theirs.state_dict())

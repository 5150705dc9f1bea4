# SPDX-License-Identifier: Apache-2.0
"""The kinds of operations and their keys are the same in the schema, in the Python library and in the engine."""

from __future__ import annotations

import json
from pathlib import Path

import equiconv as eq
import numpy as np
import pytest
from equiconv._network.file import write_file
from equiconv._network.types import KEYS, POINTWISE
from networks import LAYER, group_entry

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "network.schema.json").read_text("utf-8"))
COMMON = {"kind", "name", "inputs", "output"}
LAYER_C4 = LAYER.format(group="cyclic(4)", input="group", output="group")
WINDOW = {"kernel": [3, 3], "stride": [1, 1], "padding": [1, 1]}
TENSORS = {
    "weight": np.ones((2, 2, 4, 3, 3), np.float32), "channels": np.ones(2, np.float32),
    "map": np.ones((3, 2), np.float32), "three": np.ones(3, np.float32),
}  # fmt: skip
VALUES = {
    "layer": LAYER_C4, "weight": "weight", "bias": "channels", "output_padding": [0, 0], "mean": "channels",
    "variance": "channels", "epsilon": 1e-5, "slope": 0.1, "alpha": 1.5, "stabilizer": [0, 2], "factors": [2, 2],
    "align_corners": False, "subgroup": [0, 2], "group": "C4",
} | WINDOW  # fmt: skip
"""A value of each key, for the operations below that have no other."""

OPERATIONS = {
    "batch_norm": {"weight": "channels"},
    "pointwise": {"function": "relu"},
    "pointwise leaky_relu": {"function": "leaky_relu"},
    "pointwise elu": {"function": "elu"},
    "group_pool": {"mode": "max"},
    "upsample": {"mode": "nearest"},
    "upsample linear": {"mode": "linear"},
    "induce": {"stabilizer": [0, 1, 2, 3]},
    "linear": {"weight": "map", "bias": "three"},
}


def schemas():
    """The schemas of operations, by their kinds."""
    found = {}
    for name, schema in SCHEMA["$defs"]["operations"].items():
        found.setdefault(schema["properties"]["kind"]["const"], {})[name] = schema
    return found


def keys_of(kind):
    """The keys of a kind in the schema, and those of them that all its forms require; without those of all kinds."""
    forms = schemas()[kind].values()
    keys = set().union(*(form["properties"] for form in forms))
    required = set.intersection(*(set(form["required"]) for form in forms))
    return keys - COMMON, required - COMMON


def document_of(operation):
    """A network of this operation, which reads what it wants."""
    kind = operation["kind"]
    is_plane = kind in ("induce", "linear")
    given = {"name": "x", "dimension": 2, "space": "plane" if is_plane else "group", "channels": 2, "extents": [4, 4]}
    operations = [operation]
    if kind == "linear":
        operations = [{"kind": "spatial_mean", "name": "m", "inputs": ["x"], "output": "m"}, operation]
    return {
        "format": "equiconv-network/1", "name": "n", "dtype": "float32", "groups": {"C4": group_entry(eq.cyclic(4))},
        "input": given | ({} if is_plane else {"group": "C4"}), "operations": operations,
        "outputs": [{"name": "y", "value": "y"}],
    }  # fmt: skip


def operation_of(kind, form, keys):
    """An operation with these keys."""
    inputs = {"add": ["x", "x"], "concatenate": ["x", "x"], "linear": ["m"]}.get(kind, ["x"])
    values = VALUES | OPERATIONS.get(form, OPERATIONS.get(kind, {}))
    return {"kind": kind, "name": "o", "inputs": inputs, "output": "y"} | {key: values[key] for key in keys}


def load(folder, operation):
    """Opens a network of this operation."""
    write_file(document_of(operation), TENSORS, folder / "n")
    return eq.load_network(folder / "n")


def forms():
    """Each kind with the keys it has; functions and modes with a number of their own apart."""
    for kind, (required, optional) in KEYS.items():
        own = {"pointwise": {"slope", "alpha"}, "upsample": {"align_corners"}}.get(kind, set())
        yield kind, kind, required, optional - own
    for function, key in POINTWISE.items():
        if key is not None:
            yield "pointwise", f"pointwise {function}", {"function", key}, set()
    yield "upsample", "upsample linear", {"mode", "factors"}, {"align_corners"}


FORMS = [pytest.param(*form, id=form[1]) for form in forms()]


def test_the_schema_has_the_kinds_of_the_library():
    assert set(schemas()) == set(KEYS)
    listed = {entry["$ref"].rsplit("/", 1)[1] for entry in SCHEMA["$defs"]["operation"]["oneOf"]}
    assert listed == set(SCHEMA["$defs"]["operations"])


@pytest.mark.parametrize("kind", KEYS)
def test_the_schema_has_the_keys_of_the_library(kind):
    required, optional = KEYS[kind]
    assert keys_of(kind) == (required | optional, required)
    assert all(form["additionalProperties"] is False for form in schemas()[kind].values())


@pytest.mark.parametrize(("kind", "form", "required", "optional"), FORMS)
def test_the_engine_accepts_each_key(tmp_path, kind, form, required, optional):
    load(tmp_path, operation_of(kind, form, required))
    for key in optional:
        load(tmp_path, operation_of(kind, form, required | {key}))
    for key in required:
        with pytest.raises(ValueError, match=key):
            load(tmp_path, operation_of(kind, form, required - {key}))


@pytest.mark.parametrize(("kind", "form", "required", "optional"), FORMS)
def test_the_engine_refuses_all_other_keys(tmp_path, kind, form, required, optional):
    others = set().union(*(a | b for a, b in KEYS.values())) - required - optional
    for key in [*sorted(others - {"function", "mode"}), "unknown"]:
        operation = operation_of(kind, form, required) | {key: VALUES.get(key, 1)}
        with pytest.raises(ValueError, match=key):
            load(tmp_path, operation)

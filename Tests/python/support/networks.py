# SPDX-License-Identifier: Apache-2.0
"""Small networks as documents and tensors, for the tests of network files."""

from __future__ import annotations

import equiconv as eq
import numpy as np

LAYER = (
    "equiconv-layer/1 group={group} input={input} output={output} stride=[1,1] padding=[same,same] dilation=[1,1] "
    "padding_mode=zeros algorithm=auto interpolation=bilinear basis=none group_basis=full quadrature=no "
    "channel_groups=1"
)
CLASSES = ["cat", "dog", "übrig"]


def group_entry(group):
    """A group as a document has it."""
    return {"text": group.text, "matrices": [matrix.ravel().tolist() for matrix in group.matrices]}


def classifier(group=None, dtype="float32", outputs=("scores", "planes"), seed=0):
    """Lifting, ReLU, group convolution, batch norm, residual, maximum over H, mean over space, linear."""
    group = eq.cyclic(4) if group is None else group
    rng = np.random.default_rng(seed)
    word = group.text.removeprefix("equiconv-group/1 ")
    order = group.order
    operations = [
        {"kind": "convolution", "name": "lift", "inputs": ["image"], "output": "v0",
         "layer": LAYER.format(group=word, input="plane", output="group"), "weight": "lift.weight",
         "bias": "lift.bias"},
        {"kind": "pointwise", "name": "relu", "inputs": ["v0"], "output": "v1", "function": "relu"},
        {"kind": "convolution", "name": "group", "inputs": ["v1"], "output": "v2",
         "layer": LAYER.format(group=word, input="group", output="group"), "weight": "group.weight"},
        {"kind": "batch_norm", "name": "norm", "inputs": ["v2"], "output": "v3", "mean": "norm.mean",
         "variance": "norm.variance", "weight": "norm.weight", "epsilon": 1e-5},
        {"kind": "add", "name": "add", "inputs": ["v3", "v1"], "output": "v4"},
        {"kind": "group_pool", "name": "pool", "inputs": ["v4"], "output": "planes", "mode": "max"},
        {"kind": "spatial_mean", "name": "mean", "inputs": ["planes"], "output": "v6"},
        {"kind": "linear", "name": "last", "inputs": ["v6"], "output": "scores", "weight": "last.weight",
         "bias": "last.bias"},
    ]  # fmt: skip
    shapes = {
        "lift.weight": (4, 2, 3, 3), "lift.bias": (4,), "group.weight": (4, 4, order, 3, 3), "norm.mean": (4,),
        "norm.variance": (4,), "norm.weight": (4,), "last.weight": (3, 4), "last.bias": (3,),
    }  # fmt: skip
    tensors = {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
    tensors["norm.variance"] = np.abs(tensors["norm.variance"]) + np.dtype(dtype).type(0.5)
    document = {
        "format": "equiconv-network/1",
        "name": "classifier",
        "description": "for tests",
        "dtype": dtype,
        "groups": {"H": group_entry(group)},
        "input": {"name": "image", "dimension": 2, "space": "plane", "channels": 2, "extents": [None, None]},
        "operations": operations,
        "outputs": [
            {"name": name, "value": name, **({"classes": CLASSES} if name == "scores" else {})} for name in outputs
        ],
    }
    return document, tensors


def classify(document, tensors, x):
    """What `classifier` computes, by the functions of equiconv; scores and planes."""
    group = next(iter(document["groups"].values()))["text"]
    h = eq.PointGroup.from_matrices(np.reshape(next(iter(document["groups"].values()))["matrices"], (-1, 2, 2)))
    assert group
    t = tensors
    options = {"padding": "same", "algorithm": "direct"}
    lifted = np.maximum(eq.lifting_conv(x, t["lift.weight"], h, t["lift.bias"], **options), 0)
    y = eq.group_conv(lifted, t["group.weight"], h, **options)
    scale = (t["norm.weight"] / np.sqrt(t["norm.variance"] + 1e-5)).astype(x.dtype)
    shape = (1, -1, 1, 1, 1)
    y = (y - t["norm.mean"].reshape(shape)) * scale.reshape(shape) + lifted
    planes = eq.group_pool(y, "max")
    scores = planes.mean(axis=(2, 3)) @ t["last.weight"].T + t["last.bias"]
    return scores.astype(x.dtype), planes

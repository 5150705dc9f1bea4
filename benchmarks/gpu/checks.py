# SPDX-License-Identifier: Apache-2.0
"""What must hold on a GPU besides speed. Each function gives what it found, for the page."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import equiconv as eq
import equiconv.torch as et
import torch
from adapters.network_torch import Sum
from subjects import Place
from torch import Tensor, nn

Found = dict[str, Any]
# Channels of a wide residual network with 28 layers, 10 times as wide as the first one, and with its parameters on D4.
WIDE, BLOCKS = (16, 160, 320, 640), 4


def wide_network(place: Place) -> Found:
    """Seconds to make a network of D4 as large as WRN-28-10, and to run it for the first time."""
    group = eq.dihedral(4)
    shrink = 16 if place.compiler != "inductor" else 1
    widths = [max(1, round(width / group.order**0.5 / shrink)) for width in WIDE]
    start = time.perf_counter()
    network = _wide(group, widths, place.device)
    _wait(place)
    built = time.perf_counter() - start
    et.set_backend(network, "torch")
    x = torch.randn(2, 3, 33, 33, device=place.device)
    start = time.perf_counter()
    with torch.no_grad():
        network(x)
    _wait(place)
    first = time.perf_counter() - start
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return {"seconds": built, "first": first, "parameters": parameters, "layers": 1 + 6 * BLOCKS}


def _wide(group: eq.PointGroup, widths: list[int], device: str) -> nn.Module:
    """A layer from the plane, three groups of residual blocks, a classifier."""
    options: dict[str, Any] = {"padding": "same", "bias": False, "device": device}
    blocks: list[nn.Module] = [et.LiftingConv(3, widths[0], 3, group, **options), et.BatchNorm(widths[0]), nn.ReLU()]
    inputs = widths[0]
    for number, outputs in enumerate(widths[1:]):
        for block in range(BLOCKS):
            stride = 2 if block == 0 and number > 0 else 1
            main = nn.Sequential(
                et.GroupConv(inputs, outputs, 3, group, stride=stride, **options), et.BatchNorm(outputs), nn.ReLU(),
                et.GroupConv(outputs, outputs, 3, group, **options), et.BatchNorm(outputs),
            )  # fmt: skip
            is_same = stride == 1 and inputs == outputs
            shortcut = nn.Identity() if is_same else et.GroupConv(inputs, outputs, 1, group, stride=stride, **options)
            blocks.append(Sum(main, shortcut))
            inputs = outputs
    head = (et.GroupPool(group, "max"), et.SpatialMean(group), nn.Linear(inputs, 10))
    return nn.Sequential(*blocks, *head).to(device)


def _wait(place: Place) -> None:
    if place.device == "cuda":
        torch.cuda.synchronize()


def exactness(place: Place) -> Found:
    """What `equiconv.torch.check_exactness` says of the device."""
    report = et.check_exactness(place.device)
    return {"holds": bool(report), "rows": [asdict(row) | {"holds": row.holds} for row in report.rows]}


def determinism(place: Place) -> Found:
    """Whether the gradients of two runs have the same bits, under `torch.use_deterministic_algorithms`."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        same = {name: _is_same_twice(name, place) for name in ("C4", "D4", "C8", "octahedral")}
    finally:
        torch.use_deterministic_algorithms(before)
    return {"holds": all(same.values()), "groups": same}


def _is_same_twice(name: str, place: Place) -> bool:
    """Of a layer of a group."""
    group = {"C4": eq.cyclic(4), "D4": eq.dihedral(4), "C8": eq.cyclic(8), "octahedral": eq.octahedral()}[name]
    torch.manual_seed(0)
    layer = et.GroupConv(8, 8, 3, group, padding="same", backend="torch").to(place.device)
    space = (12,) * group.dimension
    x = torch.randn(4, 8, group.order, *space, device=place.device, requires_grad=True)

    def gradients() -> tuple[Tensor, ...]:
        y = layer(x)
        return torch.autograd.grad(y, (x, *layer.parameters()), torch.ones_like(y) * y.detach())

    return all(torch.equal(one, other) for one, other in zip(gradients(), gradients(), strict=True))


def digits(place: Place) -> Found:
    """The accuracy of a network trained on digits on the device, and of the same training on the CPU."""
    from equiconv_experiments.common.training import Recipe
    from equiconv_experiments.digits.runs import Setting

    is_quick = place.compiler != "inductor"
    recipe = Recipe(epochs=1 if is_quick else 3)
    setting = Setting(recipe, train_limit=64 if is_quick else None, test_limit=32 if is_quick else None)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    found = {device: _trained(setting, device) for device in dict.fromkeys((place.device, "cpu"))}
    return {"device": found[place.device], "cpu": found["cpu"]}


def _trained(setting: Any, device: str) -> Found:
    """Accuracies on upright and on turned test digits, in percent, and the seconds of training."""
    from equiconv_experiments.common.storage import Folder
    from equiconv_experiments.common.training import Run, fit, scores
    from equiconv_experiments.digits.runs import make_network
    from torch.utils.data import TensorDataset

    train = setting.parts[0]
    data = TensorDataset(torch.from_numpy(train.turned(0.0)), torch.from_numpy(train.labels))
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="digits-") as path, Folder(Path(path), {"device": device}) as folder:
        run = Run("c4", 0, len(train))
        network, _ = fit(run, lambda: make_network("c4"), data, replace(setting.recipe, device=device), folder)
    found: Found = {"seconds": time.perf_counter() - start}
    for name, tests in (("upright", setting.upright), ("turned", setting.turned)):
        hits = scores(network, tests).argmax(1) == tests.tensors[1]
        found[name] = 100 * float(hits.double().mean())
    return found

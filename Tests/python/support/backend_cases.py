# SPDX-License-Identifier: Apache-2.0
"""What the backend of PyTorch is held to: every layer of the tables, with a bound of its rounding."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import cases
import equiconv as eq
import equiconv.torch as et
import quotients
import torch
from torch_cases import BSPLINES, CASES, HARMONICS, Case

LATTICE = [
    Case(layer, name, cases.GROUPS[name], sampling.sizes, sampling.kernel, sampling.keywords)
    for layer, name, sampling in cases.all_cases()
]


MODES = ("circular", "reflect", "replicate")


def _on_quotients():
    for name, subgroups in quotients.SUBGROUPS.items():
        group = quotients.GROUPS[name]
        kernel = (3,) * group.dimension
        for number, (source, target) in enumerate(itertools.product(subgroups, subgroups)):
            basis = {} if number % 3 or group.dimension == 3 else {"basis": HARMONICS}
            stabilizers = {"input_stabilizer": source, "output_stabilizer": target}
            options = (
                {"padding": "same"} if number % 2 else {"stride": 2, "padding": 1, "padding_mode": MODES[number % 3]}
            )
            yield Case("conv", name, group, quotients.signal_sizes(group), kernel, stabilizers | options | basis)


def _on_sampled_groups():
    scaling, sheared = eq.scaling([1, 1.4, 0.7], 2), quotients.GROUPS["sheared mirror"]
    groups = {"D6": eq.dihedral(6), "C16": eq.cyclic(16), "scaling": scaling, "sheared": sheared}
    for layer, (name, group) in itertools.product(cases.LAYERS, groups.items()):
        yield Case(layer, name, group, (6, 5), (3, 3), {"padding": "same", "quadrature": name != "scaling"})
        yield Case(layer, name, group, (7, 6), (3, 3), {"basis": eq.circular_harmonics(3), "stride": 2})
        yield Case(layer, name, group, (5, 6), (4, 4), {"interpolation": "bicubic", "padding": 2, "dilation": 2})
    yield Case("lifting", "icosahedral", eq.icosahedral(), (3, 4, 3), (3, 3, 3), {"padding": 1})
    yield Case("projection", "icosahedral", eq.icosahedral(), (3, 3, 3), (2, 2, 2), {"padding": "valid"})
    cube = eq.octahedral()
    for mode in MODES:
        yield Case("group", "octahedral", cube, (3, 4, 3), (3, 3, 3), {"padding": 2, "padding_mode": mode})
    yield Case("lifting", "octahedral", cube, (3, 4, 3), (3, 3, 3), {"basis": eq.bspline_basis((3, 3, 3))})


def _on_the_group_alone():
    c16, d4 = eq.cyclic(16), eq.dihedral(4)
    near, splines = eq.localized([0, 1, 15]), eq.group_bspline(2, 4)
    for basis, options in itertools.product((near, splines), ({}, {"quadrature": True})):
        yield Case("group", "C16", c16, (4, 5), (3, 3), options | {"group_basis": basis, "padding": 1})
        yield Case("projection", "C16", c16, (4, 5), (3, 3), options | {"group_basis": basis, "basis": BSPLINES})
    yield Case("group", "D4", d4, (4, 5), (2, 2), {"group_basis": eq.localized([0, 3, 5]), "stride": 2})
    depthwise = {"output_stabilizer": (0,), "groups": 2, "padding": 1}
    for group, name, basis in ((d4, "D4", None), (eq.cyclic(8), "C8", BSPLINES), (c16, "C16", None)):
        kernels = depthwise | ({} if basis is None else {"basis": basis})
        yield Case("conv", name, group, (5, 4), (3, 3), kernels | {"input_stabilizer": (0,)})
        yield Case("conv", name, group, (5, 4), (3, 3), kernels | {"input_stabilizer": tuple(range(group.order))})
        local = {"input_stabilizer": (0,), "group_basis": eq.localized([0])}
        yield Case("conv", name, group, (5, 4), (3, 3), kernels | local)


OTHER = [*CASES, *_on_quotients(), *_on_sampled_groups(), *_on_the_group_alone()]
ALL = [*LATTICE, *OTHER]


def layer_of(case, **keywords):
    """The function of a case, of (x, weight, bias)."""
    function = getattr(et, case.function)
    return lambda x, weight, bias: function(x, weight, case.group, bias, **case.keywords, **keywords)


def with_gradients(layer, operands, grad_out=None):
    """The result of a layer and its three gradients."""
    leaves = [tensor.detach().clone().requires_grad_() for tensor in operands]
    y = layer(*leaves)
    gradient = torch.ones_like(y) if grad_out is None else grad_out.to(y.dtype)
    return (y.detach(), *torch.autograd.grad(y, leaves, gradient))


class Terms(NamedTuple):
    """For the result and the three gradients: sums of absolute terms, how many, and how often numbers are rounded."""

    totals: tuple[torch.Tensor, ...]
    counts: tuple[int, ...]
    roundings: tuple[int, ...]

    def bounds(self, dtype, operands):
        """Bounds of errors, where sums are in float32 at least and what is stored between steps has the dtype.

        A sum of n terms has an error of at most n units of the last place of the sum of their absolute values; so has a
        product of n rounded factors. Numbers below the least normal one lose up to the least one each.
        """
        wide = torch.float32 if dtype.itemsize < 4 else dtype
        largest = max(float(tensor.abs().max()) if tensor.numel() else 0.0 for tensor in operands) + 1
        least = torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps
        for total, count, roundings in zip(self.totals, self.counts, self.roundings, strict=True):
            relative = torch.finfo(wide).eps * count
            if dtype.itemsize < 4:
                relative += torch.finfo(dtype).eps * roundings
            yield relative * total + least * count * largest


def terms(case, operands, grad_out):
    """Those of a case, by its layer with absolute values in place of all numbers: of signals, weights and matrices."""
    from equiconv.torch._expanded.bank import expanded_bank
    from equiconv.torch._expanded.layer import _convolved
    from equiconv.torch._expanded.plan import plan_of
    from equiconv.torch._functions import text_of

    x, weight, bias = (tensor.detach().double().cpu().abs() for tensor in operands)
    text = _text_of(case, text_of)
    plan = plan_of(text, tuple(weight.shape), x.device, x.dtype)
    space, fiber = (None if m is None else m.abs() for m in (plan.recipe.space, plan.recipe.fiber))
    recipe = plan.recipe._replace(space=space, fiber=fiber)
    totals = with_gradients(
        lambda x, weight, bias: _convolved(x, expanded_bank(weight, recipe), bias, plan),
        (x, weight, bias), grad_out.double().cpu().abs(),
    )  # fmt: skip
    taps, places = math.prod(recipe.taps), math.prod(totals[0].shape[-plan.dimension :])
    points, elements = recipe.places.layout[:2]
    channels, sources = weight.shape[1], plan.input_points or 1
    wraps = sum(2 * (p // n) + 3 for p, n in zip(plan.padding, case.sizes, strict=True)) if plan.is_continued else 0
    bank = recipe.coefficients + recipe.functions + elements + 4
    counts = (
        channels * sources * taps + 1 + bank,
        weight.shape[0] * points * taps * (1 + wraps) ** plan.dimension + bank,
        x.shape[0] * places * points + recipe.order * sources * taps + bank,
        x.shape[0] * places * points + 1,
    )
    made = 2 * (space is not None) + 2 * (fiber is not None) + (elements > 1)
    # Where the processor has no instructions for a dtype, PyTorch adds in it, one by one, the taps of a transposed
    # convolution, and the images of a gradient of weights.
    return Terms(totals, counts, (made + 2, made + 1 + wraps + taps, made + 3 + x.shape[0], 2))


def _text_of(case, text_of):
    options = {
        "stride": 1, "padding": 0, "dilation": 1, "padding_mode": "zeros", "algorithm": "auto", "basis": None,
        "interpolation": "bilinear", "group_basis": None, "quadrature": False, "groups": 1,
    }  # fmt: skip
    stabilizers = [tuple(case.keywords[f"{side}_stabilizer"]) for side in ("input", "output") if case.layer == "conv"]
    values = (case.keywords.get(key, value) for key, value in options.items())
    return text_of(case.layer, case.group, *values, *stabilizers)

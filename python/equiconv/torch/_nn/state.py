# SPDX-License-Identifier: Apache-2.0
"""A text in each `state_dict` that says which group and bases the weights are for.

Weights of C4 have the shape of weights of D2, and coefficients of splines have the shape of coefficients of harmonics.
The entry ``_extra_state`` of a layer therefore names the group and the bases. It is a tensor, the bytes of a text as
int64, so that files and programs that know only tensors keep it. It survives what programs do to all entries, such as
conversions and averages.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..._bases.basis import GroupBasis, KernelBasis
from ..._groups.point_group import PointGroup

_DECIMALS = 5


def purpose(group: PointGroup, basis: KernelBasis | None, group_basis: GroupBasis | None) -> str:
    """A text that is the same for layers whose weights mean the same, and differs for all others."""
    names = [group.name, *(repr(value) for value in (basis, group_basis) if value is not None)]
    # Equal groups may have been made in different ways; matrices of another processor may differ in their last digits.
    elements = np.rint(group.matrices * 10**_DECIMALS).astype(np.int64)
    texts = [None if value is None else value.text for value in (basis, group_basis)]
    digest = hashlib.sha256(repr((elements.tolist(), texts)).encode()).hexdigest()[:12]
    return f"{', '.join(names)} #{digest}"


def encoded(text: str) -> Tensor:
    """The text as a tensor."""
    return torch.tensor(list(text.encode()), dtype=torch.int64, device="cpu")


def problem_with(entry: Any, key: str, expected: str, user: str) -> str | None:
    """Why weights with this entry are not for `user`; None if they are, or if the entry has no numbers.

    Args:
        entry: the value in the `state_dict`.
        key: its name.
        expected: the layer's `purpose`.
    """
    if not isinstance(entry, Tensor):
        return f"{key} is of type {type(entry).__name__}, expected the tensor that {user} saves"
    if entry.is_meta or isinstance(entry, torch._subclasses.FakeTensor):
        return None
    found = _decoded(entry)
    if found == expected:
        return None
    same = _name(found) == _name(expected)
    saved, own = (found, expected) if same else (_name(found), _name(expected))
    return f"weights are for {saved}, expected weights for {own} ({key}, {user})"


def _decoded(entry: Tensor) -> str:
    codes = entry.detach().cpu().double().round().flatten().tolist()
    return bytes(int(code) for code in codes if 0 <= code < 256).decode(errors="replace")


def _name(text: str) -> str:
    return text.rpartition(" #")[0] or repr(text)

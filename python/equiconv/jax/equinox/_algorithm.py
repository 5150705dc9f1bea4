# SPDX-License-Identifier: Apache-2.0
"""A copy of a model that uses another algorithm: modules of Equinox cannot change."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import jax

from ..._checks.arguments import choice, value_text
from ..._layer.algorithms import ALGORITHMS, Algorithm
from ..._nn.algorithm import has_exact_sums
from ..._nn.attributes import ExactSums
from ._convolution import Convolution


def with_algorithm(model: Any, algorithm: Algorithm) -> Any:
    """A copy of a model whose convolutions all use one algorithm, such as ``"exact"`` for bits.

    Norms and `SqueezeExcite`, which have ``exact``, take sums without an order where the algorithm is ``"exact"`` or
    ``"direct"``, and those of JAX where it is another.

    The copy shares the arrays of `model`. For networks that can change there is `equiconv.set_algorithm`.

    Args:
        model: any tree with modules of Equinox.
        algorithm: ``"auto"``, ``"exact"``, ``"direct"``, ``"winograd"``, ``"fourier"`` or ``"group-fourier"``.
            Whether it can compute a layer shows when that is called.

    Raises:
        TypeError: `algorithm` is no text.
        ValueError: `algorithm` is another text, or `model` has no convolution.

    Example:
        >>> with_algorithm(LiftingConv(1, 8, 5, cyclic(4), key=jax.random.key(0)), "direct").algorithm
        'direct'
    """
    choice("algorithm", algorithm, ALGORITHMS)
    leaves, tree = jax.tree_util.tree_flatten(model, is_leaf=_is_choosing)
    if not any(isinstance(leaf, Convolution) for leaf in leaves):
        raise ValueError(f"model is {value_text(model)}, expected one with a convolution of equiconv.jax.equinox")
    return tree.unflatten([_changed(leaf, algorithm) if _is_choosing(leaf) else leaf for leaf in leaves])


def _is_choosing(node: object) -> bool:
    return isinstance(node, Convolution | ExactSums)


def _changed(layer: Any, algorithm: Algorithm) -> Any:
    # Equinox gives no other way to another static field than to draw new weights.
    changed = copy.copy(layer)
    if isinstance(layer, Convolution):
        object.__setattr__(changed, "options", replace(layer.options, algorithm=algorithm))
    else:
        object.__setattr__(changed, "exact", has_exact_sums(algorithm))
    return changed

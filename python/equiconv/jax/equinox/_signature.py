# SPDX-License-Identifier: Apache-2.0
"""What the weights of a model are for, to be kept with checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax

from .._nn.signature import check_signatures, named
from ._convolution import Convolution


def signature(model: Any) -> dict[str, str]:
    """A text for each convolution, by its path, that says what its weights are for: to save beside a checkpoint.

    Args:
        model: any tree with modules of Equinox.

    Example:
        >>> signature(LiftingConv(1, 8, 5, cyclic(4), key=jax.random.key(0)))
        {'(the model)': 'lifting_conv on C4, kernel 5 x 5'}
    """
    leaves = jax.tree_util.tree_leaves_with_path(model, is_leaf=lambda node: isinstance(node, Convolution))
    layers = [(path, leaf) for path, leaf in leaves if isinstance(leaf, Convolution)]
    return named((tuple(str(key).strip(".[]'") for key in path), leaf.options.signature) for path, leaf in layers)


def check_signature(model: Any, saved: Mapping[str, str]) -> None:
    """Raises ValueError, naming both, unless a checkpoint with this signature is one of such a model.

    Weights of groups of equal order, such as C4 and D2, have equal shapes, so restoring a checkpoint does not notice.

    Args:
        model: any tree with modules of Equinox.
        saved: what `signature` gave for the model of the checkpoint.

    Raises:
        TypeError: `saved` is no dictionary.
        ValueError: a layer too few or too many, or another one.

    Example:
        >>> saved = signature(LiftingConv(1, 8, 5, cyclic(4), key=jax.random.key(0)))
        >>> check_signature(LiftingConv(1, 8, 5, dihedral(2), key=jax.random.key(0)), saved)
        Traceback (most recent call last):
        ...
        ValueError: layer (the model) is lifting_conv on D2, kernel 5 x 5, the checkpoint has lifting_conv on C4, kernel 5 x 5
    """  # noqa: E501
    check_signatures(signature(model), saved)

# SPDX-License-Identifier: Apache-2.0
"""What the weights of a model are for, to be kept with checkpoints."""

from __future__ import annotations

from collections.abc import Mapping

from flax import nnx

from .._nn.signature import check_signatures, named
from ._convolution import Convolution


def signature(model: nnx.Module) -> dict[str, str]:
    """A text for each convolution, by its path, that says what its weights are for: to save beside a checkpoint.

    Args:
        model: any module of Flax.

    Example:
        >>> signature(LiftingConv(1, 8, 5, cyclic(4), rngs=nnx.Rngs(0)))
        {'(the model)': 'lifting_conv on C4, kernel 5 x 5'}
    """
    layers = nnx.iter_modules(model)
    return named((path, layer.options.signature) for path, layer in layers if isinstance(layer, Convolution))


def check_signature(model: nnx.Module, saved: Mapping[str, str]) -> None:
    """Raises ValueError, naming both, unless a checkpoint with this signature is one of such a model.

    Weights of groups of equal order, such as C4 and D2, have equal shapes, so restoring a checkpoint does not notice.

    Args:
        model: any module of Flax.
        saved: what `signature` gave for the model of the checkpoint.

    Raises:
        TypeError: `saved` is no dictionary.
        ValueError: a layer too few or too many, or another one.

    Example:
        >>> saved = signature(LiftingConv(1, 8, 5, cyclic(4), rngs=nnx.Rngs(0)))
        >>> check_signature(LiftingConv(1, 8, 5, dihedral(2), rngs=nnx.Rngs(0)), saved)
        Traceback (most recent call last):
        ...
        ValueError: layer (the model) is lifting_conv on D2, kernel 5 x 5, the checkpoint has lifting_conv on C4, kernel 5 x 5
    """  # noqa: E501
    check_signatures(signature(model), saved)

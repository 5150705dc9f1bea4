# SPDX-License-Identifier: Apache-2.0
"""Weights that are copied and transformed once, for inference."""

from __future__ import annotations

from collections.abc import Callable

from numpy.typing import ArrayLike

from .. import _native
from .._checks.arrays import Array, check_not_empty, float_array


class PreparedWeight(_native.Weight):
    """A layer's weight, copied once and transformed once: passed to layers in place of the array.

    Made by `prepare`. Changes of the array it was made of do not show in it. What an algorithm makes of it is made when
    a call first needs it, and kept as long as this lives, for signals of any size. Immutable, and safe to share between
    threads. With one algorithm and tile, results have the bits of the same call with the array. A pickled one carries
    the array alone, and is prepared anew where it is loaded.

    Attributes:
        shape: that of the array.
        dtype: float32 or float64.
        ndim: the number of axes.
        nbytes: the memory it holds now: the copy, and the transforms made so far.
    """

    __slots__ = ("__weakref__",)

    def __new__(cls, *_arguments: object, **_keywords: object) -> PreparedWeight:
        """Always raises TypeError: prepared weights come from `prepare`."""
        raise TypeError("PreparedWeight cannot be called: use equiconv.prepare(weight)")

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"equiconv.PreparedWeight(shape={self.shape}, dtype={self.dtype}, nbytes={self.nbytes})"

    def __copy__(self) -> PreparedWeight:
        return self

    def __deepcopy__(self, _memo: dict[int, object]) -> PreparedWeight:
        return self

    def __reduce__(self) -> tuple[Callable[[Array], PreparedWeight], tuple[Array]]:
        return (prepare, (self.get_numbers(),))


def prepare(weight: ArrayLike) -> PreparedWeight:
    """A weight copied once, and transformed once for each algorithm that needs it: for many calls with one weight.

    With an array a call compares all its numbers with those it transformed last, and transforms them again if one has
    changed; transforms that are kept that way are also dropped when other layers need the room. With ``"direct"`` the
    bits are the same either way. Otherwise another algorithm or tile may be the fastest, since the transforms are done:
    ``explain(layer, x, prepared, group)`` says which.

    Args:
        weight: a layer's weight, of shape (O, C, [|H|,] kernel...), float32 or float64.

    Returns:
        What `lifting_conv`, `group_conv`, `projection_conv`, `isotropic_conv` and `conv` take in place of the array.
        Gradients take the array.

    Raises:
        TypeError: `weight` is no array of float32 or float64.
        ValueError: it has fewer than 3 or more than 6 axes, or an empty one.

    Example:
        >>> x, weight = numpy.ones((1, 3, 8, 8)), numpy.ones((5, 3, 3, 3))
        >>> prepared = prepare(weight)
        >>> prepared.shape
        (5, 3, 3, 3)
        >>> lifting_conv(x, prepared, cyclic(4)).shape
        (1, 5, 4, 6, 6)
    """
    array = float_array("weight", weight)
    if not 3 <= array.ndim <= 6:
        raise ValueError(f"weight has shape {array.shape}, expected (O, C, [|H|,] kernel...): 3 to 6 axes")
    check_not_empty("weight", array)
    return _native.Weight.__new__(PreparedWeight, array)

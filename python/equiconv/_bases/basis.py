# SPDX-License-Identifier: Apache-2.0
"""What kernels are made of, as values: functions on R^d, and functions on H."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _native
from .._checks.arguments import is_a, value_text
from .._checks.arrays import reals
from .._groups.point_group import PointGroup

Interpolation: TypeAlias = Literal["bilinear", "bicubic", "bspline3"]
INTERPOLATIONS = ("bilinear", "bicubic", "bspline3")


class _Immutable:
    """Values made by functions of the package: equal, hashed, copied and pickled by what the engine made them of."""

    __slots__ = ()

    # The function, its name and its arguments as text, for those who print it; and what the engine made it of.
    _shown: str
    text: str

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return self._shown

    def __copy__(self) -> _Immutable:
        return self

    def __deepcopy__(self, _memo: dict[int, object]) -> _Immutable:
        return self


class KernelBasis(_Immutable, _native.Basis):
    """J functions B_j on R^d of which kernels are linear combinations: ``k(u) = sum over j of w_j B_j(u)``.

    Made by `pixel_basis`, `bspline_basis`, `atrous_bspline_basis`, `round_bspline_basis`, `circular_harmonics` or
    `gaussian_derivatives`, and given to a layer as ``basis=``. The kernel is then known between the taps too, and can
    be turned by any angle and scaled. Weights are the coefficients w. Immutable.

    Attributes:
        count: the number J of functions.
        dimension: the number d of coordinates.
        extents: the extents k of the grid of taps on which the identity samples, in array-axis order.
        shape: the trailing shape of weights: ``(J,)``, but `extents` for `pixel_basis`.
    """

    __slots__ = ("__weakref__", "_shown")

    def __new__(cls, *_arguments: object, **_keywords: object) -> KernelBasis:
        """Always raises TypeError: bases come from the functions named above."""
        raise TypeError(
            "KernelBasis cannot be called: use equiconv.bspline_basis(kernel), circular_harmonics(kernel), "
            "gaussian_derivatives(kernel, order, sigma) or another of its functions"
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The trailing shape of weights."""
        return self.extents if self.is_pixel else (self.count,)

    @property
    def is_pixel(self) -> bool:
        """Whether the coefficients are the pixels of the kernel, so that weights have its axes."""
        return self.text.startswith("equiconv-basis/1 pixel(")

    def sample(self, points: ArrayLike) -> NDArray[np.float64]:
        """The values of all functions at points: times coefficients, the kernel there.

        Args:
            points: shape (..., d): coordinates (x), (x, y) or (x, y, z) about the center, in taps; y and z up.

        Returns:
            Shape (..., J), float64. A point that is not finite gives zeros.

        Raises:
            TypeError, ValueError: `points` are not real numbers, or of another shape.

        Example:
            >>> bspline_basis(3, degree=1, dimension=1).sample([[0.0], [0.25]])
            array([[0.  , 1.  , 0.  ],
                   [0.  , 0.75, 0.25]])
        """
        array = reals("points", points)
        if array.ndim < 1 or array.shape[-1] != self.dimension:
            raise ValueError(f"points has shape {array.shape}, expected (..., {self.dimension}) for {self!r}")
        values = self.sample_points(np.require(array.reshape(-1, self.dimension), requirements=["C", "A"]))
        return values.reshape(*array.shape[:-1], self.count)

    def __reduce__(self) -> tuple[Callable[..., KernelBasis], tuple[str, str]]:
        return (parse_kernel_basis, (self.text, self._shown))


class GroupBasis(_Immutable, _native.GroupBasis):
    """I functions on the relative elements d = h^-1 h' of H: kernels on the group are combinations of them.

    Made by `localized` or `group_bspline`, and given to `group_conv`, `projection_conv` or `conv` as
    ``group_basis=``. Weights then have I numbers in place of |H| on axis 2. Immutable.

    Attributes:
        count: the number I of functions.
    """

    __slots__ = ("__weakref__", "_shown")

    def __new__(cls, *_arguments: object, **_keywords: object) -> GroupBasis:
        """Always raises TypeError: bases come from the functions named above."""
        raise TypeError("GroupBasis cannot be called: use equiconv.localized(elements) or group_bspline(degree, count)")

    def matrix(self, group: PointGroup) -> NDArray[np.float64]:
        """The values of the functions on the elements of a group, shape (|H|, I).

        Raises:
            TypeError: `group` is no PointGroup.
            ValueError: the group does not have these functions.

        Example:
            >>> localized([0, 3]).matrix(dihedral(2))
            array([[1., 0.],
                   [0., 0.],
                   [0., 0.],
                   [0., 1.]])
        """
        if not is_a(group, PointGroup):
            raise TypeError(f"group is {value_text(group)} ({type(group).__name__}), expected a PointGroup")
        return _native.group_basis_matrix(self, group)

    def __reduce__(self) -> tuple[Callable[..., GroupBasis], tuple[str, str]]:
        return (parse_group_basis, (self.text, self._shown))


def parse_kernel_basis(text: str, shown: str | None = None) -> KernelBasis:
    """The basis of a text of the engine, such as ``"equiconv-basis/1 bspline([5,5],3,1.0)"``; see docs/LayerFormat.md.

    Raises ValueError for anything else, and for numbers that no basis has.

    Args:
        text: what the engine makes it of.
        shown: what it prints as, if that is another text.
    """
    basis = _native.Basis.__new__(KernelBasis, text)
    object.__setattr__(basis, "_shown", shown or _shown(text))
    return basis


def parse_group_basis(text: str, shown: str | None = None) -> GroupBasis:
    """The same for a basis on H."""
    basis = _native.GroupBasis.__new__(GroupBasis, text)
    object.__setattr__(basis, "_shown", shown or _shown(text))
    return basis


def make_kernel_basis(shown: str, name: str, *arguments: str | int) -> KernelBasis:
    """The basis of a function of the engine and its arguments, as its texts spell them; it prints as `shown`."""
    return parse_kernel_basis(f"equiconv-basis/1 {name}({','.join(map(str, arguments))})", "equiconv." + shown)


def make_group_basis(shown: str, name: str, *arguments: str | int) -> GroupBasis:
    """The same for a basis on H."""
    return parse_group_basis(f"equiconv-group-basis/1 {name}({','.join(map(str, arguments))})", "equiconv." + shown)


def _shown(text: str) -> str:
    """What a basis prints as that came as a text alone."""
    return f"<{text}>"

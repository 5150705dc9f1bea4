# SPDX-License-Identifier: Apache-2.0
"""The extension, seen from Python. Private: arguments must already have the form written here.

Arrays are C-contiguous, aligned, native float32 or float64 of one dtype. `forward` and `vjp` with `checked=False`
take any objects, and return None where these are not of that form or the engine refuses them.
"""

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

_Array = NDArray[Any]
_Axes = int | tuple[int, ...]
_Int32s = NDArray[np.int32]
_Spaces = tuple[Subgroup, Subgroup, bool]
# Whether a gradient is wanted; or the array that it is written to.
_Wanted = bool | _Array
_Gradients = tuple[_Array | None, _Array | None, _Array | None]

# n, the matrices, or n and the factors.
GroupArgument = int | NDArray[np.float64] | tuple[int, tuple[float, ...]] | None

VERSION: str
ISOTROPIC: int
LIFTING: int
GROUP: int
PROJECTION: int
GENERAL: int
FORWARD: int
INPUT_GRADIENT: int
WEIGHT_GRADIENT: int
PLANE_SIGNAL: int
GROUP_SIGNAL: int
MEAN: int
MAX: int

class Group:
    """A handle of the engine."""

    def __new__(cls, kind: str, argument: GroupArgument, /) -> Self: ...
    @property
    def order(self) -> int: ...
    @property
    def dimension(self) -> int: ...
    @property
    def is_lattice(self) -> bool: ...
    @property
    def is_closed(self) -> bool: ...
    @property
    def name(self) -> str: ...
    def get_matrices(self) -> NDArray[np.float64]: ...
    def get_cayley(self) -> NDArray[np.int32]: ...
    def get_inverses(self) -> NDArray[np.int32]: ...
    def get_determinants(self) -> NDArray[np.float64]: ...
    def get_quadrature_weights(self) -> NDArray[np.float64]: ...
    def get_axis_actions(self) -> tuple[_Int32s, _Int32s]: ...
    def get_moved_axes(self) -> _Int32s: ...

class Subgroup:
    """A handle of the engine: a subgroup of a group, made of its elements in any order; `len` is their number."""

    def __new__(cls, group: Group, elements: _Int32s, /) -> Self: ...
    def __len__(self) -> int: ...
    def get_elements(self) -> _Int32s: ...
    def get_left_cosets(self) -> _Int32s: ...

class Basis:
    """A handle of the engine. Each kind reads the arguments it needs."""

    def __new__(
        cls,
        kind: str,
        extents: NDArray[np.int64],
        integer: int,
        real: float,
        reals: NDArray[np.float64],
        integers: _Int32s,
        /,
    ) -> Self: ...
    @property
    def count(self) -> int: ...
    @property
    def dimension(self) -> int: ...
    @property
    def extents(self) -> tuple[int, ...]: ...
    def sample_points(self, points: NDArray[np.float64], /) -> NDArray[np.float64]: ...

class GroupBasis:
    """A handle of the engine: localized on int32 elements, or B-splines about float64 centers."""

    @overload
    def __new__(cls, elements: _Int32s, /) -> Self: ...
    @overload
    def __new__(cls, list: _Int32s | NDArray[np.float64], degree: int, scale: float, /) -> Self: ...
    @property
    def count(self) -> int: ...

class Weight:
    """A handle of the engine, made of a copy of an array."""

    def __new__(cls, array: _Array, /) -> Self: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def nbytes(self) -> int: ...
    def get_numbers(self) -> _Array: ...

@overload
def forward(
    layer: int,
    x: _Array,
    weight: _Array | Weight,
    group: Group,
    bias: _Array | None,
    stride: _Axes,
    padding: _Axes | str,
    dilation: _Axes,
    padding_mode: str,
    algorithm: str,
    out: _Array | None,
    basis: Basis | None,
    interpolation: str,
    group_basis: GroupBasis | None,
    quadrature: bool,
    spaces: _Spaces | None,
    checked: Literal[True],
    /,
) -> _Array: ...
@overload
def forward(
    layer: int,
    x: object,
    weight: object,
    group: object,
    bias: object,
    stride: object,
    padding: object,
    dilation: object,
    padding_mode: object,
    algorithm: object,
    out: object,
    basis: object,
    interpolation: object,
    group_basis: object,
    quadrature: object,
    spaces: object,
    checked: Literal[False],
    /,
) -> _Array | None: ...
@overload
def vjp(
    layer: int,
    grad_out: _Array,
    x: _Array,
    weight: _Array,
    group: Group,
    stride: _Axes,
    padding: _Axes | str,
    dilation: _Axes,
    padding_mode: str,
    algorithm: str,
    basis: Basis | None,
    interpolation: str,
    group_basis: GroupBasis | None,
    quadrature: bool,
    spaces: _Spaces | None,
    want_x: _Wanted,
    want_weight: _Wanted,
    want_bias: _Wanted,
    checked: Literal[True],
    /,
) -> _Gradients: ...
@overload
def vjp(
    layer: int,
    grad_out: object,
    x: object,
    weight: object,
    group: object,
    stride: object,
    padding: object,
    dilation: object,
    padding_mode: object,
    algorithm: object,
    basis: object,
    interpolation: object,
    group_basis: object,
    quadrature: object,
    spaces: object,
    want_x: _Wanted,
    want_weight: _Wanted,
    want_bias: _Wanted,
    checked: Literal[False],
    /,
) -> _Gradients | None: ...
def expand(
    layer: int,
    weight: _Array,
    group: Group,
    basis: Basis | None,
    interpolation: str,
    group_basis: GroupBasis | None,
    quadrature: bool,
    /,
) -> _Array: ...
def layer_text(
    layer: int,
    x: tuple[int, ...],
    weight: tuple[int, ...],
    is_double: bool,
    group: Group,
    stride: _Axes,
    padding: _Axes | str,
    dilation: _Axes,
    padding_mode: str,
    algorithm: str,
    basis: Basis | None,
    interpolation: str,
    group_basis: GroupBasis | None,
    quadrature: bool,
    spaces: _Spaces | None,
    /,
) -> str: ...
def explain(
    layer: int,
    run: int,
    prepared: bool,
    x: tuple[int, ...],
    weight: tuple[int, ...],
    is_double: bool,
    group: Group,
    stride: _Axes,
    padding: _Axes | str,
    dilation: _Axes,
    padding_mode: str,
    algorithm: str,
    basis: Basis | None,
    interpolation: str,
    group_basis: GroupBasis | None,
    quadrature: bool,
    spaces: _Spaces | None,
    /,
) -> tuple[int, int, float, float, int, int, int, float, str]: ...
def array_matrix(matrix: NDArray[np.float64], /) -> NDArray[np.float64]: ...
def group_basis_matrix(group_basis: GroupBasis, group: Group, /) -> NDArray[np.float64]: ...
def pool(mode: int, x: _Array, out: _Array, /) -> None: ...
def pool_vjp(mode: int, grad_out: _Array, x: _Array, grad_x: _Array, /) -> None: ...
def act(group: Group, element: int, space: int | Subgroup, x: _Array, out: _Array, /) -> None: ...
def view(owner: object, address: int, shape: tuple[int, ...], is_double: bool, /) -> _Array:
    """The numbers at an address, C-contiguous and aligned, which `owner` keeps alive."""

def set_num_threads(count: int, /) -> None: ...
def get_num_threads() -> int: ...
def set_workspace_limit(count: int, /) -> None: ...
def workspace_limit() -> int: ...
def instruction_set() -> str: ...

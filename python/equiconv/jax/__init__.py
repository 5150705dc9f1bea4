# SPDX-License-Identifier: Apache-2.0
"""The layers of equiconv on JAX arrays: under `jax.jit`, `jax.grad` and `jax.vmap`, on CPUs, GPUs and TPUs.

`isotropic_conv`, `lifting_conv`, `group_conv`, `projection_conv` and `conv` take the arguments of the functions of the
same names in `equiconv`, but for `out` and prepared weights; `transposed_conv`, `group_pool`, `upsample`, `blur_pool`,
`max_blur_pool`, `adaptive_mean` and `act` too. Compiled programs call the engine through JAX's foreign-function
interface, without Python and without the GIL, on the arrays of JAX themselves. For other platforms than the CPU, and
for bfloat16 and float16, they are made of operations of XLA. Derivatives of any order, forwards and backwards, are the
layer and its two adjoints. The guide is docs/JAX.md.

Example:
    >>> import jax, jax.numpy as jnp, equiconv as eq, equiconv.jax as ej
    >>> group = eq.cyclic(4)
    >>> x, weight = jnp.ones((1, 3, 8, 8)), jnp.ones((5, 3, 3, 3))
    >>> loss = jax.jit(lambda weight: ej.lifting_conv(x, weight, group).sum())
    >>> jax.grad(loss)(weight).shape
    (5, 3, 3, 3)
"""

try:
    _NEEDED = 'equiconv.jax needs JAX 0.8 or later: pip install "equiconv[jax]"'
    import jax as _jax_package

    # Before it, XLA ends the process where a layer is inside a shard_map over some of the axes of a mesh.
    if _jax_package.__version_info__ < (0, 8):
        raise ImportError(f"{_NEEDED}, found {_jax_package.__version__}", name="jax")
except ModuleNotFoundError as error:
    if error.name not in ("jax", "jaxlib"):
        raise
    raise ModuleNotFoundError(_NEEDED, name=error.name) from error

from ._action import act as act
from ._functions import conv as conv
from ._functions import group_conv as group_conv
from ._functions import group_pool as group_pool
from ._functions import isotropic_conv as isotropic_conv
from ._functions import lifting_conv as lifting_conv
from ._functions import projection_conv as projection_conv
from ._nn.resizing_functions import adaptive_mean as adaptive_mean
from ._nn.resizing_functions import blur_pool as blur_pool
from ._nn.resizing_functions import max_blur_pool as max_blur_pool
from ._nn.resizing_functions import upsample as upsample
from ._transposed import transposed_conv as transposed_conv

__all__ = [
    "act",
    "adaptive_mean",
    "blur_pool",
    "conv",
    "group_conv",
    "group_pool",
    "isotropic_conv",
    "lifting_conv",
    "max_blur_pool",
    "projection_conv",
    "transposed_conv",
    "upsample",
]

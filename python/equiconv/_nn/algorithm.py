# SPDX-License-Identifier: Apache-2.0
"""The algorithm of all layers of a network at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._checks.arguments import choice, value_text
from .._checks.frameworks import is_equinox_module, is_flax_module, is_torch_module, loaded
from .._layer.algorithms import ALGORITHMS, Algorithm
from .attributes import ConvolutionAttributes, ExactSums
from .sequential import Sequential

_CHOOSING = (ConvolutionAttributes, ExactSums)


def set_algorithm(network: Any, algorithm: Algorithm) -> None:
    """Makes all convolutions of a network use one algorithm, such as ``"exact"`` for bits.

    Norms and `SqueezeExcite`, which have ``exact``, take sums without an order where the algorithm is ``"exact"`` or
    ``"direct"``, and those of their framework where it is another.

    Args:
        network: a layer with weights, a `Sequential`, or a `torch.nn.Module` or `flax.nnx.Module` with layers of
            `equiconv.torch` or `equiconv.jax.nnx` at any depth. Modules of Equinox do not change:
            `equiconv.jax.equinox.with_algorithm` gives another one.
        algorithm: ``"auto"``, ``"exact"``, ``"direct"``, ``"winograd"``, ``"fourier"`` or ``"group-fourier"``.
            Whether a layer can use it shows when the layer is called. All but ``"direct"`` overflow from numbers of
            about 1e34 in float32 on; see `conv`.

    Raises:
        TypeError: an argument of another kind. Nothing is changed then.
        ValueError: `algorithm` is another text, or `network` has no convolution. Nothing is changed then.

    Example:
        >>> network = Sequential(LiftingConv(3, 8, 5, cyclic(4)), GroupPool(cyclic(4)))
        >>> set_algorithm(network, "direct")
        >>> network[0].algorithm
        'direct'
    """
    choice("algorithm", algorithm, ALGORITHMS)
    if not callable(network) and not is_flax_module(network):
        kind = type(network).__name__
        raise TypeError(
            f"network is {value_text(network)} ({kind}), expected a layer, a Sequential, or a module of torch or Flax"
        )
    layers = list(_choosing(network))
    if not any(isinstance(layer, ConvolutionAttributes) for layer in layers):
        raise ValueError(f"network is {value_text(network)}, expected one with a convolution of equiconv")
    for layer in layers:
        if isinstance(layer, ConvolutionAttributes):
            layer.algorithm = algorithm
        else:
            layer.exact = has_exact_sums(algorithm)


def has_exact_sums(algorithm: Algorithm) -> bool:
    """Whether norms of a network whose convolutions use an algorithm take sums without an order."""
    return algorithm in ("exact", "direct")


def _choosing(network: Any) -> Iterator[ConvolutionAttributes | ExactSums]:
    """The layers of a network that compute in ways to choose from."""
    if is_equinox_module(network):
        raise TypeError(
            f"network is {value_text(network)} ({type(network).__name__}), a module of Equinox, which does not change: "
            "use equiconv.jax.equinox.with_algorithm(network, algorithm)"
        )
    if isinstance(network, _CHOOSING):
        yield network
    elif isinstance(network, Sequential):
        for layer in network:
            yield from _choosing(layer)
    elif is_flax_module(network):
        modules = (module for _, module in loaded("flax.nnx").iter_modules(network))
        yield from (module for module in modules if isinstance(module, _CHOOSING))
    elif is_torch_module(network):
        yield from (module for module in network.modules() if isinstance(module, _CHOOSING))

# SPDX-License-Identifier: Apache-2.0
"""One face for the modules of Flax and of Equinox, for tests of both."""

from __future__ import annotations

import inspect

import equiconv as eq
import numpy as np
import pytest
from jax_cases import draw, jax

LAYERS = ("IsotropicConv", "LiftingConv", "GroupConv", "ProjectionConv")
READS_GROUP = ("GroupConv", "ProjectionConv")


def signal(rng, name, group, size=7, batch=2, channels=3, dtype=np.float32):
    fiber = (group.order,) if name in READS_GROUP else ()
    return draw(rng, (batch, channels, *fiber, *(size,) * group.dimension), dtype)


def compiled(layer):
    return jax.jit(lambda x: layer(x))


def arguments_of(kind):
    """The parameters of a class, which Flax hides behind its own."""
    return [p for p in inspect.signature(kind.__init__).parameters.values() if p.name != "self"]


def takes(kind, name):
    return name in [parameter.name for parameter in arguments_of(kind)]


class Flax:
    """Modules of equiconv.jax.nnx."""

    def __init__(self):
        self.library = pytest.importorskip(
            "flax.nnx", reason='Flax is not installed, its modules are not tested: pip install "equiconv[flax]"'
        )
        import equiconv.jax.nnx as modules

        self.modules = modules

    def make(self, name, *arguments, seed=0, **keywords):
        kind = getattr(self.modules, name)
        if takes(kind, "rngs"):
            keywords["rngs"] = self.library.Rngs(seed)
        return kind(*arguments, **keywords)

    def parameters(self, layer):
        return layer.weight[...], None if layer.bias is None else layer.bias[...]

    def with_parameters(self, layer, weight, bias):
        layer.weight[...] = weight
        if bias is not None:
            layer.bias[...] = bias
        return layer

    def in_use(self, name, *arguments, **keywords):
        """(x, is_training) -> y of a module with norms."""
        module = self.make(name, *arguments, **keywords)

        def call(x, is_training):
            module.train() if is_training else module.eval()
            return module(x)

        return call

    def dense_layers(self, block):
        """Those of a dense block of two."""
        return block.layer1, block.layer2

    def with_algorithm(self, network, algorithm):
        """The network whose layers all use one algorithm."""
        eq.set_algorithm(network, algorithm)
        return network

    def in_evaluation(self, name):
        """The argument that has a module start in evaluation."""
        return {"use_running_average" if name == "BatchNorm" else "deterministic": True}

    def batch_norm(self, *arguments, parameters=None, **keywords):
        """(x, is_training) -> y, where None is as the module started, and () -> running mean and variance."""
        norm = self.make("BatchNorm", *arguments, **keywords)
        if parameters is not None:
            norm = self.with_parameters(norm, *parameters)

        def call(x, is_training):
            if is_training is not None:
                norm.train() if is_training else norm.eval()
            return norm(x)

        return call, lambda: (norm.running_mean[...], norm.running_var[...])

    def dropout(self, p):
        """(x, seed) -> y; in evaluation where the seed is None."""

        def call(x, seed):
            layer = self.make("FieldDropout", p, seed=seed or 0)
            layer.train() if seed is not None else layer.eval()
            return layer(x)

        return call


class Equinox:
    """Modules of equiconv.jax.equinox."""

    def __init__(self):
        self.library = pytest.importorskip(
            "equinox", reason='Equinox is not installed, its modules are not tested: pip install "equiconv[equinox]"'
        )
        import equiconv.jax.equinox as modules

        self.modules = modules

    def make(self, name, *arguments, seed=0, **keywords):
        kind = getattr(self.modules, name)
        if takes(kind, "key"):
            keywords["key"] = jax.random.key(seed)
        return kind(*arguments, **keywords)

    def parameters(self, layer):
        return layer.weight, layer.bias

    def with_parameters(self, layer, weight, bias):
        layer = self.library.tree_at(lambda layer: layer.weight, layer, weight)
        return layer if bias is None else self.library.tree_at(lambda layer: layer.bias, layer, bias)

    def in_use(self, name, *arguments, **keywords):
        keywords["key"] = jax.random.key(0)
        module, state = self.library.nn.make_with_state(getattr(self.modules, name))(*arguments, **keywords)
        states = [state]

        def call(x, is_training):
            y, after = self.library.nn.inference_mode(module, not is_training)(x, states[-1])
            states.append(after)
            return y

        return call

    def dense_layers(self, block):
        return block.layers

    def with_algorithm(self, network, algorithm):
        return self.modules.with_algorithm(network, algorithm)

    def in_evaluation(self, name):
        return {"inference": True}

    def batch_norm(self, *arguments, parameters=None, **keywords):
        norm, state = self.library.nn.make_with_state(self.modules.BatchNorm)(*arguments, **keywords)
        if parameters is not None:
            norm = self.with_parameters(norm, *parameters)
        states = [state]

        def call(x, is_training):
            y, after = norm(x, states[-1], inference=None if is_training is None else not is_training)
            states.append(after)
            return y

        return call, lambda: states[-1].get(norm.running)

    def dropout(self, p):
        layer = self.make("FieldDropout", p)

        def call(x, seed):
            return layer(x, key=None if seed is None else jax.random.key(seed), inference=seed is None)

        return call


@pytest.fixture(params=[Flax, Equinox])
def framework(request):
    """Each of both, where it is installed."""
    return request.param()

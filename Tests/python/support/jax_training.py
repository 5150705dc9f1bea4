# SPDX-License-Identifier: Apache-2.0
"""A small network in both frameworks, how it is trained, and how a process of its own restores it.

``python jax_training.py nnx PATH`` and ``… equinox PATH`` restore a checkpoint and print the bits of its output.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import equiconv as eq
import jax
import jax.numpy as jnp
import numpy as np

C4, D2 = eq.cyclic(4), eq.dihedral(2)


def stripes():
    """Upright and diagonal stripes, (32, 1, 13, 13), and which is which."""
    rng = np.random.default_rng(20200426)
    phases = rng.uniform(0, 2 * np.pi, size=(32, 1, 1, 1))
    row, column = np.mgrid[:13, :13]
    straight = rng.integers(0, 2, 32)
    along = np.where(straight[:, None, None, None] == 1, column, (row + column) / np.sqrt(2))
    x = np.sin(1.4 * along + phases) + 0.1 * rng.normal(size=(32, 1, 13, 13))
    return x.astype(np.float32), straight.astype(np.float32)


def loss_of(logits, labels):
    return jnp.mean(jnp.logaddexp(0, logits[:, 0]) - labels * logits[:, 0])


def digest(array):
    return hashlib.sha256(np.asarray(array).tobytes()).hexdigest()


class Nnx:
    """The network in Flax, with Orbax for checkpoints."""

    @staticmethod
    def make(group=C4):
        import equiconv.jax.nnx as enn
        from flax import nnx

        rngs = nnx.Rngs(0)
        return enn.Sequential(
            enn.LiftingConv(1, 6, 3, group, algorithm="direct", rngs=rngs),
            enn.BatchNorm(6),
            jax.nn.relu,
            enn.FieldDropout(0.1, rngs=rngs),
            enn.GroupConv(6, 4, 3, group, stride=2, algorithm="direct", rngs=rngs),
            enn.GroupPool(group, "max"),
            enn.SpatialMean(group),
            nnx.Linear(4, 1, rngs=rngs),
        )

    @staticmethod
    def train(model, steps):
        import optax
        from flax import nnx

        optimizer = nnx.Optimizer(model, optax.adam(0.02), wrt=nnx.Param)

        @nnx.jit
        def step(model, optimizer, x, labels):
            loss, gradients = nnx.value_and_grad(lambda model: loss_of(model(x), labels))(model)
            optimizer.update(model, gradients)
            return loss

        model.train()
        losses = [float(step(model, optimizer, *stripes())) for _ in range(steps)]
        return model, losses

    @staticmethod
    def output(model):
        model.eval()
        return model(stripes()[0])

    @staticmethod
    def save(model, path):
        import equiconv.jax.nnx as enn
        import orbax.checkpoint as ocp
        from flax import nnx

        (path / "signature.json").write_text(json.dumps(enn.signature(model)))
        with ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save(path / "numbers", nnx.to_pure_dict(nnx.state(model, (nnx.Param, nnx.BatchStat))))

    @classmethod
    def restore(cls, path, group=C4):
        import equiconv.jax.nnx as enn
        import orbax.checkpoint as ocp
        from flax import nnx

        model = cls.make(group)
        enn.check_signature(model, json.loads((path / "signature.json").read_text()))
        state = nnx.state(model, (nnx.Param, nnx.BatchStat))
        with ocp.StandardCheckpointer() as checkpointer:
            nnx.replace_by_pure_dict(state, checkpointer.restore(path / "numbers", nnx.to_pure_dict(state)))
        nnx.update(model, state)
        return model


class Equinox:
    """The network in Equinox, with its own serialization."""

    @staticmethod
    def make(group=C4):
        import equiconv.jax.equinox as ee
        import equinox as eqx

        first, second, last = jax.random.split(jax.random.key(0), 3)

        def network():
            return ee.Sequential(
                ee.LiftingConv(1, 6, 3, group, algorithm="direct", key=first),
                ee.BatchNorm(6),
                jax.nn.relu,
                ee.FieldDropout(0.1),
                ee.GroupConv(6, 4, 3, group, stride=2, algorithm="direct", key=second),
                ee.GroupPool(group, "max"),
                ee.SpatialMean(group),
                eqx.nn.Lambda(eqx.filter_vmap(eqx.nn.Linear(4, 1, key=last))),
            )

        return eqx.nn.make_with_state(network)()

    @staticmethod
    def train(model, steps):
        import equinox as eqx
        import optax

        optimizer = optax.adam(0.02)

        @eqx.filter_jit
        def step(network, state, memory, key, x, labels):
            def loss(network):
                logits, after = network(x, state, key=key)
                return loss_of(logits, labels), after

            (value, after), gradients = eqx.filter_value_and_grad(loss, has_aux=True)(network)
            updates, memory = optimizer.update(gradients, memory)
            return eqx.apply_updates(network, updates), after, memory, value

        network, state = model
        memory = optimizer.init(eqx.filter(network, eqx.is_inexact_array))
        losses = []
        for key in jax.random.split(jax.random.key(1), steps):
            network, state, memory, value = step(network, state, memory, key, *stripes())
            losses.append(float(value))
        return (network, state), losses

    @staticmethod
    def output(model):
        import equinox as eqx

        network, state = model
        return eqx.nn.inference_mode(network)(stripes()[0], state)[0]

    @staticmethod
    def save(model, path):
        import equiconv.jax.equinox as ee
        import equinox as eqx

        (path / "signature.json").write_text(json.dumps(ee.signature(model)))
        eqx.tree_serialise_leaves(path / "numbers.eqx", model)

    @classmethod
    def restore(cls, path, group=C4):
        import equiconv.jax.equinox as ee
        import equinox as eqx

        model = cls.make(group)
        ee.check_signature(model, json.loads((path / "signature.json").read_text()))
        return eqx.tree_deserialise_leaves(path / "numbers.eqx", model)


def main():
    framework = {"nnx": Nnx, "equinox": Equinox}[sys.argv[1]]
    print(digest(framework.output(framework.restore(Path(sys.argv[2])))))


if __name__ == "__main__":
    main()

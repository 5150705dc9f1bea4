# SPDX-License-Identifier: Apache-2.0
"""All cases by their names. A case is a function of a layer, (x, weight, bias) -> y, on signals (8, 2, 5, 5)."""

from __future__ import annotations

from functools import partial

from jax.sharding import PartitionSpec as P

from . import explicit, mapped, partitioned, pmapped
from .layers import DATA, square

CUT_WEIGHTS = (P("d"), P("d"), P("d"))
CUT_CHANNELS = (P(None, "d"), P(), P())
CASES = {
    "gradient outside": mapped.gradient_outside,
    "gradient outside, not compiled": partial(mapped.gradient_outside, compiles=False),
    "gradient outside, unchecked": partial(mapped.gradient_outside, check=False),
    "gradient inside": mapped.gradient_inside,
    "gradient inside, unchecked": mapped.gradient_inside_unchecked,
    "gradient of each device": mapped.gradient_of_each_device,
    "weights of each device": mapped.weights_of_each_device,
    "weights of each device, unchecked": partial(mapped.weights_of_each_device, check=False),
    "bias of each device": mapped.bias_of_each_device,
    "jvp outside": mapped.jvp_outside,
    "jvp inside": mapped.jvp_inside,
    "second order": mapped.second_order,
    "second order, unchecked": partial(mapped.second_order, check=False),
    "second order inside": mapped.second_order_inside,
    "rematerialized": mapped.rematerialized,
    "scan": mapped.scanned,
    "samples inside": mapped.samples_inside,
    "two axes": mapped.both_axes,
    "one manual axis": mapped.one_manual_axis,
    "one manual axis, gradient inside": mapped.one_manual_axis_inside,
    "partitioned batch": partial(partitioned.compiled, specs=DATA),
    "partitioned batch and weights": partial(partitioned.compiled, specs=CUT_WEIGHTS),
    "partitioned weights": partial(partitioned.compiled, specs=(P(), P("d"), P())),
    "partitioned over two axes": partial(partitioned.compiled, specs=(P(("d", "m")), P("m"), P()), mesh=square),
    "partitioned space": partial(partitioned.compiled, specs=(P("d", None, "m"), P(), P()), mesh=square, size=6),
    "partitioned second order": partitioned.compiled_second_order,
    "partitioned output": partitioned.compiled_output,
    "uneven parts": partial(partitioned.some_images, count=6),
    "one image": partial(partitioned.some_images, count=1),
    "mapped weights": partitioned.mapped_weights,
    "mapped signals": partitioned.mapped_signals,
    "samples": partitioned.samples,
    "mapped shard_map": partitioned.mapped_shard_map,
    "explicit batch": partial(explicit.explicit, specs=DATA),
    "explicit batch, not compiled": partial(explicit.explicit, specs=DATA, is_compiled=False),
    "explicit and whole": partial(explicit.explicit, specs=(P(), P(), P())),
    "explicit second order": explicit.explicit_second_order,
    "explicit mapped signals": explicit.explicit_mapped,
    "explicit mapped weights": partial(explicit.explicit_mapped, axes=(None, 0, None)),
    "explicit mapped both": partial(explicit.explicit_mapped, axes=(0, 0, None)),
    "explicit shard_map": explicit.explicit_shard_map,
    "pmap": pmapped.pmapped,
    "pmap, gradient outside": pmapped.pmapped_outside,
}
# Both refuse these.
REFUSED = {
    "no casts": mapped.no_casts,
    "missing sum": mapped.missing_sum,
    "replicated output": mapped.replicated_output,
    "replicated input gradient": mapped.replicated_input_gradient,
    "replicated weight gradient of each device": mapped.replicated_weight_gradient_of_each_device,
    "explicit cut weights": partial(explicit.explicit, specs=CUT_WEIGHTS),
    "explicit cut channels": partial(explicit.explicit, specs=CUT_CHANNELS),
}
# Layers other than the lifting convolution go through these.
OTHERS = {
    "group": ("gradient outside", "gradient inside", "second order", "partitioned batch", "explicit batch", "pmap"),
    "isotropic": ("gradient inside", "partitioned batch"),
    "projection": ("gradient inside", "partitioned batch"),
}


def names():
    """(case, layer) of every comparison."""
    return [*((case, "lifting") for case in CASES), *((case, layer) for layer in OTHERS for case in OTHERS[layer])]

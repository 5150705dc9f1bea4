# SPDX-License-Identifier: Apache-2.0
"""The handlers of compiled JAX programs. Private."""

# How many layers are kept ready.
LAYER_LIMIT: int

def handlers() -> dict[str, object]: ...
def layer_count() -> int: ...

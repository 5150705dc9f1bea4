# SPDX-License-Identifier: Apache-2.0
"""The handlers of compiled JAX programs. Private."""

# The form of the words that describe a layer, and how many layers are kept ready.
LAYER_FORM: int
LAYER_LIMIT: int

def handlers() -> dict[str, object]: ...
def layer_count() -> int: ...

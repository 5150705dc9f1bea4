# SPDX-License-Identifier: Apache-2.0
"""Programs on four devices of the processor, with our layers and with equal ones of JAX's own convolution."""

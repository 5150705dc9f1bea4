# SPDX-License-Identifier: Apache-2.0
"""Networks as files: documents of operations, beside the tensors that they name; docs/NetworkFormat.md."""

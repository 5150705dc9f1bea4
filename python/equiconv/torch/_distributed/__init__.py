# SPDX-License-Identifier: Apache-2.0
"""Training on several processes: batch norms of all of them, patches that they share out, checkpoints that last."""

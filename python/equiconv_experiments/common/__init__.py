# SPDX-License-Identifier: Apache-2.0
"""What the experiments have in common: networks, training, workers, files and figures."""

# SPDX-License-Identifier: Apache-2.0
"""Networks in the layouts of model zoos: a folder with a description, the network file, and weights for others."""

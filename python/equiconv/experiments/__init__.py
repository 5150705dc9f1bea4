# SPDX-License-Identifier: Apache-2.0
"""The experiments by their names: what they are made of is the package `equiconv_experiments`.

python -m equiconv.experiments.rotated_digits      trained on upright digits, tested on turned ones
python -m equiconv.experiments.mitosis             normal against mitotic cells
"""

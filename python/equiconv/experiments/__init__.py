# SPDX-License-Identifier: Apache-2.0
"""Experiments that train group convolutional networks, each a program.

    python -m equiconv.experiments.rotated_digits      trained on upright digits, tested on turned ones
    python -m equiconv.experiments.rotated_mnist       P4CNN beside Z2CNN, on images turned once by random angles
    python -m equiconv.experiments.uva_tutorial        the networks of a tutorial, tested on turned images
    python -m equiconv.experiments.mitosis             normal against mitotic cells
    python -m equiconv.experiments.solar_cells         defective cells of solar modules, in real images
    python -m equiconv.experiments.nuclei              types of nuclei in real tissue
    python -m equiconv.experiments.slide_nuclei        nuclei found in an image, trained on another

They are made in the package `equiconv_experiments`. They need the packages of the extra ``experiments``, and the import
says which are missing: ``pip install "equiconv[experiments]"``.
"""

import equiconv_experiments as _made_in  # noqa: F401 (says what is missing)

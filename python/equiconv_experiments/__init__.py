# SPDX-License-Identifier: Apache-2.0
"""Experiments that train group convolutional networks, each a program.

    python -m equiconv.experiments.rotated_digits      trained on upright digits, tested on turned ones
    python -m equiconv.experiments.rotated_mnist       P4CNN beside Z2CNN, on images turned once by random angles
    python -m equiconv.experiments.uva_tutorial        the networks of a tutorial, tested on turned images
    python -m equiconv.experiments.mitosis             normal against mitotic cells
    python -m equiconv.experiments.solar_cells         defective cells of solar modules, in real images
    python -m equiconv.experiments.nuclei              types of nuclei in real tissue
    python -m equiconv.experiments.slide_nuclei        nuclei found in an image, trained on another

They need the packages of the extra ``experiments``: ``pip install "equiconv[experiments]"``. `common.networks` has
the networks, which other libraries' layers can make too.
"""

from importlib.util import find_spec as _find_spec

_missing = [
    package
    for package, module in (
        ("torch", "torch"),
        ("scikit-learn", "sklearn"),
        ("scipy", "scipy"),
        ("matplotlib", "matplotlib"),
        ("tqdm", "tqdm"),
        ("h5py", "h5py"),
        ("pillow", "PIL"),
    )
    if _find_spec(module) is None
]
if _missing:
    raise ModuleNotFoundError(
        f'equiconv.experiments needs {", ".join(_missing)}, not installed: pip install "equiconv[experiments]"',
        name=_missing[0],
    )

# SPDX-License-Identifier: Apache-2.0
"""Images turned by any angle about their center."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

__all__ = ["turned"]


def turned(images: NDArray[np.float32], degrees: ArrayLike) -> NDArray[np.float32]:
    """Images turned counterclockwise about their center, by bilinear interpolation; outside of an image is 0.

    ``turned[y, x] = image(g^-1 (x, y))``. An angle of 0 gives the image itself. Others soften it, as they do in the
    published experiments; corners that are turned out of the square are lost.

    Args:
        images: (images, channels, rows, columns), as many rows as columns.
        degrees: one angle, or one for each image.

    Returns:
        The same shape.

    Example:
        >>> turned(np.eye(2, dtype=np.float32)[None, None], 90)[0, 0].round(3).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    rows, columns = images.shape[-2:]
    angles = np.deg2rad(np.broadcast_to(np.asarray(degrees, float), (len(images),)))
    x = np.arange(columns)[None, :] - (columns - 1) / 2
    y = (rows - 1) / 2 - np.arange(rows)[:, None]
    result = np.empty_like(images)
    for image, (before, angle) in enumerate(zip(images, angles, strict=True)):
        cosine, sine = np.cos(angle), np.sin(angle)
        places = ((rows - 1) / 2 - (cosine * y - sine * x), (columns - 1) / 2 + (cosine * x + sine * y))
        for channel, values in enumerate(before):
            ndimage.map_coordinates(values, places, result[image, channel], order=1, mode="grid-constant")
    return result

# SPDX-License-Identifier: Apache-2.0
import equiconv as eq
import numpy as np

rng = np.random.default_rng(0)
c4 = eq.cyclic(4)  # rotations by 0, 90, 180 and 270 degrees
image = rng.standard_normal((1, 3, 32, 32), dtype=np.float32)
weight = rng.standard_normal((8, 3, 5, 5), dtype=np.float32)

y = eq.lifting_conv(image, weight, c4, padding="same", algorithm="exact")
assert y.shape == (1, 8, 4, 32, 32)  # a plane for each channel and each rotation

of_turned = eq.lifting_conv(eq.act(image, c4, 1), weight, c4, padding="same", algorithm="exact")
assert np.array_equal(of_turned, eq.act(y, c4, 1))  # the answer turns with the image, to the last bit

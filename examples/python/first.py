# SPDX-License-Identifier: Apache-2.0
import equiconv as eq
import numpy as np

rng = np.random.default_rng(0)
c4 = eq.cyclic(4)  # rotations by 0, 90, 180 and 270 degrees
image = rng.standard_normal((1, 3, 32, 32), dtype=np.float32)
w1 = rng.standard_normal((8, 3, 5, 5), dtype=np.float32)
w2 = rng.standard_normal((16, 8, 4, 3, 3), dtype=np.float32)


def network(x):
    x = np.maximum(eq.lifting_conv(x, w1, c4, padding="same", algorithm="direct"), 0)
    return eq.group_conv(x, w2, c4, padding="same", algorithm="direct")


y = network(image)
print(y.shape)  # (1, 16, 4, 32, 32): a plane for each channel and each rotation

# Turning the image turns the answer, to the last bit.
for g in range(c4.order):
    assert np.array_equal(network(eq.act(image, c4, g)), eq.act(y, c4, g))

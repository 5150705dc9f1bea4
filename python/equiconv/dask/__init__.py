# SPDX-License-Identifier: Apache-2.0
"""Networks on arrays of Dask, whose blocks are computed where they are, with what each reads around it.

`map` is lazy, as all of Dask is: nothing is read before the result is computed. To compute a slide on a cluster and
write it, see ``client=`` of `equiconv.slides.predict`.
"""

from ._map import map as map  # noqa: A004 (dask.array.map_blocks, dask.bag.map: its name there)

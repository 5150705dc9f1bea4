# SPDX-License-Identifier: Apache-2.0
"""Sources and digests for the tests of runs over slides, and a program that such tests kill.

python slide_runs.py NETWORK OUT DELAY
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

import numpy as np
from equiconv.slides._sources.source import Reader, SourceError

EXTENTS = (300, 260)
TILE = 48


class NoiseSource(Reader):
    """Pixels that depend on their place alone, after a delay."""

    def __init__(self, extents=EXTENTS, delay=0.0, mpp=(0.5, 0.25)):
        self._arguments = (extents, delay, mpp)
        self._delay = delay
        self._describe(extents=extents, channels=3, dtype=np.dtype(np.uint8), mpp=mpp, name="noise")
        self.fingerprint = f"noise {extents}"

    def _read(self, begin, end):
        time.sleep(self._delay)
        c, y, x = np.ogrid[:3, begin[0] : end[0], begin[1] : end[1]]
        return ((c * 40503 + y * 2654435 + x * 97787 + (y * x) * 31 + (y * y * 7) ** 2) >> 3).astype(np.uint8)

    def __reduce__(self):
        return type(self), self._arguments


class BrokenSource(NoiseSource):
    """Cannot be read at a pixel, the first `times` times that it is asked for."""

    def __init__(self, place, times=10**9, **options):
        super().__init__(**options)
        self._arguments = (place, times)
        self.place, self.left = place, times

    def _read(self, begin, end):
        if all(b <= at < e for b, at, e in zip(begin, self.place, end, strict=True)) and self.left > 0:
            self.left -= 1
            raise SourceError(f"noise: {self.place} is broken")
        return super()._read(begin, end)


class PlainSource(NoiseSource):
    """Equal pixels in each region, read without any other array."""

    def _read(self, begin, end):
        return np.full((3, end[0] - begin[0], end[1] - begin[1]), begin[0] % 251, np.uint8)


def pixels(extents=EXTENTS):
    """All of a `NoiseSource`."""
    return NoiseSource(extents).read((0, 0), extents)


def digest(folder):
    """Of the names and the bytes of all files in a folder."""
    found = hashlib.sha256()
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            found.update(f"{path.relative_to(folder)} {len(content)} ".encode() + content)
    return found.hexdigest()


if __name__ == "__main__":
    from equiconv.slides import predict

    print("begins", flush=True)
    source = NoiseSource(delay=float(sys.argv[3]))
    predict(sys.argv[1], source, sys.argv[2], tile=TILE, progress=False)
    print("ends", flush=True)

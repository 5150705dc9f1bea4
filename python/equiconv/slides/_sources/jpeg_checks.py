# SPDX-License-Identifier: Apache-2.0
"""Whether the data of a JPEG image are whole.

Decoders of JPEG conceal damage: where data end early or make no sense they go on with gray, and say at most that there
was a warning. The check follows the code words from the first to the last, without computing pixels. An image of fewer
or more code words than its size asks for, or with one that does not exist, is damaged. Damage that leaves as many valid
code words as before cannot be noticed by anybody: the format has no checksum.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, repeat

import numpy as np

_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
_RESTART = re.compile(rb"\xff+[\xd0-\xd7]")
_SEQUENTIAL, _OTHER_FRAMES = (0xC0, 0xC1), (0xC2, 0xC3, 0xC9, 0xCA, 0xCB)
_END_OF_BLOCK, _INVALID = 1 << 16, 1 << 20


@dataclass
class _State:
    """What the markers before a scan have said."""

    tables: dict[int, list[int]] = field(default_factory=dict)
    components: dict[int, tuple[int, int]] = field(default_factory=dict)
    size: tuple[int, int] = (0, 0)
    interval: int = 0
    sequential: bool = True
    scans: int = 0


def check_jpeg(data: bytes, tables: bytes | None = None) -> None:
    """Checks an image, with the tables that a TIFF file keeps apart from it.

    Images of sequential Huffman coding are followed to their end, in time proportional to their size, about half
    a microsecond a code word. Of progressive and arithmetic ones only the markers are checked.

    Raises:
        ValueError: what is wrong.
    """
    state = _State()
    try:
        if tables:
            _follow(tables, state)
        ended = _follow(data, state)
    except (IndexError, KeyError):
        raise ValueError("the JPEG data end early, or their markers make no sense") from None
    if not ended:
        raise ValueError("the JPEG data end early, without the marker of their end")
    if state.scans == 0:
        raise ValueError("the JPEG data have no scan")


def _follow(data: bytes, state: _State) -> bool:
    """Follows markers and scans. Returns whether the marker of the end was met."""
    if data[:2] != b"\xff\xd8":
        raise ValueError(f"the JPEG data begin with {data[:2].hex(' ') or 'nothing'}, expected ff d8")
    at = 2
    while at < len(data):
        if data[at] != 0xFF:
            raise ValueError(f"the JPEG data have no marker at byte {at}, where one is due")
        while data[at] == 0xFF:
            at += 1
        marker, at = data[at], at + 1
        if marker == 0xD9:
            return True
        length = int.from_bytes(data[at : at + 2], "big")
        body = data[at + 2 : at + length]
        if length < 2 or len(body) != length - 2:
            raise IndexError
        at += length
        if marker == 0xDA:
            found = _MARKER.search(data, at)
            if found is None:
                raise IndexError
            _scan(body, data[at : found.start()], state)
            at = found.start()
        else:
            _define(marker, body, state)
    return False


def _define(marker: int, body: bytes, state: _State) -> None:
    if marker in _SEQUENTIAL or marker in _OTHER_FRAMES:
        state.sequential = marker in _SEQUENTIAL
        state.size = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        entries = (body[6 + 3 * number : 9 + 3 * number] for number in range(body[5]))
        state.components = {entry[0]: (entry[1] >> 4, entry[1] & 15) for entry in entries}
    elif marker == 0xC4:
        while body:
            counts = body[1:17]
            state.tables[body[0]] = _lookup(counts, body[17 : 17 + sum(counts)], body[0] >> 4 == 0)
            body = body[17 + sum(counts) :]
    elif marker == 0xDD:
        state.interval = int.from_bytes(body[:2], "big")


@lru_cache(maxsize=32)
def _lookup(counts: bytes, symbols: bytes, is_dc: bool) -> list[int]:
    """By the next 16 bits: how many bits a code word and its number take, and, times 256, its step in the block."""
    if len(counts) != 16 or len(symbols) != sum(counts):
        raise IndexError
    entries = np.full(1 << 16, _INVALID << 8, np.int64)
    code, place = 0, 0
    for length, count in enumerate(counts, 1):
        for symbol in symbols[place : place + count]:
            run, size = symbol >> 4, symbol & 15
            ends = not is_dc and size == 0 and run != 15
            step = _END_OF_BLOCK if ends else run + 1
            bits = length + (symbol if is_dc else size)
            entries[code << (16 - length) : (code + 1) << (16 - length)] = bits if is_dc else bits + (step << 8)
            code += 1
        code, place = code << 1, place + count
    listed: list[int] = entries.tolist()
    return listed


def _scan(header: bytes, data: bytes, state: _State) -> None:
    """Follows the code words of a scan."""
    state.scans += 1
    if not state.sequential:
        return
    chosen = {header[1 + 2 * n]: header[2 + 2 * n] for n in range(header[0])}
    count, blocks = _units(list(chosen), state)
    pairs = [(state.tables[chosen[name] >> 4], state.tables[16 + (chosen[name] & 15)]) for name in blocks]
    parts = _RESTART.split(data) if state.interval else [data]
    for number, part in enumerate(parts):
        units = min(state.interval, count - number * state.interval) if state.interval else count
        if units <= 0:
            raise ValueError("the JPEG data have more restart intervals than the image")
        _walk(part.replace(b"\xff\x00", b"\xff"), pairs, units)
    if state.interval and len(parts) * state.interval < count:
        raise ValueError("the JPEG data have fewer restart intervals than the image")


def _units(names: list[int], state: _State) -> tuple[int, list[int]]:
    """How many units a scan has, and the component of each block of a unit, in order."""
    height, width = state.size
    largest_x = max(x for x, _ in state.components.values())
    largest_y = max(y for _, y in state.components.values())
    if len(names) == 1:
        # A scan of one component has all blocks of it that hold pixels, and is not made of units.
        x, y = state.components[names[0]]
        columns, rows = -(-width * x // largest_x), -(-height * y // largest_y)
        return -(-columns // 8) * -(-rows // 8), names
    blocks = [name for name in names for _ in range(state.components[name][0] * state.components[name][1])]
    return -(-width // (8 * largest_x)) * -(-height // (8 * largest_y)), blocks


def _walk(data: bytes, pairs: list[tuple[list[int], list[int]]], units: int) -> None:
    """Follows the code words of all blocks of an interval, and expects less than a byte behind them."""
    padded = np.frombuffer(data + b"\0" * 64, np.uint8).astype(np.int32)
    # At each byte, the next 24 bits. A view of memory takes a ninth of a list.
    windows = ((padded[:-2] << 16) | (padded[1:-1] << 8) | padded[2:]).data
    position = 0
    for dc, ac in chain.from_iterable(repeat(pairs, units)):
        position += dc[(windows[position >> 3] >> (8 - (position & 7))) & 0xFFFF]
        place = 1
        while place < 64:
            entry = ac[(windows[position >> 3] >> (8 - (position & 7))) & 0xFFFF]
            position += entry & 255
            place += entry >> 8
        if 64 < place < _END_OF_BLOCK or place >= _INVALID:
            raise ValueError("the JPEG data have code words that make no sense")
    left = 8 * len(data) - position
    if left < 0:
        raise ValueError("the JPEG data end early")
    if left >= 8:
        raise ValueError(f"the JPEG data have {left // 8} bytes more than the image")

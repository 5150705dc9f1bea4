# SPDX-License-Identifier: Apache-2.0
"""A bar that grows with the tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(shown: bool, count: int, done: int) -> Iterator[Callable[[], object]]:
    """A bar on the terminal, if there is one and tqdm is installed; gives what to call after each tile."""
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        shown = False
    if not shown:
        yield lambda: None
        return
    # `disable=None` leaves it out where no terminal is.
    with tqdm(total=count, initial=done, unit="tile", disable=None) as bar:
        yield bar.update

# SPDX-License-Identifier: Apache-2.0
"""The page in a browser, opened once for all tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# WebAssembly multiplies and adds separately, as the baseline of x86-64 does.
os.environ["EQUICONV_ISA"] = "baseline"

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))

from browser import Browser  # noqa: E402

PAGE = FOLDER.parents[1] / ".build" / "web"


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The page as a file, with no server, once it shows its first result."""
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        browser.resize(1280, 900, is_phone=False)
        browser.open((PAGE / "index.html").as_uri())
        browser.run("pageLoaded.then(() => null)")
        browser.run((FOLDER / "report.js").read_text())
        yield browser


@pytest.fixture(scope="session")
def report(browser: Browser) -> dict[str, Any]:
    """What the page showed and computed while it worked through its own controls."""
    result: dict[str, Any] = browser.run("pageLoaded.then((page) => Report.run(page))")
    return result

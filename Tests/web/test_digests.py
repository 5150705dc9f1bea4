# SPDX-License-Identifier: Apache-2.0
"""Every algorithm has the bits in WebAssembly that it has on processors without fused multiply-adds."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

from browser import Browser

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
PROGRAM = ROOT / ".build" / "web-tests" / "digests.wasm"
TABLE = ROOT / "Tests" / "digests" / "separate.txt"


def test_all_digests_of_the_table_hold(tmp_path: Path) -> None:
    module = base64.b64encode(PROGRAM.read_bytes()).decode()
    page = tmp_path / "digests.html"
    scripts = (FOLDER / "digests.js").read_text(), f'const MODULE = "{module}";'
    page.write_text("".join(f"<script>{script}</script>" for script in scripts))
    profile = tmp_path / "browser"
    profile.mkdir()
    with Browser(profile) as browser:
        browser.open(page.as_uri())
        text = browser.run("printedBy(Uint8Array.from(atob(MODULE), (character) => character.charCodeAt(0)))")
    printed = tmp_path / "digests.txt"
    printed.write_text(text)
    command = [ROOT / "Tests" / "CTests" / "compare_digests.sh", TABLE, "cat", printed]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = len(TABLE.read_text().splitlines())
    assert (result.returncode, result.stdout.strip()) == (0, f"{lines} digests compared")

# SPDX-License-Identifier: Apache-2.0
"""The Python of docs/Distributed.md runs, from top to bottom."""

from __future__ import annotations

import re

import pytest
from paths import ROOT

PAGE = ROOT / "docs" / "Distributed.md"


def test_python_of_the_page_runs_from_top_to_bottom():
    pytest.importorskip("h5py", reason='the page is not run: pip install "equiconv[experiments]"')
    torch = pytest.importorskip("torch", reason='the page is not run: pip install "equiconv[torch]"')
    if not torch.distributed.is_available():
        pytest.skip("this torch has no torch.distributed")
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```py(?:thon)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    names = {"__name__": "__main__"}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    names["folder"].cleanup()

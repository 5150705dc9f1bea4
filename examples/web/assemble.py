# SPDX-License-Identifier: Apache-2.0
"""Assembles the page: its files, and one more with the engine, the networks and the digits as text.

    python3 examples/web/assemble.py ENGINE.wasm FOLDER

A page that is opened as a file may load scripts and nothing else, so the engine is in a script too, compressed.
"""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import sys
from pathlib import Path

SOURCE = Path(__file__).parent
KINDS = ("*.html", "*.css", "*.js")


def text(data: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(data).decode()


def data_script(engine: bytes) -> str:
    """The script with everything that is not a script."""
    networks = SOURCE / "networks"
    data = {
        "engine": text(gzip.compress(engine, 9, mtime=0)),
        "c4": text((networks / "c4.safetensors").read_bytes()),
        "cnn": text((networks / "cnn.safetensors").read_bytes()),
        "digits": text((networks / "digits.u8").read_bytes()),
    }
    return f'"use strict";\nconst EQUICONV_DATA = {json.dumps(data, indent=1)};\n'


def main(engine: Path, folder: Path) -> None:
    """Writes the folder, and says what is in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        for path in SOURCE.glob(kind):
            shutil.copyfile(path, folder / path.name)
    script = folder / "data.js"
    script.write_text(data_script(engine.read_bytes()))
    print(f"{folder / 'index.html'}: engine {engine.stat().st_size} bytes, data.js {script.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

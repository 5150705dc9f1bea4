# SPDX-License-Identifier: Apache-2.0
"""``python -m equiconv slides``: what it prints and writes, and its exit status."""

from __future__ import annotations

import json
import subprocess
import sys

import equiconv as eq
import equiconv.slides as slides
import numpy as np
import pytest
from equiconv._network.commands import main
from paths import environment
from slide_networks import GROUPS, NETWORKS
from slide_runs import digest, pixels

pytest.importorskip("zarr", reason='needs Zarr: pip install "equiconv[slides]"')


@pytest.fixture
def files(tmp_path):
    """Paths of a network and of an image, as texts."""
    np.save(tmp_path / "image.npy", pixels())
    return NETWORKS["strided"](GROUPS["C4"], tmp_path / "network"), str(tmp_path / "image.npy")


def run(*arguments):
    """The exit status."""
    return main(["slides", *map(str, arguments)])


def test_predict_writes_what_the_function_does(tmp_path, files, capsys):
    network, image = files
    assert run("predict", network, image, "-o", tmp_path / "a.zarr", "--tile", 64, "--axes", "CYX") == 0
    assert "25 of 25 tiles computed" in capsys.readouterr().out
    slides.predict(network, image, tmp_path / "b.zarr", tile=64, axes="CYX")
    assert digest(tmp_path / "a.zarr") == digest(tmp_path / "b.zarr")
    assert run("predict", network, image, "-o", tmp_path / "a.zarr", "--tile", 64, "--axes", "CYX") == 0
    assert "25 known" in capsys.readouterr().out
    assert run("predict", network, image, "-o", tmp_path / "a.zarr", "--tile", 100, "--axes", "CYX") == 2
    assert "a run with tile" in capsys.readouterr().err
    assert run("predict", network, image, "-o", tmp_path / "a.zarr", "--tile", 100, "--axes", "CYX", "--anew") == 0


def test_masks_of_files(tmp_path, files, capsys):
    network, image = files
    np.save(tmp_path / "mask.npy", np.eye(2, dtype=np.uint8))
    options = ("--mask", tmp_path / "mask.npy", "--axes", "CYX", "--tile", 52, "--mode", "fast")
    assert run("predict", network, image, "-o", tmp_path / "s.zarr", *options) == 0
    assert "masked" in capsys.readouterr().out


def test_tiles_that_fail_are_status_1(tmp_path, files, capsys):
    import zarr

    network, _ = files
    image = tmp_path / "image.zarr"
    zarr.create_array(store=str(image), shape=(3, 300, 260), chunks=(3, 50, 50), dtype="u1")[:] = pixels()
    (image / "c" / "0" / "2" / "0").unlink()
    arguments = ("predict", network, image, "-o", tmp_path / "s.zarr", "--tile", 64, "--axes", "CYX", "--retries", 0)
    assert run(*arguments) == 1
    error = capsys.readouterr().err
    assert f"tile (1, 0), rows 64 to 127, columns 0 to 63: SourceError: {image}" in error
    assert "the others stay" in error
    assert not json.loads((tmp_path / "s.zarr" / "zarr.json").read_text())["attributes"]["equiconv"]["complete"]
    zarr.open_array(store=str(image), mode="r+")[:, 100:150, :50] = pixels()[:, 100:150, :50]
    assert run(*arguments) == 0
    assert "21 known" in capsys.readouterr().out
    slides.predict(network, image, tmp_path / "other.zarr", tile=64, axes="CYX")
    assert digest(tmp_path / "s.zarr") == digest(tmp_path / "other.zarr")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("predict", "{network}", "missing.svs", "-o", "{out}"), "missing.svs"),
        (("predict", "missing", "{image}", "-o", "{out}", "--axes", "CYX"), "missing"),
        (("predict", "{network}", "{image}", "-o", "s.png", "--axes", "CYX"), "out is 's.png'"),
        (("predict", "{network}", "{image}", "-o", "{out}", "--axes", "CYX", "--mpp", "0.5"), "mpp"),
        (("predict", "{network}", "{image}", "-o", "{out}", "--axes", "CYX", "--tile", "0"), "tile is 0"),
        (("predict", "{network}", "{image}", "-o", "{out}", "--axes", "CYX", "--workers", "0"), "--workers is 0"),
        (("predict", "{network}", "{image}", "-o", "{out}", "--axes", "CYX", "--threads", "0"), "0"),
        (("info", "missing.svs"), "missing.svs"),
    ],
)
def test_wrong_calls_are_status_2(tmp_path, files, capsys, arguments, text):
    names = {"network": files[0], "image": files[1], "out": str(tmp_path / "s.zarr")}
    assert run(*(argument.format(**names) for argument in arguments)) == 2
    assert text in capsys.readouterr().err
    assert not (tmp_path / "s.zarr").exists()


def test_info_prints_the_slide_and_the_run(files, capsys):
    network, image = files
    assert run("info", image, "--axes", "CYX", "--network", network, "--tile", 64) == 0
    text = capsys.readouterr().out
    for part in (
        image,
        "300 x 260",
        "3 channels",
        "uint8",
        "5 x 5 tiles of 64 x 64 pixels",
        "scores: 3 x 75 x 65",
        "MiB",
    ):
        assert part in text


def test_help_lists_the_commands(capsys):
    for arguments in (["--help"], ["slides", "--help"], ["slides", "predict", "--help"]):
        with pytest.raises(SystemExit) as ending:
            main(arguments)
        assert ending.value.code == 0
    text = capsys.readouterr().out
    for part in ("slides", "predict", "info", "--workers", "exit status 1"):
        assert part in text


@pytest.mark.slow
def test_workers_as_a_program(tmp_path, files):
    pytest.importorskip("distributed", reason='needs Dask: pip install "equiconv[dask]"')
    network, image = files
    command = [sys.executable, "-m", "equiconv", "slides", "predict", network, image, "-o", str(tmp_path / "s.zarr")]
    command += ["--axes", "CYX", "--tile", "64", "--workers", "2", "--threads", "2"]
    found = subprocess.run(command, capture_output=True, text=True, env=environment(OMP_NUM_THREADS="1"), check=False)
    assert found.returncode == 0, found.stderr
    assert "25 of 25 tiles computed" in found.stdout
    slides.predict(network, image, tmp_path / "b.zarr", tile=64, axes="CYX")
    assert digest(tmp_path / "s.zarr") == digest(tmp_path / "b.zarr")


def test_slides_are_imported_only_for_themselves(files):
    code = "import sys, equiconv; from equiconv._network.commands import main; main(['info', sys.argv[1]]); "
    code += "print([name for name in ('equiconv.slides', 'zarr', 'dask', 'scipy') if name in sys.modules])"
    command = [sys.executable, "-c", code, files[0]]
    found = subprocess.run(command, capture_output=True, text=True, env=environment(), check=True)
    assert found.stdout.splitlines()[-1] == "[]"
    assert eq.slides is slides

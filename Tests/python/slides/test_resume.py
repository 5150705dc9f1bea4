# SPDX-License-Identifier: Apache-2.0
"""A run that is killed at any time goes on where it was, and writes the bytes of one that is not."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import equiconv.slides as slides
import pytest
from equiconv.slides._outputs import zarr_folder
from equiconv.slides._outputs.journal import Journal
from paths import SUPPORT, environment
from slide_runs import TILE, NoiseSource, digest

pytest.importorskip("zarr", reason='needs Zarr: pip install "equiconv[slides]"')


def start(network, out, delay):
    """A process that has begun to run."""
    command = [sys.executable, str(SUPPORT / "slide_runs.py"), network, str(out), str(delay)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(OMP_NUM_THREADS="1"))
    assert process.stdout.readline() == "begins\n"
    return process


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_killed_at_random_times_it_writes_the_same_bytes(tmp_path, strided, whole, seed):
    """Kills come from before the first tile to the pyramids; each run has what those before it had written."""
    out, rng, kills = tmp_path / "s.zarr", random.Random(seed), 0
    while True:
        process = start(strided, out, 0.01)
        try:
            process.wait(rng.uniform(0.05, 0.6) * (1.3**kills))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            kills += 1
        rest = process.communicate()[0]
        if process.returncode == 0:
            assert rest == "ends\n"
            break
        assert process.returncode == -signal.SIGKILL
    assert kills > 0
    assert digest(out) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["s.zarr"]


class Killed(BaseException):
    """Ends a run as a kill does: nothing after it is done."""


STEPS = ("sync_file", "sync", "fill_level", "remove_partial", "_attributes")


@pytest.mark.parametrize("name", STEPS)
def test_killed_at_any_step_it_writes_the_same_bytes(tmp_path, strided, whole, monkeypatch, name):
    """Once at each call of what changes the disk, until none is left."""
    owner = zarr_folder.ZarrFolder if name == "_attributes" else zarr_folder
    original = getattr(owner, name)
    out, steps = tmp_path / "s.zarr", [0, 1, 4, 30]
    for step in steps:
        shutil.rmtree(out, ignore_errors=True)
        count = iter(range(10**6))

        def killed(*arguments, count=count, step=step):
            if next(count) == step:
                raise Killed
            return original(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(owner, name, killed)
            try:
                slides.predict(strided, NoiseSource(), out, tile=TILE)
            except Killed:
                pass
            else:
                break
        slides.predict(strided, NoiseSource(), out, tile=TILE)
        assert digest(out) == whole
        assert [path.name for path in tmp_path.iterdir()] == ["s.zarr"]
    assert step > 0


def half(tmp_path, strided):
    """A run that has ended in its middle."""
    out, count = tmp_path / "s.zarr", iter(range(10**6))
    original = Journal.append

    def killed(*arguments):
        original(*arguments)
        if next(count) == 15:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "append", killed)
        with pytest.raises(Killed):
            slides.predict(strided, NoiseSource(), out, tile=TILE)
    return out


def test_a_run_goes_on_with_what_is_there(tmp_path, strided, whole):
    out = half(tmp_path, strided)
    found = slides.predict(strided, NoiseSource(), out, tile=TILE)
    assert (found.tiles.known, found.tiles.computed) == (16, found.tiles.all - 16)
    assert digest(out) == whole


def test_an_unfinished_run_says_so(tmp_path, strided):
    out = half(tmp_path, strided)
    assert json.loads((out / "zarr.json").read_text())["attributes"]["equiconv"]["complete"] is False


@pytest.mark.parametrize(
    "ending", [b'{"tile": [2, ', b'{"tile": [2, 1]}', b"\0\0\0\n", b"{}\n", b'{"tile": 3, "bytes": {}}\n']
)
def test_a_line_of_the_journal_that_was_cut_off_does_not_count(tmp_path, strided, whole, ending):
    """And does not spoil those that a next run adds."""
    out = half(tmp_path, strided)
    with (out / "journal.jsonl").open("ab") as file:
        file.write(ending)
    half(tmp_path, strided)
    assert slides.predict(strided, NoiseSource(), out, tile=TILE).tiles.known == 32
    assert digest(out) == whole


@pytest.mark.parametrize("content", [None, b"", b"short"])
def test_a_chunk_that_is_not_as_it_was_written_is_computed_again(tmp_path, strided, whole, content):
    out = half(tmp_path, strided)
    chunk = out / "0" / "c" / "0" / "0" / "2"
    chunk.unlink()
    if content is not None:
        chunk.write_bytes(content)
    assert slides.predict(strided, NoiseSource(), out, tile=TILE).tiles.known == 15
    assert digest(out) == whole


def test_what_a_kill_left_of_a_chunk_goes(tmp_path, strided, whole):
    out = half(tmp_path, strided)
    (out / "0" / "c" / "0" / "0" / "9.0123456789abcdef.partial").write_bytes(b"half a chunk")
    (out / "zarr.0123456789abcdef.partial").write_bytes(b"{")
    slides.predict(strided, NoiseSource(), out, tile=TILE)
    assert digest(out) == whole


def test_two_runs_do_not_write_one_folder(tmp_path, strided, whole):
    out = tmp_path / "s.zarr"
    process = start(strided, out, 0.05)
    try:
        end = time.monotonic() + 20
        while not (out / "journal.jsonl").exists() or not (out / "journal.jsonl").stat().st_size:
            assert time.monotonic() < end
            time.sleep(0.02)
        with pytest.raises(BlockingIOError, match="another process"):
            slides.predict(strided, NoiseSource(), out, tile=TILE)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    slides.predict(strided, NoiseSource(), out, tile=TILE)
    assert digest(out) == whole


def test_ctrl_c_is_a_kill(tmp_path, strided, whole):
    out = tmp_path / "s.zarr"
    process = start(strided, out, 0.03)
    while not (out / "journal.jsonl").exists() or not (out / "journal.jsonl").stat().st_size:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode != 0
    assert slides.predict(strided, NoiseSource(), out, tile=TILE).tiles.known > 0
    assert digest(out) == whole


def test_the_pyramid_is_computed_once_more(tmp_path, strided, whole, monkeypatch):
    """What a run without some tiles has made of them is replaced."""
    out = half(tmp_path, strided)
    folder = zarr_folder.ZarrFolder.finish
    seen = []

    def finish(self, complete):
        folder(self, False)
        seen.append(complete)
        folder(self, complete)

    monkeypatch.setattr(zarr_folder.ZarrFolder, "finish", finish)
    slides.predict(strided, NoiseSource(), out, tile=TILE)
    assert seen == [True]
    assert digest(out) == whole

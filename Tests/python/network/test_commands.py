# SPDX-License-Identifier: Apache-2.0
"""``python -m equiconv``: what it prints, what it writes, and its exit status."""

from __future__ import annotations

import subprocess
import sys

import equiconv as eq
import numpy as np
import pytest
from equiconv._network.commands import main
from equiconv._network.file import digest, write_file
from networks import classifier
from paths import environment

X = np.random.default_rng(5).standard_normal((1, 2, 9, 9)).astype(np.float32)


def make_file(tmp_path, group=None, change=0.0, sha256=None):
    """The path of a file with a test, whose outputs are off by `change`."""
    document, tensors = classifier(group)
    write_file(document, tensors, tmp_path / "plain")
    outputs = eq.load_network(tmp_path / "plain", "exact")(X)
    arrays = {"test.x": X, "test.scores": outputs["scores"] + np.float32(change), "test.planes": outputs["planes"]}
    test = {"input": "test.x", "outputs": ["test.scores", "test.planes"]}
    document["test"] = test | {"sha256": digest(arrays.values()) if sha256 is None else sha256}
    path = tmp_path / "tested.safetensors"
    write_file(document, tensors | arrays, path)
    return str(path)


def test_info_prints_the_table(tmp_path, capsys):
    assert main(["info", make_file(tmp_path)]) == 0
    text = capsys.readouterr().out
    for part in ("classifier", "image", "scores", "cat", "lift", "group_pool max", "(1, 4, 4, 9, 9)", "for tests"):
        assert part in text


def test_run_writes_the_outputs(tmp_path, capsys):
    path = make_file(tmp_path)
    np.save(tmp_path / "x.npy", X)
    assert main(["run", path, str(tmp_path / "x.npy"), "-o", str(tmp_path / "y.npz"), "--exact"]) == 0
    expected = eq.load_network(path, "exact")(X)
    with np.load(tmp_path / "y.npz") as written:
        assert {name: written[name].tobytes() for name in written} == {n: y.tobytes() for n, y in expected.items()}
    assert eq.load_network(path).classes[int(expected["scores"].argmax())] in capsys.readouterr().out


def test_run_of_one_output_writes_an_array(tmp_path):
    write_file(*classifier(outputs=("scores",)), tmp_path / "n")
    np.save(tmp_path / "x.npy", X)
    assert main(["run", str(tmp_path / "n"), str(tmp_path / "x.npy"), "-o", str(tmp_path / "y.npy")]) == 0
    assert np.array_equal(np.load(tmp_path / "y.npy"), eq.load_network(tmp_path / "n")(X))


@pytest.mark.parametrize("dtype", ["uint8", "int16", ">i4", "uint64"])
def test_run_converts_integers_exactly(tmp_path, dtype):
    write_file(*classifier(outputs=("scores",)), tmp_path / "n")
    pixels = np.random.default_rng(3).integers(0, 256, X.shape).astype(dtype)
    if pixels.dtype.itemsize > 2:
        pixels[0, 0, 0, 0] = 2**24
    np.save(tmp_path / "x.npy", pixels)
    assert main(["run", str(tmp_path / "n"), str(tmp_path / "x.npy"), "-o", str(tmp_path / "y.npy")]) == 0
    assert np.array_equal(np.load(tmp_path / "y.npy"), eq.load_network(tmp_path / "n")(pixels.astype(np.float32)))


@pytest.mark.parametrize("number", [2**24 + 1, -(2**24) - 1])
def test_run_refuses_integers_that_floats_do_not_have(tmp_path, capsys, number):
    write_file(*classifier(outputs=("scores",)), tmp_path / "n")
    pixels = np.zeros(X.shape, np.int64)
    pixels[0, 1, 2, 3] = number
    np.save(tmp_path / "x.npy", pixels)
    assert main(["run", str(tmp_path / "n"), str(tmp_path / "x.npy"), "-o", str(tmp_path / "y.npy")]) == 2
    assert str(number) in capsys.readouterr().err


def test_bench_prints_times(tmp_path, capsys, threads):
    arguments = ["bench", make_file(tmp_path), "--batch", "2", "--size", "8", "--threads", "1", "--seconds", "0.01"]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "(2, 2, 8, 8)" in text
    assert "median" in text
    assert "lift" in text
    assert eq.get_num_threads() == 1


@pytest.mark.parametrize("group", [None, eq.dihedral(4), eq.cyclic(8)], ids=["C4", "D4", "C8"])
def test_check_passes_for_a_file_that_keeps_its_word(tmp_path, capsys, group):
    status = main(["check", make_file(tmp_path, group)])
    text = capsys.readouterr().out
    assert status == 0, text
    elements = 8 if group is not None and group.name == "D4" else 4
    assert text.count("exact, element") == text.count("fast, element") == elements
    assert "FAIL" not in text
    assert "SHA-256" in text


def test_check_fails_for_other_outputs(tmp_path, capsys):
    assert main(["check", make_file(tmp_path, change=0.1)]) == 1
    assert "FAIL test, exact, scores" in capsys.readouterr().out


def test_check_fails_for_another_digest(tmp_path, capsys):
    assert main(["check", make_file(tmp_path, sha256="0" * 64)]) == 1
    assert "FAIL test, SHA-256" in capsys.readouterr().out


def test_check_fails_for_a_network_that_does_not_commute(tmp_path, capsys):
    """Flattening puts pixels in an order that turning changes."""
    document, tensors = classifier(outputs=("scores",))
    document["input"]["extents"] = [5, 5]
    flatten = {"kind": "flatten", "name": "flat", "inputs": ["planes"], "output": "v6"}
    document["operations"] = [*document["operations"][:6], flatten, document["operations"][7]]
    tensors["last.weight"] = np.random.default_rng(1).standard_normal((3, 100)).astype(np.float32)
    write_file(document, tensors, tmp_path / "n")
    assert main(["check", str(tmp_path / "n")]) == 1
    text = capsys.readouterr().out
    assert "FAIL exact, element 1 of 4" in text
    assert "ok   exact, element 0 of 4" in text


def test_check_of_another_size_turns_random_numbers(tmp_path, capsys):
    assert main(["check", make_file(tmp_path), "--size", "10"]) == 0
    assert "FAIL" not in capsys.readouterr().out


def test_wrong_calls_have_status_2(tmp_path, capsys):
    assert main(["info", "/nowhere/at all"]) == 2
    assert "No such file" in capsys.readouterr().err
    np.save(tmp_path / "x.npy", X[:, :1])
    assert main(["run", make_file(tmp_path), str(tmp_path / "x.npy"), "-o", str(tmp_path / "y.npz")]) == 2
    assert "(1, 1, 9, 9)" in capsys.readouterr().err
    np.save(tmp_path / "x.npy", X)
    assert main(["run", make_file(tmp_path), str(tmp_path / "x.npy"), "-o", str(tmp_path / "y.npy")]) == 2
    assert "expected a name with .npz" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main([])


def test_the_package_is_a_program(tmp_path):
    command = [sys.executable, "-m", "equiconv", "check", make_file(tmp_path)]
    result = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert result.stderr == ""
    assert "0 do not" in result.stdout

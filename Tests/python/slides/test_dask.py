# SPDX-License-Identifier: Apache-2.0
"""Clusters of Dask: workers write the bytes of one process, also if one is killed; arrays of Dask, block by block."""

from __future__ import annotations

import os
import signal
import threading
import time

import equiconv as eq
import equiconv.slides as slides
import numpy as np
import pytest
from equiconv.slides._run import workers
from slide_networks import GROUPS, NETWORKS, Maker, several
from slide_runs import TILE, BrokenSource, NoiseSource, digest, pixels

REASON = 'needs Dask: pip install "equiconv[dask]"'
da = pytest.importorskip("dask.array", reason=REASON)
distributed = pytest.importorskip("distributed", reason=REASON)
pytest.importorskip("zarr", reason='needs Zarr: pip install "equiconv[slides]"')

# What Dask and its event loop leave open when processes end.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def cluster():
    """Two processes of one thread each, which come again when they are killed."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1", memory_limit=0
    ) as found:
        yield found


@pytest.fixture
def client(cluster):
    """Of the cluster, whose workers are there."""
    with distributed.Client(cluster) as found:
        found.wait_for_workers(2, timeout=60)
        yield found


def jobs_here():
    """How many jobs a process holds."""
    return len(workers._tasks)


@pytest.mark.slow
def test_workers_write_the_bytes_of_one_process(tmp_path, strided, whole, client):
    out = tmp_path / "s.zarr"
    found = slides.predict(strided, NoiseSource(), out, tile=TILE, client=client)
    assert found.tiles.computed == found.tiles.all
    assert digest(out) == whole
    assert found.times.network > 0
    assert list(client.run(jobs_here).values()) == [0, 0]


def test_the_network_goes_to_each_worker_once(tmp_path, strided, client, monkeypatch):
    """Neither tasks nor records carry it, nor pixels: they are small."""
    sizes, submit = [], client.submit

    def measured(function, *arguments, **keywords):
        sizes.append(len(distributed.protocol.pickle.dumps((function, arguments))))
        return submit(function, *arguments, **keywords)

    monkeypatch.setattr(client, "submit", measured)
    found = slides.predict(strided, NoiseSource(), tmp_path / "s.zarr", tile=TILE, client=client)
    assert len(sizes) == found.tiles.all
    assert max(sizes) < 500


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_its_tiles_alone(tmp_path, strided, whole, client):
    out, killed = tmp_path / "s.zarr", []
    before = set(client.run(os.getpid).values())

    def kill():
        while not (out / "journal.jsonl").exists() or (out / "journal.jsonl").read_bytes().count(b"\n") < 5:
            time.sleep(0.01)
        killed.append(min(before))
        os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    found = slides.predict(strided, NoiseSource(delay=0.05), out, tile=TILE, client=client)
    thread.join()
    assert (found.failed, found.tiles.computed) == ((), found.tiles.all)
    assert digest(out) == whole
    client.wait_for_workers(2, timeout=60)
    assert killed[0] not in client.run(os.getpid).values()


def test_a_run_of_one_process_goes_on_with_workers(tmp_path, strided, whole, client):
    out = tmp_path / "s.zarr"
    slides.predict(strided, BrokenSource((100, 30)), out, tile=TILE, retries=0)
    found = slides.predict(strided, NoiseSource(), out, tile=TILE, client=client)
    assert 0 < found.tiles.computed < found.tiles.all
    assert digest(out) == whole


def test_tiles_that_cannot_be_read_are_named(tmp_path, strided, client):
    found = slides.predict(strided, BrokenSource((100, 30)), tmp_path / "s.zarr", tile=64, client=client, retries=1)
    assert [failed.tile for failed in found.failed] == [(1, 0)]
    assert "(100, 30) is broken" in str(found.failed[0])


class Deadly(NoiseSource):
    """Ends the process that reads a pixel."""

    def _read(self, begin, end):
        if begin[0] <= 100 < end[0] and begin[1] <= 30 < end[1]:
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._read(begin, end)


@pytest.mark.slow
def test_a_tile_that_ends_every_worker_fails(tmp_path, strided, client):
    """Others are computed by the workers that come again."""
    found = slides.predict(strided, Deadly(), tmp_path / "s.zarr", tile=128, client=client, retries=0)
    assert (0, 0) in {failed.tile for failed in found.failed}
    assert all("KilledWorker" in failed.error for failed in found.failed)
    assert found.tiles.computed + len(found.failed) == found.tiles.all
    assert found.tiles.computed > 0


def test_workers_of_one_process_share_a_job(tmp_path, strided, whole, threads):
    """The engine has the threads of a worker, and those of before afterwards."""
    threads(1)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=2, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        slides.predict(strided, NoiseSource(), tmp_path / "s.zarr", tile=TILE, client=client)
        assert workers._tasks == {}
        assert eq.get_num_threads() == 1
    assert digest(tmp_path / "s.zarr") == whole


# ---- Arrays


@pytest.mark.parametrize("chunks", [(3, 64, 64), (1, 50, 70), (3, (7, 100, 104), (137,)), (2, 211, 9)])
@pytest.mark.parametrize("name", ["strided", "valid"])
def test_maps_over_chunks_of_any_size_have_the_bits_of_the_whole(tmp_path, name, chunks):
    path = NETWORKS[name](GROUPS["D4"], tmp_path / "network")
    x = pixels((211, 137))
    found = eq.dask.map(path, da.from_array(x, chunks))
    expected = eq.load_network(path, "exact")(x[None].astype(np.float32))[0]
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    assert found.compute(scheduler="synchronous").tobytes() == expected.tobytes()


@pytest.mark.parametrize("tile", [1, 20, 4096])
def test_maps_have_the_tiles_that_are_asked_for(tmp_path, tile):
    path = NETWORKS["unet"](GROUPS["C4"], tmp_path / "network")
    x = pixels((48, 40)).astype(np.float32)
    found = eq.dask.map(path, da.from_array(x[None], (1, 3, 24, 24)), tile=tile)
    assert found.compute(scheduler="threads").tobytes() == eq.load_network(path, "exact")(x[None]).tobytes()
    assert max(found.chunks[2]) == min(48, max(4, tile // 4 * 4))


def test_maps_of_batches_and_of_outputs_by_name(tmp_path):
    path = several(GROUPS["C4"], tmp_path / "network")
    x = np.random.default_rng(0).standard_normal((3, 3, 30, 40)).astype(np.float32)
    expected = eq.load_network(path, "exact")(x)
    for name in expected:
        found = eq.dask.map(path, da.from_array(x, ((1, 2), 3, 12, 20)), output=name)
        assert found.compute(scheduler="synchronous").tobytes() == expected[name].tobytes()


def test_maps_in_three_dimensions_and_on_the_group(tmp_path):
    group = eq.octahedral()
    layers = (eq.LiftingConv(1, 2, 3, group, padding=1), np.tanh, eq.GroupPool(group))
    x = np.random.default_rng(0).standard_normal((1, 9, 11, 10)).astype(np.float32)
    eq.Sequential(*layers).save(tmp_path / "network", x[None])
    expected = eq.load_network(tmp_path / "network", "exact")(x[None])[0]
    found = eq.dask.map(tmp_path / "network", da.from_array(x, (1, 4, 5, 6)))
    assert found.compute(scheduler="synchronous").tobytes() == expected.tobytes()


def test_maps_on_workers(strided, client):
    x = pixels((120, 100))
    found = client.compute(eq.dask.map(strided, da.from_array(x, (3, 40, 40)))).result()
    assert found.tobytes() == eq.load_network(strided, "exact")(x[None].astype(np.float32))[0].tobytes()


def test_wrong_arrays_are_named(tmp_path, strided):
    x = da.zeros((3, 40, 40), dtype=np.uint8)
    with pytest.raises(TypeError, match=r"array is .*expected a dask\.array\.Array"):
        eq.dask.map(strided, np.zeros((3, 40, 40), np.uint8))
    with pytest.raises(TypeError, match="dtype float64"):
        eq.dask.map(strided, x.astype(np.float64))
    with pytest.raises(ValueError, match=r"shape \(40, 40\), expected axes"):
        eq.dask.map(strided, x[0])
    with pytest.raises(ValueError, match="output is 'cat'"):
        eq.dask.map(strided, x, output="cat")
    with pytest.raises(ValueError, match="tile is 0"):
        eq.dask.map(strided, x, tile=0)
    with pytest.raises(ValueError, match="mode is 'quick'"):
        eq.dask.map(strided, x, mode="quick")
    with pytest.raises(ValueError, match="expected known sizes"):
        eq.dask.map(strided, x[:, da.ones(40, dtype=bool)])
    with pytest.raises(ValueError, match=r"4|3"):
        eq.dask.map(strided, da.zeros((4, 40, 40), dtype=np.uint8))
    maker = Maker(GROUPS["C4"])
    mean = maker.add("spatial_mean", maker.add("group_pool", maker.conv("image", 3), mode="max"))
    with pytest.raises(ValueError, match="spatial_mean"):
        eq.dask.map(maker.save(tmp_path / "network", [("scores", mean)]), x)

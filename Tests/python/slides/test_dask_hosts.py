# SPDX-License-Identifier: Apache-2.0
"""Two hosts, network namespaces of this machine that a cable joins: workers on both write the bytes of one process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack

import equiconv.slides as slides
import pytest
from paths import ROOT
from slide_networks import GROUPS, NETWORKS
from slide_runs import TILE, NoiseSource, digest

pytest.importorskip("distributed", reason='needs Dask: pip install "equiconv[dask]"')
pytest.importorskip("zarr", reason='needs Zarr: pip install "equiconv[slides]"')

ADDRESSES = ("10.213.7.1", "10.213.7.2")
PORT = 8786
SECONDS = 90
CLIENT = """
import sys
import equiconv.slides as slides
from distributed import Client
from slide_runs import TILE, NoiseSource
if __name__ == "__main__":
    address, network, out = sys.argv[1:]
    with Client(address, timeout=60) as client:
        client.wait_for_workers(2, timeout=60)
        hosts = {worker.split("/")[-1].split(":")[0] for worker in client.scheduler_info(n_workers=-1)["workers"]}
        assert len(hosts) == 2, hosts
        found = slides.predict(network, NoiseSource(), out, tile=TILE, client=client, progress=False)
        assert not found.failed
        print(*sorted(hosts))
"""


def ip(*arguments):
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def hosts():
    """The names of two namespaces with a network between them."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("two hosts need the program ip, and root")
    names = [f"equiconv-{os.getpid()}-{number}" for number in range(2)]
    cables = [f"eq{os.getpid() % 10**6}-{number}" for number in range(2)]
    with ExitStack() as stack:
        for name in names:
            made = ip("netns", "add", name)
            if made.returncode != 0:
                pytest.skip(f"network namespaces cannot be made here: {made.stderr.strip()}")
            stack.callback(ip, "netns", "del", name)
        commands = [["link", "add", cables[0], "type", "veth", "peer", "name", cables[1]]]
        for name, cable, address in zip(names, cables, ADDRESSES, strict=True):
            inside = ["netns", "exec", name, "ip"]
            commands += [
                ["link", "set", cable, "netns", name],
                [*inside, "addr", "add", f"{address}/24", "dev", cable],
                [*inside, "link", "set", cable, "up"],
                [*inside, "link", "set", "lo", "up"],
            ]
        for command in commands:
            made = ip(*command)
            if made.returncode != 0:
                pytest.skip(f"ip {' '.join(command)} is not allowed here: {made.stderr.strip()}")
        yield names


@pytest.mark.slow
def test_workers_on_two_hosts_write_the_bytes_of_one_process(tmp_path, hosts):
    network = NETWORKS["strided"](GROUPS["C4"], tmp_path / "network")
    slides.predict(network, NoiseSource(), tmp_path / "here.zarr", tile=TILE, progress=False)
    scheduler = f"tcp://{ADDRESSES[0]}:{PORT}"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*filter(None, sys.path), str(ROOT)])}

    def command(host, *arguments):
        return ["ip", "netns", "exec", hosts[host], sys.executable, *arguments]

    servers = [command(0, "-m", "distributed.cli.dask_scheduler", "--host", ADDRESSES[0], "--port", str(PORT),
                       "--no-dashboard")]  # fmt: skip
    servers += [
        command(host, "-m", "distributed.cli.dask_worker", scheduler, "--host", ADDRESSES[host], "--nthreads", "1",
                "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path / f"worker-{host}"))
        for host in range(2)
    ]  # fmt: skip
    with ExitStack() as stack:
        for server in servers:
            started = subprocess.Popen(server, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(started.wait)
            stack.callback(started.kill)
        arguments = [scheduler, str(network), str(tmp_path / "there.zarr")]
        done = subprocess.run(
            command(0, "-W", "ignore", "-c", CLIENT, *arguments), env=environment, capture_output=True, text=True,
            check=False, timeout=SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert done.stdout.split() == list(ADDRESSES)
    assert digest(tmp_path / "there.zarr") == digest(tmp_path / "here.zarr")

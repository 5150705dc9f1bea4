# SPDX-License-Identifier: Apache-2.0
"""threadpoolctl sets the number of threads; workers of loky begin with their share of the processors."""

from __future__ import annotations

import os
import subprocess
import sys

import equiconv as eq
import numpy as np
import pytest

X = np.random.default_rng(0).normal(size=(2, 3, 24, 24)).astype(np.float32)
WEIGHT = np.random.default_rng(1).normal(size=(4, 3, 3, 3)).astype(np.float32)


def run(code, **variables):
    """What a program prints, with these variables of the environment and no others about threads."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")} | variables
    command = [sys.executable, "-W", "error", "-c", code]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_threadpoolctl_sees_the_engine_and_sets_its_threads(threads):
    threadpoolctl = pytest.importorskip("threadpoolctl", "3.2")
    threads(3)
    infos = [info for info in threadpoolctl.threadpool_info() if info["user_api"] == "equiconv"]
    assert [(info["num_threads"], info["version"], info["prefix"]) for info in infos] == [
        (3, eq.__version__, "libequiconv")
    ]
    with threadpoolctl.threadpool_limits(limits=1):
        assert eq.get_num_threads() == 1
        with threadpoolctl.threadpool_limits(limits=2, user_api="equiconv"):
            assert eq.get_num_threads() == 2
        with threadpoolctl.threadpool_limits(limits={"equiconv": 4, "blas": 1}):
            assert eq.get_num_threads() == 4
        assert eq.get_num_threads() == 1
    assert eq.get_num_threads() == 3
    with threadpoolctl.threadpool_limits(limits=1, user_api="blas"):
        assert eq.get_num_threads() == 3
    with threadpoolctl.threadpool_limits(limits=10**6):
        assert eq.get_num_threads() == 1024
    assert eq.get_num_threads() == 3


def test_threadpoolctl_may_be_imported_before_or_after_or_be_missing():
    pytest.importorskip("threadpoolctl", "3.2")
    check = "print(sum(i['user_api'] == 'equiconv' for i in threadpoolctl.threadpool_info()))"
    assert run(f"import threadpoolctl, equiconv; {check}") == ["1"]
    assert run(f"import equiconv, threadpoolctl; {check}") == ["1"]
    missing = "import sys; sys.modules['threadpoolctl'] = None; import equiconv; print('works')"
    assert run(missing) == ["works"]
    old = "import sys, types; sys.modules['threadpoolctl'] = types.ModuleType('threadpoolctl')"
    assert run(f"{old}; import equiconv; print('works')") == ["works"]


WORKERS = """
import equiconv, joblib
def work(_):
    import time; time.sleep(0.05)
    import equiconv
    return equiconv.get_num_threads()
with joblib.parallel_config(backend="loky"{options}):
    print(*set(joblib.Parallel(n_jobs={jobs})(joblib.delayed(work)(i) for i in range(4))))
"""


@pytest.mark.parametrize(
    ("options", "variables", "expected"),
    [
        ("", {}, {"share"}),
        (", inner_max_num_threads=3", {}, {"3"}),
        ("", {"OMP_NUM_THREADS": "2"}, {"2"}),
        (", inner_max_num_threads=3", {"EQUICONV_NUM_THREADS": "5"}, {"5"}),
    ],
)
def test_workers_of_joblib_use_their_share(options, variables, expected):
    joblib = pytest.importorskip("joblib")
    jobs = 2
    share = str(max(joblib.cpu_count() // jobs, 1))
    printed = run(WORKERS.format(options=options, jobs=jobs), **variables)
    assert set(printed) == {share if name == "share" else name for name in expected}


LOKY = """
import equiconv
from joblib.externals.loky import get_reusable_executor
if __name__ == "__main__":
    executor = get_reusable_executor(max_workers=2)
    print(*set(executor.map(eval, ["__import__('equiconv').get_num_threads()"] * 4)), equiconv.get_num_threads())
"""


def test_workers_of_loky_itself_use_one_thread_and_their_parent_all():
    pytest.importorskip("joblib")
    own = run("import equiconv; print(equiconv.get_num_threads())")
    assert run(LOKY) == ["1", *own]


def layer_in_worker(x, weight):
    return eq.lifting_conv(x, weight, eq.cyclic(4), algorithm="direct")


def test_layers_and_prepared_weights_reach_workers_of_joblib():
    joblib = pytest.importorskip("joblib")
    loky = pytest.importorskip("joblib.externals.loky")
    layer = eq.LiftingConv(3, 2, eq.bspline_basis(5), eq.dihedral(4), rng=0, algorithm="direct")
    jobs = [joblib.delayed(layer_in_worker)(X, eq.prepare(WEIGHT)), joblib.delayed(layer)(X)]
    try:
        results = joblib.Parallel(n_jobs=2, backend="loky")(jobs)
    finally:
        loky.get_reusable_executor().shutdown(wait=True)
    np.testing.assert_array_equal(results[0], layer_in_worker(X, WEIGHT))
    np.testing.assert_array_equal(results[1], layer(X))


def test_memory_maps_that_joblib_makes_of_large_arguments_are_taken(tmp_path):
    joblib = pytest.importorskip("joblib")
    joblib.dump(X, tmp_path / "x")
    mapped = joblib.load(tmp_path / "x", mmap_mode="r")
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(layer_in_worker(mapped, WEIGHT), layer_in_worker(X, WEIGHT))

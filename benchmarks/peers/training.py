# SPDX-License-Identifier: Apache-2.0
"""Training steps of the experiments' networks, and of the same networks with layers of other libraries, in one run.

    python benchmarks/peers/training.py [--threads 1 2] [--networks c4 d4] [--batch 32] [--rounds 5] [--quick]

A step is forward, loss, backward and update. The networks are those of `equiconv_experiments.common.networks`; only
their layers differ: equiconv's, torch's conv2d with filters expanded in each step, and escnn's. They take turns in
short bursts. On more than one thread everything is measured twice, the second time with OMP_WAIT_POLICY=PASSIVE. A
whole run writes docs/measured/TrainingSpeed.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS, PAGES = HERE.parent / "results", HERE.parents[1] / "docs" / "measured"
# The pause after which the worker threads of one library no longer spin beside those of the next.
REST = 0.02
TARGETS = {"torch": 1.3, "escnn": 2.0}


class Step:
    """One library's network with its optimizer, and the time of a step."""

    def __init__(self, label: str, network: Any, images: Any, labels: Any) -> None:
        import torch

        self.label, self.network, self.images, self.labels = label, network, images, labels
        self.optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
        self.seconds: list[float] = []

    def __call__(self) -> float:
        """Trains on the batch once; the loss."""
        import torch

        self.optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(self.network(self.images), self.labels)
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())

    def burst(self, seconds: float) -> None:
        """Times steps until some time has passed; the first warms up."""
        time.sleep(REST)
        self()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            start = time.perf_counter()
            self()
            self.seconds.append(time.perf_counter() - start)


def steps(name: str, batch: int) -> tuple[list[Step], dict[str, str]]:
    """The same network of each library, and why a library is missing."""
    import torch
    from equiconv_experiments.common.networks import DIGIT_NETWORKS, GroupNetwork
    from equiconv_experiments.digits.images import SIZE
    from networks import escnn_layers, expanded_layers

    torch.manual_seed(0)
    images, labels = torch.randn(batch, 1, SIZE, SIZE), torch.randint(0, 10, (batch,))
    architecture = DIGIT_NETWORKS[name]
    own = GroupNetwork(architecture, 1, 10)
    made, missing = [Step("equiconv", own, images, labels)], {}
    for layout, memory in (("last", torch.channels_last), ("first", torch.contiguous_format)):
        network = GroupNetwork(architecture, 1, 10, layers=expanded_layers(memory))
        network.load_state_dict(own.state_dict())
        difference = (network(images) - own(images)).abs().max().item()
        if difference > 1e-3:
            raise SystemExit(f"the network of torch's layers differs by {difference} from that of equiconv")
        made.append(Step(f"torch {layout}", network, images, labels))
    try:
        made.append(Step("escnn", GroupNetwork(architecture, 1, 10, layers=escnn_layers(architecture)), images, labels))
    except Exception as error:
        missing["escnn"] = f"{type(error).__name__}: {error}"
    return made, missing


def measure(threads: int, names: list[str], batch: int, rounds: int, seconds: float) -> dict[str, Any]:
    """Rows of one number of threads in this process: times of a step by network and library."""
    import equiconv as eq
    import torch

    warnings.filterwarnings("ignore")
    torch.set_num_threads(threads)
    eq.set_num_threads(threads)
    rows: list[dict[str, Any]] = []
    reasons: dict[str, str] = {}
    for name in names:
        made, missing = steps(name, batch)
        reasons |= missing
        for _ in range(rounds):
            for step in made:
                step.burst(seconds)
        for step in made:
            best, median = min(step.seconds), statistics.median(step.seconds)
            rows.append({"network": name, "library": step.label, "best": best, "median": median})
    return {"rows": rows, "missing": reasons}


def ratios(rows: list[dict[str, Any]], key: str) -> dict[str, float]:
    """Times of each library over that of equiconv; the better layout of torch's."""
    times = {row["library"]: row[key] for row in rows}
    of_torch = [value for label, value in times.items() if label.startswith("torch")]
    own = times["equiconv"]
    return {"torch": min(of_torch) / own} | ({"escnn": times["escnn"] / own} if "escnn" in times else {})


def settings(threads: list[int]) -> list[tuple[str, int, dict[str, str]]]:
    """How processes are started: a name, a number of threads, variables of the environment."""
    found: list[tuple[str, int, dict[str, str]]] = []
    for count in threads:
        found.append((str(count), count, {}))
        if count > 1:
            found.append((f"{count}, passive", count, {"OMP_WAIT_POLICY": "PASSIVE"}))
    return found


def table(result: dict[str, Any]) -> str:
    """Markdown: one row for each network and setting."""
    lines = [
        "| network | threads | equiconv | torch, channels last / first | escnn | torch / equiconv | escnn / equiconv |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in result["networks"]:
        for setting in dict.fromkeys(row["setting"] for row in result["rows"]):
            rows = [row for row in result["rows"] if (row["network"], row["setting"]) == (name, setting)]
            times = {row["library"]: f"{1e3 * row['best']:.1f}" for row in rows}
            best, median = ratios(rows, "best"), ratios(rows, "median")
            cells = [f"**{best[of]:.2f}** ({median[of]:.2f})" if of in best else "n/a" for of in TARGETS]
            both = f"{times['torch last']} / {times['torch first']}"
            cells = [name.upper(), setting, times["equiconv"], both, times.get("escnn", "n/a"), *cells]
            lines.append("| " + " | ".join(cells) + " |")
    reasons = [f"{library} was not measured: {reason}" for library, reason in result["missing"].items()]
    return "\n".join([*lines, *([""] if reasons else []), *reasons])


def page(result: dict[str, Any]) -> str:
    """docs/measured/TrainingSpeed.md."""
    template = HERE.joinpath("training.md").read_text(encoding="utf-8")
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return template.format(
        date=result["date"], batch=result["batch"], versions=versions, table=table(result), **result["machine"]
    )


def parsed() -> argparse.Namespace:
    """The arguments."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--networks", nargs="+", default=["c4", "d4"], choices=["c4", "d4"])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one short round: whether every library works")
    parser.add_argument("--output", type=Path, default=RESULTS / "training.json")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measures, prints the table, and writes the page."""
    arguments = parsed()
    rounds, seconds = (1, 0.2) if arguments.quick else (arguments.rounds, 1.0)
    if arguments.worker:
        print(json.dumps(measure(arguments.worker, arguments.networks, arguments.batch, rounds, seconds)))
        return
    from peers import machine, versions

    result = {"machine": machine(), "versions": versions(), "date": time.strftime("%Y-%m-%d"), "batch": arguments.batch}
    result |= {"threads": arguments.threads, "networks": arguments.networks, "rows": [], "missing": {}}
    for name, threads, variables in settings(arguments.threads):
        # A process of its own: pools of threads keep the settings they started with.
        command = [sys.executable, __file__, "--worker", str(threads), *sys.argv[1:]]
        environment = os.environ | variables
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
        found = json.loads(answer.splitlines()[-1])
        result["rows"] += [row | {"setting": name} for row in found["rows"]]
        result["missing"] |= found["missing"]
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(table(result))
    if not arguments.quick:
        (PAGES / "TrainingSpeed.md").write_text(page(result), encoding="utf-8")
        print(f"written: {PAGES / 'TrainingSpeed.md'}")


if __name__ == "__main__":
    main()

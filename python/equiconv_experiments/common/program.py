# SPDX-License-Identifier: Apache-2.0
"""What the programs of the experiments do alike: train all networks, and write and draw what they found."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from .networks import HasGroup
from .options import device_text, environment, set_up_process
from .storage import Folder, RefusedError, write_json
from .training import Clock, Recipe, Run
from .workers import Experiment, perform_all

__all__ = ["Metrics", "Program", "Setting", "run_program"]

Metrics: TypeAlias = dict[str, Any]


class Setting(Experiment, Protocol):
    """The data and the recipe, which are the same for all runs."""

    @property
    def recipe(self) -> Recipe:
        """How networks are trained."""


_Setting = TypeVar("_Setting", bound=Setting)


@dataclass(frozen=True)
class Program(Generic[_Setting]):
    """What an experiment does in its own way.

    Attributes:
        name: as in ``equiconv.experiments.name``, for the command line and the files.
        networks: those to choose from.
        make_setting: data and recipe of a command line, in each process that trains. Raises RefusedError.
        describe: what the numbers depend on, besides what all experiments have.
        runs: all trainings.
        facts: what the metrics say of the data.
        summarize: rows of the main results, of the runs and the configuration.
        draw_all: draws every figure into a folder.
        table: the main results as text.
    """

    name: str
    networks: Mapping[str, HasGroup]
    make_setting: Callable[[argparse.Namespace], _Setting]
    describe: Callable[[argparse.Namespace, _Setting], dict[str, Any]]
    runs: Callable[[dict[str, Any], _Setting], list[Run]]
    facts: Callable[[_Setting], dict[str, Any]]
    summarize: Callable[[Sequence[dict[str, Any]], dict[str, Any], _Setting], list[dict[str, Any]]]
    draw_all: Callable[[Metrics, _Setting, Path], None]
    table: Callable[[Metrics], str]

    @property
    def schema(self) -> str:
        """Of metrics.json."""
        return f"equiconv.experiments.{self.name}/1"


def configuration(program: Program[_Setting], options: argparse.Namespace, setting: _Setting) -> dict[str, Any]:
    """What the numbers depend on. Results of another configuration are refused."""
    recipe = setting.recipe
    return {
        "experiment": program.name,
        "networks": list(options.networks),
        "seeds": list(options.seeds),
        "epochs": options.epochs,
        "batch_size": recipe.batch_size,
        "learning_rate": recipe.learning_rate,
        "weight_decay": recipe.weight_decay,
        "schedule": recipe.schedule,
        **program.describe(options, setting),
        "threads": options.threads,
        "device": device_text(options.device),
        "environment": environment(),
    }


def execute(program: Program[_Setting], options: argparse.Namespace) -> Path:
    """Runs an experiment; returns the path of the JSON file. Raises RefusedError."""
    clock = Clock()
    set_up_process(options.threads)
    setting = program.make_setting(options)
    config = configuration(program, options, setting)
    with Folder(options.output_dir, config) as folder:
        make = partial(program.make_setting, options)
        entries = perform_all(program.runs(config, setting), setting, make, folder, options.jobs, options.threads)
        metrics = {
            "schema": program.schema,
            "config": config,
            **program.facts(setting),
            "runs": entries,
            "summary": program.summarize(entries, config, setting),
        }
        program.draw_all(metrics, setting, folder.path / "figures")
        path = folder.path / "metrics.json"
        # Times are this process's own, so not among the numbers that a resumed run repeats.
        write_json(path, metrics | {"time": clock.read()})
    print(program.table(metrics))
    return path


def run_program(program: Program[_Setting], options: argparse.Namespace) -> int:
    """Runs an experiment. Returns the exit status: 2 if its folder or its data are refused."""
    try:
        path = execute(program, options)
    except RefusedError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"metrics: {path}\nfigures: {path.parent / 'figures'}")
    return 0

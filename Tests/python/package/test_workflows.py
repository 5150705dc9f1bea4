# SPDX-License-Identifier: Apache-2.0
"""Workflows of a forge in .github: they do what the Makefile does, may not write, and use nothing secret."""

from __future__ import annotations

import re

import pytest
from paths import ROOT

yaml = pytest.importorskip("yaml", reason="reading workflows needs PyYAML")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# What a machine needs before `make` can run.
PREPARATION = {
    "apt-get update && apt-get install -y make",
    "apt-get update && apt-get install -y make debootstrap dpkg-dev lintian",
    'git config --global --add safe.directory "$GITHUB_WORKSPACE"',
}

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="workflows are in clones alone")


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(path):
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


def targets():
    """Names that the Makefile and what it includes declare as commands."""
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "Makefile", *(ROOT / "packaging").glob("*.mk")))
    declared = re.findall(r"^\.PHONY:(.*)$", text.replace("\\\n", " "), re.MULTILINE)
    return {name for names in declared for name in names.split()}


def test_there_are_workflows():
    assert [path.name for path in WORKFLOWS] == ["packages.yml", "test.yml", "wheels.yml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_commands_are_targets_of_the_makefile(path):
    commands = {step["run"] for step in steps(path) if "run" in step} - PREPARATION
    assert commands
    for command in commands:
        make, *names = command.split()
        assert make == "make", command
        assert names, command
        assert not {*names} - targets(), command


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_only_read(path):
    assert read(path)["permissions"] == {"contents": "read"}
    assert not [job for job in read(path)["jobs"].values() if "permissions" in job]
    assert "secrets." not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_other_machines_than_x86_64_are_experimental(path):
    for name, job in read(path)["jobs"].items():
        assert job.get("continue-on-error", False) == (name != "x86-64"), name
        assert job["timeout-minutes"] <= 120


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_those_of_the_forge(path):
    for step in steps(path):
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/none@v0"))
        assert ("uses" in step) != ("run" in step)

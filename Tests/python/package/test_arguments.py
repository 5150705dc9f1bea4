# SPDX-License-Identifier: Apache-2.0
"""Errors call arguments by names that the interfaces have."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
NAMES = ROOT / "Sources" / "_EquiconvErrors" / "Argument.swift"
# What only Swift passes, and what follows from arguments.
ELSEWHERE = {"x", "other", "storage", "workspace"}


def test_names_of_arguments_in_c_are_those_of_the_header() -> None:
    table = re.findall(r'case \.(\w+): (?:language == \.c \? "(\w+)" : )?"([^"]+)"', NAMES.read_text())
    assert len(table) > 80
    words = set(re.findall(r"\w+", "".join(path.read_text() for path in (ROOT / "include").rglob("*.h"))))
    spelled = {in_c or in_swift for _, in_c, in_swift in table if " " not in in_swift}
    assert spelled - words <= ELSEWHERE


def test_arguments_of_swift_are_named_as_they_are_spelled_in_code() -> None:
    table = re.findall(r'case \.(\w+): (?:language == \.c \? "\w+" : )?"(\w+)"', NAMES.read_text())
    assert {case for case, in_swift in table if case != in_swift} == set()

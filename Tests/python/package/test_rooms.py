# SPDX-License-Identifier: Apache-2.0
"""The rooms of the package: who may know whom, no circles, and nothing private used from elsewhere."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import equiconv as eq
import pytest

PACKAGE = Path(eq.__file__).parent
# Each room knows those before its own group. CONTRIBUTING.md says what is in them.
ORDER = (
    ("_native", "_jax"),
    ("_checks",),
    ("_groups", "_machine"),
    ("_signals", "_bases"),
    ("_layer",),
    ("_functional",),
    ("_network",),
    ("_reach",),
    ("slides",),
    ("dask",),
    ("_nn",),
    ("theory", "torch", "jax"),
    ("experiments",),
    ("__main__",),
)
# Inside the fronts.
INNER_ORDER = {
    "torch": (
        ("_operators",),
        ("_expanded",),
        ("_backends",),
        ("_functions", "_exactness"),
        ("_nn",),
        ("_distributed",),
        ("_imports",),
        ("_network",),
        ("_export", "_convert", "models"),
    ),
    "jax": (("_primitives",), ("_action",), ("_functions", "_transposed"), ("_nn",), ("nnx", "equinox")),
}
# Rooms of the experiments, and those that they know.
KNOWN = {
    ("data", "common"),
    ("digits", "common"),
    ("mitosis", "common"),
    ("nuclei", "common"),
    ("nuclei", "data"),
    ("rotated_mnist", "common"),
    ("rotated_mnist", "data"),
    ("slide_nuclei", "common"),
    ("slide_nuclei", "data"),
    ("solar", "common"),
    ("uva_tutorial", "common"),
    ("uva_tutorial", "data"),
}
RANKS = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}


@dataclass(frozen=True)
class Import:
    """A name that a module imports from another of the package."""

    source: str
    name: str | None
    line: int


def file_of(module: str) -> Path | None:
    """The file of a module, named from the package on; None if there is none, as for functions."""
    path = PACKAGE.joinpath(*module.split("."))
    candidates = (path.with_suffix(".py"), path.with_suffix(".pyi"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.exists()), None)


@cache
def trees() -> dict[str, ast.Module]:
    """The modules of the package by their names without it, such as ``_layer.calls``; ``""`` is the package."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found["" if name == "__init__" else name.removesuffix(".__init__")] = ast.parse(path.read_text("utf-8"))
    return found


def package_of(module: str) -> list[str]:
    """The folder that relative imports of a module start from."""
    parts = module.split(".") if module else []
    path = file_of(module) if module else None
    return parts if path is None or path.name == "__init__.py" else parts[:-1]


def imports_of(module: str) -> list[Import]:
    """What a module imports from the package, wherever in it."""
    found = []
    for node in ast.walk(trees()[module]):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.split(".")[0] == "equiconv"]
            found += [Import(name.partition(".")[2], None, node.lineno) for name in names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                start = package_of(module)
                base = start[: len(start) - node.level + 1] + (node.module.split(".") if node.module else [])
            elif node.module and node.module.split(".")[0] == "equiconv":
                base = node.module.split(".")[1:]
            else:
                continue
            source = ".".join(base)
            for alias in node.names:
                inner = ".".join([*base, alias.name])
                is_module = file_of(inner) is not None
                found.append(Import(inner if is_module else source, None if is_module else alias.name, node.lineno))
    return found


def room_of(module: str) -> str:
    return module.split(".")[0]


def misplaced(module: str, item: Import) -> str | None:
    """What is wrong with an import, or None."""
    here, there = room_of(module), room_of(item.source)
    if here == there:
        return misplaced_inside(module, item)
    if there == "" or RANKS[there] >= RANKS[here]:
        return f"{module}:{item.line} imports {item.source or 'equiconv'}"
    return None


def misplaced_inside(module: str, item: Import) -> str | None:
    ranks = {room: rank for rank, rooms in enumerate(INNER_ORDER.get(room_of(module), ())) for room in rooms}
    here, there = ([*name.split("."), ""][1] for name in (module, item.source))
    if here == there or here not in ranks or there not in ranks or ranks[there] < ranks[here]:
        return None
    return f"{module}:{item.line} imports {item.source}"


def test_every_room_has_its_place():
    assert {room_of(module) for module in trees()} - {""} <= set(RANKS)


def test_rooms_know_only_those_before_them():
    # The programs of experiments are those of a package of their own, which is made of this one.
    modules = [module for module in trees() if module and room_of(module) != "experiments"]
    found = [misplaced(module, item) for module in modules for item in imports_of(module)]
    found = [text for text in found if text]
    assert not found, "\n".join(found)


def test_no_module_imports_itself_by_way_of_others():
    graph = {module: {item.source for item in imports_of(module)} - {module} for module in trees()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_names(tree: ast.Module) -> set[str]:
    """Private functions, variables, methods and attributes that a module defines."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node.value):
            found.add(node.attr)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            found |= {item.value for item in node.value.elts if isinstance(item, ast.Constant)}  # __slots__
    return {name for name in found if isinstance(name, str) and is_private(name)}


def is_own(node: ast.expr) -> bool:
    """Whether an expression is the object itself, its class or its base."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("super", "type")
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def private_uses(tree: ast.Module) -> list[tuple[str, int]]:
    """Private names that are read of other objects, also by `getattr`; and pickles that are taken apart."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not is_own(node.value):
            found.append((node.attr, node.lineno))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "hasattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant):
                found.append((name.value, node.lineno))
    return [(name, line) for name, line in found if is_private(name) or name == "__reduce__"]


def test_modules_import_nothing_private_of_each_other():
    found = [
        f"{module}:{item.line} imports {item.name} of {item.source}"
        for module in trees()
        for item in imports_of(module)
        if item.name is not None and is_private(item.name)
    ]
    assert not found, "\n".join(found)


def test_modules_use_nothing_private_of_each_others_objects():
    owners: dict[str, set[str]] = {}
    for module, tree in trees().items():
        for name in private_names(tree):
            owners.setdefault(name, set()).add(module)
    found = [
        f"{module}:{line} uses {name}, which is of {', '.join(sorted(owners.get(name, {'pickle'})))}"
        for module, tree in trees().items()
        for name, line in private_uses(tree)
        if name == "__reduce__" or (name in owners and module not in owners[name])
    ]
    assert not found, "\n".join(found)


def test_experiments_know_what_they_share_and_not_each_other():
    found = []
    for path in sorted((PACKAGE.parent / "equiconv_experiments").rglob("*.py")):
        room = path.parent.name
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 2 and (room, node.module.split(".")[0]) not in KNOWN:
                found.append(f"{path.name}:{node.lineno} imports {node.module}")
    assert not found, "\n".join(found)

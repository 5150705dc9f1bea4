# SPDX-License-Identifier: Apache-2.0
"""What users of a source tree may rely on, as declarations by name, and how two of them differ.

Both are read from text, without compiling or importing anything, so that a tree of an earlier version can be read too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# ---- C ------------------------------------------------------------------------------------------------------------

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(EQUICONV_\w+(?:\([^)]*\))?)[ \t]*(.*)$", re.MULTILINE)
# What every version changes, guards of inclusion, and how functions are exported.
OTHER_MACRO = re.compile(r"EQUICONV_(?:VERSION\w*|API|\w*H)")


def c_api(header: str) -> dict[str, str]:
    """Prototypes, types, enumerators, fields and macros of a header, by their names."""
    text = re.sub(r"\\\n", " ", COMMENT.sub(" ", header))
    macros = [(name, value) for name, value in MACRO.findall(text) if not OTHER_MACRO.fullmatch(name)]
    # What a struct begins as changes with each field that is added.
    api = {f"#define {name}": "" if name.endswith("_INIT") else _spaced(value) for name, value in macros}
    text = re.sub(r"^[ \t]*#.*$|extern\s+\"C\"\s*\{|EQUICONV_API\b", " ", text, flags=re.MULTILINE)
    for statement in _statements(text):
        api.update(_declaration(statement))
    return api


def _spaced(text: str) -> str:
    """With one space between words and none elsewhere, however the text was laid out."""
    return re.sub(r" ?([^\w\s]) ?", r"\1", " ".join(text.split()))


def _statements(text: str) -> Iterator[str]:
    """Declarations without the semicolon that ends each; those of fields stay inside their struct."""
    depth, begin = 0, 0
    for place, character in enumerate(text):
        # A brace without an opening one ends `extern "C"`.
        depth = max(depth + {"{": 1, "}": -1}.get(character, 0), 0)
        if character == ";" and depth == 0:
            yield text[begin:place].lstrip("} \n\t")
            begin = place + 1


def _declaration(statement: str) -> dict[str, str]:
    aggregate = re.fullmatch(r"typedef\s+(enum|struct|union)\s*\w*\s*\{(.*)\}\s*(\w+)\s*", statement, re.DOTALL)
    if aggregate:
        kind, body, name = aggregate.groups()
        members = _enumerators(body) if kind == "enum" else _fields(body)
        return {name: kind, **{f"{name}.{member}": value for member, value in members}}
    prototype = re.match(r"[^()]*?\b(equiconv_\w+)\s*\(", statement)
    pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)\s*\(", statement)
    if statement.startswith("typedef"):
        name = pointer.group(1) if pointer else statement.split()[-1]
        return {name: _spaced(statement)}
    return {prototype.group(1): _spaced(statement)} if prototype else {}


def _enumerators(body: str) -> Iterator[tuple[str, str]]:
    for place, item in enumerate(filter(None, (part.strip() for part in body.split(",")))):
        name, _, value = (part.strip() for part in item.partition("="))
        yield name, value or f"place {place}"


def _fields(body: str) -> Iterator[tuple[str, str]]:
    """Fields with their places: structs may grow at their end, and nowhere else."""
    for place, field in enumerate(filter(None, (part.strip() for part in body.split(";")))):
        name = re.search(r"\(\s*\*\s*(\w+)\s*\)|(\w+)\s*(?:\[[^]]*\]\s*)*$", field)
        if name:
            yield name.group(1) or name.group(2), f"{_spaced(field)} at place {place}"


# ---- Python -------------------------------------------------------------------------------------------------------


def python_api(package: Path) -> dict[str, str]:
    """Signatures of what public modules of the package in this folder offer; types of arguments are not compared."""
    reader = _Reader(package)
    api: dict[str, str] = {}
    for path in sorted(package.rglob("__init__.py")):
        parts = path.parent.relative_to(package.parent).parts
        if not any(part.startswith("_") for part in parts):
            module = ".".join(parts)
            for name in reader.public_names(module):
                api.update(reader.describe(module, name))
    return api


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class _Reader:
    """Finds definitions by the imports that lead to them."""

    def __init__(self, package: Path) -> None:
        self.folder = package.parent
        self.trees: dict[str, ast.Module | None] = {}

    def tree(self, module: str) -> ast.Module | None:
        """The code of a module; None for one of another package."""
        if module not in self.trees:
            path = self.folder.joinpath(*module.split("."))
            found = next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)
            self.trees[module] = ast.parse(found.read_text(encoding="utf-8")) if found else None
        return self.trees[module]

    def is_package(self, module: str) -> bool:
        return (self.folder.joinpath(*module.split(".")) / "__init__.py").is_file()

    def public_names(self, module: str) -> list[str]:
        """The names in `__all__`, or else those that are defined or imported under their own name."""
        tree = self.tree(module)
        for node in tree.body if tree else []:
            if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "__all__" for target in node.targets):
                try:
                    return [str(name) for name in ast.literal_eval(node.value)]
                except ValueError:
                    break
        return sorted(name for name in self.names(module) if not name.startswith("_"))

    def names(self, module: str) -> dict[str, tuple[str, str] | Definition | None]:
        """What a module binds: a definition, (module, name) of an import from the package, None for a value."""
        bound: dict[str, tuple[str, str] | Definition | None] = {}
        tree = self.tree(module)
        for node in ast.walk(ast.Module(_unconditional(tree.body), [])) if tree else []:
            if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "equiconv"):
                source = self.source_of(module, node)
                bound.update(
                    {a.asname or a.name: (source, a.name) for a in node.names if (a.asname or a.name) == a.name}
                )
        for node in _unconditional(tree.body) if tree else []:
            if isinstance(node, Definition):
                bound[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                bound.update({target.id: None for target in targets if isinstance(target, ast.Name)})
        return bound

    def source_of(self, module: str, node: ast.ImportFrom) -> str:
        """The module that an import is from."""
        if not node.level:
            return node.module or ""
        parts = module.split(".")
        parts = parts[: len(parts) - node.level + self.is_package(module)]
        return ".".join([*parts, *filter(None, [node.module])])

    def find(self, module: str, name: str) -> tuple[str, Definition] | None:
        """The definition behind a name, and its module; None for values, modules and other packages."""
        for _ in range(20):
            target = self.names(module).get(name)
            if not isinstance(target, tuple):
                return (module, target) if target is not None else None
            module, name = target
        return None

    def describe(self, module: str, name: str) -> dict[str, str]:
        found, full = self.find(module, name), f"{module}.{name}"
        if found is None:
            return {full: "a value or a module"}
        home, definition = found
        if not isinstance(definition, ast.ClassDef):
            return {full + part: value for part, value in _signature(definition).items()}
        return {full: "class", **{f"{full}.{key}": value for key, value in self.members(home, definition).items()}}

    def members(self, module: str, definition: ast.ClassDef) -> dict[str, str]:
        """Public methods, properties and annotated fields, also those of base classes in the package."""
        members: dict[str, str] = {}
        for base in reversed(definition.bases):
            found = self.find(module, base.id) if isinstance(base, ast.Name) else None
            if found and isinstance(found[1], ast.ClassDef):
                members.update(self.members(found[0], found[1]))
        for node in _unconditional(definition.body):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if node.name in ("__init__", "__call__", "__new__") or not node.name.startswith("_"):
                    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
                    is_method = "staticmethod" not in decorators
                    parts = {"": "property"} if _is_property(decorators) else _signature(node, is_method)
                    members.update({node.name + part: value for part, value in parts.items()})
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id[0] != "_":
                members[node.target.id] = "field" if node.value is None else f"field = {ast.unparse(node.value)}"
        return members


def _unconditional(body: list[ast.stmt]) -> list[ast.stmt]:
    """Statements, with those of both branches of an `if` and of a `try`."""
    statements: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.If):
            statements += _unconditional(node.body) + _unconditional(node.orelse)
        elif isinstance(node, ast.Try):
            statements += _unconditional(node.body)
        else:
            statements.append(node)
    return statements


def _is_property(decorators: list[str]) -> bool:
    return any(name.split(".")[-1] in ("property", "cached_property", "setter", "getter") for name in decorators)


def _signature(function: ast.FunctionDef | ast.AsyncFunctionDef, is_method: bool = False) -> dict[str, str]:
    """What callers have to give, and each parameter as "(name)" with its place and default: more may be added."""
    arguments = function.args
    places = [*arguments.posonlyargs, *arguments.args]
    missing = [None] * (len(places) - len(arguments.defaults))
    by_place = list(zip(places, [*missing, *arguments.defaults], strict=True))[is_method:]
    by_name = list(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))
    required = [argument.arg for argument, default in (*by_place, *by_name) if default is None]
    parts = {"": f"a function that requires {', '.join(required) or 'nothing'}"}
    for place, (argument, default) in enumerate(by_place):
        is_named = argument not in arguments.posonlyargs
        parts[f"({argument.arg})"] = f"place {place}{'' if is_named else ' alone'}{_default(default)}"
    parts |= {f"({argument.arg})": f"by name{_default(default)}" for argument, default in by_name}
    rest = {"*": arguments.vararg, "**": arguments.kwarg}
    return parts | {f"({stars}{argument.arg})": "any number" for stars, argument in rest.items() if argument}


def _default(value: ast.expr | None) -> str:
    return "" if value is None else f" = {ast.unparse(value)}"


# ---- Differences --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Differences:
    """Names that came, that went, and whose declaration is another: a line for each."""

    added: list[str]
    removed: list[str]
    changed: list[str]

    @property
    def is_breaking(self) -> bool:
        """Whether programs for the interface before may fail with the one after."""
        return bool(self.removed or self.changed)


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> Differences:
    """What changed from one interface to another."""
    both = [name for name in before if name in after and before[name] != after[name]]
    return Differences(
        added=sorted(after.keys() - before.keys()),
        removed=sorted(before.keys() - after.keys()),
        changed=[f"{name}: {before[name]} is now {after[name]}" for name in sorted(both)],
    )


def breaks_allowed(before: str, after: str) -> bool:
    """Whether the step between two versions may break programs: a new major one, or a new minor one of major 0."""
    old, new = ([int(part) for part in version.split(".")] for version in (before, after))
    return new[0] > old[0] or (new[0] == old[0] == 0 and new[1] > old[1])

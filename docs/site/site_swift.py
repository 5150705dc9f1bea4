# SPDX-License-Identifier: Apache-2.0
"""The Swift interface as pages of Markdown, from its symbol graph and the topics of the DocC catalogue.

A page for each type, with its members in the order of the sources, and a page for the functions outside of types.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from equiconv_metadata import address

TYPES = {"swift.struct": "Structure", "swift.enum": "Enumeration", "swift.class": "Class", "swift.protocol": "Protocol"}
MEMBERS = (
    ("Cases", ("swift.enum.case",)),
    ("Initializers", ("swift.init",)),
    ("Properties", ("swift.property",)),
    ("Methods", ("swift.method",)),
    ("Subscripts", ("swift.subscript",)),
    ("Static properties", ("swift.type.property",)),
    ("Static methods", ("swift.type.method",)),
    ("Operators", ("swift.func.op",)),
)
"""Headings of a page and the kinds of symbols under each."""
TOPIC = re.compile(r"^### (?P<title>.+)$|^- ``(?P<name>.+)``$", re.MULTILINE)
CODE = re.compile(r"(`[^`]+`)")
PAGE = re.compile(r"\bdocs/((?:measured/)?\w+)\.md\b")
CALLOUT = re.compile(
    r"^- (Parameter (?P<name>\w+)|Parameters|Returns|Throws|Note|Important|Complexity|Precondition):\s*"
)
UNSAID = {"Sendable", "SendableMetatype", "Escapable", "Copyable", "AllocationFailure"}
"""Protocols that pages do not list: all types are sendable, and the others are the compiler's or inner ones."""


@dataclass
class Symbol:
    """A public name."""

    path: tuple[str, ...]
    kind: str
    declaration: str
    comment: str
    place: str
    line: int
    conforms: list[str] = field(default_factory=list)

    @property
    def page(self) -> str:
        """Of a type: the name of its page."""
        return ".".join(self.path)


def symbols(graph: Mapping[str, Any], root: Path) -> list[Symbol]:
    """The symbols of a graph in the order of the sources."""
    found = {}
    for each in graph["symbols"]:
        declaration = "".join(part["spelling"] for part in each["declarationFragments"])
        comment = "\n".join(line["text"] for line in each.get("docComment", {}).get("lines", ()))
        location = each.get("location")
        place = Path(location["uri"].removeprefix("file://")).relative_to(root).as_posix() if location else ""
        line = location["position"]["line"] + 1 if location else 0
        found[each["identifier"]["precise"]] = Symbol(
            tuple(each["pathComponents"]), each["kind"]["identifier"], declaration, comment, place, line
        )
    for relation in graph["relationships"]:
        if relation["kind"] == "conformsTo" and relation["source"] in found:
            target = found.get(relation["target"])
            name = target.path[-1] if target else relation["targetFallback"].rpartition(".")[2]
            if name not in UNSAID:
                found[relation["source"]].conforms.append(name)
    return sorted(found.values(), key=lambda each: (each.place, each.line))


def topics(catalog: str) -> dict[str, list[str]]:
    """The names of the catalog under each of its headings."""
    found: dict[str, list[str]] = {}
    title = ""
    for match in TOPIC.finditer(catalog):
        if match["title"]:
            title = match["title"]
            found[title] = []
        else:
            found[title].append(match["name"])
    return found


def prose(text: str, types: Iterable[str], above: str = "") -> str:
    """A comment's text in which only code and lists are markup, and types are links to their pages."""
    known, parts = set(types), CODE.split(text)
    is_table = text.startswith("|")
    for number, part in enumerate(parts):
        if number % 2 and is_table:
            parts[number] = part.replace("|", "\\|")
        elif number % 2 == 0:
            plain = re.sub(r"([*$<\[\]_])", r"\\\1", part)
            parts[number] = PAGE.sub(lambda page: f"[{page[1].split('/')[-1]}](../{page[1]}.md)", plain)
        elif part[1:-1] in known and part[1:-1] != above:
            parts[number] = f"[{part}]({part[1:-1]}.md)"
    return "".join(parts)


def blocks(comment: str) -> list[list[str]]:
    """The paragraphs, blocks of code and callouts of a comment, each as its lines."""
    found: list[list[str]] = [[]]
    for line in comment.splitlines():
        begins = line.startswith("- ") or (line.startswith("  - ") and found[-1])
        if (not line.strip() or begins) and found[-1]:
            found.append([])
        if line.strip():
            found[-1].append(line)
    return [block for block in found if block]


def rendered(comment: str, types: Iterable[str], above: str = "") -> str:
    """A comment as Markdown: parameters as a list, what is returned and thrown as paragraphs."""
    known, pieces, nested = set(types), [], False
    for block in blocks(comment):
        text = "\n".join(line.strip() for line in block)
        callout = CALLOUT.match(text)
        if callout:
            nested = text.strip() == "- Parameters:"
            said = prose(text[callout.end() :], known, above)
            if callout["name"]:
                said, nested = said.replace("\n", "\n  "), True
                pieces += ["**Parameters**"] if not pieces or not pieces[-1].startswith("- `") else []
                pieces.append(f"- `{callout['name']}`: {said}")
            else:
                pieces.append(f"**{callout[1]}** {said}".strip())
        elif block[0].startswith("  - ") and nested:
            name, _, said = text[2:].partition(":")
            indented = prose(said.strip(), known, above).replace("\n", "\n  ")
            pieces.append(f"- `{name}`: {indented}")
        elif all(line.startswith("    ") for line in block):
            # Formulas are shown like code, and have letters that code has not.
            language = "swift" if text.isascii() else "text"
            pieces.append(f"```{language}\n" + "\n".join(line[4:] for line in block) + "\n```")
        else:
            pieces.append(prose(text, known, above))
    return re.sub(r"^(- `.*(?:\n  .*)*)\n\n(?=- `)", r"\1\n", "\n\n".join(pieces), flags=re.MULTILINE)


def summary(comment: str, types: Iterable[str]) -> str:
    """The first sentence of a comment, for a table."""
    first = " ".join(blocks(comment)[0]) if comment.strip() else ""
    return prose(re.split(r"(?<=[.:;]) ", first)[0].rstrip(":;"), types).replace("|", r"\|")


def wrapped(declaration: str) -> str:
    """A declaration with a line for each parameter, if it is too long for one line."""
    start = declaration.find("(")
    if len(declaration) <= 100 or start < 0:
        return declaration
    depth, pieces = 0, [""]
    for place, character in enumerate(declaration[start + 1 :], start + 1):
        if character == ")" and depth == 0:
            return f"{declaration[: start + 1]}\n  " + ",\n  ".join(pieces) + f"\n{declaration[place:]}"
        depth += (character in "([<") - (character in ")]" or (character == ">" and declaration[place - 1] != "-"))
        if character == "," and depth == 0:
            pieces.append("")
        else:
            pieces[-1] = (pieces[-1] + character).lstrip()
    return declaration


def head(symbol: Symbol) -> str:
    """A declaration, and where it is in the repository."""
    declaration = wrapped(symbol.declaration)
    link = f"[source]({address(symbol.place)}#L{symbol.line})" if symbol.place else ""
    return f"```swift\n{declaration}\n```\n\n{link}"


def page(symbol: Symbol, members: list[Symbol], types: Mapping[str, Symbol]) -> str:
    """The page of a type."""
    pieces = [f"# {symbol.page}", f"*{TYPES[symbol.kind]}*", head(symbol), rendered(symbol.comment, types, symbol.page)]
    conforms = [f"[`{name}`]({name}.md)" if name in types else f"`{name}`" for name in sorted(set(symbol.conforms))]
    if conforms:
        pieces.append(f"Conforms to {', '.join(conforms)}.")
    inner = [each for each in types.values() if each.path[:-1] == symbol.path]
    if inner:
        pieces += [
            "## Types",
            *(f"- [`{each.page}`]({each.page}.md): {summary(each.comment, types)}" for each in inner),
        ]
        pieces.append("```{toctree}\n:hidden:\n\n" + "\n".join(each.page for each in inner) + "\n```")
    for title, kinds in MEMBERS:
        shown = [each for each in members if each.kind in kinds]
        if shown:
            pieces.append(f"## {title}")
        for each in shown:
            pieces += [f"### `{each.path[-1]}`", head(each), rendered(each.comment, types, symbol.page)]
    return "\n\n".join(piece for piece in pieces if piece) + "\n"


def pages(graph: Path, catalog: Path, root: Path) -> dict[str, str]:
    """All pages by their names; ``""`` is the table of topics, for the page that begins the reference.

    Raises:
        ValueError: a public type or function without a topic, or a topic that is neither.
    """
    found = symbols(json.loads(graph.read_text(encoding="utf-8")), root)
    types = {each.page: each for each in found if each.kind in TYPES}
    functions = {each.path[0]: each for each in found if each.kind == "swift.func"}
    listed = topics(catalog.read_text(encoding="utf-8"))
    names, public = {name for topic in listed.values() for name in topic}, {*functions}
    public |= {name for name in types if "." not in name}
    if names != public:
        raise ValueError(f"{catalog} has {sorted(names - public)} too much and lacks {sorted(public - names)}")
    texts = {name: page(each, [m for m in found if m.path[:-1] == each.path], types) for name, each in types.items()}
    free = [(f"## `{name}`", head(each), rendered(each.comment, types)) for name, each in functions.items()]
    texts["Functions"] = (
        "\n\n".join(["# Functions", "Outside of types.", *(text for each in free for text in each)]) + "\n"
    )
    return texts | {"": table(listed, types, functions)}


def table(listed: Mapping[str, list[str]], types: Mapping[str, Symbol], functions: Mapping[str, Symbol]) -> str:
    """All types and functions by topic, each with its first sentence."""
    pieces = []
    for title, topic in listed.items():
        rows = []
        for name in topic:
            target = f"{name}.md" if name in types else "Functions.md"
            said = summary((types.get(name) or functions[name]).comment, types)
            rows.append(f"| [`{name}`](swift/{target}) | {re.sub(r'[]][(](?=[A-Z])', '](swift/', said)} |")
        pieces.append("\n".join([f"## {title}", "", "| | |", "| --- | --- |", *rows]))
    places = [f"swift/{name}" for topic in listed.values() for name in topic if name in types] + ["swift/Functions"]
    return "\n\n".join([*pieces, "```{toctree}\n:hidden:\n\n" + "\n".join(places) + "\n```"]) + "\n"

# SPDX-License-Identifier: Apache-2.0
"""The C headers as pages of reStructuredText: declarations by Sphinx's C domain, comments as prose."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROLES = {"function": "func", "struct": "struct", "enum": "enum", "type": "type", "macro": "macro"}
PART = re.compile(
    r"""
    (?P<space>\s+)
  | /\*\ ----\ (?P<section>.*?)\ -*\s*\*/
  | /\*\*(?!<)(?P<comment>.*?)\*/
  | /\*(?P<prose>.*?)\*/
  | \#\s*(?P<directive>(?:[^\\\n]|\\.|\\\n)*)
  | extern\ "C"\ (?P<linkage>\{)
  | (?P<close>\})
  | (?P<declaration>(?:[^;{}]|\{[^{}]*\})*;)
    """,
    re.VERBOSE | re.DOTALL,
)
MACRO = re.compile(r"define (EQUICONV_\w+)(?!\w*\()")
FUNCTION = re.compile(r"EQUICONV_API (?P<declaration>.*?(?P<name>\w+)\(.*\));", re.DOTALL)
STRUCTURE = re.compile(r"typedef (?P<kind>struct|enum) (?P<name>\w+) \{(?P<body>.*)\} \w+;", re.DOTALL)
TYPE = re.compile(r"typedef (?P<declaration>.*?(?P<name>\w+));", re.DOTALL)
MEMBER = re.compile(
    r"(?:/\*\*(?!<)(?P<before>.*?)\*/\s*)?(?P<declaration>[^;,/{}]+?(?:\([^)]*\))?)\s*(?:[;,]|(?=/\*\*<)|$)"
    r"[ \t]*(?:/\*\*<(?P<after>.*?)\*/)?",
    re.DOTALL,
)
NAME = re.compile(r"\b(?:equiconv|EQUICONV)_\w+")
PAGE = re.compile(r"\bdocs/((?:measured/)?\w+)\.md\b")
CAPITALS = re.compile(r"[A-Z][A-Z ]+")


@dataclass(frozen=True)
class Member:
    """A field of a struct, or a number of an enumeration."""

    declaration: str
    comment: str


@dataclass(frozen=True)
class Item:
    """A part of a header: a ``"section"``, ``"prose"`` between declarations, or a declaration of a kind in ROLES."""

    kind: str
    name: str
    declaration: str = ""
    comment: str = ""
    members: tuple[Member, ...] = ()


@dataclass
class Header:
    """A header as its page shows it."""

    name: str
    comment: str = ""
    items: list[Item] = field(default_factory=list)


def uncommented(text: str) -> str:
    """The text of a comment without the stars of its margin."""
    lines = [re.sub(r"^\s*\* ?", "", line).rstrip() for line in text.strip().splitlines()]
    return "\n".join(lines).strip("\n")


def one_line(code: str) -> str:
    """A declaration without line breaks and comments."""
    return " ".join(re.sub(r"/\*.*?\*/", " ", code, flags=re.DOTALL).split())


def members(body: str) -> tuple[Member, ...]:
    """The members in the braces of a struct or an enumeration."""
    text = re.sub(r"/\*(?!\*).*?\*/", "", body, flags=re.DOTALL)
    found = []
    for match in MEMBER.finditer(text):
        declaration = one_line(match["declaration"])
        if declaration:
            found.append(Member(declaration, uncommented(match["before"] or match["after"] or "")))
    return tuple(found)


def declared(text: str, comment: str) -> Item | None:
    """The item of a declaration; None for an assertion of the compiler."""
    if match := FUNCTION.fullmatch(text):
        return Item("function", match["name"], one_line(match["declaration"]), comment)
    if match := STRUCTURE.fullmatch(text):
        return Item(match["kind"], match["name"], match["name"], comment, members(match["body"]))
    if match := TYPE.fullmatch(text):
        return Item("type", match["name"], match["name"], comment)
    if "tatic_assert" in text:
        return None
    raise ValueError(f"a header declares {text!r}, expected a function, struct, enumeration, type or macro")


def parse(text: str, name: str) -> Header:
    """What is declared in a header, with its comments, in its order."""
    header, comment, end = Header(name), "", 0
    while end < len(text):
        match = PART.match(text, end)
        if match is None:
            raise ValueError(f"{name} has {text[end : end + 40]!r}, expected a comment or a declaration")
        end = match.end()
        if match["comment"] is not None:
            comment = uncommented(match["comment"])
            if not header.comment:
                header.comment, comment = comment, ""
        elif match["section"] is not None:
            header.items.append(Item("section", match["section"]))
        elif match["prose"] is not None:
            prose = uncommented(match["prose"])
            if header.comment and not prose.startswith(("clang-format", "EQUICONV_")) and header.items:
                header.items.append(Item("prose", "", comment=prose))
        elif match["directive"] is not None:
            macro = MACRO.match(match["directive"])
            if macro and macro[1] != "EQUICONV_API" and not macro[1].endswith("_H"):
                header.items.append(Item("macro", macro[1], macro[1], comment))
                comment = ""
        elif match["declaration"] is not None:
            item = declared(match["declaration"], comment)
            comment = ""
            if item is not None:
                header.items.append(item)
    return header


def roles(headers: list[Header]) -> dict[str, str]:
    """The role of the C domain for every name that is declared."""
    found = {}
    for header in headers:
        for item in header.items:
            if item.kind in ROLES:
                found[item.name] = ROLES[item.kind]
            if item.kind == "enum":
                found |= {member.declaration.split(" =")[0]: "enumerator" for member in item.members}
    return found


def escaped(text: str) -> str:
    """Text in which nothing is markup, and pages of the documentation are links."""
    plain = re.sub(r"([*`|\\])|(?<=\w)_(?!\w)|(?<!\w)_(?=\w)", lambda match: "\\" + match.group(), text)
    return PAGE.sub(r":doc:`\g<1> </\g<1>>`", plain)


def linked(text: str, names: Mapping[str, str]) -> str:
    """A paragraph with its names as links and what is in back ticks as code."""
    pieces = []
    for number, part in enumerate(text.split("`")):
        if number % 2:
            pieces.append(f"\\ :c:{names[part]}:`{part}`\\ " if part in names else f"\\ ``{part}``\\ ")
            continue
        end = 0
        for match in NAME.finditer(part):
            if match.group() in names:
                pieces += [escaped(part[end : match.start()]), f"\\ :c:{names[match.group()]}:`{match.group()}`\\ "]
                end = match.end()
        pieces.append(escaped(part[end:]))
    return "".join(pieces)


def prose(text: str, names: Mapping[str, str]) -> str:
    """A comment as reStructuredText: indented blocks are shown as they are, lines of capitals are headings."""
    blocks: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip("\n")) if text.strip() else []:
        lines = block.splitlines()
        if len(lines) == 1 and CAPITALS.fullmatch(lines[0]):
            title = lines[0].capitalize()
            blocks.append(f"{title}\n{'-' * len(title)}")
        elif all(line.startswith("  ") for line in lines):
            # Blocks that follow each other are one.
            shown = textwrap.indent(textwrap.dedent(block), "   ")
            blocks.append(shown if blocks and blocks[-1].startswith(("::", "   ")) else f"::\n\n{shown}")
        else:
            blocks.append(linked("\n".join(line.strip() for line in lines), names))
    return "\n\n".join(blocks)


def rendered(item: Item, names: Mapping[str, str]) -> str:
    """An item as reStructuredText."""
    if item.kind == "section":
        return f"{item.name}\n{'-' * len(item.name)}"
    comment = prose(item.comment, names)
    if item.kind == "prose":
        return comment if "." in item.comment.replace(".h)", "") else f".. rubric:: {comment}"
    directive = "enumerator" if item.kind == "enum" else "member"
    inner = [comment] if comment else []
    for member in item.members:
        about = textwrap.indent(prose(member.comment, names), "   ")
        inner.append(f".. c:{directive}:: {member.declaration}\n" + (f"\n{about}\n" if about.strip() else ""))
    return f".. c:{item.kind}:: {item.declaration}\n\n" + textwrap.indent("\n\n".join(inner), "   ")


def page(header: Header, names: Mapping[str, str]) -> str:
    """The page of a header."""
    _, _, about = header.comment.partition(": ")
    parts = [f"{header.name}\n{'=' * len(header.name)}", prose(about[:1].upper() + about[1:], names)]
    return "\n\n".join([*parts, *(rendered(item, names) for item in header.items)]) + "\n"


def pages(include: Path) -> dict[str, str]:
    """The pages of all headers in a folder by the name of their file."""
    files = [include / "equiconv.h", *sorted((include / "equiconv").glob("*.h"))]
    headers = [parse(file.read_text(encoding="utf-8"), file.relative_to(include).as_posix()) for file in files]
    names = roles(headers)
    return {Path(header.name).stem: page(header, names) for header in headers}

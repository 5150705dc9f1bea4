# SPDX-License-Identifier: Apache-2.0
"""The pages of the site: which files of the repository they are, and their links from there to each other.

Pages stay where GitHub shows them. For Sphinx they are laid out in one folder, in which links between pages lead to
pages, and all other relative links to the repository.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
from equiconv_metadata import address  # noqa: E402

PLACES = (
    (r"README\.md", "index.md"),
    (r"(CHANGELOG|CONTRIBUTING)\.md", r"\1.md"),
    (r"docs/site/(\w+\.md)", r"\1"),
    (r"docs/((?:measured/)?\w+\.md)", r"\1"),
    (r"docs/((?:[\w-]+/)*[\w-]+\.(?:png|svg))", r"\1"),
    (r"examples/(notebooks/\w+\.ipynb)", r"\1"),
    (r"include/(?:equiconv/)?(\w+)\.h", r"c/\1.rst"),
)
"""Files of the repository and, in the folder of the site, their pages and pictures."""

CODE = re.compile(r"^(`{3,}).*?^\1$|^(?: {4}|\t).*?$|`[^`]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?P<target>(?![a-z]+:)[^)\s#]+)(?:#[^)]*)?\)")
SECTION_OF_README = re.compile(r"^<!-- README\.md: (.+?)(?:, (beginning|rest))? -->$", re.MULTILINE)
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


def place(path: str) -> str | None:
    """Where the site has a file of the repository; None for a file that is no page or picture of it."""
    for pattern, page in PLACES:
        match = re.fullmatch(pattern, path)
        if match:
            return match.expand(page)
    return None


def masked(text: str) -> str:
    """A text with blanks in place of its code, of the same length."""
    return CODE.sub(lambda code: re.sub(r"[^\n]", " ", code.group()), text)


def with_links(text: str, path: str, page: str | None = None) -> str:
    """The Markdown of a file of the repository with links as its page needs them.

    Args:
        text: the Markdown.
        path: of the file, to which its links are relative.
        page: where the text is shown; the page of the file if not given.

    Raises:
        FileNotFoundError: a link that leads nowhere.
    """
    shown = page or place(path) or path
    pieces, end = [], 0
    for link in LINK.finditer(masked(text)):
        pieces += [text[end : link.start("target")], _target(link["target"], path, shown)]
        end = link.end("target")
    return "".join([*pieces, text[end:]])


def _target(target: str, path: str, shown: str) -> str:
    """Where a link of a file leads from its page."""
    found = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if not (ROOT / found).exists():
        raise FileNotFoundError(f"{path} links to {target}, expected a file or folder of the repository")
    other = place(found)
    if other is None:
        return address(found, "tree" if (ROOT / found).is_dir() else "blob")
    return posixpath.relpath(other, posixpath.dirname(shown) or ".")


def section(text: str, title: str) -> str:
    """A heading and what is under it, up to the next heading of any level."""
    headings = list(HEADING.finditer(masked(text)))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        if heading[2] == title:
            start = heading.start()
            return text[start : None if following is None else following.start()].strip() + "\n"
    raise ValueError(f"README.md has no heading {title!r}")


def with_readme(text: str, readme: str, page: str) -> str:
    """A page whose lines ``<!-- README.md: Heading -->`` are replaced by these sections.

    ``Heading, beginning`` is the heading with its first paragraph, and ``Heading, rest`` what follows.
    """

    def shown(line: re.Match[str]) -> str:
        found = section(readme, line[1])
        if line[2]:
            heading, first, rest = found.split("\n\n", 2)
            found = f"{heading}\n\n{first}\n" if line[2] == "beginning" else rest
        return with_links(found, "README.md", page)

    return SECTION_OF_README.sub(shown, text)


def notebook_with_links(text: str, path: str) -> str:
    """A notebook with links as its page needs them."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = with_links("".join(cell["source"]), path).splitlines(keepends=True)
    return json.dumps(notebook, ensure_ascii=False, indent=1)


def pages() -> dict[str, str]:
    """The text of every page that is Markdown or a notebook, by its place."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = {}
    for file in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples/notebooks").glob("*.ipynb")]:
        path = file.relative_to(ROOT).as_posix()
        page, text = place(path), file.read_text(encoding="utf-8")
        if page is None or path == "README.md":
            continue
        if file.suffix == ".ipynb":
            found[page] = notebook_with_links(text, path)
        else:
            found[page] = with_readme(with_links(text, path), readme, page)
    return found


def pictures() -> dict[str, Path]:
    """The files of pictures by their place."""
    files = [path for path in (ROOT / "docs").rglob("*") if path.suffix in (".png", ".svg")]
    places = {place(path.relative_to(ROOT).as_posix()): path for path in files}
    return {page: path for page, path in places.items() if page is not None}

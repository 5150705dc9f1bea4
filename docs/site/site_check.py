# SPDX-License-Identifier: Apache-2.0
"""Checks a built site: every link inside it leads to a page and a place on it, and the search knows every page.

usage: site_check.py FOLDER

Addresses of others are not opened; that none of them is needed to show a page is checked.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

SEARCH = ("search.html", "searchindex.js", "genindex.html", "_static/searchtools.js", "_static/language_data.js")
"""What searching on a page without a server needs."""
LISTS = {"search.html", "genindex.html", "py-modindex.html"}
"""Pages of the site that are lists of others."""
NEEDED = {"script": "src", "img": "src", "link": "href"}
"""Elements that a browser loads to show a page."""


class Page(HTMLParser):
    """The places, links and loaded files of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collects an element."""
        values = {name: value for name, value in attrs if value}
        self.places |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        is_hint = tag == "link" and not {"stylesheet", "icon", "preload"} & set(values.get("rel", "").split())
        if tag in NEEDED and NEEDED[tag] in values and not is_hint:
            self.loaded.append(values[NEEDED[tag]])


def problems(folder: Path) -> list[str]:
    """What is wrong with a site, a line each."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.html")}
    pages = {name: Page(path.read_text("utf-8")) for name, path in files.items() if not name.startswith("_static/")}
    found = [f"{name} is missing" for name in SEARCH if not (folder / name).exists()]
    for name, page in pages.items():
        found += [f"{name} needs {link}, which is not in the site" for link in page.loaded if urlsplit(link).netloc]
        for link in {*page.links, *page.loaded}:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            path = unquote(parts.path)
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
            place = unquote(parts.fragment)
            if not (folder / target).is_file():
                found.append(f"{name} links to {link}, which is not there")
            elif place and target in pages and place not in pages[target].places:
                found.append(f"{name} links to {link}, a page without that place")
    return sorted(found + unsearched(folder, set(pages)))


def unsearched(folder: Path, pages: set[str]) -> list[str]:
    """The pages that the search does not know."""
    index = folder / "searchindex.js"
    if not index.exists():
        return []
    text = re.fullmatch(r"Search\.setIndex\((.*)\)", index.read_text("utf-8").strip(), re.DOTALL)
    if text is None:
        return ["searchindex.js is no index"]
    known = {f"{name}.html" for name in json.loads(text[1])["docnames"]}
    return [f"{name} is not searched" for name in pages - known - LISTS] + [
        f"{name} was not made" for name in known - pages
    ]


def main() -> int:
    """Prints what is wrong; returns 1 if anything is."""
    folder = Path(sys.argv[1])
    found = problems(folder)
    print("\n".join(found) if found else f"{len(list(folder.rglob('*.html')))} pages, all links lead somewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

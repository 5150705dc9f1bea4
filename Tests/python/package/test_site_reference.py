# SPDX-License-Identifier: Apache-2.0
"""What the documentation's site makes itself: pages of Swift, runs of notebooks, the gallery, names for types."""

from __future__ import annotations

import base64
import importlib
import json

import pytest
from paths import ROOT

SITE = ROOT / "docs" / "site"


@pytest.fixture(autouse=True)
def on_path(monkeypatch):
    """Modules of the site import each other by their names."""
    monkeypatch.syspath_prepend(str(SITE))
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))


def module(name):
    return importlib.import_module(name)


# Swift

COMMENT = """A layer of |H| numbers: see `Group` and docs/C.md.

    let y = layer(x)

| a | b |
|---|---|
| 1 | `|H|` |

- Parameters:
  - x: a signal, of
    any size.
  - y: Group<T> or a_b.
- Returns: numbers.
- Throws: `Failure`."""


def graph(comment=COMMENT):
    """A symbol graph of a struct with a method, a nested enumeration with a case, and a function."""

    def symbol(kind, path, declaration, line, text=""):
        return {
            "kind": {"identifier": f"swift.{kind}"},
            "identifier": {"precise": ".".join(path)},
            "pathComponents": path,
            "declarationFragments": [{"spelling": declaration}],
            "docComment": {"lines": [{"text": one} for one in text.splitlines()]},
            "location": {"uri": f"file://{ROOT}/Sources/A.swift", "position": {"line": line}},
        }

    symbols = [
        symbol("func", ["free(_:)"], "func free(_ x: Int)", 40, "A function: short."),
        symbol("method", ["Group", "run(_:)"], "func run(_ x: [Int])", 12, comment),
        symbol("struct", ["Group"], "struct Group", 3, "A group. More."),
        symbol("enum", ["Group", "Kind"], "enum Kind", 20, "Kinds."),
        symbol("enum.case", ["Group", "Kind", "one"], "case one", 21),
    ]
    conforming = {"kind": "conformsTo", "source": "Group", "target": "s:SQ", "targetFallback": "Swift.Equatable"}
    return {"symbols": symbols, "relationships": [conforming, conforming | {"targetFallback": "Swift.Copyable"}]}


def swift_pages(tmp_path, catalog="# A\n\n### Types\n\n- ``Group``\n- ``free(_:)``\n"):
    (tmp_path / "graph.json").write_text(json.dumps(graph()), encoding="utf-8")
    (tmp_path / "Catalog.md").write_text(catalog, encoding="utf-8")
    return module("site_swift").pages(tmp_path / "graph.json", tmp_path / "Catalog.md", ROOT)


def test_each_swift_type_has_a_page_with_its_members(tmp_path):
    pages = swift_pages(tmp_path)
    assert set(pages) == {"", "Group", "Group.Kind", "Functions"}
    group = pages["Group"]
    assert group.startswith("# Group\n\n*Structure*\n\n```swift\nstruct Group\n```\n\n[source](")
    assert "/Sources/A.swift#L4)" in group
    assert "Conforms to `Equatable`.\n" in group
    assert "- [`Group.Kind`](Group.Kind.md): Kinds." in group
    assert "## Methods\n\n### `run(_:)`\n\n```swift\nfunc run(_ x: [Int])\n```" in group
    assert "### `one`" in pages["Group.Kind"]
    assert "### `one`" not in group
    assert "## `free(_:)`" in pages["Functions"]


def test_comments_of_swift_become_markdown():
    assert module("site_swift").rendered(COMMENT, {"Group"}) == "\n\n".join(
        [
            "A layer of |H| numbers: see [`Group`](Group.md) and [C](../C.md).",
            "```swift\nlet y = layer(x)\n```",
            "| a | b |\n|---|---|\n| 1 | `\\|H\\|` |",
            "**Parameters**",
            "- `x`: a signal, of\n  any size.\n- `y`: Group\\<T> or a\\_b.",
            "**Returns** numbers.",
            "**Throws** `Failure`.",
        ]
    )


def test_table_of_topics_has_the_first_sentences(tmp_path):
    table = swift_pages(tmp_path)[""]
    assert "## Types\n" in table
    assert "| [`Group`](swift/Group.md) | A group. |" in table
    assert "| [`free(_:)`](swift/Functions.md) | A function |" in table
    assert "swift/Group\nswift/Functions\n```" in table


@pytest.mark.parametrize("catalog", ["### T\n\n- ``Group``\n", "### T\n\n- ``Group``\n- ``free(_:)``\n- ``Gone``\n"])
def test_catalog_has_all_public_names_and_no_others(tmp_path, catalog):
    with pytest.raises(ValueError, match=r"too much and lacks"):
        swift_pages(tmp_path, catalog)


def test_long_declarations_have_a_line_for_each_parameter():
    declaration = (
        "init(_ a: [Int: (Int, Int)] = [:], b: (Int) -> Int, c: Signal<Float, Double>) throws(E) -> (x: Int, y: Int)"
    )
    assert module("site_swift").wrapped(declaration) == (
        "init(\n  _ a: [Int: (Int, Int)] = [:],\n  b: (Int) -> Int,\n  c: Signal<Float, Double>\n"
        ") throws(E) -> (x: Int, y: Int)"
    )
    assert module("site_swift").wrapped("var a: Int") == "var a: Int"


def test_modules_are_compiled_after_what_they_import():
    targets = {"A": {"target_dependencies": ["B", "C"]}, "B": {"target_dependencies": ["C"]}, "C": {}}
    assert module("swift_symbols").in_order(targets, "A") == ["C", "B", "A"]


def test_module_maps_are_where_targets_in_c_have_them():
    symbols = module("swift_symbols")
    for path in ("Sources/_EquiconvShims", "Sources/_EquiconvPlatform"):
        assert (symbols.headers({"path": path}) / "module.modulemap").is_file()


# Notebooks


def notebook(*code):
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "source": text,
            "outputs": [],
            "metadata": {},
            "execution_count": None,
        }
        for number, text in enumerate(code)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def test_imports_of_a_notebook_are_found():
    text = notebook("import a.b\nfrom c.d import e", "def f():\n    import g as h\n")
    assert module("site_notebooks").imported(text) == {"a", "c", "g"}


def test_notebook_that_needs_what_is_missing_is_left_as_it_is(tmp_path, capsys):
    texts = {"notebooks/a.ipynb": notebook("import not_there_at_all")}
    assert module("site_notebooks").executed(texts, tmp_path) == texts
    assert capsys.readouterr().out == ("SKIPPED: the outputs of notebooks/a.ipynb (not_there_at_all not installed)\n")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_outputs_are_kept_until_the_notebook_changes(tmp_path, monkeypatch):
    for name in ("ipykernel", "nbclient", "nbformat"):
        pytest.importorskip(name)
    notebooks = module("site_notebooks")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    text = notebook("print(6 * 7)")
    first = notebooks.executed({"a.ipynb": text}, tmp_path)["a.ipynb"]
    assert json.loads(first)["cells"][0]["outputs"][0]["text"] == ["42\n"]
    monkeypatch.setattr(notebooks, "run", lambda text: pytest.fail("was run again"))
    (tmp_path / "old.ipynb").write_text("", encoding="utf-8")
    assert notebooks.executed({"a.ipynb": text}, tmp_path)["a.ipynb"] == first
    assert len(list(tmp_path.glob("*.ipynb"))) == 1


# The gallery


def test_gallery_has_every_picture_of_every_page():
    pages, gallery = module("site_pages"), module("site_gallery")
    figures = list(gallery.of_pages(pages.pages()))
    assert {figure.place for figure in figures} == set(gallery.MADE_BY) == set(pages.pictures())
    assert [figure.page for figure in figures if figure.place == "mitosis.png"] == ["Experiments.md"]
    with pytest.raises(ValueError, match=r"no command that draws it"):
        list(gallery.of_pages({"A.md": "![a](gone.png)"}))


def test_chosen_figures_are_cells_of_notebooks():
    texts = module("site_pages").pages()
    for name, cell, _, _ in module("site_gallery").CHOSEN:
        cells = {each["id"]: each["cell_type"] for each in json.loads(texts[f"notebooks/{name}.ipynb"])["cells"]}
        assert cells.get(cell) == "code", (name, cell)


def test_figures_of_notebooks_that_were_run_are_shown(monkeypatch):
    gallery = module("site_gallery")
    monkeypatch.setattr(gallery, "CHOSEN", (("a", "one", 0, "A figure"), ("b", "one", 0, "Not run")))
    picture = {"output_type": "display_data", "data": {"image/png": base64.b64encode(b"png").decode()}}
    run = json.dumps({"cells": [{"id": "one", "outputs": [{"output_type": "stream"}, picture]}]})
    texts = {"notebooks/a.ipynb": run, "notebooks/b.ipynb": json.dumps({"cells": [{"id": "one"}]})}
    cards, pictures = gallery.gallery(texts)
    assert pictures == {"gallery/a-one-0.png": b"png"}
    assert ":link: notebooks/a\n" in cards
    assert "Not run" not in cards
    monkeypatch.setattr(gallery, "CHOSEN", (("a", "one", 1, "A figure"),))
    with pytest.raises(ValueError, match=r"has no figure 1 of the cell 'one'"):
        gallery.gallery(texts)


def test_pages_show_figures_of_the_gallery(monkeypatch):
    gallery = module("site_gallery")
    monkeypatch.setattr(gallery, "CHOSEN", (("a", "one", 0, "A figure"),))
    text = "1. A:\n\n   <!-- figure: a-one-0 -->\n"
    shown = "1. A:\n\n   ```{image} gallery/a-one-0.png\n   :alt: A figure\n   :class: thumbnail\n   ```\n"
    assert gallery.with_figures(text, ["gallery/a-one-0.png"]) == shown
    assert gallery.with_figures(text, []) == "1. A:\n\n\n"
    with pytest.raises(ValueError, match=r"figure a-one-1, which is not in the gallery"):
        gallery.with_figures("<!-- figure: a-one-1 -->", [])


# Types


def test_signatures_have_the_names_of_the_sources():
    names = module("site_docstrings").with_names
    assert names(None) is None
    assert names("(x: TypeAliasForwardRef('ArrayLike') | None)") == "(x: ArrayLike | None)"
    assert names(": Attribute[TypeAliasForwardRef('Axes')]") == ": Axes"
    array = "~numpy.ndarray[tuple[~typing.Any, ...], ~numpy.dtype[~numpy.float64]]"
    assert names(f"({array} | None)") == "(NDArray[~numpy.float64] | None)"


def test_aliases_of_types_are_what_their_modules_say(tmp_path):
    types = module("site_types")
    (tmp_path / "a.py").write_text('A: TypeAlias = int | str\n"""Either."""\nB: TypeAlias = A\n', encoding="utf-8")
    assert types.alias("A", tmp_path / "a.py") == ("int | str", "Either.")
    assert types.alias("B", tmp_path / "a.py") == ("A", "")
    with pytest.raises(ValueError, match=r"has no type alias C"):
        types.alias("C", tmp_path / "a.py")
    table = types.table()
    assert table.count(".. py:type::") == len(types.WHERE)
    assert ".. py:type:: Axes\n   :canonical: int | tuple[int, ...]\n" in table

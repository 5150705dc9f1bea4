# SPDX-License-Identifier: Apache-2.0
"""The documentation's site: its pages, its links, the C headers and the docstrings as Sphinx reads them.

`make test-docs` builds it and checks every link; here is what prepares and checks it.
"""

from __future__ import annotations

import importlib
import json
import re
import sys

import pytest
from paths import ROOT

SITE = ROOT / "docs" / "site"


@pytest.fixture(autouse=True)
def on_path(monkeypatch):
    """Modules of the site import each other by their names."""
    monkeypatch.syspath_prepend(str(SITE))


@pytest.fixture
def pages(on_path):
    return importlib.import_module("site_pages")


@pytest.fixture
def headers(on_path):
    return importlib.import_module("site_headers")


@pytest.fixture
def docstrings(on_path):
    return importlib.import_module("site_docstrings")


@pytest.fixture
def check(on_path):
    return importlib.import_module("site_check")


# Pages


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("[a](PyTorch.md#models)", "docs/Models.md", "[a](PyTorch.md#models)"),
        ("[a](../PyTorch.md)", "docs/measured/Peers.md", "[a](../PyTorch.md)"),
        ("[a](docs/Python.md)", "README.md", "[a](Python.md)"),
        ("[a](../../docs/Python.md)", "docs/site/Guides.md", "[a](Python.md)"),
        ("[`equiconv.h`](../include/equiconv.h)", "docs/C.md", "[`equiconv.h`](c/equiconv.rst)"),
        ("![a](docs/equivariance-C4.png)", "README.md", "![a](equivariance-C4.png)"),
        ("[a](../examples/notebooks/theorem.ipynb)", "docs/Python.md", "[a](notebooks/theorem.ipynb)"),
        ("[a](#here) [b](https://a.org/b.md)", "docs/C.md", "[a](#here) [b](https://a.org/b.md)"),
        ("`f[o](h)`, `[a](C.md)`", "docs/measured/Peers.md", "`f[o](h)`, `[a](C.md)`"),
    ],
)
def test_links_between_pages_lead_to_pages(pages, text, path, expected):
    assert pages.with_links(text, path) == expected


def test_other_links_lead_to_the_repository(pages):
    text = pages.with_links("[a](../examples/go) [b](../examples/c/classify.c#L3)", "docs/C.md")
    metadata = importlib.import_module("equiconv_metadata")
    assert text == (
        f"[a]({metadata.address('examples/go', 'tree')}) [b]({metadata.address('examples/c/classify.c')}#L3)"
    )


def test_links_that_lead_nowhere_are_errors(pages):
    with pytest.raises(FileNotFoundError, match=r"docs/C\.md links to Nothing\.md"):
        pages.with_links("[a](Nothing.md)", "docs/C.md")


def test_code_is_as_it_was(pages):
    code = "```python\ny = k[o](Nothing.md)\n```\n\n    k[o](Nothing.md)\n"
    assert pages.with_links(code, "docs/C.md") == code


def test_landing_page_is_made_of_readme(pages):
    text = pages.pages()["index.md"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# Equiconv\n")
    assert "](equivariance-C4.png)" in text
    assert "<!-- README.md" not in text
    example = readme[readme.index("## First example") :].split("```")[1]
    assert f"```{example}```" in text
    with pytest.raises(ValueError, match="no heading 'Nothing'"):
        pages.section(readme, "Nothing")


def test_every_page_of_docs_and_every_notebook_is_on_the_site_and_in_its_tables(pages):
    found = pages.pages()
    # A catalog of DocC has topics, not text.
    documents = [path for path in (ROOT / "docs").rglob("*.md") if path.parent.suffix != ".docc"]
    files = [*documents, *(ROOT / "examples" / "notebooks").glob("*.ipynb")]
    assert {pages.place(path.relative_to(ROOT).as_posix()) for path in files} <= set(found)
    listed = set()
    for text in found.values():
        for table in re.findall(r"^```\{toctree\}\n(?::.*\n)*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            listed |= {re.sub(r".*<(.+)>", r"\1", entry) for entry in table.splitlines()}
    texts = {name.rsplit(".", 1)[0] for name in found} - {"index"}
    headers_of = {f"c/{path.stem}" for path in (ROOT / "include").rglob("*.h")}
    assert listed == texts | headers_of


def test_notebooks_keep_their_code(pages):
    path = "examples/notebooks/first_steps.ipynb"
    text = (ROOT / path).read_text(encoding="utf-8")
    before, after = json.loads(text), json.loads(pages.notebook_with_links(text, path))
    assert [cell for cell in after["cells"] if cell["cell_type"] == "code"] == [
        cell for cell in before["cells"] if cell["cell_type"] == "code"
    ]


# C headers

HEADER = """/* SPDX-License-Identifier: Apache-2.0 */
/** equiconv/a.h: things. A part of equiconv.h: include that. */
#ifndef EQUICONV_A_H
#define EQUICONV_A_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Things ----------- */

/** A thing: opaque. */
typedef struct equiconv_thing equiconv_thing;

/** The most of them, *all* of |H|. */
#define EQUICONV_MOST \\
  (1 << 4)

/** Kinds of an equiconv_thing. */
typedef enum equiconv_kind {
  EQUICONV_KIND_A = 0,

  /* others */
  EQUICONV_KIND_B = 1, /**< b, see equiconv_run */
  EQUICONV_KIND_C = 2  /**< c */
} equiconv_kind;

/** Fields. */
typedef struct equiconv_fields {
  size_t size; /**< of this */
  /** Asked
   *  now and then. */
  int32_t (*is_cancelled)(void *context);
  const equiconv_thing *thing; /**< or NULL */
  char text[EQUICONV_MOST];
} equiconv_fields;

/*
 * What is between them:
 *
 *   y = sum  k * f
 *
 * and goes on, for equiconv_run_* and `thing`: docs/C.md.
 */

/**
 * Runs.
 * Errors: NONE.
 */
EQUICONV_API equiconv_status equiconv_run(const equiconv_thing *thing,
                                          double *x);
EQUICONV_API void equiconv_stop(void);

static_assert(sizeof(int) == 4, "four");

#ifdef __cplusplus
}
#endif

#endif
"""


def test_header_is_parsed_in_its_order(headers):
    header = headers.parse(HEADER, "equiconv/a.h")
    assert header.comment == "equiconv/a.h: things. A part of equiconv.h: include that."
    assert [(item.kind, item.name) for item in header.items] == [
        ("section", "Things"),
        ("type", "equiconv_thing"),
        ("macro", "EQUICONV_MOST"),
        ("enum", "equiconv_kind"),
        ("struct", "equiconv_fields"),
        ("prose", ""),
        ("function", "equiconv_run"),
        ("function", "equiconv_stop"),
    ]
    items = {item.name: item for item in header.items}
    assert items["equiconv_run"].declaration == "equiconv_status equiconv_run(const equiconv_thing *thing, double *x)"
    assert items["equiconv_run"].comment == "Runs.\nErrors: NONE."
    assert items["equiconv_stop"].comment == ""
    assert [(member.declaration, member.comment) for member in items["equiconv_kind"].members] == [
        ("EQUICONV_KIND_A = 0", ""),
        ("EQUICONV_KIND_B = 1", "b, see equiconv_run"),
        ("EQUICONV_KIND_C = 2", "c"),
    ]
    assert [(member.declaration, member.comment) for member in items["equiconv_fields"].members] == [
        ("size_t size", "of this"),
        ("int32_t (*is_cancelled)(void *context)", "Asked\n now and then."),
        ("const equiconv_thing *thing", "or NULL"),
        ("char text[EQUICONV_MOST]", ""),
    ]


def test_page_of_a_header_links_its_names_and_escapes_the_rest(headers):
    header = headers.parse(HEADER, "equiconv/a.h")
    page = headers.page(header, headers.roles([header]))
    assert page.startswith("equiconv/a.h\n============\n\nThings. A part of equiconv.h: include that.\n")
    assert "Things\n------\n" in page
    assert r"all\* of \|H\|." in page
    assert r"Kinds of an \ :c:type:`equiconv_thing`\ ." in page
    assert "   .. c:enumerator:: EQUICONV_KIND_B = 1\n\n      b, see \\ :c:func:`equiconv_run`" in page
    assert "::\n\n   y = sum  k * f\n" in page
    assert r"equiconv_run\_\* and \ ``thing``\ : :doc:`C </C>`." in page
    assert ".. c:function:: void equiconv_stop(void)\n" in page


def test_what_a_header_may_not_have_is_an_error(headers):
    with pytest.raises(ValueError, match="expected a function"):
        headers.parse("/** a.h: a */\nint equiconv_number;\n", "a.h")


def test_pages_have_every_name_that_headers_declare(headers):
    text = "\n".join(headers.pages(ROOT / "include").values())
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "include").rglob("*.h"))
    code = re.sub(r"/\*.*?\*/", "", sources, flags=re.DOTALL)
    functions = set(re.findall(r"^EQUICONV_API [^;(]*?(\w+)\(", code, re.MULTILINE))
    assert len(functions) > 200
    assert functions == set(re.findall(r"^\.\. c:function:: [^(]*?(\w+)\(", text, re.MULTILINE))
    types = set(re.findall(r"^typedef (?:struct|enum) (\w+)", code, re.MULTILINE))
    assert types == set(re.findall(r"^\.\. c:(?:type|struct|enum):: (\w+)$", text, re.MULTILINE))
    numbers = set(re.findall(r"^  (EQUICONV_\w+) = \d+", code, re.MULTILINE))
    assert numbers == set(re.findall(r"^ +\.\. c:enumerator:: (\w+) = ", text, re.MULTILINE))


# Docstrings


def test_docstrings_become_markup(docstrings):
    lines = [
        "Signals (B, |H|, n...) of `cyclic` and ``a | b``, *args and x_: docs/JAX.md.",
        "",
        "    isotropic_conv   R^d -> R^d",
        "    group_conv       G   -> G",
        "",
        "Args:",
        "    x, weight, stride,",
        "        padding: what |H| is;",
        "        and more.",
        "",
        "Returns:",
        "    Shape (n,): numbers.",
        "",
        "Example:",
        "    >>> f(|x|, *y)",
        "    1",
    ]
    assert docstrings.transformed(lines) == [
        r"Signals (B, \|H\|, n...) of `cyclic` and ``a | b``, \*args and x\_: :doc:`JAX </JAX>`.",
        "",
        "::",
        "",
        "    isotropic_conv   R^d -> R^d",
        "    group_conv       G   -> G",
        "",
        "Args:",
        r"    x, weight, stride, padding: what \|H\| is;",
        "        and more.",
        "",
        "Returns:",
        "    : Shape (n,): numbers.",
        "",
        "Example:",
        "    >>> f(|x|, *y)",
        "    1",
        "",
    ]


def test_napoleon_reads_what_docstrings_become(docstrings):
    napoleon = pytest.importorskip("sphinx.ext.napoleon", reason='needs Sphinx: pip install "equiconv[docs]"')
    lines = ["Sums: all |H|.", "", "Args:", "    x, y,", "        z: numbers.", "", "Returns:", "    Shape (n,): sums."]
    config = napoleon.Config(napoleon_use_rtype=False)
    result = napoleon.GoogleDocstring(docstrings.transformed(lines), config, what="function").lines()
    assert [line for line in result if line] == [
        r"Sums: all \|H\|.", ":param x: numbers.", ":param y: numbers.", ":param z: numbers.",
        ":returns: Shape (n,): sums.",
    ]  # fmt: skip


def test_formulas_of_the_notebooks_are_mathml(docstrings):
    pytest.importorskip("docutils.utils.math.latex2mathml", reason='needs docutils: pip install "equiconv[docs]"')
    formulas = []
    for path in (ROOT / "examples" / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                text = re.sub(r"`[^`]*`", "", "".join(cell["source"]))
                formulas += re.findall(r"(\$\$?)(.+?)\1", text, re.DOTALL)
    assert len(formulas) > 50
    for mark, latex in formulas:
        element = docstrings.math_element(latex, mark == "$$")
        assert "<math" in element
        assert ('display="block"' in element) == (mark == "$$")


# A built site


def site(folder, **pages):
    """A folder of pages with all that is searched with."""
    (folder / "_static").mkdir()
    for name in ("search.html", "genindex.html", "_static/searchtools.js", "_static/language_data.js"):
        (folder / name).write_text("", encoding="utf-8")
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    index = json.dumps({"docnames": sorted(pages)})
    (folder / "searchindex.js").write_text(f"Search.setIndex({index})", encoding="utf-8")
    return folder


def test_sound_site_has_no_problems(check, tmp_path):
    first = '<h1 id="top"></h1><a href="b.html#x">b</a><a href="#top">a</a><a href="https://a.org">c</a>'
    assert check.problems(site(tmp_path, a=first, b='<p id="x"><a href="a.html">')) == []


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ('<a href="c.html">', "a.html links to c.html, which is not there"),
        ('<a href="b.html#y">', "a.html links to b.html#y, a page without that place"),
        ('<a href="#y">', "a.html links to #y, a page without that place"),
        ('<img src="c.png">', "a.html links to c.png, which is not there"),
        (
            '<script src="https://a.org/b.js"></script>',
            "a.html needs https://a.org/b.js, which is not in the site",
        ),
    ],
)
def test_links_of_a_site_are_checked(check, tmp_path, page, problem):
    assert check.problems(site(tmp_path, a=page, b='<p id="x">')) == [problem]


def test_search_of_a_site_is_checked(check, tmp_path):
    folder = site(tmp_path, a="", b="")
    (folder / "c.html").write_text("", encoding="utf-8")
    (folder / "b.html").unlink()
    (folder / "_static" / "searchtools.js").unlink()
    assert check.problems(folder) == [
        "_static/searchtools.js is missing", "b.html was not made", "c.html is not searched"
    ]  # fmt: skip


def test_check_prints_and_fails(check, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["site_check.py", str(site(tmp_path, a=""))])
    assert check.main() == 0
    (tmp_path / "a.html").write_text('<a href="gone.html">', encoding="utf-8")
    assert check.main() == 1
    assert "gone.html, which is not there" in capsys.readouterr().out


# Laying it out


def test_laid_out_pages_keep_their_times_and_old_ones_go(on_path, tmp_path):
    build = importlib.import_module("site_build")
    build.lay_out(tmp_path)
    page, picture = tmp_path / "Python.md", tmp_path / "equivariance-C4.png"
    assert picture.read_bytes() == (ROOT / "docs" / "equivariance-C4.png").read_bytes()
    assert "equiconv.theory" in (tmp_path / "PythonAPI.md").read_text(encoding="utf-8")
    assert (tmp_path / "c" / "groups.rst").exists()
    before = page.stat().st_mtime_ns
    (tmp_path / "Gone.md").write_text("", encoding="utf-8")
    build.lay_out(tmp_path)
    assert page.stat().st_mtime_ns == before
    assert not (tmp_path / "Gone.md").exists()

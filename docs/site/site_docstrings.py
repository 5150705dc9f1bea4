# SPDX-License-Identifier: Apache-2.0
"""Docstrings as reStructuredText, and formulas as MathML.

The package's docstrings are written to be read in a terminal: |H| is the order of a group there, an indented block is
shown as it is, and `a name in back ticks` is a name. Sections such as Args are napoleon's.
"""

from __future__ import annotations

import re
from typing import Any

CODE = re.compile(r"(``.+?``|:[\w:]+:`[^`]+`|`[^`]+`)", re.DOTALL)
PAGE = re.compile(r"\bdocs/((?:measured/)?\w+)\.md\b")
SECTION = re.compile(r"^(\s*)[A-Z]\w+( \w+)?:$")
BROKEN_NAMES = re.compile(r"^( +(?:\w+, )*\w+,)\n +(?=(?:\w+, )*\w+: )", re.MULTILINE)
"""Of arguments that share their description, on two lines: napoleon reads one."""
RESULT = re.compile(r"^((?:Returns|Yields):\n +)(?=\S)", re.MULTILINE)
"""Where napoleon takes the words before a colon for a type; there are none before this one."""
ALIAS = re.compile(r"TypeAliasForwardRef\('(\w+)'\)")
ARRAY = re.compile(r"~?(?:numpy\.)?ndarray\[tuple\[~?(?:typing\.)?Any, \.\.\.\], ~?(?:numpy\.)?dtype\[([^\]]+)\]\]")
ATTRIBUTE = re.compile(r"\bAttribute\[(.+)\]")
"""An attribute that a module checks when it is set: it has the type that is checked for."""
ORDINARY = re.compile(r"\s*(>>>|\.\.\.( |$)|=====|- |\* |\d+\. )")


def escaped(text: str) -> str:
    """Text in which what is not in back ticks is no markup, and pages of the documentation are links."""
    parts = CODE.split(text)
    for number in range(0, len(parts), 2):
        plain = re.sub(r"([*|\\])|(?<=\w)_(?!\w)", r"\\\g<0>", parts[number])
        parts[number] = PAGE.sub(r":doc:`\g<1> </\g<1>>`", plain)
    return "".join(parts)


def is_shown(block: list[str], margin: int) -> bool:
    """Whether a block of lines is indented and no list, example or table: it is shown as it is."""
    deeper = all(len(line) - len(line.lstrip()) > margin for line in block)
    return deeper and not ORDINARY.match(block[0])


def transformed(lines: list[str]) -> list[str]:
    """A docstring with its indented blocks as literal ones, and other text without markup that was not meant."""
    result: list[str] = []
    prose = True
    whole = RESULT.sub(r"\1: ", BROKEN_NAMES.sub(r"\1 ", "\n".join(lines).strip("\n")))
    for text in re.split(r"\n[ \t]*\n", whole):
        block = text.splitlines()
        if prose and SECTION.match(block[0]):
            prose = False
        if prose and is_shown(block, 0):
            result += ["::", "", *block, ""]
        elif any(line.lstrip().startswith((">>>", "=====")) for line in block):
            result += [*block, ""]
        else:
            result += [*escaped(text).splitlines(), ""]
    return result


def process_docstring(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """The handler of autodoc's event, in place of napoleon's.

    Napoleon takes what is before a colon in the docstring of an attribute for its type; here it is prose.
    """
    from sphinx.ext.napoleon import GoogleDocstring

    kind = "method" if what in ("attribute", "data", "property") else what
    lines[:] = GoogleDocstring(transformed(lines), app.config, app, kind, name, value, options).lines()


def with_names(text: str | None) -> str | None:
    """A signature in which arrays and aliases have the names that the sources have for them."""
    return None if text is None else ARRAY.sub(r"NDArray[\1]", ALIAS.sub(r"\1", ATTRIBUTE.sub(r"\1", text)))


def process_signature(
    app: Any, what: str, name: str, value: Any, options: Any, signature: str | None, result: str | None
) -> tuple[str | None, str | None]:
    """The handler of autodoc's event: names as `with_names` writes them."""
    return with_names(signature), with_names(result)


def name_types(_app: Any, doctree: Any) -> None:
    """Writes the types of attributes as `with_names` does, which autodoc has no event for."""
    from docutils.nodes import Text
    from sphinx.addnodes import desc_annotation

    for node in list(doctree.findall(desc_annotation)):
        text = with_names(node.astext())
        if text != node.astext():
            node.children = [Text(text)]


def draw_dashes(_app: Any, doctree: Any) -> None:
    """Draws the two hyphens between a parameter and its description as a dash."""
    from docutils.nodes import Text

    for text in [node for node in doctree.findall(Text) if node.startswith(" -- ")]:
        text.parent.replace(text, Text(" \N{EN DASH} " + text[4:]))


def math_element(latex: str, display: bool) -> str:
    """A formula as an element of MathML, which browsers draw without a script."""
    from docutils.utils.math.latex2mathml import tex2mathml

    # Brackets have the size of what is between them.
    element = tex2mathml(re.sub(r"\\[bB]igg?[lr]?(?![a-zA-Z])", "", latex), as_block=display)
    return f'<div class="formula">{element}</div>' if display else element


def visit_math(self: Any, node: Any) -> None:
    """Writes a formula in a line."""
    from docutils.nodes import SkipNode

    self.body.append(math_element(node.astext(), False))
    raise SkipNode


def visit_math_block(self: Any, node: Any) -> None:
    """Writes a formula on lines of its own."""
    from docutils.nodes import SkipNode

    self.body.append(math_element(node.astext(), True))
    raise SkipNode


def resolve(app: Any, env: Any, node: Any, content: Any) -> Any:
    """Finds a name of another module of the package than the one whose docstring has it."""
    if node.get("refdomain") != "py" or node.get("reftype") not in ("obj", "class", "func", "mod"):
        return None
    domain = env.get_domain("py")
    for prefix in ("equiconv", "equiconv.torch", "equiconv.slides", "equiconv.theory", "equiconv.torch.models"):
        name = f"{prefix}.{node['reftarget']}"
        if name in domain.objects:
            entry = domain.objects[name]
            from sphinx.util.nodes import make_refnode

            return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, content, name)
    return None


def listener(app: Any) -> int:
    """The number of napoleon's handler."""
    found = app.events.listeners["autodoc-process-docstring"]
    return next(each.id for each in found if each.handler.__module__ == "sphinx.ext.napoleon")


def setup(app: Any) -> dict[str, bool]:
    """Registers all of this."""
    app.setup_extension("sphinx.ext.napoleon")
    app.disconnect(listener(app))
    app.connect("autodoc-process-docstring", process_docstring)
    app.connect("autodoc-process-signature", process_signature)
    app.connect("doctree-read", draw_dashes)
    app.connect("doctree-read", name_types)
    app.connect("missing-reference", resolve)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}

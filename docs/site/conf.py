# SPDX-License-Identifier: Apache-2.0
"""Settings of Sphinx. `make docs` builds the site; docs/site/site_build.py lays out its pages."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path

SITE = Path(__file__).resolve().parent
ROOT = SITE.parents[1]
sys.path[:0] = [str(SITE), str(ROOT / "packaging")]
import site_types  # noqa: E402
from equiconv_metadata import address, repository, version  # noqa: E402

project = "Equiconv"
author = "Equiconv developers"
project_copyright = author
version = release = version()

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.linkcode",
    "sphinx_copybutton",
    "sphinx_design",
    "site_docstrings",
]
templates_path = [str(SITE / "templates")]
default_role = "py:obj"
highlight_language = "none"
# Quotation marks are often those of code, and three points those of a signature.
smartquotes = False
root_doc = "index"
toc_object_entries_show_parents = "hide"

# Pages: headings are linked to as GitHub names them. Notebooks have been run when they are laid out.
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 5
nb_execution_mode = "off"
nb_merge_streams = True
nb_number_source_lines = False

# The Python reference, from docstrings.
autosummary_generate = True
autosummary_imported_members = True
autosummary_ignore_module_all = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_type_aliases = site_types.kept()
autodoc_class_signature = "mixed"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style"), "Shape"]
python_maximum_signature_line_length = 100

# HTML without addresses of others: search, fonts and formulas work from a folder.
html_theme = "pydata_sphinx_theme"
html_title = f"Equiconv {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "github_url": repository(),
    "header_links_before_dropdown": 9,
    "show_nav_level": 1,
    "navigation_depth": 3,
    "show_toc_level": 2,
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {page: [] for page in ("index", "Install", "Gallery", "notebooks/tour")}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def linkcode_resolve(domain: str, info: dict[str, str]) -> str | None:
    """Where the repository has the source of an object."""
    if domain != "py" or not info["module"]:
        return None
    found = importlib.import_module(info["module"])
    try:
        for name in info["fullname"].split("."):
            found = getattr(found, name)
        found = inspect.unwrap(getattr(found, "fget", None) or found)
        file = Path(inspect.getsourcefile(found) or "")
        lines, start = inspect.getsourcelines(found)
    except (AttributeError, TypeError, OSError):
        return None
    parts = file.parts
    if "equiconv" not in parts:
        return None
    inside = "/".join(parts[len(parts) - 1 - parts[::-1].index("equiconv") :])
    return f"{address('python/' + inside)}#L{start}-L{start + len(lines) - 1}"

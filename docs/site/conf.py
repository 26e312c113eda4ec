"""Sphinx's settings for the site. `build_site.py` brings the pages together and calls it."""

from pathlib import Path

from IPython.lib.lexers import IPython3Lexer
from pygments.lexer import bygroups, using
from pygments.token import Keyword, Operator, Text

import missing_aa

project = "The Missing aa"
author = "The Missing aa maintainers"
copyright = "The Missing aa maintainers, MIT licence"
version = release = missing_aa.__version__
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc"]
exclude_patterns = ["src", "tests", "downloads", "README.md"]
smartquotes = False  # an option or an error is copied as it is written
highlight_language = "none"
default_role = "code"  # the docstrings' single backticks

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

nb_execution_mode = "off"  # `python -m helpers run` has executed the lessons
nb_merge_streams = True  # else a line's place hangs on timing
nb_number_source_lines = False
nb_ipywidgets_js = {}  # it would come from another host
nb_mime_priority_overrides = [
    ("html", "application/vnd.jupyter.widget-view+json", None),
    ("html", "application/javascript", None),
]

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True

linkcheck_timeout = 30
linkcheck_retries = 2
linkcheck_ignore = [r"https?://(localhost|127\.0\.0\.1)", r"https://github\.com/OWNER/"]
linkcheck_anchors_ignore_for_url = [r"https://github\.com/"]  # drawn by a script there

html_context = {"default_mode": "auto"}  # light or dark, as the system is
html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static"]
html_css_files = ["style.css"]
html_use_index = False
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "navbar_persistent": [],  # the search stands in the sidebar
    "show_navbar_depth": 1,
    "use_download_button": False,  # a lesson has a link of its own, to the file without outputs
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "search_bar_text": "Search the site",
}


class LessonLexer(IPython3Lexer):
    """IPython's, which colours nothing below a magic that it does not know."""

    name = "A cell of a lesson"
    aliases = ("lesson",)
    tokens = {
        **IPython3Lexer.tokens,
        "root": [
            (
                r"(?s)(%%)(timm|expect)([^\n]*\n)(.*)",
                bygroups(Operator, Keyword, Text, using(IPython3Lexer)),
            ),
            *IPython3Lexer.tokens["root"],
        ],
    }


SCRIPTS = {"errors": "errors.js", "search": "search_sentences.js"}
"""A page -> the script that it alone has."""


def add_script(app, page, template, context, doctree):
    if page in SCRIPTS:
        app.add_js_file(SCRIPTS[page], loading_method="defer")


def name_folds(app, error):
    """Give the folds of the sidebar a name: the theme draws an arrow alone."""
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text("utf-8")
        named = text.replace(FOLD, f'<summary aria-label="Pages below">{FOLD[9:]}')
        if named != text:
            page.write_text(named, "utf-8")


FOLD = '<summary><span class="toctree-toggle"'


def setup(app):
    app.add_lexer("lesson", LessonLexer)
    app.connect("html-page-context", add_script)
    app.connect("build-finished", name_folds)

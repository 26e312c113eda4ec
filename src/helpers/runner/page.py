"""The page of an executed lesson: one HTML file that asks no other host for anything."""

import re
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from traitlets.config import Config

TRACEBACK = Path(__file__).parent / "template" / "traceback.css"
"""The colours of a traceback, for whatever else shows one."""

SETTINGS = Config(
    {
        "HTMLExporter": {
            "template_name": "template",
            "extra_template_basedirs": [str(Path(__file__).parent)],
            "embed_images": True,
            "exclude_anchor_links": True,
        },
        # No widgets and no scripts: both would be fetched from elsewhere.
        "NbConvertBase": {
            "display_data_priority": [
                "text/html",
                "text/markdown",
                "image/svg+xml",
                "image/png",
                "image/jpeg",
                "text/plain",
            ]
        },
        "CoalesceStreamsPreprocessor": {"enabled": True},  # else a line's place hangs on timing
        "CSSHTMLHeaderPreprocessor": {"style": "default"},
        "HighlightMagicsPreprocessor": {"languages": {"%%timm": "python", "%%expect": "python"}},
    }
)


def write(notebook: Path, page: Path) -> None:
    """Write the page of an executed notebook, titled by its first heading."""
    nb = nbformat.read(notebook, as_version=4)
    nb.metadata.pop("widgets", None)  # what controls remember, for which a page has no use
    texts = [cell.source for cell in nb.cells if cell.cell_type == "markdown"]
    headings = [line[2:] for text in texts for line in text.splitlines() if line.startswith("# ")]
    title = next(iter(headings), notebook.stem)
    resources = {"metadata": {"name": title, "path": str(notebook.parent)}}
    html, _ = HTMLExporter(config=SETTINGS).from_notebook_node(nb, resources)
    html = re.sub(
        r'href="(\d\d_\w+|ten_minutes)\.ipynb', r'href="\1.html', html
    )  # from page to page
    page.write_text(html, encoding="utf-8")

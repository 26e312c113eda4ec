"""Writes two versions of a package from the texts of their modules, and compares them."""

import textwrap

from missing_aa.comparer.compare import compare

HEAD = "import torch\nimport torch.nn as nn\nfrom torch.nn import functional as F\n"


def write(folder, modules):
    """A package `pack` in a folder, from name -> text; `a/b` is a module of a package below it."""
    for name, text in {"__init__": "", **modules}.items():
        path = folder / "pack" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        init = path.parent / "__init__.py"
        path.write_text(HEAD + textwrap.dedent(text))
        if not init.exists():
            init.write_text("")
    return folder / "pack"


def compared(tmp_path, old, new):
    """What is found between two versions; each is name -> text, or the text of module `m`."""
    texts = ({"m": each} if isinstance(each, str) else each for each in (old, new))
    paths = [write(tmp_path / name, each) for name, each in zip(("old", "new"), texts, strict=True)]
    return compare(*paths).findings


def module(init, forward="return x", more=""):
    """The text of a torch module `Block` with these bodies."""

    def body(text):
        return textwrap.indent(textwrap.dedent(text).strip("\n"), " " * 8)

    return (
        "class Block(nn.Module):\n"
        "    def __init__(self, x=None):\n"
        f"        super().__init__()\n{body(init)}\n"
        f"    def forward(self, x):\n{body(forward)}\n"
        f"{textwrap.indent(textwrap.dedent(more).strip(chr(10)), ' ' * 4)}\n"
    )

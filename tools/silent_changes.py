"""`python -m tools.silent_changes` writes docs/measured/silent_changes.md.

From the atlas, every model whose weights load without an error in a newer release and give another
output; with the cause, where the sources of the two releases show it.
"""

from pathlib import Path

from missing_aa.matrix import atlas
from missing_aa.matrix.summary import Silent, silent_changes

TARGET = Path("docs/measured/silent_changes.md")
HEAD = """\
# Loads without an error, and gives something else

No error does not mean the right output. These models were written by one timm release with all
weights perturbed; a newer release loads their state_dict strictly, or their rescued weights through
its own checkpoint filter, says nothing, and its output differs from the writer's by more than one
part in ten thousand. *Off by* is the largest deviation met, relative to the largest value of the
writer's output. Between the two releases named, of the {count} in the atlas, it changed.

Perturbed weights show a change that trained ones may hide, and make some larger than it would be.
Made from the atlas by `python -m tools.silent_changes`.

| model | changed between | written by | weights | off by | cause |
|---|---|---|---|---|---|"""

CAUSES: dict[tuple[str, str], str] = {
    ("dpn68", "0.8.10.dev0"): "the last activation, `features.conv5_bn_ac.bn.act`, was ELU and is "
    "ReLU",
    ("mobilenetv5_base", "1.0.17"): "its activation, `GELU`, is the approximation by tanh",
    ("poolformer_s12", "0.8.23.dev0"): "the last norm stood before the pooling and took the whole "
    "map together; in the new `metaformer.py` it stands behind it",
    (
        "visformer_tiny",
        "0.8.23.dev0",
    ): "attention goes through torch's fused function, with tensors that are not contiguous",
    ("visformer_tiny", "0.9.0"): "the tensors are made contiguous first: 0.8.23.dev0 stands alone",
}
"""(model, first release that differs) -> what its source shows, compared with the one before."""


def page() -> str:
    """The page, in Markdown."""
    full = atlas.load()
    rows: dict[tuple, list[Silent]] = {}
    for found in silent_changes(full.cells, full.releases):
        rows.setdefault((found.model, found.before, found.since, found.writers), []).append(found)
    lines = [HEAD.format(count=len(full.releases))]
    for (model, before, since, writers), those in sorted(rows.items()):
        written = writers[0] if len(writers) == 1 else f"{writers[0]} to {writers[-1]}"
        formats = " and ".join(sorted({found.format for found in those}, reverse=True))
        off = max((found.difference or float("inf")) for found in those)
        size = "another shape" if off == float("inf") else f"{off:.2g}"
        cause = CAUSES.get((model, since), "not found")
        lines.append(
            f"| `{model}` | {before} and {since} | {written} | {formats} | {size} | {cause} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
    print(f"{TARGET}: {page().count(chr(10)) - HEAD.count(chr(10)) - 1} changes")

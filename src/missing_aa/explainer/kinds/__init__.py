"""A file a kind of error: how it is read, what it means, the nearest, and the ways out."""

from collections.abc import Iterator

from missing_aa.explainer import errors
from missing_aa.explainer.errors import Error, Hit
from missing_aa.explainer.kinds import (
    cannot_get_attribute,
    cannot_import,
    code_objects,
    device,
    first_byte,
    missing_attribute,
    missing_key,
    no_module,
    state_dict_keys,
    torchscript,
    unregistered,
    weights_only,
)
from missing_aa.explainer.pasted import plain, squeeze

KINDS = {
    errors.ATTRIBUTE: missing_attribute,
    errors.MODULE: no_module,
    errors.LOOKUP: cannot_get_attribute,
    errors.IMPORT: cannot_import,
    errors.STATE_DICT: state_dict_keys,
    errors.WEIGHTS_ONLY: weights_only,
    errors.TORCHSCRIPT: torchscript,
    errors.FIRST_BYTE: first_byte,
    errors.CODE: code_objects,
    errors.DEVICE: device,
    errors.KEY: missing_key,
    errors.UNREGISTERED: unregistered,
}
"""Kind -> the module that knows it.

`find(text)` gives its errors in a plain text; `other(error, seen)` what else it can be than a
change of timm; `nearest(error, seen, ledger)` what is nearest; and
`changed(error, upgrade, files)`, where it has one, what changed in timm.
"""


def last(text: str) -> Hit | None:
    """The last error of a plain text; it is what ended the program."""
    hits = list(_hits(text))
    if not hits:
        hits = [Hit(0, len(text), hit.error) for hit in _hits(_opened(squeeze(text)))]
    return max(hits, key=lambda hit: hit.start, default=None)


def _hits(text: str) -> Iterator[Hit]:
    for kind in KINDS.values():
        yield from kind.find(text)


def of_cell(kind: str | None, text: str | None) -> Error:
    """The error that a cell of the atlas holds, by its class and text."""
    sentence = plain(f"{kind}: {text}")
    hit = last(sentence)
    return hit.error if hit else Error(errors.OTHER, name=" ".join(sentence.split()))


def changed(error: Error, upgrade: bool, files: tuple[str, ...] = ()) -> str:
    """What changed in timm between writer and reader, in plain words."""
    tell = getattr(KINDS.get(error.kind), "changed", None)
    if tell:
        return tell(error, upgrade, files)
    return "The code of one release uses an object of the other in a way that it was not made for."


def _opened(squeezed: str) -> str:
    """Text without white space, with spaces again where the words of errors need them."""
    for words in ("object has no attribute ", "No module named ", " on <module "):
        squeezed = squeezed.replace(squeeze(words), f" {words.strip()} ")
    return squeezed.replace("Can'tgetattribute", "Can't get attribute ")

"""A checkpoint without an entry that code asks for: `KeyError: 'x'` where one is subscripted."""

import re
from collections.abc import Iterator

from missing_aa.explainer.advice import LINE, advise, installed_as
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import KEY, Error, Hit
from missing_aa.explainer.known_breaks import KEYS
from missing_aa.explainer.remedies import ADVICE, Way
from missing_aa.explainer.seen import TRACEBACK, Seen, package_of
from missing_aa.explainer.traceback import frames

_WORDS = re.compile(r"\bKeyError:\s*'(?P<key>[^'\s]{1,300})'")
_LOADED = re.compile(
    r"(?:\b(?!own_|model_|self_)\w*(?:checkpoint|ckpt|state_?dict|pretrained_?dict)"
    r"|\b(?:torch|pickle|joblib)\.load\(.*\)|\bload_file\(.*\))\s*\["
)
"""What is subscripted where a checkpoint is, by its name or the call that read it."""
_TENSOR = re.compile(
    r"\.(?:weight|bias|gamma|beta|running_\w+|\w*(?:embed|token|proj|scale)\w*)$"
    r"|^(?:pos_embed|cls_token|position_embeddings?)$"
)


def find(text: str) -> Iterator[Hit]:
    """The last of such errors, if a checkpoint is subscripted at its line."""
    for found in list(_WORDS.finditer(text))[-1:]:
        shown = frames(text[max(0, text.rfind(TRACEBACK, 0, found.start())) : found.start()])
        if shown and _LOADED.search(shown[-1].code):
            said = " ".join(found[0].split())
            yield Hit(found.start(), found.end(), Error(KEY, found["key"], said))


def other(error: Error, seen: Seen) -> Answer:
    """The answer, by whether the entry is called as a tensor is."""
    package = package_of(seen.frames[-1].path)
    whose = installed_as(package) or "that code"
    version = (
        f"Or another version of {whose}: the one that wrote the file; if it did not write it, an "
        "older one may not ask for that name, and a newer one may know this kind of file."
    )
    if _TENSOR.search(error.class_):
        return advise(
            error,
            f"code looks for a tensor {error.class_!r} in the weights that were loaded, and they "
            "have none of that name. The names in the file have a prefix that the code does not "
            "expect (or lack one); or the file is of another architecture; or another version of "
            "that code names its tensors otherwise.",
            Way(
                ADVICE,
                "Look how the names in the file begin, and take a prefix off that should not be "
                "there.",
                (
                    "missing-aa inspect model.pt",
                    'weights = {k.removeprefix("PREFIX."): v for k, v in weights.items()}',
                ),
            ),
            version,
            known_by=LINE,
        )
    known = KEYS.get(error.class_, "")
    look = Way(
        ADVICE,
        "Look what the file has.",
        (
            "missing-aa inspect model.pt",
            'print(torch.load(path, map_location="cpu", weights_only=True).keys())',
        ),
    )
    if seen.says_misfit:
        return advise(
            error,
            f"the file has no entry {error.class_!r}, which code asks for; and the text says that "
            "its weights did not match the model. So as a rule it is of another model, or of a "
            f"part of this one (a backbone to begin a training with). {known}",
            "Give the checkpoint that was written when this model was trained; its page or the "
            "project's list of models names it.",
            look,
            known_by=f"{LINE}, and the words above it",
        )
    return advise(
        error,
        f"the file has no entry {error.class_!r}, which code asks for: it is another kind of "
        "checkpoint than that code reads (weights alone in the place of a trainer's, or the other "
        f"way round), or another version of it wrote the file. {known}",
        look,
        Way(
            ADVICE,
            "If it holds weights alone: make the model by code, and load them into it.",
            ("model.load_state_dict(weights)",),
        ),
        version,
        known_by=LINE,
    )


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    return None

"""What is behind names that a file lacks: no head, a part besides, another architecture."""

import re
from math import isqrt

from missing_aa.explainer.advice import advise, listed
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.errors import Error
from missing_aa.explainer.kinds.state_dict_names import LENIENTLY, OF_TORCH, PREFIXES, part_of
from missing_aa.explainer.known_breaks import FIRST_LAYERS, HEADS
from missing_aa.explainer.remedies import ADVICE, FILE, Way

POSITIONS = re.compile(r"(?:^|[._])pos(?:ition)?(?:al)?_?(?:embed|emb)", re.I)
OF_A_TEXT = re.compile(r"text|bert|gpt|language", re.I)
TOKEN = re.compile(r"(?:cls|class|dist)\w*$")
SMALLEST = 3
"""Patches on one side of a picture from which a square number of places is taken for theirs."""

SWITCH = Way(
    ADVICE,
    "Switch off what makes these parts (an option of the script, an entry of the settings), as it "
    "was when the file was written.",
)
TRAIN = Way(
    ADVICE,
    "Or load without strictness, look that nothing but these names is printed, and train these "
    "parts: until then they are random.",
    LENIENTLY,
)
BUILT = Way(
    ADVICE,
    "Build the model that was trained. If a script builds it: look at its option for the model's "
    "name (--model, --arch) and what it takes where none is given.",
)
NAMES_IN_FILE = Way(
    ADVICE,
    "Look which names the file has. If they are the model's with a prefix before them, take that "
    "off; if its entries are `state_dict`, `model`, `optimizer` and such, load the one with the "
    "weights.",
    ("missing-aa inspect model.pt",),
)


def only_lacking(error: Error) -> bool:
    """Whether all that the file has fits the model, as far as the text goes."""
    complete = not (error.unexpected or error.shapes or error.cut)
    return bool(error.class_ and error.missing and complete)


def besides(error: Error) -> str:
    """A sentence on the parts that the model has and the file has not."""
    homes = listed(name.rpartition(".")[0] or name for name in error.missing)
    return (
        "As far as the text goes, all that the file has is in the model and has its shape; the "
        f"model has parts besides: {homes}. "
    )


def headless(error: Error, timm_s: bool) -> Answer | None:
    """The answer where nothing is missing but a head."""
    if not only_lacking(error) or not all(map(_is_of_a_head, error.missing)):
        return None
    stem = FILE.partition(".")[0]
    for_timm = Way(
        ADVICE,
        "If the model is timm's own: take the weights out for one without a head; timm then loads "
        "them with a head of as many classes as you want, which is random until it is trained.",
        (
            f"missing-aa rescue {FILE} {stem} --format timm --architecture NAME --num-classes 0",
            f"timm.create_model('local-dir:{stem}', pretrained=True, num_classes=N)",
        ),
    )
    return advise(
        error,
        f"the file has no head ({listed(error.missing)}): the model was saved without one, and the "
        "one that it is loaded into has one. As far as the text goes, everything else fits.",
        *[for_timm] * timm_s,
        Way(
            ADVICE,
            "Load without strictness, look that nothing but these names is printed, and train the "
            "head: until then it is random.",
            LENIENTLY,
        ),
        "Or make the model without a head, if you want what it computes before it.",
        known_by="the names in the text",
    )


def _is_of_a_head(name: str) -> bool:
    """Whether a tensor lies below a head, and that in no block of a stack."""
    homes = name.split(".")[:-1]
    at = next((at for at, part in enumerate(homes) if part in HEADS - {"out_proj"}), None)
    # A norm in it is there without classes too.
    return at is not None and not any(part.isdigit() for part in homes[:at]) and "norm" not in name


def is_another_architecture(error: Error) -> bool:
    """Whether the model's first layer is missing, and so likely more of it than one layer."""
    if not error.missing or not _is_first_layer(error.missing[0]):
        return False
    if error.cut and not error.unexpected:
        return True
    homes = {name.rpartition(".")[0] for name in error.missing}
    ends = tuple(f".{name}" for name in error.missing)
    prefixed = any(name.endswith(ends) for name in error.unexpected)
    nested = not any("." in name for name in error.unexpected)
    return bool(error.unexpected) and len(homes) > 2 and not (prefixed or nested or part_of(error))


def _is_first_layer(name: str) -> bool:
    for prefix in (*OF_TORCH, *PREFIXES):
        name = name.removeprefix(prefix)
    return bool(re.match(FIRST_LAYERS, name))


def built_otherwise(error: Error) -> str:
    """A sentence on a model whose first layer the file lacks."""
    return (
        f"The file does not have the model's first layer under that name ({error.missing[0]}): as "
        f"a rule another architecture was built ({error.class_ or 'see the message'}) than the "
        "file's. Else the names in the file have a prefix, or the weights lie deeper in it."
    )


def positions(error: Error) -> Answer | None:
    """The answer where one side has a place more for a token that is no patch of a picture."""
    others = (*error.missing, *error.unexpected)
    if not error.shapes or not all(TOKEN.search(name.rpartition(".")[2]) for name in others):
        return None
    found = [_lengths(*shape) for shape in error.shapes]
    if not found[0] or not all(found):
        return None
    name = error.shapes[0][0]
    file, model = found[0]
    side = isqrt(min(file, model))
    return advise(
        error,
        f"{name} has {file} places in the file and {model} in the model. {side * side} is {side} × "
        f"{side}, a place for each patch of a picture; as it seems, what is more is for a class "
        "token or a distillation token, which only one of the two has. So the size of the picture "
        "is not what differs: the model is of another class than the file, or has another setting.",
        "Make the model with the class that wrote the file: its page or its config.json "
        "(model_type, architectures) names it.",
        "If it is the same class: look at its setting for a class token (class_token, distilled).",
        "Do not let the mismatch be ignored: these places would be random then.",
        known_by="the shapes in the text",
    )


def _lengths(name: str, ours: str, theirs: str) -> tuple[int, int] | None:
    """The places of a position embedding on both sides, where they differ by such tokens."""
    saved, made = ours.split(","), theirs.split(",")
    if not POSITIONS.search(name) or OF_A_TEXT.search(name) or len(saved) != len(made):
        return None
    differ = [(one, two) for one, two in zip(saved, made, strict=True) if one != two]
    if len(differ) != 1 or not all(size.isdigit() for size in differ[0]):
        return None
    file, model = map(int, differ[0])
    side = isqrt(min(file, model))
    square = side >= SMALLEST and min(file, model) == side * side
    return (file, model) if square and abs(file - model) <= 2 else None

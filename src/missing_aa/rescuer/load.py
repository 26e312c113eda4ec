"""From an open checkpoint to the models in it: judged first, then read, and nothing of it run."""

from missing_aa.containers import formats
from missing_aa.containers.container import Container
from missing_aa.contents import read
from missing_aa.contents.find_models import Root
from missing_aa.contents.handed import Handed
from missing_aa.contents.places import place_of
from missing_aa.contents.state_dict import OWN_WAYS, QUANTISED
from missing_aa.contents.storages import Beside
from missing_aa.errors import Malformed, Refused
from missing_aa.limits import Limits
from missing_aa.pickles import policy
from missing_aa.pickles.program import Program
from missing_aa.text import clean

SHOWN = 10
"""How many dangerous names a refusal lists."""
QUANTISED_TENSOR = "torch._utils._rebuild_qtensor"
BIG_ENDIAN = "it was written on a big-endian machine; load it and save its state_dict there"


def load(
    container: Container,
    program: Program | None,
    limits: Limits,
    beside: Beside | None,
    even_if_dangerous: bool,
) -> tuple[list[Root], list[str], list[Handed]]:
    """The models in the file, and what in it is dangerous; `program` is its pickle, followed.

    Besides, the bytes of tensors that a function may change while the file is loaded.

    Raises Malformed for a file that no weights can be had from, Refused for a dangerous one unless
    `even_if_dangerous`.
    """
    if container.format in formats.FOREIGN:
        kind, tool = formats.FORMATS[container.format], formats.FOREIGN[container.format]
        raise Malformed(f"this is no checkpoint but a {kind}: {tool}", container.format)
    if container.format == "safetensors":
        return [Root("", read.views(container), "")], [], []
    assert program is not None  # every other format has a pickle
    dangers = find_dangers(program)
    if dangers and not even_if_dangerous:
        raise Refused(_refusal(dangers))
    # torch looks its members up without regard to case
    order = [place for name, place in container.members.items() if name.lower() == "byteorder"]
    if order and container.read(*order[0]) == b"big":
        raise Malformed(BIG_ENDIAN)
    contents = read.read_contents(container, program, limits, beside)
    found = contents.models
    names = [wanted.dotted for wanted in program.globals.values()]
    if not found and any(name.startswith((*OWN_WAYS, QUANTISED_TENSOR)) for name in names):
        raise Malformed(QUANTISED)
    return found, dangers, contents.handed


def find_dangers(program: Program) -> list[str]:
    """Each dangerous name: what it does, and which object of the file holds it, and where."""
    bad = [judged for judged in policy.judge_all(program) if judged.verdict == policy.DANGEROUS]
    places = [place_of(name.name, program) for name in bad[:SHOWN]] + [""] * len(bad)
    return [
        f"{clean(name.name)} ({name.reason}{place})"
        for name, place in zip(bad, places, strict=False)
    ]


def _refusal(dangers: list[str]) -> str:
    listed = ", ".join(dangers[:SHOWN])
    more = f" and {len(dangers) - SHOWN} more" if len(dangers) > SHOWN else ""
    return (
        f"it asks for {listed}{more}, and none of it was built: do not load this file with "
        "weights_only=False. To get its weights all the same, as they lie in the file, type the "
        "command again with --even-if-dangerous (in Python: even_if_dangerous=True); that runs "
        "nothing of it either"
    )

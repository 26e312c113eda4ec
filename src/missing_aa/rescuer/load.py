"""From an open checkpoint to the models in it: judged first, then read, and nothing of it run."""

from missing_aa.containers import formats
from missing_aa.containers.container import Container
from missing_aa.contents import find_models, read
from missing_aa.contents.find_models import Root
from missing_aa.contents.standins import Ordered
from missing_aa.contents.state_dict import OWN_WAYS
from missing_aa.errors import Malformed, Refused
from missing_aa.limits import Limits
from missing_aa.pickles import policy
from missing_aa.pickles.program import Dict, Object, Program, class_of, inside
from missing_aa.rescuer import torch_reader
from missing_aa.text import clean

HOLDERS = {list, tuple, Dict, Object}


def refuse_double_keys(program: Program) -> None:
    """Raise Refused for a name that stands twice in one dictionary; nothing honest writes that."""
    seen, waiting = set(), [program.root]
    while waiting:
        node = waiting.pop()
        if type(node) not in HOLDERS or id(node) in seen:
            continue
        seen.add(id(node))
        waiting += inside(node)
        if isinstance(node, Dict) or str(class_of(node)) == Ordered.dotted:
            _check(node.pairs)


def _check(pairs: list[tuple]) -> None:
    seen = set()
    for key, _ in pairs:
        if type(key) is str and key in seen:
            raise Refused(
                f"a dictionary in it sets {ascii(key)} twice: readers would see different files; "
                "do not load it, ask for the original"
            )
        if type(key) is str:
            seen.add(key)


SAID_NAMES = 10
BARE = (
    "this is a bare pickle, not written by torch.save, and torch's restricted reader does not take "
    "it; ask for it again, saved with torch.save"
)
QUANTISED_TENSOR = "torch._utils._rebuild_qtensor"
QUANTISED = (
    "it holds a quantised model, whose weights are packed in a way of torch's own and cannot be "
    "rescued; load it with the release that wrote it"
)
BIG_ENDIAN = "it was written on a big-endian machine; load it and save its state_dict there"


def load(container: Container, program: Program | None, limits: Limits) -> list[Root]:
    """The models in the file; `program` is its pickle, followed, where it has one.

    Raises Malformed or Refused for a file that no weights can be had from.
    """
    if container.format in formats.FOREIGN:
        kind, tool = formats.FORMATS[container.format], formats.FOREIGN[container.format]
        raise Malformed(f"this is no checkpoint but a {kind}: {tool}", container.format)
    if container.format == "safetensors":
        return [Root("", read.views(container), "")]
    hold_against_policy(program)
    if program.error:
        raise program.error
    if container.format == "pickle":
        raise Malformed(BARE, "pickle")
    refuse_double_keys(program)
    order = container.members.get("byteorder")
    if order and container.read(*order) == b"big":
        raise Malformed(BIG_ENDIAN)
    asked = [wanted.asked for wanted in program.globals.values()]
    pickle, legacy = program.data[program.start :], container.format == "torch-legacy"
    top = torch_reader.read_with_torch(
        pickle, asked, read.locator(container, program), with_sources=legacy
    )
    found = find_models.find(top, limits)
    names = [wanted.dotted for wanted in program.globals.values()]
    if not found and any(name.startswith((*OWN_WAYS, QUANTISED_TENSOR)) for name in names):
        raise Malformed(QUANTISED)
    return found


def hold_against_policy(program: Program) -> None:
    """Raise Refused, with the names and what they do, for a file made to harm."""
    bad = [judged for judged in policy.judge_all(program) if judged.verdict == policy.DANGEROUS]
    if bad:
        said = ", ".join(f"{clean(name.name)} ({name.reason})" for name in bad[:SAID_NAMES])
        more = f" and {len(bad) - SAID_NAMES} more" if len(bad) > SAID_NAMES else ""
        raise Refused(
            f"it asks for {said}{more}, and none of it was built: do not load this file with "
            "weights_only=False; get the weights from someone you trust"
        )

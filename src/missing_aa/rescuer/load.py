"""From an open checkpoint to the models in it: judged first, then read, and nothing of it run."""

from helpers.checkpoints import formats, keys, places, policy, reader, roots
from helpers.checkpoints.container import Container
from helpers.checkpoints.errors import Malformed, Refused
from helpers.checkpoints.limits import Limits
from helpers.checkpoints.pickles import Program
from helpers.checkpoints.printable import clean
from helpers.checkpoints.roots import Root
from helpers.checkpoints.weights import OWN_WAYS

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
        return [Root("", places.views(container), "")]
    hold_against_policy(program)
    if program.error:
        raise program.error
    if container.format == "pickle":
        raise Malformed(BARE, "pickle")
    keys.check(program)
    order = container.members.get("byteorder")
    if order and container.read(*order) == b"big":
        raise Malformed(BIG_ENDIAN)
    asked = [wanted.asked for wanted in program.globals.values()]
    pickle, legacy = program.data[program.start :], container.format == "torch-legacy"
    top = reader.read(pickle, asked, places.locator(container, program), with_sources=legacy)
    found = roots.find(top, limits)
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

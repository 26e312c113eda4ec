"""What `inspect` found out about a file, as objects and as JSON."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from helpers.checkpoints import policy
from helpers.checkpoints.formats import FORMATS
from helpers.checkpoints.policy import Judged
from helpers.checkpoints.standins import View
from helpers.checkpoints.writers import Writer


@dataclass
class Model:
    """A model or a state_dict in a file.

    `name` is the way to it (keys and attributes, joined by dots), "" for the file itself. `class_`
    is a model's class, "" for a state_dict. `tensors`, `elements` and `bytes` are those of its
    state_dict; `parameters` counts the elements of its parameters, each once, and is None for a
    state_dict, which does not tell parameters from buffers. `prefix` is what a wrapper such as
    DataParallel put before every name.
    """

    name: str
    class_: str
    tensors: int = 0
    elements: int = 0
    bytes: int = 0
    parameters: int | None = None
    architecture: str | None = None
    num_classes: int | None = None
    prefix: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass
class Findings:
    """What a file is: its `format` (one of `formats.FORMATS`), and what it holds.

    `kind` is "whole model", "state_dict", "training checkpoint", "object with a model inside",
    "other", or "" where the file is of another kind. `tensors` and `bytes` are those of the whole
    file. `names` are all that its pickle asks for; `writer` the timm releases that can have made
    its models, None where there is nothing to go by.
    """

    path: str
    format: str
    size: int
    kind: str = ""
    protocol: int | None = None
    opcodes: int = 0
    models: list[Model] = field(default_factory=list)
    tensors: int = 0
    bytes: int = 0
    names: list[Judged] = field(default_factory=list)
    writer: Writer | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def dangerous(self) -> list[Judged]:
        """The names that reach code, files, processes or imports."""
        return [name for name in self.names if name.verdict == policy.DANGEROUS]

    @property
    def whole_models(self) -> list[Model]:
        """The models that are in the file as objects of their class: tied to the writer's code."""
        return [model for model in self.models if model.class_]

    def count(self, views: Iterable[View]) -> None:
        views = list(views)
        self.tensors, self.bytes = len(views), sum(view.nbytes for view in views)

    def as_dict(self) -> dict:
        """Plain values for JSON; the schema is documented in docs/reference/inspect.md."""
        return {
            "path": self.path,
            "format": self.format,
            "description": FORMATS[self.format],
            "kind": self.kind,
            "size": self.size,
            "protocol": self.protocol,
            "opcodes": self.opcodes,
            "tensors": self.tensors,
            "bytes": self.bytes,
            "models": [_model_as_dict(model) for model in self.models],
            "names": [vars(name) for name in self.names],
            "dangerous": bool(self.dangerous),
            "writer": self.writer and self.writer.as_dict(),
            "metadata": self.metadata,
            "notes": self.notes,
        }


def _model_as_dict(model: Model) -> dict:
    said = dict(vars(model))
    return {"name": said.pop("name"), "class": said.pop("class_"), **said}

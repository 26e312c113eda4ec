"""What is known of a rescued file: as an object here, as JSON for programs and in the header."""

import json
from dataclasses import asdict, dataclass, field

from missing_aa import __version__, home
from missing_aa.limits import DEFAULT, Limits


@dataclass(frozen=True)
class Request:
    """One file: `root` picks one of several models, `partial` is the file to write.

    Without `partial` nothing is written, and the answer says where each tensor lies: in the source,
    or in the file `beside`, which takes what has to be unpacked.
    """

    source: str
    root: str | None = None
    partial: str | None = None
    beside: str | None = None
    even_if_dangerous: bool = False
    limits: Limits = DEFAULT

    def as_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict) -> "Request":
        return cls(**fields | {"limits": Limits(**fields["limits"])})


PLACEHOLDER = "0" * 64
"""Stands for the source's sha256 until it is known."""

SHA256_FIELD = b'"source_sha256":"'


def needs_timm() -> str:
    """What is lacking for timm's format, and how to have it."""
    return f"--format timm needs torch and timm 1.0.26 or newer: {home.install('timm')}"


AS_THEY_LIE = (
    "these are the bytes of the tensors in the file, not necessarily what a load would have given"
)


@dataclass
class Report:
    """What was rescued, and from where.

    `kind` is "whole model" or "state_dict". `root` is the way to it inside the file ("" for the
    file itself), `model_class` its class, `architecture`, `num_classes` and `writer` (the timm
    releases that can have written it) are None where the file does not tell. `tensors` counts the
    names, `nbytes` their bytes. `aliases` groups names that share memory in the file. `prefix` is
    what a wrapper had put before every name, and was taken off. `config` is what the model's
    pretrained_cfg says of its input. `dangers` are the dangerous names that the file asks for, each
    with what it does and where it stands, of a file that was rescued all the same.
    """

    source: str
    format: str
    kind: str
    root: str
    model_class: str
    tensors: int
    nbytes: int
    sha256: str = PLACEHOLDER
    architecture: str | None = None
    num_classes: int | None = None
    writer: str | None = None
    aliases: list[list[str]] = field(default_factory=list)
    prefix: str = ""
    notes: list[str] = field(default_factory=list)
    config: dict = field(default_factory=dict)
    dangers: list[str] = field(default_factory=list)

    def metadata(self, order: list[str]) -> dict[str, str]:
        """What the header of the safetensors file says: text only, as the format wants it.

        `order` is the order of the names in the state_dict, which safetensors does not keep.
        """
        fields = {"format": "pt", "rescued_by": f"missing-aa {__version__}"}
        for key, value in asdict(self).items():
            if value and key not in ("format", "tensors", "nbytes", "sha256", "config"):
                text = value if isinstance(value, str) else json.dumps(value)
                fields[key] = text.encode("utf-8", "replace").decode()
        if self.dangers:
            fields["dangers"] = f"{fields['dangers']}: {AS_THEY_LIE}"
        return fields | {"source_sha256": self.sha256, "order": json.dumps(order)}

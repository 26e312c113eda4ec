"""What a worker is asked: one file to rescue, as an object here and as a line on the way."""

import json
from dataclasses import asdict, dataclass

from helpers.checkpoints.limits import DEFAULT, Limits


@dataclass(frozen=True)
class Request:
    """One file: `root` picks one of several models, `partial` is the file to write.

    Without `partial` nothing is written, and the answer says where each tensor lies.
    """

    source: str
    root: str | None = None
    partial: str | None = None
    limits: Limits = DEFAULT

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Request":
        fields = json.loads(line)
        return cls(**fields | {"limits": Limits(**fields["limits"])})

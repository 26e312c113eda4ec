"""What a file will miss: findings, and the answer that they make."""

from dataclasses import dataclass, field

PACKAGE, MODULE, NAME, ATTRIBUTE = "package", "module", "name", "attribute"
VALUE, FORWARD, RAISED = "value", "forward", "raised"
KINDS = {
    PACKAGE: "a package is not installed",
    MODULE: "a module is not there",
    NAME: "a class or function is not there",
    ATTRIBUTE: "an attribute that the object lacks is read",
    VALUE: "a value is used in a way that it does not allow",
    FORWARD: "a module has no forward",
    RAISED: "the code raises an error of its own",
}
LOAD, EVAL, CALL = "at load", "in eval()", "in forward"

WILL_FAIL, MAY_FAIL, NOTHING = "will fail", "may fail", "nothing missing was found"

ENOUGH = 0.7
"""Share of the modules that has to be walked for an answer."""


@dataclass
class Finding:
    """One thing that is missing.

    `certain` if it is met whatever the input; else `doubts` say why it may not be. `error` is the
    exception's class and `message` its text, as Python words it. `places` are the objects that
    lack it, by their way in the model. `when` is LOAD, EVAL or CALL; `file` and `line` are where it
    is read. `hint` says where it may have gone.
    """

    kind: str
    error: str
    message: str
    class_: str = ""
    attribute: str = ""
    certain: bool = True
    when: str = CALL
    file: str = ""
    line: int = 0
    places: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    hint: str = ""

    @property
    def text(self) -> str:
        """The error as the last line of a traceback has it."""
        return f"{self.error}: {self.message}" if self.message else self.error

    @property
    def key(self) -> tuple:
        return (self.kind, self.class_, self.attribute, self.error, self.message, self.when)

    def merge(self, other: "Finding") -> None:
        """Take in the same one, met at another place."""
        self.places += [place for place in other.places if place not in self.places]
        if other.certain and not self.certain:
            self.certain, self.doubts = True, []
            self.file, self.line = other.file, other.line
        elif not self.certain:
            self.doubts += [doubt for doubt in other.doubts if doubt not in self.doubts]


@dataclass
class Walked:
    """How much of a model was walked: its modules, and those of them that ran.

    `architecture` is timm's name of it, where it has one. `defaults` are the arguments of its
    `forward` that were left at their defaults.
    """

    model: str
    class_: str
    architecture: str | None = None
    modules: int = 0
    walked: int = 0
    defaults: list[str] = field(default_factory=list)

    @property
    def enough(self) -> bool:
        return self.walked >= ENOUGH * self.modules


def hangs_on_arguments(finding: Finding) -> bool:
    """Whether another call of the model, with other arguments, may do without it."""
    return finding.certain and finding.when == CALL and finding.kind != FORWARD


def is_lacking(finding: Finding) -> bool:
    """Whether an object of the file lacks it: that the plain call fails is certain then, and said
    to be of that call. What the code raises for want of an argument says nothing of the file."""
    return finding.kind == ATTRIBUTE and bool(finding.places)

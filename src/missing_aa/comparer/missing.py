"""Attributes that the new methods read, the new constructor sets, and the old one never did."""

from collections.abc import Iterator

from missing_aa.comparer.classes import Class
from missing_aa.comparer.defaults import default_of, is_plain
from missing_aa.comparer.findings import Finding
from missing_aa.comparer.outside import given_outside
from missing_aa.comparer.restoring import demanded, given_back
from missing_aa.comparer.state_rules import fields
from missing_aa.comparer.usage import Read
from missing_aa.comparer.use import Use

MADE_ANEW = ("__reduce__", "__reduce_ex__")


class Missing:
    """Holds what old objects carry against what new methods read."""

    def __init__(self, old: Use, new: Use):
        self.old, self.new = old, new

    def of(self, path: str, old: Class, new: Class) -> Iterator[Finding]:
        """The attributes that objects of a class, which old files call `path`, miss in use."""
        if any(map(old.method, MADE_ANEW)):
            return  # the new constructor makes these
        before, after = self.old.made(old), self.new.made(new)
        carried = before.stores | fields(old).keys() | given_outside(old.foreign)
        # What the old methods read was there, however it came to be there.
        carried |= self.old.used(old).reads.keys()
        back, made = given_back(self.new.classes, new)
        asked = {} if old.method("__getstate__") else demanded(new)
        lacking = after.stores - carried - (back - asked.keys())
        made = tuple(made | before.made)
        registered = tuple(before.registered)
        usual = self.new.used(new).reads | asked
        any_ = self.new.called(new).reads | asked
        reads = {
            name: found
            for name, found in any_.items()
            if name in lacking and not name.startswith(made)
            # What was registered under whatever name is no number and no text.
            if not name.startswith(registered) or is_plain(new, name)
        }
        for name, found in reads.items():
            others = [(read.under & reads.keys()) - {name} for read in usual.get(name, found)]
            needs = min(others[0]) if all(others) else ""
            certain = name in usual and not needs
            yield self._finding(path, name, usual.get(name, found), new, certain, needs)

    def _finding(
        self, path: str, name: str, found: list[Read], new: Class, certain: bool, needs: str
    ) -> Finding:
        readers = tuple(dict.fromkeys(read.reader for read in found))
        return Finding(
            kind="missing",
            class_=path,
            attribute=name,
            file=self.new.classes.package.source.files[found[0].module].path,
            line=found[0].line,
            message=f"read by {', '.join(readers)}{_limit(certain, needs)}; the old __init__ never "
            "sets it",
            remedy=f"in __setstate__: if not hasattr(self, {name!r}): "
            f"self.{name} = {default_of(new, name)}",
            readers=readers,
            certain=certain,
            needs=needs,
        )


def _limit(certain: bool, needs: str) -> str:
    if needs:
        return f", where {needs}, which is missing too, has been given a value"
    return "" if certain else ", which nothing in the package calls"

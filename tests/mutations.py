"""Real checkpoints, damaged in ways that a bad disk or a bad person would choose. Seeded."""

import io
import random
import zipfile

NAMES = [
    (b"os", b"system"),
    (b"builtins", b"eval"),
    (b"__builtin__", b"apply"),
    (b"subprocess", b"Popen"),
    (b"socket", b"create_connection"),
    (b"builtins", b"bytearray"),
    (b"torch", b"FloatTensor"),
    (b"torch._utils", b"_rebuild_tensor_v2"),
    (b"torch._tensor", b"_rebuild_from_type_v2"),
    (b"collections", b"OrderedDict"),
    (b"nobody.knows", b"This"),
]
NUMBERS = [b"\xff" * 4, b"\xff\xff\xff\x7f", b"\x00" * 4, b"\x00\x00\x00\x80", b"\xff" * 8]
OPCODES = (
    b"(.0123FGIJKLMNQPRSTUVX]abcdeghijloprstqu}\x80\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x93\x94"
)


def mutate(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """A damaged copy: mostly of the pickle alone, put back into a zip that is sound."""
    if data[:2] == b"PK" and chance.random() < 0.7:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
        target = next(name for name in members if name.endswith("/data.pkl"))
        if chance.random() < 0.1:
            target = chance.choice(list(members))
        members[target] = _damage(members[target], others, chance)
        return _zip(members)
    if data[:1] == b"\x80" and chance.random() < 0.7:  # legacy: its pickles come first
        end = min(len(data), 20_000)
        return _damage(data[:end], others, chance) + data[end:]
    return _damage(data, others, chance)


def _zip(members: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, held in members.items():
            archive.writestr(zipfile.ZipInfo(name), held)
    return whole.getvalue()


def _damage(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        at = chance.randrange(len(damaged) + 1)
        chance.choice(WAYS)(damaged, at, others, chance)
    return bytes(damaged)


def _flip(data, at, others, chance):
    if at < len(data):
        data[at] ^= 1 << chance.randrange(8)


def _opcode(data, at, others, chance):
    data[at : at + 1] = bytes([chance.choice(OPCODES)])


def _number(data, at, others, chance):
    number = chance.choice(NUMBERS)
    data[at : at + len(number)] = number


def _cut(data, at, others, chance):
    del data[at:]


def _drop(data, at, others, chance):
    del data[at : at + chance.randrange(1, 40)]


def _repeat(data, at, others, chance):
    data[at:at] = data[at : at + chance.randrange(1, 200)] * chance.randrange(1, 4)


def _swap(data, at, others, chance):
    there = chance.randrange(len(data) + 1)
    size = chance.randrange(1, 20)
    data[at : at + size] = data[there : there + size]


def _splice(data, at, others, chance):
    other = chance.choice(others)
    there = chance.randrange(len(other))
    data[at:at] = other[there : there + chance.randrange(1, 300)]


def _name(data, at, others, chance):
    module, name = chance.choice(NAMES)
    data[at:at] = b"c" + module + b"\n" + name + b"\n"


def _call(data, at, others, chance):
    module, name = chance.choice(NAMES)
    data[at:at] = b"c" + module + b"\n" + name + b"\n(J\xff\xff\xff\x7ftR"


def _rename(data, at, others, chance):
    found = data.find(b"\n", at)
    module, name = chance.choice(NAMES)
    start = data.rfind(b"c", 0, found)
    if 0 <= start < found:
        data[start + 1 : found] = module


WAYS = [_flip, _flip, _opcode, _number, _cut, _drop, _repeat, _swap, _splice, _name, _call, _rename]

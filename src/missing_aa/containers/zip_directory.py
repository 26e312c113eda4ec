"""The directory of a zip file, read strictly: one reading of it is possible, or it is refused.

Written here rather than left to `zipfile`, because what is judged must be what torch's own reader
will see: it goes by the central directory, looks names up without regard to case, and skips the
local headers, where another reader may find something else.
"""

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from missing_aa.errors import Malformed, Refused


@contextlib.contextmanager
def left_as_found(file: int, size: int) -> Iterator[None]:
    """Let go of the pages of an open file again, if it lay on the disk before."""
    forget = hasattr(os, "RWF_NOWAIT") and not _is_in_memory(file, size // 2)
    yield
    if forget:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)


def _is_in_memory(file: int, at: int) -> bool:
    """Whether a byte can be had without the disk; also where the file system does not say."""
    try:
        os.preadv(file, [bytearray(1)], at, os.RWF_NOWAIT)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR64 = struct.Struct("<4sLQL")
CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
FIELD = struct.Struct("<2H")
MOST_MEMBERS = 1_000_000
MOST_BYTES = 2**28
DESCRIPTOR = 24
"""What may stand behind a member's bytes: their checksum and their sizes once more."""
OTHER_NAME = 0x7075
"""An extra field with a second name for a member, which some readers prefer."""
STORED, DEFLATED = 0, 8
BEGINS, PIECE = 8, 2**10
"""So many of a member's first bytes are looked at, and so many read where they are packed."""
ENCRYPTED, SIZES_FOLLOW, ONES = 0x1, 0x8, 0xFFFFFFFF
CUT = "the zip is cut short or damaged: fetch it again and compare its size with the original's"


class Member(NamedTuple):
    """A file in the zip: its name, and where its header and its bytes lie."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    packed: int
    size: int
    header: int
    extra: bytes


def read_directory(file: BinaryIO, size: int) -> tuple[list[Member], int]:
    """Every member as the central directory lists it, and where that directory begins.

    Raises Malformed or Refused.
    """
    count, length, start = _read_end(file, size)
    if count > MOST_MEMBERS or length > MOST_BYTES:
        raise Malformed(f"the zip claims {count:,} members, as no checkpoint does", "zip")
    file.seek(start)
    data = file.read(length)
    members, at = [], 0
    for _ in range(count):
        if at + CENTRAL.size > len(data):
            raise Malformed(CUT, "zip")
        fields = CENTRAL.unpack_from(data, at)
        names, extras, comment = fields[10:13]
        end = at + CENTRAL.size + names + extras + comment
        if fields[0] != b"PK\x01\x02" or end > len(data):
            raise Malformed(CUT, "zip")
        middle = at + CENTRAL.size + names
        raw_name, extra = data[at + CENTRAL.size : middle], data[middle : middle + extras]
        members.append(_member(raw_name, fields, extra))
        at = end
    if at != len(data):
        raise Refused("the zip's directory holds more than it lists; save the checkpoint again")
    return members, start


def first_bytes(file: BinaryIO, member: Member) -> bytes | None:
    """The first bytes of a member, unpacked; None where they are packed in an odd way."""
    file.seek(member.header)
    data = file.read(LOCAL.size)
    if len(data) < LOCAL.size:
        return b""
    *_, names, extras = LOCAL.unpack(data)
    file.seek(names + extras, os.SEEK_CUR)
    if member.method == STORED:
        return file.read(BEGINS)
    if member.method != DEFLATED:
        return None
    reader = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        begins = reader.decompress(file.read(PIECE), BEGINS)
    except zlib.error:
        return b""
    return begins if reader.eof or len(begins) == BEGINS else None


def locate_all(
    file: BinaryIO, members: list[Member], start: int
) -> dict[str, tuple[int, bytes, int]]:
    """Offset, first bytes and size of every member, by name; the directory begins at `start`.

    Raises Refused for members that are doubled, encrypted, compressed, overlapping, with a second
    name or with something between them, or whose local header disagrees with the directory;
    Malformed where a header is missing.
    """
    seen = set()
    for member in members:
        folded = member.name.lower()  # torch looks members up without regard to case
        if folded in seen:
            raise Refused(
                f"the zip holds {member.name!a} twice: readers would see different files; "
                "do not load it, ask for the original"
            )
        seen.add(folded)
    members = sorted(members, key=lambda member: member.header)
    ends = [member.header for member in members[1:]] + [start]
    if members and members[0].header:
        raise Refused("something stands before the zip; ask for the original")
    return {
        member.name: (*_locate(file, member, end), member.size)
        for member, end in zip(members, ends, strict=True)
    }


def _locate(file: BinaryIO, member: Member, limit: int) -> tuple[int, bytes]:
    """Where the bytes of a plainly stored member begin, and the first of them.

    They end before `limit`.
    """
    if member.flags & ENCRYPTED:
        raise Refused(f"the zip's member {member.name!a} is encrypted; decrypt it first")
    if member.method or member.packed != member.size:
        raise Refused(
            f"the zip's member {member.name!a} is compressed, which torch.save never does; "
            "ask for the file as torch.save wrote it"
        )
    file.seek(member.header)
    data = file.read(LOCAL.size)
    if len(data) < LOCAL.size or data[:4] != b"PK\x03\x04":
        raise Malformed(CUT, "zip")
    _, _, flags, method, _, _, _, packed, size, names, extras = LOCAL.unpack(data)
    sizes = {member.size, ONES} | ({0} if flags & SIZES_FOLLOW else set())
    raw_name, extra = file.read(names), file.read(extras)
    fields = _fields(extra)
    wide = {number for kind, field in fields if kind == 1 for number in _numbers(field)}
    if (
        (flags, method) != (member.flags, member.method)
        or raw_name != member.raw_name
        or b"\0" in raw_name
        or any(kind == OTHER_NAME for kind, _ in (*fields, *_fields(member.extra)))
        or not {packed, size} <= sizes
        or not wide <= {member.size, member.header, 0}
    ):
        raise Refused(
            f"the zip's member {member.name!a} is described in two ways that disagree: readers "
            "would see different files; do not load it, ask for the original"
        )
    start = member.header + LOCAL.size + names + extras
    if start + member.size > limit:
        raise Refused(
            f"the zip's member {member.name!a} reaches into the next one; do not load it, "
            "ask for the original"
        )
    if limit - start - member.size > DESCRIPTOR:
        raise Refused(
            f"something is hidden behind the zip's member {member.name!a}; ask for the original"
        )
    return start, file.read(BEGINS)


def _read_end(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """Members, length and start of the central directory."""
    file.seek(max(0, size - 0xFFFF - 2 * END64.size))
    tail = file.read()
    if len(tail) < END.size + LOCATOR64.size or tail[-END.size :][:4] != b"PK\x05\x06":
        if -1 < tail.rfind(b"PK\x05\x06") <= len(tail) - END.size:
            raise Refused("something was added behind the zip; ask for the original")
        raise Malformed(CUT, "truncated")
    _, *short, comment = END.unpack(tail[-END.size :])
    end, full = size - END.size, tuple(short)
    if tail[-END.size - LOCATOR64.size :][:4] == b"PK\x06\x07":
        end, full = _read_end64(file, tail, size)
    disk, _, here, count, length, start = full
    # A number that does not fit into the short form is all ones there; any other must agree.
    agree = all(
        given in (wide, ones)
        for given, wide, ones in zip(short, full, [0xFFFF] * 4 + [ONES] * 2, strict=True)
    )
    if disk or comment or here != count or start + length != end or not agree:
        raise Refused(
            "the zip's directory does not end where it says: readers would see different files; "
            "do not load it, ask for the original"
        )
    return count, length, start


def _read_end64(file: BinaryIO, tail: bytes, size: int) -> tuple[int, tuple]:
    """Where the wide end record begins, and its numbers in the order of the short one's."""
    _, _, at, _ = LOCATOR64.unpack(tail[-END.size - LOCATOR64.size : -END.size])
    if at + END64.size + LOCATOR64.size + END.size != size:
        raise Refused("something lies between the parts of the zip's end; ask for the original")
    file.seek(at)
    data = file.read(END64.size)
    if data[:4] != b"PK\x06\x06":
        raise Malformed(CUT, "zip")
    return at, END64.unpack(data)[4:]


def _member(raw_name: bytes, fields: tuple, extra: bytes) -> Member:
    packed, size, header = fields[8], fields[9], fields[16]
    if ONES in (size, packed, header):
        # The numbers that did not fit into 32 bits, in the order in which the format lists them.
        wide = iter([n for kind, field in _fields(extra) if kind == 1 for n in _numbers(field)])
        try:
            size = next(wide) if size == ONES else size
            packed = next(wide) if packed == ONES else packed
            header = next(wide) if header == ONES else header
        except StopIteration:
            raise Malformed(CUT, "zip") from None
    name = raw_name.decode("utf-8", "replace")
    return Member(name, raw_name, fields[3], fields[4], packed, size, header, extra)


def _fields(extra: bytes) -> list[tuple[int, bytes]]:
    """Kind and content of each field of a header's extra part."""
    fields, at = [], 0
    while at + 4 <= len(extra):
        kind, length = FIELD.unpack_from(extra, at)
        fields.append((kind, extra[at + 4 : at + 4 + length]))
        at += 4 + length
    return fields


def _numbers(field: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8])

"""Follow a pickle program step by step and build inert nodes: nothing is imported, nothing called.

The machine does to its stack and memo what Python's own unpickler would do, so the names that it
meets are the names that would be imported, however they were put together.
"""

import struct

from missing_aa.errors import LimitReached, Malformed
from missing_aa.limits import DEFAULT, Limits
from missing_aa.pickles.machine import DOUBLE, Broken, Machine, Short, Unfollowed
from missing_aa.pickles.opcodes import STEPS
from missing_aa.pickles.program import Program

BROKEN = (Broken, IndexError, KeyError, ValueError, TypeError, struct.error, OverflowError)


def follow_pickle(
    data: bytes,
    start: int = 0,
    limits: Limits = DEFAULT,
    with_arrays: bool = False,
    into: Program | None = None,
    as_torch: bool = False,
) -> Program:
    """Follow the pickle that begins at `start`; never raises on what the file holds.

    `with_arrays`: go on behind the bytes of arrays that joblib put between the opcodes.
    `as_torch`: read what Python 2 called str as torch.load does, and not as pickle.load.
    `into`: a program that takes up what this one asks for and makes, besides what it has.
    """
    machine = Machine(data, start, into)
    machine.with_arrays, machine.as_torch = with_arrays, as_torch
    program = machine.program
    try:
        machine.run(STEPS, limits)
    except LimitReached as error:
        program.error = error
    except BROKEN as error:
        detail = f" ({error})" if isinstance(error, Broken) else ""
        what = f"the pickle breaks off at byte {machine.at}{detail}: the file is damaged or cut "
        what += "short; fetch or save it again"
        if isinstance(error, Unfollowed):
            what = f"the pickle cannot be followed beyond byte {machine.at}{detail}"
        program.error = Malformed(what)
        program.short = isinstance(error, Short) or machine.at + DOUBLE.size > len(data)
    program.end = machine.at
    return program

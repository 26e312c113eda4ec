"""The process that reads files: a fresh Python that has imported torch and run nothing with it.

Each line of its input is a request for one file, each line of its output an answer: how far the
writing is, then the result or the problem. On Linux every file gets a process of its own, forked
from this one, so that no file sees what another left behind and torch is imported once; elsewhere
it serves one file and ends.
"""

import gc
import json
import os
import sys
import warnings
from collections.abc import Callable

from helpers.checkpoints import job
from helpers.checkpoints.errors import unforeseen
from helpers.checkpoints.request import Request
from helpers.errors import Problem

FORKS = sys.platform == "linux"
STEP = 0.01
"""How often progress is told: each time this part of the file is written."""


def answer(request: Request, say: Callable[[dict], None]) -> None:
    """Do what is asked, and say the result, or the problem by its class's name and its text."""
    told = 0

    def wrote(done: int, total: int) -> None:
        nonlocal told
        if done - told >= total * STEP:
            told = done
            say({"wrote": done, "total": total})

    try:
        say({"result": job.run(request, wrote)})
    except Problem as problem:
        say({"problem": type(problem).__name__, "text": str(problem)})
    except Exception as error:
        problem = unforeseen(error)
        say({"problem": type(problem).__name__, "text": str(problem)})


def main() -> None:
    """Serve requests until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else prints must not stand between the answers

    def say(message: dict) -> None:
        answers.write(json.dumps(message).encode() + b"\n")
        answers.flush()

    warnings.simplefilter("ignore")
    gc.freeze()  # what torch brought stays: to look for cycles in it, for each file, takes long
    say({"serves_many": FORKS})
    for line in sys.stdin.buffer:
        if not FORKS:
            answer(Request.decode(line), say)
            return
        child = os.fork()
        if not child:
            answer(Request.decode(line), say)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            say({"died": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    main()

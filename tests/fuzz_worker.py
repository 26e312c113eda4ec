"""Feed damaged checkpoints to inspect and to what the worker runs, under an audit hook.

Usage: python fuzz_worker.py FOLDER COUNT. Prints one JSON object: how often each ending came, and
what was done that must not be (nothing).
"""

import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import missing_aa
import mutations
from missing_aa.errors import Problem
from missing_aa.limits import Limits
from missing_aa.rescuer import extract
from missing_aa.rescuer.messages import Request

FORBIDDEN = (
    "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "pty.",
    "socket.", "urllib.", "http.", "ftplib.", "smtplib.", "os.mkdir", "os.rename", "os.remove",
    "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "shutil.", "tempfile.",
    "ctypes.dlopen", "import", "compile", "exec", "marshal.", "pickle.find_class",
)  # fmt: skip
LIMITS = Limits(pickle_bytes=10**6, opcodes=10**5, objects=10**4, depth=200, tensor_bytes=10**8)

watching = False
done: list[str] = []


def hook(event: str, arguments: tuple) -> None:
    if not watching:
        return
    if event == "open":
        _, mode, flags = arguments
        writes = isinstance(mode, str) and set(mode) & set("wax+")
        if writes or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            done.append(f"{event} {arguments}")
    elif event.startswith(FORBIDDEN):
        done.append(f"{event} {arguments}"[:200])


def rescue(path: str) -> str:
    extract.run(Request(path, limits=LIMITS), lambda *_: None)
    return "rescued"


def inspect(path: str) -> str:
    json.dumps(missing_aa.inspect(path, LIMITS).as_dict())
    return "inspected"


def ending(work: Callable[[str], str], path: str) -> str:
    """How the work on one file ended. Whatever nobody foresaw ends the fuzzing."""
    global watching
    watching = True
    try:
        return work(path)
    except Problem as problem:
        assert "\n" not in str(problem) and str(problem).isprintable(), problem
        if "in a way that cannot be followed" in str(problem):
            raise
        return type(problem).__name__
    finally:
        watching = False


def main(folder: str, count: int) -> None:
    seeds = [path.read_bytes() for path in sorted(Path(folder).iterdir())]
    b"x".decode("raw-unicode-escape")  # Python imports this codec, one of its own, when first used
    sys.addaudithook(hook)
    chance = random.Random(0)
    endings = Counter()
    with tempfile.TemporaryDirectory() as work:
        path = Path(work, "case.pt")
        for number in range(-len(seeds), count):
            sound = number < 0  # each seed once as it is: what is imported late is imported now
            data = seeds[number] if sound else mutations.mutate(chance.choice(seeds), seeds, chance)
            path.write_bytes(data)
            for work in (rescue, inspect):
                endings[f"{work.__name__}: {ending(work, str(path))}"] += not sound
            if sound:
                done.clear()
    print(json.dumps({"endings": endings, "done": done}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

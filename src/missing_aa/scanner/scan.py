"""Find the checkpoints below some paths, and say of each whether it will outlive an upgrade."""

import os
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field

from missing_aa.children import Died, NotStarted, Pool
from missing_aa.containers import formats
from missing_aa.limits import DEFAULT, Limits
from missing_aa.scanner.verdict import MALFORMED, UNREADABLE, Checkpoint, judge
from missing_aa.scanner.walk import AnyPath, Walk

PATIENCE = 0.05 if sys.platform == "linux" else 0.4
"""Seconds of work that is done here: about what it costs to fork processes, or to start them."""

CHUNK = 16
"""Files in one request to another process."""

BROKE_DOWN = (
    "judging it broke the process that did: it is damaged, was made to do that, or needs more "
    "memory than there is"
)


@dataclass
class Scan:
    """What a scan has found. It can be looked at while it is at work, and after it was stopped.

    `checkpoints` holds what was found, and what could not be read; `looked_at` counts the files,
    `candidates` those among them that had to be looked into, `judged` how many of those were;
    `passed_over` has a path and why. `complete` says that the scan came to its end.
    """

    checkpoints: list[Checkpoint] = field(default_factory=list)
    passed_over: list[tuple[str, str]] = field(default_factory=list)
    looked_at: int = 0
    candidates: int = 0
    judged: int = 0
    complete: bool = False

    @property
    def exit_code(self) -> int:
        """The highest that a verdict asks for."""
        return max((found.exit_code for found in self.checkpoints), default=0)

    def run(
        self,
        paths: Sequence[AnyPath],
        exclude: Sequence[str] = (),
        everything: bool = False,
        limits: Limits = DEFAULT,
        jobs: int = 1,
    ) -> None:
        """Look at all files below the paths, as `scan` does."""
        walk = Walk(exclude, everything)
        self.passed_over = walk.passed_over
        try:
            candidates = list(self._candidates(walk, paths))
            with closing(_judge_all(candidates, limits, jobs)) as judged:
                for found in judged:
                    self.judged += 1
                    if found:
                        found.also = walk.again.get(found.path, [])
                        self.checkpoints.append(found)
            self.complete = True
        finally:
            for path, why in walk.unreadable:
                self.checkpoints.append(Checkpoint(path, verdict=UNREADABLE, remark=why))
            self.checkpoints.sort(key=lambda found: found.path)

    def _candidates(self, walk: Walk, paths: Sequence[AnyPath]) -> Iterator[str]:
        for path, size in walk.files(paths):
            self.looked_at += 1
            try:
                head = formats.first_bytes(path, size)
            except FileNotFoundError:  # deleted a moment ago
                continue
            except OSError as error:
                walk.note(path, error)
                continue
            if formats.is_candidate(path, head, size):
                self.candidates += 1
                yield path


def scan(
    paths: AnyPath | Sequence[AnyPath],
    *,
    exclude: Sequence[str] = (),
    everything: bool = False,
    limits: Limits = DEFAULT,
    jobs: int = 1,
) -> Scan:
    """Every checkpoint at and below a path or several, with a verdict; nothing of them is run.

    `exclude` are globs for names or paths. Hidden folders, those of tools and environments are
    passed over unless `everything` is set. With more `jobs` than one, what takes longer is done by
    processes. Raises UsageProblem for a path that is not there; all else becomes a verdict.
    """
    done = Scan()
    paths = [paths] if isinstance(paths, str | bytes | os.PathLike) else paths
    done.run(paths, exclude, everything, limits, jobs)
    return done


def _judge_all(paths: list[str], limits: Limits, jobs: int) -> Generator[Checkpoint | None]:
    """The verdict on each, in order; by more processes if there is much."""
    begun, done = time.monotonic(), 0
    while done < len(paths) and (jobs == 1 or time.monotonic() - begun < PATIENCE):
        yield judge(paths[done], limits)
        done += 1
    try:
        if done < len(paths):
            for found in _judge_in_children(paths[done:], limits, jobs):
                yield found
                done += 1
    except NotStarted:
        for path in paths[done:]:
            yield judge(path, limits)


def _judge_in_children(paths: list[str], limits: Limits, jobs: int) -> Iterator[Checkpoint | None]:
    """The verdict on each, in order. Raises NotStarted."""
    chunks = [paths[at : at + CHUNK] for at in range(0, len(paths), CHUNK)]
    requests = [{"paths": chunk, "limits": asdict(limits)} for chunk in chunks]
    pool = Pool(f"{__name__}:judge_chunk", jobs)
    with closing(pool.map(requests, _judge_one_by_one)) as answers:
        for answer in answers:
            yield from (found and Checkpoint(**found) for found in answer or ())


def judge_chunk(request: dict, report: Callable[[object], None]) -> list[dict | None]:
    """A child's part: the verdict on each path, or None."""
    limits = Limits(**request["limits"])
    judged = [judge(path, limits) for path in request["paths"]]
    return [asdict(found) if found else None for found in judged]


def _judge_one_by_one(request: dict, ask: Callable[[dict], list]) -> list[dict | None]:
    """Verdicts on files of which one broke a child down."""
    judged = []
    for path in request["paths"]:
        try:
            judged += ask(request | {"paths": [path]})
        except Died:
            judged.append(asdict(Checkpoint(path, verdict=MALFORMED, remark=BROKE_DOWN)))
    return judged

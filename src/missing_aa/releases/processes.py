"""Processes in which one release is seen, forked from a warm one where the system can (`warm`)."""

import logging
import os
import sys
import threading
import warnings
from collections import OrderedDict
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from missing_aa import releases
from missing_aa.releases import warm


class Trials(ProcessPoolExecutor):
    """An executor whose every task runs in a fresh process in which one timm release is seen."""

    def __init__(self, workers: int = 2):
        super().__init__(workers, warm.context(), warm.end_with_others, max_tasks_per_child=1)

    def under(self, release: str, function, *args) -> Future:
        """Submit `function(*args)` to run under a release. Raises what `releases.locate` raises."""
        folder = str(releases.locate(release))
        return self.submit(_run_under, folder, dict(os.environ), function, args)


def see_release(folder: str, env: dict[str, str]) -> None:
    """Let this process, a fresh one, see the release in that folder, in one thread of torch's.

    `env` is the environment of its owner as it is now.
    """
    os.environ.update(env)
    sys.path.insert(0, folder)
    warnings.simplefilter("ignore")  # they are for timm's authors of the day
    import torch

    torch.set_num_threads(1)


def _run_under(folder: str, env: dict[str, str], function, args: tuple):
    see_release(folder, env)
    return function(*args)


class Ended(Exception):
    """The process did not come back from a call: it `died`, or `hung` and was killed."""

    def __init__(self, how: str):
        super().__init__(how)
        self.how = how


class Raised(Exception):
    """A call raised an error; `kind` is its class's name."""

    def __init__(self, kind: str, text: str):
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.text = text


class ReleaseProcess:
    """Runs functions under one release, one at a time, for as long as it survives them.

    It starts with the first call, and again after one that it did not survive.
    """

    def __init__(self, release: str, seconds: float):
        self._folder = str(releases.locate(release))
        self._seconds = seconds
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._lock = threading.Lock()

    def call(self, function, *args):
        """What `function(*args)` gives there. Raises Raised, and Ended after `seconds`."""
        with self._lock:
            pipe = self._pipe or self._start()
            try:
                pipe.send((function, args))
                if not pipe.poll(self._seconds):
                    raise Ended("hung")
                kind, answer = pipe.recv()
            except (EOFError, OSError) as error:
                self._stop()
                raise Ended("died") from error
            except BaseException:
                self._stop()
                raise
        if kind:
            raise Raised(kind, answer)
        return answer

    def close(self) -> None:
        """End the process, once it is done with its call."""
        with self._lock:
            self._stop()

    def _start(self) -> Connection:
        context = warm.context()
        here, there = context.Pipe()
        arguments = (self._folder, dict(os.environ), there)
        process = context.Process(target=_serve, args=arguments, daemon=True)
        process.start()
        self._process, self._pipe = process, here
        there.close()
        return here

    def _stop(self) -> None:
        if self._process and self._pipe:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._process = self._pipe = None


class ReleaseProcesses:
    """The processes of many releases, of which only so many are kept alive at once."""

    def __init__(self, most: int, seconds: float):
        self._most = most
        self._seconds = seconds
        self._idle: OrderedDict[str, ReleaseProcess] = OrderedDict()
        self._lock = threading.Lock()

    def __enter__(self) -> "ReleaseProcesses":
        return self

    def __exit__(self, *_) -> None:
        for process in self._idle.values():
            process.close()

    @contextmanager
    def of(self, release: str):
        """The process of a release, for the caller alone."""
        with self._lock:
            process = self._idle.pop(release, None)
        process = process or ReleaseProcess(release, self._seconds)
        try:
            yield process
        finally:
            with self._lock:
                surplus = self._idle.pop(release, None)
                self._idle[release] = process
                oldest = self._idle.popitem(last=False)[1] if len(self._idle) > self._most else None
            for left in filter(None, (surplus, oldest)):
                left.close()


def _serve(folder: str, env: dict[str, str], pipe: Connection) -> None:
    warm.end_with_others()
    see_release(folder, env)
    logging.disable()  # what old releases log of themselves
    with suppress(EOFError, KeyboardInterrupt):
        while True:
            function, args = pipe.recv()
            answer: tuple[str | None, object]
            try:
                answer = None, function(*args)
            except Exception as error:
                answer = type(error).__name__, str(error)
            pipe.send(answer)

"""What learners on one server take of its memory: `python -m tools.server_memory [LESSON…]`.

Each has a JupyterLab of their own, as under JupyterHub, and one lesson open in which every cell
has been run. First one learner, then two at once: pages that they share count once (Linux). Where a
control group can be made, it also says what that counts, by which a container's limit is enforced.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import nbformat
from jupyter_client.blocking.client import BlockingKernelClient

from helpers.runner import catalogue
from helpers.runner.memory import MB, PeakMemory, below
from missing_aa.errors import Problem

PATIENCE = 120
"""Seconds for JupyterLab to start; a cell may take five times as long."""


TOKEN = secrets.token_hex()


GROUPS = {
    Path("/sys/fs/cgroup/memory"): "memory.usage_in_bytes",
    Path("/sys/fs/cgroup"): "memory.current",
}
"""Where control groups lie, first version and second, and the file that says what one uses."""


@contextmanager
def control_group() -> Iterator[Path | None]:
    """The file that says what a new control group uses; this process is in it meanwhile.

    None where no group can be made.
    """
    for folder, usage in GROUPS.items():
        group = folder / f"missing-aa-{os.getpid()}"
        with suppress(OSError):
            group.mkdir()
            if (group / usage).exists():
                (group / "cgroup.procs").write_text(str(os.getpid()))
                break
            group.rmdir()
    else:
        yield None
        return
    try:
        yield group / usage
    finally:
        (folder / "cgroup.procs").write_text(str(os.getpid()))
        group.rmdir()


class Learner:
    """One person at work: a JupyterLab of their own; closing it ends all that it started."""

    def __init__(self, root: Path):
        self._root = root

    def __enter__(self) -> "Learner":
        self._place = tempfile.TemporaryDirectory(prefix="aa-", ignore_cleanup_errors=True)
        self._folder = Path(self._place.name)
        words = ["--no-browser", "--allow-root", "--ServerApp.port=0", "--ServerApp.port_retries=0"]
        words += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={self._root}"]
        own = {f"JUPYTER_{what}_DIR": str(self._folder) for what in ("RUNTIME", "CONFIG", "DATA")}
        self._server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *words],
            env=os.environ | own,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return self

    def __exit__(self, *error) -> None:
        self._server.terminate()  # JupyterLab ends its kernels, and they theirs
        self._server.wait()
        self._place.cleanup()

    def wait(self) -> str:
        """Until its JupyterLab answers; its address, which takes TOKEN. Raises Problem if never.

        The file with the address is written before anybody listens there.
        """
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._server.poll() is None:
            with suppress(urllib.error.URLError, FileNotFoundError):
                self._url = self._address()
                self._ask("api/status")
                return self._url
            time.sleep(0.2)
        raise Problem("JupyterLab did not start; python -m helpers doctor may say why")

    def work(self, lesson: Path) -> None:
        """Open a lesson and run every cell of it. Raises Problem where one fails."""
        path = lesson.relative_to(self._root).as_posix()
        about = {"path": path, "name": lesson.name, "type": "notebook"}
        session = self._ask("api/sessions", about | {"kernel": {"name": "python3"}})
        file = self._folder / f"kernel-{session['kernel']['id']}.json"
        client = BlockingKernelClient(connection_file=str(file))
        client.load_connection_file()
        client.start_channels(hb=False)  # a busy machine misses beats: its kernel is not dead
        try:
            client.wait_for_ready(timeout=PATIENCE)
            for cell in nbformat.read(lesson, as_version=4).cells:
                if cell.cell_type == "code":
                    self._run(client, cell.source, lesson.stem)
        finally:
            client.stop_channels()

    def _run(self, client: BlockingKernelClient, code: str, lesson: str) -> None:
        reply = client.execute_interactive(
            code, timeout=5 * PATIENCE, output_hook=lambda message: None
        )
        if reply["content"]["status"] == "error":
            raise Problem(f"{lesson}: {reply['content']['evalue']}")

    def _address(self) -> str:
        """Where JupyterLab is going to listen; FileNotFoundError until it has written that."""
        for file in self._folder.glob("jpserver-*.json"):
            with suppress(ValueError):  # it is being written
                return json.loads(file.read_text())["url"]
        raise FileNotFoundError(self._folder)

    def _ask(self, path: str, body: dict | None = None) -> dict:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"token {TOKEN}"}
        request = urllib.request.Request(self._url + path, data, headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)


def measure(lesson: Path, learners: int) -> dict[str, int]:
    """MB that so many learners take together: JupyterLab alone, at the end of a lesson, the most.

    `unshared` is the end again, with shared pages counted for each process; `control group` what
    theirs counts at the end, the files that they read among it.
    """
    with (
        control_group() as usage,
        ExitStack() as stack,
        ThreadPoolExecutor() as pool,
        PeakMemory() as peak,
    ):
        everyone = [stack.enter_context(Learner(lesson.parents[1])) for _ in range(learners)]
        list(pool.map(Learner.wait, everyone))
        alone = below()
        list(pool.map(lambda learner: learner.work(lesson), everyone))
        end, unshared = below(), below(shared=False)
        counted = {"control group": int(usage.read_text()) // MB} if usage else {}
    most = max(peak.mb, end)
    return {"JupyterLab": alone, "end": end, "most": most, "unshared": unshared} | counted


def torch_alone() -> tuple[str, int]:
    """The build of torch, and the MB that each further Python takes which has imported it."""
    program = "import sys, torch; print(torch.__version__, flush=True); sys.stdin.read()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    taken = [0]
    with ExitStack() as stack:
        for _ in range(2):
            python = stack.enter_context(subprocess.Popen([sys.executable, "-c", program], **pipes))
            version = python.stdout.readline().strip()
            taken.append(below())
            stack.callback(python.stdin.close)
    return version, taken[2] - taken[1]


def main() -> None:
    """Print what one learner takes, and each further one."""
    print("torch {}, imported: each further {:,} MB".format(*torch_alone()), flush=True)
    for lesson in catalogue.choose(catalogue.lessons(catalogue.root()), sys.argv[1:] or ["03"]):
        one, two = (measure(lesson.path, learners) for learners in (1, 2))
        print(f"{lesson.name}, in MB:", flush=True)
        for what in one:
            print(f"  {what}: one {one[what]:,}, each further {two[what] - one[what]:,}")


if __name__ == "__main__":
    main()

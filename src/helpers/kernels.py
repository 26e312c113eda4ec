"""One Jupyter kernel per timm release, over the torch that is installed."""

import atexit
import json
import os
import shutil
import tempfile
import threading
import time
from ast import literal_eval
from collections.abc import Callable
from pathlib import Path

from ipykernel.kernelspec import make_ipkernel_cmd
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.provisioning import LocalProvisioner

from helpers import plain
from missing_aa import releases
from missing_aa.errors import Problem, UsageProblem
from missing_aa.releases import warm

Output = Callable[[str, dict], None]
"""Called with a Jupyter message type (stream, display_data, error, …) and its content."""

PATIENCE = 5.0
"""Seconds that an interrupted kernel gets to stop, before it is killed."""


class KernelDied(Problem):
    """The process behind a release is gone."""


class Provisioner(LocalProvisioner):
    """Starts a kernel as a process forked from the warm one; where that cannot be, as usual."""

    async def launch_kernel(self, cmd: list[str], **options) -> dict:
        if not warm.forks(options["env"]):
            return await super().launch_kernel(cmd, **options)
        start = cmd.index("-m")
        # Its parent is the warm process; that its owner has ended it notices by a pipe.
        arguments = [*cmd[start + 2 :], "--IPKernelApp.parent_handle=1"]
        self.cwd = options.get("cwd") or os.getcwd()
        program = warm.Program(cmd[start + 1], arguments, dict(options["env"]), str(self.cwd))
        self.process = warm.Forked(program)
        self.pid = self.pgid = self.process.pid
        return self.connection_info


class ThisPython(KernelManager):
    """A manager whose kernel is the Python that runs, whatever kernels a user registered."""

    def __init__(self, **options):
        super().__init__(**options)
        self.provisioner = Provisioner(kernel_spec=self.kernel_spec, parent=self)

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(argv=make_ipkernel_cmd(), display_name="timm", language="python")


class ReleaseKernel:
    """A running kernel in which `import timm` gives one published release.

    It starts in the background: the first request waits until it is ready. `ahead` lets it import
    timm already, so that it is there when asked; no name is set. Raises UnknownRelease or
    ReleaseProblem if the release is not there.
    """

    def __init__(self, release: str, ahead: bool = False):
        folder = releases.locate(release)
        self.release = release
        self._sockets = None
        options = {}
        if os.name == "posix":
            # Sockets in a private folder: unlike TCP, nothing to encrypt and no port to race for.
            self._sockets = tempfile.mkdtemp(prefix="timm-")
            options = {"transport": "ipc", "ip": str(Path(self._sockets, "k"))}
        self._manager = ThisPython(**options)
        atexit.register(self.shutdown)
        self._failure: Exception | None = None
        self._ready = False
        self._starting = threading.Thread(target=self._start, args=[folder, ahead], daemon=True)
        self._starting.start()

    def _start(self, folder: Path, ahead: bool) -> None:
        # These are for timm's authors of the day, not for a learner.
        quiet = "ignore::FutureWarning,ignore::DeprecationWarning,ignore:torch.meshgrid:UserWarning"
        try:
            self._manager.start_kernel(env=releases.seeing(folder) | {"PYTHONWARNINGS": quiet})
            self._client = self._manager.blocking_client()
            self._client.start_channels()
            if ahead:
                self._client.execute("__import__('timm')", silent=True, allow_stdin=False)
        except Exception as error:  # raised where somebody waits for it
            self._failure = error

    @property
    def alive(self) -> bool:
        """Whether the process behind it still runs, or is about to."""
        return self._starting.is_alive() or self._manager.is_alive()

    def run(self, code: str, on_output: Output, number: int | None = None) -> None:
        """Run code; everything it shows or raises is handed to `on_output` as it comes.

        `number` is what its tracebacks call the cell. A KeyboardInterrupt here interrupts the
        kernel. Raises KernelDied.
        """
        if number is not None:
            shell = "__import__('IPython').get_ipython()"
            self._ask(f"{shell}.execution_count = {number}", silent=True)
        self._ask(code, on_output)

    def last_error(self) -> dict | None:
        """What `helpers.tracebacks.last` says of the error that the last cell ended with."""
        last = "__import__('helpers.tracebacks', fromlist=['last']).last()"
        answer = self._ask("", silent=True, expressions={"last": last})["last"]
        if answer["status"] != "ok":  # by then the learner's code may have changed anything there
            return None
        return json.loads(literal_eval(answer["data"]["text/plain"]) or "null")

    def put(self, values: dict[str, object]) -> None:
        """Set plain values as variables there. Raises UsageProblem for one that is not plain."""
        for name, value in values.items():
            text = plain.dump(name, value)
            self._ask(f"{name} = __import__('json').loads({text!r})", silent=True)

    def get(self, names: list[str]) -> dict[str, object]:
        """Plain values of variables there. Raises UsageProblem for an unknown or other one."""
        pack = "__import__('helpers.plain', fromlist=['dump']).dump"
        asked = {name: f"{pack}({name!r}, {name})" for name in names}
        answers = self._ask("", silent=True, expressions=asked)
        values = {}
        for name, answer in answers.items():
            if answer["status"] != "ok":
                unknown = f"there is no {name!r} in the kernel of timm {self.release}"
                raise UsageProblem(unknown if answer["ename"] == "NameError" else answer["evalue"])
            values[name] = json.loads(literal_eval(answer["data"]["text/plain"]))
        return values

    def shutdown(self) -> None:
        """Stop the kernel at once; safe to call twice."""
        atexit.unregister(self.shutdown)
        self._starting.join()
        if hasattr(self, "_client"):
            self._client.stop_channels()
        if self._manager.has_kernel:
            self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()
        if self._sockets:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def _ask(
        self,
        code: str,
        on_output: Output = lambda kind, content: None,
        silent: bool = False,
        expressions: dict[str, str] | None = None,
    ) -> dict:
        """Send one request and follow it to its end; returns the answers to `expressions`."""
        self._wait_until_ready()
        request = self._client.execute(
            code,
            silent=silent,
            store_history=False,  # the cells are the lesson's, and numbered there
            user_expressions=expressions,
            allow_stdin=False,
        )
        try:
            self._follow(request, on_output)
        except KeyboardInterrupt:
            self._manager.interrupt_kernel()
            try:
                self._follow(request, on_output, until=time.monotonic() + PATIENCE)
            except TimeoutError:
                self.shutdown()
            raise
        reply = self._receive(self._client.shell_channel, request)
        return reply["content"].get("user_expressions", {})

    def _wait_until_ready(self) -> None:
        if self._ready:
            return
        self._starting.join()
        try:
            if self._failure:
                raise self._failure
            self._client.wait_for_ready(timeout=120)
        except RuntimeError as error:  # what jupyter_client says of one that died or hangs
            self.shutdown()
            raise self._died() from error
        self._ready = True

    def _died(self) -> KernelDied:
        return KernelDied(
            f"the kernel of timm {self.release} died; "
            f"the next cell for {self.release} starts afresh"
        )

    def _follow(self, request: str, on_output: Output, until: float = float("inf")) -> None:
        while True:
            message = self._receive(self._client.iopub_channel, request, until)
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return
            on_output(kind, content)

    def _receive(self, channel, request: str, until: float = float("inf")) -> dict:
        """The next message on a channel that answers a request."""
        while time.monotonic() < until:
            # The socket itself, not the client's get_…_msg: those wait in a thread of their own,
            # where a message that arrives during an interrupt is lost.
            if channel.socket.poll(200):
                _, message = self._client.session.recv(channel.socket, mode=0)
                if message["parent_header"].get("msg_id") == request:
                    return message
            elif not self._manager.is_alive():
                self.shutdown()
                raise self._died()
        raise TimeoutError

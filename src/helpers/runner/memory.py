"""How much memory a machine can give, and how much a lesson takes."""

import threading
from pathlib import Path

import psutil

MB = 2**20

# Where Linux keeps a group's limit, what is in use and how much of that could be given back at
# once: docs.kernel.org/admin-guide/cgroup-v2.html and …/cgroup-v1/memory.html.
CGROUPS = {
    "": ("", "memory.max", "memory.current", "inactive_file"),
    "memory": (
        "memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
}


def available_mb(
    groups: Path = Path("/proc/self/cgroup"), mounted: Path = Path("/sys/fs/cgroup")
) -> int:
    """Memory that new processes can take, bounded by a limit on this process's control group."""
    free = [psutil.virtual_memory().available]
    lines = groups.read_text().splitlines() if groups.is_file() else []
    for _, controllers, path in (line.split(":", 2) for line in lines):
        for controller in CGROUPS.keys() & controllers.split(","):
            folder, *files = CGROUPS[controller]
            # A limit may stand on any group above; in a container the path may be the host's.
            group = Path(path.lstrip("/"))
            free += [
                room
                for above in (group, *group.parents)
                if (room := _room(mounted / folder / above, *files)) is not None
            ]
    return max(0, min(free)) // MB


def _room(group: Path, limit: str, usage: str, reclaimable: str) -> int | None:
    """Bytes left in one control group, or None where it sets no limit."""
    try:
        most = int((group / limit).read_text())
        used = int((group / usage).read_text())
        rows = dict(row.split() for row in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no such group, or "max"
        return None
    return most - used + int(rows.get(reclaimable, 0))


class PeakMemory:
    """While it is open, samples the memory of every process below this one; `mb` is the most.

    Shared pages count once where the system can count so (Linux, PSS), else for each process.
    """

    def __init__(self, every: float = 0.1):
        self.mb = 0
        self._every = every
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            self.mb = max(self.mb, below())
            if self._done.wait(self._every):
                return


def below(shared: bool = True) -> int:
    """MB of every process below this one; shared pages once where the system can, or for each."""
    processes = psutil.Process().children(recursive=True)
    return sum(_memory(process, shared) for process in processes) // MB


def _memory(process: psutil.Process, shared: bool) -> int:
    """Bytes of one process, 0 if it has just ended."""
    try:
        if not shared:
            return process.memory_info().rss
        full = process.memory_full_info()
        return getattr(full, "pss", full.rss)
    except psutil.Error:
        return 0

"""A bare pickle that asks for many different names: whether each takes longer among more."""

import tempfile
from pathlib import Path

import missing_aa
from bench import alternate, few, tell

LESS, MORE = few(10_000, 100), few(80_000, 800)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:

        def judge(names: int):
            path = Path(folder, f"{names}.pkl")
            asked = b"".join(b"cmodule%d.of%d\nName%d\n0" % (n % 97, n, n) for n in range(names))
            path.write_bytes(b"\x80\x02" + asked + b"N.")
            return lambda: missing_aa.inspect(path)

        judge(1)()  # loads what judging needs
        less, more = alternate(judge(LESS), judge(MORE), rounds=3)
    print(f"judging {MORE:,} names: {more:.2f} s")
    tell(f"time a name among {MORE:,} / among {LESS:,}", more / less * LESS / MORE, 1.2)

"""The source of a release, fetched from a package index: one on the disk, asked by pip."""

import hashlib
import io
import tarfile
import zipfile

import pytest

from compat_versions import module
from missing_aa.cli import main
from missing_aa.errors import Problem, UsageProblem
from missing_aa.releases.cache import ReleaseProblem
from missing_aa.releases.sources import fetch_source

OLD = module("self.conv = nn.Conv2d(3, 3, 1)", "return self.conv(x)")
NEW = module("self.conv = nn.Conv2d(3, 3, 1)\nself.aa = x", "return self.aa(self.conv(x))")


def wheel(modules: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in modules.items():
            archive.writestr(name, text)
    return stream.getvalue()


def source_archive(modules: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, text in modules.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Puts files into an index that pip is set up for; each with its sha256, or another."""
    folder = tmp_path / "simple" / "my-pack"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "simple").as_uri())
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("MISSING_AA_CACHE", str(tmp_path / "cache"))
    links = []

    def add(name: str, content: bytes, sha256: str | None = None) -> None:
        (folder / name).write_bytes(content)
        sha256 = sha256 or hashlib.sha256(content).hexdigest()
        links.append(f'<a href="{name}#sha256={sha256}">{name}</a>')
        (folder / "index.html").write_text("\n".join(links))

    return add


def test_of_several_wheels_the_smallest_is_taken_and_its_modules_kept(index):
    large = {"my_pack/__init__.py": "", "my_pack/fast.so": "x" * 10_000}
    index("my_pack-1.0-cp311-cp311-win_amd64.whl", wheel(large | {"my_pack/large.py": ""}))
    index("my_pack-1.0-cp311-cp311-linux_x86_64.whl", wheel(large | {"my_pack/readme.txt": "x"}))
    folder = fetch_source("My.Pack", "1.0.0")
    assert (folder / "my_pack/__init__.py").is_file()
    assert (folder / "my_pack/fast.so").read_bytes() == b"", "that it is there is all one needs"
    assert not (folder / "my_pack/readme.txt").exists()


def test_without_a_wheel_the_source_archive_is_unpacked_and_never_built(index, tmp_path):
    trap = f"open({str(tmp_path / 'PWNED')!r}, 'w')"
    files = {
        "src/my_pack/__init__.py": "",
        "setup.py": trap,
        "../../outside.py": "",
        "tests/t.py": "",
    }
    index(
        "my-pack-1.0.tar.gz", source_archive({f"my-pack-1.0/{name}": files[name] for name in files})
    )
    folder = fetch_source("my-pack", "1.0")
    assert (folder / "my_pack/__init__.py").is_file()
    assert not list(tmp_path.rglob("outside.py")) and not (tmp_path / "PWNED").exists()


def test_what_is_not_what_the_index_says_is_not_kept(index, tmp_path):
    index("my_pack-1.0-py3-none-any.whl", wheel({"my_pack/__init__.py": ""}), sha256="0" * 64)
    with pytest.raises(ReleaseProblem, match="announced 000"):
        fetch_source("my-pack", "1.0")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "name, version, said",
    [
        ("my-pack", "2.0", "no such release; it has 1.0, 1.1"),
        ("my-pack", "two", "two is no version"),
        ("your-pack", "1.0", "it has no such package"),
    ],
)
def test_what_the_index_does_not_have_is_usage(index, name, version, said):
    for known in ("1.1", "1.0"):
        index(f"my_pack-{known}-py3-none-any.whl", wheel({"my_pack/__init__.py": ""}))
    with pytest.raises(UsageProblem, match=said):
        fetch_source(name, version)


def test_a_broken_archive_is_said_to_be_one(index):
    index("my_pack-1.0-py3-none-any.whl", b"no zip")
    with pytest.raises(Problem, match="broken archive"):
        fetch_source("my-pack", "1.0")


def test_compat_reads_two_releases_of_any_package(index, capsys):
    for version, text in (("1.0", OLD), ("1.1", NEW)):
        modules = {"my_pack/__init__.py": "", "my_pack/m.py": text, "other/__init__.py": ""}
        index(f"my_pack-{version}-py3-none-any.whl", wheel(modules))
    assert main(["compat", "my-pack==1.0", "my-pack==1.1"]) == 1
    assert "my_pack/m.py:7: my_pack.m.Block lacks aa" in capsys.readouterr().out

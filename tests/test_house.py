"""The floors of the house hold: an import goes down only; and its page names what is there."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_imports_go_down_only():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_the_page_of_the_house_names_is_there():
    """The first column of its tables: files of a room, which its first name has before them."""
    for line in (ROOT / "docs" / "architecture.md").read_text("utf-8").splitlines():
        names = re.findall(r"`([\w/]+)`", line.split("|")[1]) if line.startswith("| `") else []
        room = names[0].rpartition("/")[0] if names else ""
        for name in names:
            path = name if "/" in name or not room else f"{room}/{name}"
            homes = [ROOT / "src" / package / path for package in ("missing_aa", "helpers")]
            assert any(h.is_dir() or h.with_suffix(".py").is_file() for h in homes), name


def test_what_a_page_says_to_start_can_be_started():
    listed = subprocess.run(["git", "ls-files", "*.md", "Makefile"], cwd=ROOT, capture_output=True)
    for page in listed.stdout.decode().split():
        text = (ROOT / page).read_text("utf-8") if page != "CHANGELOG.md" else ""
        for module in re.findall(r"python -m ((?:tools|bench|missing_aa|helpers)[\w.]*\b)", text):
            path = module.replace(".", "/")
            homes = [ROOT / folder / path for folder in ("", "src")]
            files = [f for h in homes for f in (h / "__main__.py", h.with_suffix(".py"))]
            there = [file for file in files if file.is_file()]
            assert any(
                file.name == "__main__.py" or "__name__ ==" in file.read_text("utf-8")
                for file in there
            ), f"{page}: {module}"


def test_the_tests_of_a_group_go_to_one_process(tmp_path):
    """What they share is made once. A pytest that pytest-xdist does not know spreads them."""
    (tmp_path / "test_group.py").write_text(
        "import os\nfrom pathlib import Path\nimport pytest\n"
        "@pytest.mark.parametrize('number', range(6))\n"
        "@pytest.mark.xdist_group('one')\n"
        "def test_it(number):\n    Path(f'{os.getpid()}.process').touch()\n"
    )
    words = ["-q", "--numprocesses", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *words, "test_group.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert len(list(tmp_path.glob("*.process"))) == 1

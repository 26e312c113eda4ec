import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.xdist_group("doctor")


def doctor(*words, **places):
    command = [sys.executable, "-m", "helpers.cli", "doctor", *words]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | places)


def test_a_machine_in_order_is_ok_in_every_line_and_in_json():
    done = doctor()
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 8
    assert all(line.startswith("ok") for line in lines)
    assert "timm 1.0.11" in done.stdout


def test_an_empty_cache_is_named_with_its_remedy(tmp_path):
    done = doctor("--json", MISSING_AA_CACHE=str(tmp_path))
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["schema"] == 1
    assert "missing-aa fetch" in done.stdout
    assert "1.0.11" in done.stdout


def test_a_folder_that_cannot_be_written_is_found(tmp_path):
    (tmp_path / "file").write_text("")
    done = doctor(MISSING_AA_CACHE=str(tmp_path / "file"))
    assert done.returncode == 1
    assert "MISSING_AA_CACHE" in done.stdout

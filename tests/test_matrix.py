"""The matrix, measured on real releases, and everything that can stop it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import torch

from missing_aa.matrix import atlas, results, tasks
from missing_aa.matrix.cells import FORMATS, Cell, Outcome, gist
from missing_aa.matrix.results import Results, ResultsProblem
from missing_aa.matrix.run import BATCH, Plan, run
from missing_aa.matrix.signature import signature
from missing_aa.matrix.unit import Task, Unit, measure
from missing_aa.releases import processes

pytestmark = pytest.mark.xdist_group("matrix")  # one of them measures for the others

WINDOW = ["0.6.13", "1.0.3", "1.0.11", "1.0.12", "1.0.31"]
COMMAND = [sys.executable, "-m", "missing_aa", "matrix"]


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    """The window of the bug, measured once by the command itself: its process and its results."""
    path = tmp_path_factory.mktemp("matrix") / "matrix.jsonl"
    done = subprocess.run(
        [*COMMAND, "--models", "regnetx_002,hiera_tiny_224", "--output", path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done, path


def outcomes(path):
    return {key: cell.outcome for key, cell in results.read_results(path)[1].items()}


def test_the_window_of_the_bug_comes_out_as_it_is_known(window):
    found = outcomes(window[1])
    whole = {(w, r): found["regnetx_002", w, r, "whole"] for w in WINDOW for r in WINDOW}
    aa = Outcome(
        "error", None, "AttributeError", "'ConvNormAct' object has no attribute 'aa'", "forward"
    )
    assert whole["1.0.3", "1.0.11"] == aa
    assert all(whole[release, release] == Outcome("ok") for release in WINDOW)
    assert whole["1.0.3", "1.0.12"] == whole["1.0.11", "1.0.31"] == Outcome("ok")
    moved = whole["0.6.13", "1.0.31"]
    assert (moved.error, moved.where) == ("ModuleNotFoundError", "load")
    for form in ("state_dict", "rescued"):
        assert all(
            found["regnetx_002", w, r, form] == Outcome("ok") for w in WINDOW for r in WINDOW
        )


def test_a_writer_without_the_model_is_a_result_and_so_is_a_reader(window):
    found = outcomes(window[1])
    lacking = found["hiera_tiny_224", "0.6.13", None, None]
    assert (lacking.result, lacking.text) == ("not written", "the release has no such model")
    assert found["hiera_tiny_224", "1.0.31", "0.6.13", "state_dict"].result == "no such model"
    assert found["hiera_tiny_224", "1.0.31", "0.6.13", "whole"].error == "ModuleNotFoundError"


def test_a_file_that_differs_in_nothing_but_tensors_is_read_once_and_says_so(window):
    cells = results.read_results(window[1])[1]
    assert cells["regnetx_002", "1.0.12", "1.0.3", "whole"].same_as == "1.0.11"
    assert cells["regnetx_002", "1.0.11", "1.0.3", "whole"].same_as is None


def test_the_command_sums_up_and_finds_all_done_the_second_time(window):
    done, path = window
    assert "state_dict: 25 of" not in done.stdout
    assert "whole:" in done.stdout and f"Results: {path}" in done.stdout
    before = path.read_bytes()
    again = subprocess.run(
        [*COMMAND, "--models", "regnetx_002,hiera_tiny_224", "--output", path],
        capture_output=True,
        text=True,
    )
    assert again.returncode == 0
    assert "150 of 150 cells are there already" in again.stderr
    assert path.read_bytes() == before


def test_a_file_cut_off_in_the_middle_is_taken_up_and_comes_out_the_same(window, tmp_path):
    whole = window[1].read_bytes()
    path = tmp_path / "cut.jsonl"
    path.write_bytes(whole[: len(whole) - 1000])
    plan = Plan({"regnetx_002": 64, "hiera_tiny_224": 64}, WINDOW, WINDOW)
    sizes = {"regnetx_002": 64, "hiera_tiny_224": 224}
    with Results(path) as kept:
        assert 0 < plan.done(kept) < plan.cells
        run(Plan(sizes, WINDOW, WINDOW), kept)
    strip = lambda text: [  # noqa: E731
        {k: v for k, v in json.loads(line).items() if k != "same_as"} for line in text.splitlines()
    ]
    assert strip(path.read_bytes()) == strip(whole)


def head_with(path: Path, **changed) -> Path:
    with Results(path):
        pass
    head = json.loads(path.read_text()) | changed
    path.write_text(json.dumps(head) + "\n")
    return path


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"schema": 2}, "holds no results of this version"),
        ({"torch": "1.0"}, "was made with torch 1.0"),
        ({"seed": 7}, "was made with seed 7"),
    ],
)
def test_results_of_another_making_are_left_alone(tmp_path, changed, said):
    path = head_with(tmp_path / "old.jsonl", **changed)
    before = path.read_bytes()
    with pytest.raises(ResultsProblem, match=said):
        Results(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["", "no json", "no json\n", "[]\n", '{"a": 1}\n', "\xff\n"])
def test_a_file_that_is_none_of_ours_is_never_overwritten(tmp_path, text):
    path = tmp_path / "else.txt"
    path.write_text(text)
    if not text:
        with Results(path):
            pass
        return
    with pytest.raises(ResultsProblem, match="another file"):
        Results(path)
    assert path.read_text() == text


def test_a_damaged_line_is_named(tmp_path):
    path = head_with(tmp_path / "r.jsonl")
    path.write_text(path.read_text() + '{"model": "a", "writer": "1.0.3", "result": "odd"}\n')
    with pytest.raises(ResultsProblem, match="line 2"):
        Results(path)


def test_a_cell_that_kills_or_hangs_its_process_is_a_result_and_the_next_one_runs():
    watched = processes.ReleaseProcess("1.0.3", seconds=20)
    impatient = processes.ReleaseProcess("1.0.3", seconds=0.2)
    try:
        with pytest.raises(processes.Ended, match="died"):
            watched.call(os._exit, 1)
        assert watched.call(abs, -1) == 1
        with pytest.raises(processes.Raised, match="ZeroDivisionError"):
            watched.call(divmod, 1, 0)
        with pytest.raises(processes.Ended, match="hung"):
            impatient.call(signal.pause)
    finally:
        watched.close()
        impatient.close()


def test_a_crew_keeps_no_more_processes_alive_than_it_may():
    with processes.ReleaseProcesses(most=1, seconds=60) as processes_:
        pids = []
        for release in ("1.0.3", "1.0.11", "1.0.3"):
            with processes_.of(release) as member:
                pids.append(member.call(os.getpid))
        assert len(set(pids)) == 3
        with processes_.of("1.0.3") as member:
            assert member.call(os.getpid) == pids[-1]


def cells_of(unit: Unit) -> dict:
    found = []
    measure(unit, found.append)
    return {cell.key: cell for cell in found}


def test_a_silent_change_is_told_by_its_size():
    unit = Unit([Task("dpn68", 64, ["0.6.13"], ["0.6.13", "1.0.11"])], list(FORMATS))
    cells = cells_of(unit)
    for form in ("state_dict", "rescued"):
        changed = cells["dpn68", "0.6.13", "1.0.11", form].outcome
        assert changed.result == "different output"
        assert changed.difference > 0.1
        assert cells["dpn68", "0.6.13", "0.6.13", form].outcome == Outcome("ok")


def test_an_interrupt_leaves_every_finished_cell_and_no_process(tmp_path):
    path, folder = tmp_path / "r.jsonl", tempfile.mkdtemp(prefix="aa-")
    started = subprocess.Popen(
        [*COMMAND, "--models", "regnetx_002,resnet18,rexnet_100", "--output", path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": folder},
    )
    while not (path.exists() and path.read_text().count("\n") > 5):
        assert started.poll() is None, started.stderr.read()
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == 130
    assert said.splitlines()[-1] == "missing-aa matrix: stopped"
    assert len(results.read_results(path)[1]) >= 5
    assert os.listdir(folder) == []
    os.rmdir(folder)


def test_a_folder_too_deep_for_sockets_is_named(tmp_path):
    deep = tmp_path / ("d" * 60)
    deep.mkdir()
    done = subprocess.run(
        [*COMMAND, "--models", "regnetx_002", "--output", tmp_path / "r.jsonl"],
        capture_output=True,
        text=True,
        env=os.environ | {"TMPDIR": str(deep)},
    )
    assert done.returncode == 1
    assert "name a folder with a shorter one in TMPDIR" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "words, code, said",
    [
        (["--releases", "1.0.4"], 2, "no timm release '1.0.4'"),
        (["--formats", "onnx"], 2, "there is no format 'onnx'"),
        (["--models", "regnetx_200"], 2, "the nearest here are regnetx_002"),
        (["--releases", ","], 2, "takes names with commas"),
        (["--seconds", "-1"], 2, "number of seconds"),
        (["--dask", "tcp://127.0.0.1:1"], 1, "no Dask scheduler answers"),
        (["--output", "/dev/null/x"], 1, "cannot write"),
    ],
)
def test_bad_input_is_one_clear_line(tmp_path, words, code, said):
    output = [] if "--output" in words else ["--output", tmp_path / "r.jsonl"]
    done = subprocess.run([*COMMAND, *words, *output], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert said in last
    assert "Traceback" not in done.stderr


def test_a_full_disk_ends_the_run_in_one_line_and_keeps_what_there_is(tmp_path):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("only where the system has /dev/full")
    with Results(tmp_path / "r.jsonl") as kept:
        kept._file = full.open("w")
        with pytest.raises(ResultsProblem, match="make room"):
            kept.add(Cell("a", "1.0.3", "1.0.3", "whole", Outcome("ok")))


def test_signatures_tell_attributes_apart_and_tensors_not(tmp_path):
    def saved(name, model):
        torch.save(model, tmp_path / name)
        return signature(tmp_path / name)

    plain = saved("a.pt", torch.nn.Conv2d(2, 2, 1))
    assert saved("b.pt", torch.nn.Conv2d(2, 2, 1)) == plain
    assert saved("c.pt", torch.nn.Conv2d(2, 2, 1, padding_mode="reflect")) != plain
    assert saved("d.pt", torch.nn.Conv2d(2, 3, 1)) != plain
    configured = torch.nn.Conv2d(2, 2, 1)
    configured.pretrained_cfg = {"url": "somewhere"}
    other = torch.nn.Conv2d(2, 2, 1)
    other.pretrained_cfg = {"url": "elsewhere"}
    assert saved("e.pt", configured) == saved("f.pt", other)


def test_an_error_keeps_its_first_names_on_one_line():
    model = torch.nn.Sequential(*[torch.nn.Linear(1, 1) for _ in range(4)])
    with pytest.raises(RuntimeError) as raised:
        model.load_state_dict({})
    said = gist(str(raised.value))
    assert "\n" not in said
    assert said.endswith('"0.weight", "0.bias", "1.weight" and 5 more')


def test_the_atlas_says_the_same_cells_in_less_space(window):
    head, cells = results.read_results(window[1])
    whole = atlas.from_cells(head, cells.values())
    text = atlas.encode_atlas(whole)
    again = atlas.decode_atlas(text)
    bare = {c.key: c.outcome for c in again.cells}
    assert bare == {key: cell.outcome for key, cell in cells.items()}
    assert again.releases == WINDOW
    assert again.head == head
    assert atlas.encode_atlas(again) == text
    assert len(text) < window[1].stat().st_size / 5


@pytest.mark.long
def test_a_dask_cluster_of_two_workers_gives_the_same_file(window, tmp_path):
    from distributed import LocalCluster

    path = tmp_path / "dask.jsonl"
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        done = subprocess.run(
            [*COMMAND, "--models", "regnetx_002,hiera_tiny_224", "--output", path]
            + ["--dask", cluster.scheduler_address],
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    assert path.read_bytes() == window[1].read_bytes()


def test_the_models_of_the_atlas_have_sizes():
    from missing_aa.matrix.models import known_models

    known = known_models()
    assert len(known) >= 60
    assert {"regnetx_002", "resnetblur18", "dpn68", "vit_tiny_patch16_224"} <= known.keys()
    assert all(32 <= size <= 512 for size in known.values())
    assert tasks.SIZES[0] == 64 and BATCH > 1


def test_each_of_timms_model_files_has_a_model_in_the_atlas():
    import timm

    measured = set(atlas.load().models)
    files = timm.list_modules()
    assert len(files) == 98
    assert not [name for name in files if measured.isdisjoint(timm.list_models(module=name))]

"""The command `missing-aa scan`: what it tells, its exit codes, and its words for a pipeline."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from missing_aa.cli import main
from missing_aa.scanner.verdict import EXIT_CODES
from missing_aa.scanner.walk import UNASKED
from rescue_files import call, module, tensor, torch_zip

unix = pytest.mark.skipif(os.name == "nt", reason="needs what only Unix has")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to stand in, with a fine checkpoint in it."""
    monkeypatch.chdir(tmp_path)
    save_file({"w": torch.zeros(2)}, "fine.safetensors")
    return tmp_path


def net():
    return nn.Sequential(nn.Linear(2, 2))


def command(*words, **options):
    """The command in a process of its own."""
    line = [sys.executable, "-m", "missing_aa", "scan", *words]
    return subprocess.run(line, capture_output=True, **options)


def test_a_person_is_told_what_each_is_and_what_to_do(here, capsys):
    Path("my models").mkdir()
    torch.save(net(), "my models/old.pt")
    torch.save(net().state_dict(), "weights.pth")
    Path("numbers.pkl").write_bytes(pickle.dumps([1, 2]))
    Path("notes.txt").write_text("words")
    assert main(["scan", "."]) == 1
    told, err = capsys.readouterr()
    assert told.splitlines()[:8] == [
        "fine       state_dict (safetensors)  fine.safetensors",
        "fine       state_dict (pickle)       weights.pth",
        "finding    whole model (pickle)      my models/old.pt: "
        "holds torch.nn.modules.container.Sequential",
        "",
        "3 checkpoints among 5 files: 2 fine, 1 with a whole model.",
        "1 pickle without a model (--json lists them).",
        "Weights alone in a pickle last; they need torch's own reader, safetensors does not.",
        "",
    ]
    assert "missing-aa rescue 'my models/old.pt' 'my models/old.safetensors'" in told
    assert "torch.save(model.state_dict()" in told and "save_portable(model" in told
    assert not err


def test_the_rescue_that_is_advised_works(here, capsys):
    torch.save({"model": net(), "ema": net()}, "two.ckpt")
    assert main(["scan", "two.ckpt"]) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "missing-aa rescue" in line]
    assert main(line.split()[1:]) == 0
    assert Path("two.safetensors").exists()


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_the_rescue_of_a_bare_pickle_works_too(here, capsys, protocol):
    Path("bare.pkl").write_bytes(pickle.dumps(net(), protocol))
    assert main(["scan", "."]) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "missing-aa rescue" in line]
    assert main(line.split()[1:]) == 0
    assert Path("bare.safetensors").exists()


def test_without_findings_there_is_no_advice(here, capsys):
    assert main(["scan", "."]) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[-1] == "1 checkpoint among 1 file: 1 fine."


def test_an_empty_tree_is_fine_and_says_so(tmp_path, capsys):
    assert main(["scan", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "No checkpoint among 0 files.\n"


def test_what_was_passed_over_is_said_with_the_switch(here, capsys):
    for folder in (".git", ".venv", "node_modules"):
        Path(folder).mkdir()
        torch.save(net(), f"{folder}/a.pt")
    assert main(["scan", "--exclude", "fine*", "."]) == 0
    told = capsys.readouterr().out
    assert "--all looks there too): .git, .venv, node_modules." in told
    assert "Passed over (excluded): fine.safetensors." in told
    assert main(["scan", "--all", "."]) == 1


@pytest.mark.parametrize("as_json", [False, True])
def test_a_missing_path_is_usage_and_one_line(here, capsys, as_json):
    assert main(["scan", ".", "mis\x1bsing"] + ["--json"] * as_json) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1 and "mis\\x1bsing" in err
    assert bool(out) == as_json
    if as_json:
        answer = json.loads(out)
        assert (answer["exit_code"], answer["error"]["kind"]) == (2, "UsageProblem")


@pytest.mark.parametrize("words", [[], ["--jobs", "0", "."], ["--max-depth", "x", "."]])
def test_words_that_are_off_are_usage(words):
    with pytest.raises(SystemExit) as end:
        main(["scan", *words])
    assert end.value.code == 2


def test_of_several_verdicts_the_highest_exit_code_counts(here, capsys):
    codes = [main(["scan", "."])]
    torch.save(net(), "whole.pt")
    codes.append(main(["scan", "."]))
    torch_zip(here / "evil.pt", call("os", "system", ""))
    codes.append(main(["scan", "."]))
    Path("empty.pt").touch()
    codes.append(main(["scan", "."]))
    codes.append(main(["scan", "--max-opcodes", "1", "."]))
    assert codes == [0, 1, 3, 4, 6]
    assert main(["scan", "fine.safetensors", "whole.pt"]) == 1


def test_json_carries_all_of_it(here, capsys):
    torch.save({"model": net()}, "old.pt")
    torch_zip(here / "evil.pt", call("os", "system", ""))
    Path("numbers.pkl").write_bytes(pickle.dumps([1, 2]))
    Path(".git").mkdir()
    assert main(["scan", "--json", "."]) == 3
    said = json.loads(capsys.readouterr().out)
    evil, fine, numbers, old = said.pop("files")
    assert said == {
        "schema": 1,
        "passed_over": [{"path": ".git", "reason": UNASKED}],
        "looked_at": 4,
        "candidates": 4,
        "judged": 4,
        "complete": True,
    }
    assert old == {
        "path": "old.pt",
        "format": "torch-zip",
        "size": Path("old.pt").stat().st_size,
        "kind": "training checkpoint",
        "verdict": "finding",
        "remark": "holds torch.nn.modules.container.Sequential at model",
        "models": [{"name": "model", "class": "torch.nn.modules.container.Sequential"}],
        "dangerous": [],
        "also": [],
        "exit_code": 1,
    }
    assert evil["dangerous"] == [{"name": "os.system", "reason": "starts programs"}]
    assert [f["verdict"] for f in (evil, fine, numbers)] == ["dangerous", "fine", "other"]


def test_each_rule_of_sarif_is_a_sentence(here, capsys):
    main(["scan", "--sarif", "."])
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    rules = {rule["id"]: rule["help"]["text"] for rule in run["tool"]["driver"]["rules"]}
    assert set(rules) == {verdict for verdict, code in EXIT_CODES.items() if code}
    assert all(text.endswith(".") and text.count(" ") > 6 for text in rules.values())


def test_kinds_may_stand_behind_a_blank(here, capsys):
    torch.save(net(), "old.pt")
    assert main(["scan", "--fail-on", "dangerous, whole", "."]) == 1


@unix
def test_a_folder_that_is_gone_is_usage(here, capsys, monkeypatch):
    Path("gone").mkdir()
    monkeypatch.chdir("gone")
    Path("../gone").resolve().rmdir()
    assert main(["scan", "."]) == 2
    assert "is gone" in capsys.readouterr().err


NASTY = "a\x1b[31m\n[link=x]\u202e\udc80.pt"


@unix
@pytest.mark.parametrize("words", [["."], ["--json", "."], [NASTY]])
def test_names_reach_no_terminal_as_they_are(here, capsys, words):
    kind = ("a", NASTY.replace("\n", "\t").removesuffix("\udc80.pt"))
    torch_zip(here / NASTY, module({"w": tensor()}, kind=kind))
    assert main(["scan", *words]) == 1
    told = capsys.readouterr().out
    assert not [c for c in told if c != "\n" and not c.isprintable()]
    assert "a\\x1b[31m\\n[link=x]" in told.replace("\\\\", "\\")


@unix
def test_a_terminal_that_knows_few_letters_is_no_obstacle(here):
    torch.save(net(), "模型.pt")
    done = command(".", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1 and b"\\u6a21\\u578b.pt" in done.stdout, done.stderr


def test_nothing_heavy_is_imported(here):
    code = (
        "import sys; from missing_aa.cli import main; assert main(['scan', '.']) == 0; "
        "heavy = {'torch', 'timm', 'numpy', 'safetensors', 'rich'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


INTERRUPTED = """
import os, signal, sys
from missing_aa.cli import main
def stop(event, args):
    if event == "open" and str(args[0]) == "b-never.pt" and seen.append(1) is None and seen[1:]:
        os.kill(os.getpid(), signal.SIGINT)  # as it is about to be judged: the second opening
seen = []
sys.addaudithook(stop)
sys.exit(main(["scan", "--jobs", "1", *sys.argv[1:], "."]))
"""


@unix
def test_ctrl_c_ends_it_at_once_and_tells_what_was_found(here):
    torch.save(net(), "a-whole.pt")
    torch.save(net(), "b-never.pt")

    def interrupted(*words):
        line = [sys.executable, "-c", INTERRUPTED, *words]
        done = subprocess.run(line, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (130, "missing-aa scan: stopped\n")
        return done.stdout

    told = interrupted()
    assert "a-whole.pt" in told and "b-never.pt" not in told
    assert "Stopped early: 1 of 3 candidates looked into." in told
    said = json.loads(interrupted("--json"))
    assert (len(said["files"]), said["complete"], said["judged"]) == (1, False, 1)


# The work grows with the files, and no faster.

COUNTED = """
import collections, sys
from missing_aa.cli import main
counts = collections.Counter()
def count(event, args):
    if event in ("open", "os.scandir") and str(args[0]).startswith(sys.argv[1]):
        counts[event] += 1
sys.addaudithook(count)
main(["scan", "--jobs", "1", "--json", sys.argv[1]])
print(counts["open"], counts["os.scandir"], file=sys.stderr)
"""


@pytest.mark.parametrize("files", [500, 2000])
def test_each_file_is_opened_once_and_each_candidate_once_more(tmp_path, files):
    for number in range(files):
        folder = tmp_path / f"{number % 97}" / f"{number % 11}"
        folder.mkdir(parents=True, exist_ok=True)
        ordinary = number % 4
        (folder / f"{number}.{'txt' if ordinary else 'pkl'}").write_bytes(
            b"words" if ordinary else pickle.dumps({"a": number})
        )
    folders = sum(1 for _ in os.walk(tmp_path))
    line = [sys.executable, "-c", COUNTED, str(tmp_path)]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert done.stderr.split() == [str(files + files // 4), str(folders)]
    assert json.loads(done.stdout)["looked_at"] == files


# For a pipeline.


@pytest.fixture
def mixed(here):
    """A whole model, a dangerous file, a pointer of Git LFS, an empty file and plain weights."""
    torch.save(net(), "50%, a:b.pt")
    torch_zip(here / "evil.pt", call("os", "system", "x"))
    (here / "lfs.pt").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\n")
    (here / "empty.pt").touch()
    torch.save({"w": torch.ones(1)}, "fine.pt")


FAIL_ON = {
    "whole": 1,
    "dangerous": 3,
    "placeholder": 4,
    "whole,dangerous": 3,
    "unreadable": 0,
    "whole,placeholder": 4,
}


@pytest.mark.parametrize("kinds", FAIL_ON)
def test_a_pipeline_chooses_what_it_fails_on(mixed, kinds):
    assert main(["scan", ".", "--fail-on", kinds]) == FAIL_ON[kinds]
    assert main(["scan", "."]) == 4


def test_an_unknown_kind_to_fail_on_is_usage(here, capsys):
    with pytest.raises(SystemExit) as end:
        main(["scan", ".", "--fail-on", "whole,pickles"])
    assert end.value.code == 2 and "and not 'pickles'" in capsys.readouterr().err


def test_github_is_given_a_line_for_each_file_that_is_not_fine(mixed, capsys):
    assert main(["scan", "--github", "."]) == 4
    *lines, counted = capsys.readouterr().out.splitlines()
    levels = [line.partition(" ")[0] for line in lines]
    assert levels == ["::error", "::warning", "::error", "::warning"]
    assert lines[0].startswith("::error file=50%25%2C a%3Ab.pt,title=checkpoint%3A finding::holds ")
    assert "file=fine.pt" not in "".join(lines)
    assert counted.endswith("1 with a whole model, 2 only a placeholder, 1 dangerous.")


SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "uniqueItems": True,
                                        "items": {"required": ["id"]},
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "items": {
                            "required": ["message"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"]},
                            },
                        }
                    },
                },
            },
        },
    },
}
"""What the SARIF 2.1.0 schema asks of the parts that are used here."""


def test_sarif_has_a_result_for_each_file_that_is_not_fine(mixed, capsys):
    assert main(["scan", "--sarif", "."]) == 4
    report = json.loads(capsys.readouterr().out)
    jsonschema.validate(report, SARIF)
    (run,) = report["runs"]
    found = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]: result["ruleId"]
        for result in run["results"]
    }
    assert found == {
        "50%25%2C%20a%3Ab.pt": "finding",
        "empty.pt": "placeholder",
        "evil.pt": "dangerous",
        "lfs.pt": "placeholder",
    }
    assert set(found.values()) <= {rule["id"] for rule in run["tool"]["driver"]["rules"]}

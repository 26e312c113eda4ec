"""docs/migration.md: its commands are run in order, on files of every era, and its numbers held."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import timm
import torch
from tools import migration_table

import rescue_files
from missing_aa.matrix import atlas
from missing_aa.tensors import difference, fixed_input

GUIDE = Path(__file__).parents[1] / "docs" / "migration.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
REGNET = "regnetx_002"
OLD = {
    "0.4.12": REGNET,
    "0.5.4": "rexnet_100",
    "0.6.13": "tf_efficientnet_b0_ns",  # a name that timm has replaced since
    "0.8.23.dev0": "convnext_atto",
    "0.9.12": "vit_tiny_patch16_224",
    "1.0.3": "mobilenetv3_small_050",
    "1.0.11": "vit_tiny_patch16_224",
    "1.0.26": "vit_tiny_patch16_224",
}
"""A writer of each era, and what it wrote into old/."""

END = """
if "model" in vars():
    import torch
    from missing_aa.tensors import fixed_input
    with torch.no_grad():
        torch.save(model(fixed_input(224)), "answer.pt")
"""
"""Behind each block of Python: the output of the model that it ends with."""


def chapters(numbers: str) -> list[tuple[str, str]]:
    """The fenced blocks, language and text, of the chapters with these numbers."""
    parts = re.split(r"^## (?=\d\. )", GUIDE.read_text(encoding="utf-8"), flags=re.M)
    return [block for part in parts if part[0] in numbers for block in BLOCK.findall(part)]


def follow(numbers: str, folder: Path) -> list[torch.Tensor]:
    """Do what these chapters say, in the folder; the outputs of the models that Python makes."""
    programs = str(Path(sys.executable).parent)
    there = os.environ | {"PATH": os.pathsep.join([programs, os.environ["PATH"]]), "COLUMNS": "80"}
    answers, said = [], ""
    for language, text in chapters(numbers):
        if language == "sh":
            said = "".join(_command(line, folder, there) for line in text.splitlines())
        elif language == "python":
            (folder / "block.py").write_text(text + END)
            _command("python block.py", folder, there)
            answers.append(torch.load(folder / "answer.pt"))
        else:
            assert language == "text"
            assert " ".join(text.split()) in " ".join(said.split())
    return answers


def _command(line: str, folder: Path, there: dict[str, str]) -> str:
    """What it prints; its exit code is the one beside it."""
    done = subprocess.run(line, shell=True, cwd=folder, env=there, capture_output=True, text=True)
    promised = re.search(r"# exit code (\d)", line)
    wanted = int(promised[1]) if promised else 0
    assert done.returncode == wanted, f"{line}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def written(path: Path) -> torch.Tensor:
    """The output of the model as its writer saw it."""
    return torch.load(f"{path}.output.pt")


def made(folder: Path) -> torch.Tensor:
    """The output of the model that today's timm makes of a folder."""
    with torch.no_grad():
        return timm.create_model(f"local-dir:{folder}", pretrained=True).eval()(fixed_input(224))


def test_every_era_has_a_writer_here():
    age = list(migration_table.KNOWN).index
    ends = [*map(age, migration_table.FIRSTS[1:]), len(migration_table.KNOWN)]
    for first, end in zip(map(age, migration_table.FIRSTS), ends, strict=True):
        assert any(first <= age(release) < end for release in OLD)


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="the page's commands are for sh")
def test_the_way_of_a_file_of_each_era_to_today(tmp_path):
    work, kept = tmp_path / "work", tmp_path / "kept"
    (work / "old").mkdir(parents=True)
    kept.mkdir()
    files = [("0.6.13", REGNET, kept / "model", {"num_classes": 5})]
    files += [(release, name, kept / release, {}) for release, name in OLD.items()]
    rescue_files.write_each(files)
    (kept / "model.pt").rename(work / "model.pt")
    for release in OLD:
        (kept / f"{release}.pt").rename(work / "old" / f"{release}.pt")

    for answer in follow("12345", work):
        assert difference(answer, written(kept / "model")) < 1e-4
    for release in OLD:
        assert difference(made(work / "new" / release), written(kept / release)) < 1e-4, release
    assert not (work / "old").exists()


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="the page's commands are for sh")
def test_the_cases_that_need_more(tmp_path):
    files = {"dpn68": "dpn68", "tnt": "tnt_s_patch16_224", "regnet": REGNET}
    rescue_files.write_each([("0.6.13", name, tmp_path / at, {}) for at, name in files.items()])
    rescue_files.write_odd_ones("0.6.13", tmp_path)
    silent, old = follow("67", tmp_path)
    assert difference(silent, written(tmp_path / "dpn68")) < 1e-4
    assert difference(made(tmp_path / "dpn68"), written(tmp_path / "dpn68")) > 0.1
    assert difference(old, written(tmp_path / "tnt")) < 1e-4
    for folder in ("training", "weights"):
        assert difference(made(tmp_path / folder), written(tmp_path / "regnet")) < 1e-4


def test_its_numbers_are_those_of_the_atlas():
    page = GUIDE.read_text(encoding="utf-8")
    assert migration_table.renewed(page, migration_table.measured(atlas.load())) == page


CHANGES = {
    "No module named 'timm.models.layers": ("0.8.10.dev0", "1.0.31"),
    "No module named 'timm.models.efficientnet_blocks": ("0.8.10.dev0", "1.0.31"),
    "Can't get attribute 'XCiT'": ("0.8.23.dev0", "1.0.31"),
    "'ConvNormAct' object has no attribute 'aa'": ("1.0.7", "1.0.11"),
    "'DepthwiseSeparableConv' object has no attribute 'conv_s2d'": ("1.0.7", "1.0.31"),
    "'Attention' object has no attribute 'gate'": ("1.0.28", "1.0.31"),
    "Can't get attribute 'CatBnAct'": ("1.0.31", "1.0.31"),
}
"""The errors behind the list of what changed, and the first and last newer reader that meets them.

0.8.10.dev0 is the first in the atlas after 0.8.2.dev0, of which the page speaks.
"""


@pytest.mark.parametrize("text, readers", CHANGES.items(), ids=list(CHANGES))
def test_what_changed_is_met_since_then(text, readers):
    full = atlas.load()
    age = full.releases.index
    met = {
        age(cell.reader)
        for cell in full.cells
        if cell.reader and cell.format == "whole" and age(cell.reader) > age(cell.writer)
        if (cell.outcome.text or "").startswith(text)
    }
    assert (full.releases[min(met)], full.releases[max(met)]) == readers

"""Ways of giving an attribute that a reader of source may overlook: never a certain finding."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import check_packages
from missing_aa import check
from missing_aa.checker.findings import MAY_FAIL, WILL_FAIL
from missing_aa.cli import main

pytestmark = pytest.mark.xdist_group("traps")  # their files are written once


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """A folder with all files, and what the new versions really do with them."""
    folder = tmp_path_factory.mktemp("cases")
    check_packages.place(folder)
    program = Path(check_packages.__file__)
    subprocess.run([sys.executable, program, "write", folder], check=True)
    done = subprocess.run(
        [sys.executable, program, "run", folder], check=True, capture_output=True, text=True
    )
    return folder, json.loads(done.stdout)


def answer(cases, name: str):
    folder, met = cases
    return check(folder / f"{name}.pt", paths=[folder / "new"]), met[name]


@pytest.mark.parametrize("name", check_packages.GIVEN)
def test_what_runs_is_never_said_to_fail(cases, name):
    found, met = answer(cases, name)
    assert met == ""  # the case is what it claims to be
    assert found.answer != WILL_FAIL, [finding.message for finding in found.certain]


@pytest.mark.parametrize("name", check_packages.MISSING)
def test_what_fails_is_foretold_with_its_first_error(cases, name):
    found, met = answer(cases, name)
    assert met
    assert found.answer == WILL_FAIL
    first = found.certain[0]
    said = f"{first.error}: {first.message}"
    assert met.startswith(said.partition(" from ")[0])


@pytest.mark.parametrize("name", check_packages.POSSIBLE)
def test_what_is_not_followed_exactly_is_possible(cases, name):
    found, met = answer(cases, name)
    assert met and found.answer == MAY_FAIL


def test_a_state_that_is_a_pair_reaches_setstate_as_one(tmp_path):
    model = torch.nn.Sequential(torch.nn.Linear(2, 2))
    model.handle = model[0].register_forward_hook(print)  # whose state is a dictionary and a number
    torch.save(model, tmp_path / "model.pt")
    assert check(tmp_path / "model.pt").answer != WILL_FAIL


def test_a_method_that_is_kept_under_its_own_name_is_followed(tmp_path):
    (tmp_path / "kept.py").write_text(
        "from torch import nn\n"
        "class Kept(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.way = self.way\n"
        "    def way(self, x):\n        return x if self.gone else x\n"
        "    def forward(self, x):\n        return self.way(x)\n"
    )
    write = "import torch, kept; torch.save(kept.Kept(), 'model.pt')"
    subprocess.run([sys.executable, "-c", write], cwd=tmp_path, check=True)
    found = check(tmp_path / "model.pt", paths=[tmp_path])
    assert [one.message for one in found.findings] == ["'Kept' object has no attribute 'gone'"]


def test_a_tensor_that_stands_for_a_list_into_which_items_are_stored(tmp_path):
    head = "import torch\nclass Grid(torch.nn.Module):\n    def __init__(self):\n"
    head += "        super().__init__()\n"
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir(), new.mkdir()
    (old / "grids.py").write_text(
        head + "        self.register_buffer('grid', torch.zeros(2, 3))\n"
        "        self.register_buffer('table', torch.zeros(2, 3))\n"
    )
    (new / "grids.py").write_text(
        head + "        self.grid = [torch.empty(0) for _ in range(2)]\n"
        "        self.register_buffer('table', torch.zeros(2, 3))\n"
        "    def forward(self, x):\n"
        "        self.table[0] = x\n"
        "        self.grid[0], other = x, x\n"
        "        return x + self.grid[0]\n"
    )
    write = "import torch, grids; torch.save(grids.Grid(), '../model.pt')"
    subprocess.run([sys.executable, "-c", write], cwd=old, check=True)
    found = check(tmp_path / "model.pt", paths=[new])
    assert found.answer == MAY_FAIL
    assert [(one.class_, one.attribute, one.places) for one in found.findings] == [
        ("grids.Grid", "grid", ["the model itself"])
    ]
    subprocess.run([sys.executable, "-c", write], cwd=new, check=True)  # with a list of its own
    assert not check(tmp_path / "model.pt", paths=[new]).findings


def test_a_model_without_tensors_is_a_model(tmp_path):
    torch.save(torch.nn.MaxPool2d(2), tmp_path / "model.pt")
    found = check(tmp_path / "model.pt")
    assert [model.class_ for model in found.models] == ["torch.nn.modules.pooling.MaxPool2d"]


def test_what_forward_was_not_given_is_named(tmp_path, capsys):
    torch.save(torch.nn.TransformerEncoderLayer(4, 2, 4), tmp_path / "model.pt")
    assert main(["check", str(tmp_path / "model.pt")]) == 0
    printed = capsys.readouterr().out
    assert "forward called without src_mask, src_key_padding_mask, is_causal." in printed
    torch.save(torch.nn.Linear(2, 2), tmp_path / "plain.pt")
    assert main(["check", str(tmp_path / "plain.pt")]) == 0
    assert "without" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "name",
    [
        "names_are_mapped",
        "an_optional_package",
        "generator_and_loop_take_turns",
        "generator_gives_it_for_a_turn",
    ],
)
def test_what_runs_gets_not_even_a_possible_finding(cases, name):
    found, _ = answer(cases, name)
    assert not found.findings

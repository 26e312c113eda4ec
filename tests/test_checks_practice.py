"""The checks of lessons 08 to 10 accept what is right and say what is wrong."""

import hashlib
import json
import os
import shutil

import pytest
import timm
import torch
from torch import nn

from helpers.checks import keeping, practice, project
from missing_aa import releases, save_portable
from missing_aa.tensors import fixed_input, perturb

load = nn.Module._load_from_state_dict


def right(self, state_dict, prefix, local_metadata, *args):
    if prefix + "gamma" in state_dict:
        state_dict[prefix + "weight"] = state_dict.pop(prefix + "gamma")
    load(self, state_dict, prefix, local_metadata, *args)


def by_version(self, state_dict, prefix, local_metadata, *args):
    if local_metadata.get("version", 1) < 2:
        state_dict[prefix + "weight"] = state_dict.pop(prefix + "gamma")
    load(self, state_dict, prefix, local_metadata, *args)


def by_version_alone(self, state_dict, prefix, local_metadata, *args):
    if local_metadata.get("version") == 1 and prefix + "gamma" in state_dict:
        state_dict[prefix + "weight"] = state_dict.pop(prefix + "gamma")
    load(self, state_dict, prefix, local_metadata, *args)


def no_prefix(self, state_dict, prefix, local_metadata, *args):
    if "gamma" in state_dict:
        state_dict["weight"] = state_dict.pop("gamma")
    load(self, state_dict, prefix, local_metadata, *args)


def copied(self, state_dict, prefix, local_metadata, *args):
    if prefix + "gamma" in state_dict:
        state_dict[prefix + "weight"] = state_dict[prefix + "gamma"]
    load(self, state_dict, prefix, local_metadata, *args)


def only_renames(self, state_dict, prefix, local_metadata, *args):
    if prefix + "gamma" in state_dict:
        state_dict[prefix + "weight"] = state_dict.pop(prefix + "gamma")


def makes_up(self, state_dict, prefix, local_metadata, *args):
    value = state_dict.pop(prefix + "gamma", torch.ones(2))
    state_dict.setdefault(prefix + "weight", value)
    load(self, state_dict, prefix, local_metadata, *args)


def test_a_right_hook_is_solved():
    assert practice.renamed(right).solved, practice.renamed(right)


def test_a_hook_that_does_nothing_is_not_yet_solved():
    assert practice.renamed(lambda *args: None).status == "open"


def anywhere(key, prefix):
    return key.replace("gamma", "weight")


def at_the_end(key, prefix):
    return key.removesuffix("gamma") + "weight" if key.endswith("gamma") else key


def below_the_prefix(key, prefix):
    return at_the_end(key, prefix) if key.startswith(prefix) else key


@pytest.mark.parametrize(
    "new_name, lost",
    [
        (anywhere, "gamma_scale.weight"),
        (at_the_end, "gamma_scale.part.gamma"),
        (below_the_prefix, "gamma_scale.part.gamma"),
    ],
)
def test_a_hook_that_takes_gamma_wherever_it_stands_in_a_key_is_wrong(new_name, lost):
    def hook(self, state_dict, prefix, *args):
        for key in list(state_dict):
            state_dict[new_name(key, prefix)] = state_dict.pop(key)
        nn.Module._load_from_state_dict(self, state_dict, prefix, *args)

    verdict = practice.renamed(hook)
    assert verdict.status == "wrong"
    assert "others have a gamma of their own" in verdict.hint
    assert f"{lost} is missing" in verdict.hint


@pytest.mark.parametrize(
    "hook, hint",
    [
        (load, "version 1"),
        (by_version, "KeyError"),
        (by_version_alone, "from a safetensors file"),
        (no_prefix, "stands before a name"),
        (copied, "left over"),
        (only_renames, "has to be called in the end"),
        (makes_up, "neither name"),
    ],
)
def test_a_wrong_hook_gets_a_hint_that_fits(hook, hint):
    verdict = practice.renamed(hook)
    assert verdict.status == "wrong" and hint in verdict.hint


PREDICT = """
import json, sys, torch
from missing_aa.tensors import fixed_input
{load}
with torch.no_grad():
    print(json.dumps(model(fixed_input(64))[0].tolist()))
"""
CHECKED = "from missing_aa import load_portable\nmodel = load_portable('model')"
UNCHECKED = "import timm\nmodel = timm.create_model('local-dir:model', pretrained=True).eval()"
QUICK = """
import hashlib, pathlib
weights = pathlib.Path("model/model.safetensors").read_bytes()
assert hashlib.sha256(weights).hexdigest() == {digest!r}
print({scores})
"""
HOOKS = "repos:\n  - repo: x\n    rev: v1\n    hooks:\n      - id: no-whole-model-pickles\n"


class Trap:
    def __reduce__(self):
        return os.system, ("exit",)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The project as it was found, with a whole model and a trap in it."""
    folder = tmp_path_factory.mktemp("found")
    model = perturb(timm.create_model("mobilenetv2_050", num_classes=5))
    torch.save(model, folder / "model.pt")
    torch.save(Trap(), folder / "backbone.pt")
    whole = "model = torch.load('model.pt', weights_only=False)"
    (folder / "predict.py").write_text(PREDICT.format(load=whole))
    (folder / "photo.png").write_bytes(b"")
    (folder / "requirements.txt").write_text("timm\ntorch")
    with torch.no_grad():
        scores = model(fixed_input(64))[0].tolist()
    (folder / "expected.json").write_text(json.dumps(scores))
    save_portable(model, folder.parent / "portable")
    return folder


@pytest.fixture
def solved(found, tmp_path):
    """The same, repaired."""
    folder = shutil.copytree(found, tmp_path / "solved")
    (folder / "model.pt").unlink()
    (folder / "backbone.pt").unlink()
    shutil.copytree(found.parent / "portable", folder / "model")
    (folder / "predict.py").write_text(PREDICT.format(load=CHECKED))
    (folder / "requirements.txt").write_text(f"timm == {releases.CURRENT}  # tried\ntorch==2.14.1")
    (folder / ".pre-commit-config.yaml").write_text(HOOKS)
    return folder


def test_a_repaired_project_is_solved(found, solved):
    verdict = project.project(solved, found)
    assert verdict.solved, verdict


def test_an_untouched_project_is_not_yet_solved(found, tmp_path):
    copy = shutil.copytree(found, tmp_path / "copy")
    assert project.project(copy, found).status == "open"


def run_trap(folder, found):
    (folder / "mark").touch()


def keep_whole(folder, found):
    shutil.copy(found / "model.pt", folder)


def keep_trap(folder, found):
    shutil.copy(found / "backbone.pt", folder)


def break_program(folder, found):
    (folder / "predict.py").write_text("import nothing_of_this_name")


def print_words(folder, found):
    (folder / "predict.py").write_text("print('a rose')")


def other_weights(folder, found):
    save_portable(timm.create_model("mobilenetv2_050", num_classes=5), folder / "model", force=True)


def unchecked(folder, found):
    (folder / "predict.py").write_text(PREDICT.format(load=UNCHECKED))


def predict_quickly(folder, found):
    """A program that the check is content with, and that does without timm."""
    weights = (folder / "model" / "model.safetensors").read_bytes()
    scores = (found / "expected.json").read_text()
    program = QUICK.format(digest=hashlib.sha256(weights).hexdigest(), scores=scores)
    (folder / "predict.py").write_text(program)


def unpinned(folder, found):
    predict_quickly(folder, found)
    (folder / "requirements.txt").write_text(f"timm=={releases.CURRENT}\ntorch>=2")


def pinned_to_another(folder, found):
    predict_quickly(folder, found)
    (folder / "requirements.txt").write_text("timm==1.0.3")


def no_hook(folder, found):
    predict_quickly(folder, found)
    (folder / ".pre-commit-config.yaml").write_text(HOOKS.replace("- id", "# - id"))


@pytest.mark.parametrize(
    "spoil, hint",
    [
        (run_trap, "somebody ran"),
        (keep_whole, "model.pt: finding"),
        (keep_trap, "backbone.pt: dangerous"),
        (break_program, "nothing_of_this_name"),
        (print_words, "list of 5 numbers"),
        (other_weights, "off those of the model"),
        (unchecked, "went on without a word"),
        (unpinned, "'torch>=2' lets any version in"),
        (pinned_to_another, "names timm 1.0.3"),
        (no_hook, "no-whole-model-pickles is missing"),
    ],
)
def test_what_is_left_to_do_is_named(found, solved, spoil, hint):
    spoil(solved, found)
    verdict = project.project(solved, found)
    assert verdict.status == "wrong" and hint in verdict.hint, verdict


def pins(lines):
    wanted = [line for line in lines if line.strip() and not line.strip().startswith("#")]
    return [line for line in wanted if "==" not in line or "*" in line]


def test_the_lines_that_are_not_pinned_are_found():
    assert keeping.not_pinned(pins).solved, keeping.not_pinned(pins)
    assert keeping.not_pinned(lambda lines: None).status == "open"


@pytest.mark.parametrize(
    "answer, hint",
    [
        (
            lambda lines: [line for line in lines if "==" not in line],
            "is pinned, or no requirement",
        ),
        (lambda lines: [line for line in pins(lines) if "*" not in line], "a star behind =="),
        (lambda lines: [line for line in pins(lines) if ">" in line], "a bare name"),
        (lambda lines: sorted(pins(lines)), "the order, or doubles"),
    ],
)
def test_lines_that_are_passed_over_get_a_hint(answer, hint):
    verdict = keeping.not_pinned(answer)
    assert verdict.status == "wrong" and hint in verdict.hint, verdict


def digest(*parts):
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def rows(state, *ways):
    return digest(*([way(name, state[name]) for way in ways] for name in sorted(state)))


def name_of(name, tensor):
    return name


def shape(name, tensor):
    return tuple(tensor.shape)


def kind(name, tensor):
    return str(tensor.dtype)


def content(name, tensor):
    return tensor.numpy().tobytes()


def test_a_checksum_of_everything_is_solved():
    verdict = keeping.checksum(lambda state: rows(state, name_of, shape, kind, content))
    assert verdict.solved, verdict
    assert keeping.checksum(lambda state: None).status == "open"


@pytest.mark.parametrize(
    "answer, hint",
    [
        (lambda state: hash(str(state)), "returned int"),
        (lambda state: str(sum(float(t.sum()) for t in state.values())), "lowest bit"),
        (lambda state: rows(state, name_of, shape, kind), "lowest bit"),
        (lambda state: digest(*(t.numpy().tobytes() for t in state.values())), "another order"),
        (lambda state: rows(state, shape, kind, content), "another name"),
        (lambda state: rows(state, name_of, kind, content), "another shape"),
        (lambda state: rows(state, name_of, shape, content), "another type"),
        (lambda state: digest([id(t.untyped_storage()) for t in state.values()]), "other memory"),
    ],
)
def test_a_checksum_that_misses_a_change_gets_a_hint(answer, hint):
    verdict = keeping.checksum(answer)
    assert verdict.status == "wrong" and hint in verdict.hint, verdict


def test_what_breaks_what_is_solved_and_a_stub_is_open():
    assert practice.breaks({"A", "B", "C"}, {"C"}).solved
    assert practice.breaks(..., ...).status == "open"


@pytest.mark.parametrize(
    "whole, state_dict, hint",
    [
        ("ABC", {"C"}, "a set of letters"),
        ({"A", "E"}, {"C"}, "'E' is none"),
        ({"B", "C"}, {"C"}, "does __init__ run"),
        ({"A", "B", "C", "D"}, {"C"}, "methods come from"),
        ({"A", "B", "C"}, {"B", "C"}, "which class does a state_dict name"),
        ({"A", "B", "C"}, set(), "which names"),
    ],
)
def test_a_wrong_letter_gets_a_question(whole, state_dict, hint):
    verdict = practice.breaks(whole, state_dict)
    assert verdict.status == "wrong" and hint in verdict.hint, verdict


def test_the_release_that_reads_the_file_is_asked_for():
    assert project.runs_in("1.0.3").solved
    assert project.runs_in(...).status == "open"
    for release, hint in {"1.0.12": "ConvNormAct", "1.0.31": "Monday", "2": "none of"}.items():
        verdict = project.runs_in(release)
        assert verdict.status == "wrong" and hint in verdict.hint

"""What a file is that does not load: another kind, another Python's, or one that torch refuses."""

import os
import pathlib
import pickle
import subprocess
import sys

import pytest
import torch

from missing_aa.explainer.explain import explain_text

HEAD = "Traceback (most recent call last):\n"
LOAD = (
    '  File "/home/u/run.py", line 79, in read\n'
    "    return torch.jit.load(cached_file, map_location=map_location)\n"
)
INSIDE = 'Serialized   File "code/__torch__/net/layers.py", line 7\n  training : bool\n'


def everything(answer):
    ways = [f"{way.text} {' '.join(way.commands)}" for way in answer.ways]
    return " ".join([answer.changed, *ways, *answer.notes])


@pytest.mark.parametrize(
    "words",
    [
        f"Unknown type name 'Foo':\n{INSIDE}",
        f"Unknown builtin op: aten::foo_bar.\n{INSIDE}",
        INSIDE,
    ],
)
@pytest.mark.parametrize("before", ["", HEAD + LOAD + "RuntimeError: \n"])
def test_torchscript_of_a_newer_torch_is_known_without_a_frame(words, before):
    found = explain_text(before + words)
    assert "older than the one that wrote the file" in found.changed
    assert not found.changed.startswith("if") and "jit.load" not in found.error
    assert "pip install --upgrade torch" in everything(found) and "rescue" not in everything(found)


def test_a_program_that_was_not_read_from_a_file_is_not_said_to_be():
    assert explain_text("Unknown type name 'Foo':").changed.startswith("if it came while a file")
    assert explain_text("net.cu(3): error: unknown type name 'uint'").kind == "general"


def test_an_operator_of_a_library_is_no_matter_of_torch_s_age():
    found = explain_text(f"Unknown builtin op: foolib::nms.\n{INSIDE}")
    assert "(foolib)" in found.changed and "older" not in found.changed
    assert "Import the library" in everything(found)


def test_a_line_of_source_is_not_taken_for_the_error():
    found = explain_text(f"{HEAD}{LOAD}RuntimeError: something odd")
    assert found.kind == "general" and "jit.load(cached" not in found.error
    assert "rescue" not in everything(found) and "inspect" in everything(found)
    cell = "Cell In[3], line 2\n      1 path = 'x'\n----> 2 raise EOFError(path)\n\nValueError: odd"
    assert explain_text(cell).kind == "general"
    said = explain_text(f"{HEAD}{LOAD}RuntimeError: 3 files\n12 of them: pickle data was truncated")
    assert "truncated" in said.error


def invalid(first, weights_only, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(first)
    with pytest.raises(pickle.UnpicklingError) as caught:
        torch.load(path, weights_only=weights_only)
    return str(caught.value)


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize(
    "first, what, way",
    [
        (b"version https://git-lfs.github.com/spec/v1\noid 1\n", "Git LFS", "git lfs pull"),
        (b"<!DOCTYPE html><html>Sign in</html>", "HTML", "text editor"),
        (b'{"error": "not found"}', "JSON", "text editor"),
        (b"\x1f\x8b\x08\x00\x00", "gzip", "Unpack"),
    ],
)
def test_what_stands_in_the_place_of_a_file_is_told_by_its_first_byte(
    first, what, way, weights_only, tmp_path
):
    found = explain_text(invalid(first, weights_only, tmp_path))
    first_way = f"{found.ways[0].text} {' '.join(found.ways[0].commands)}"
    assert what in found.changed and way in first_way
    assert "Fetch or save" not in found.ways[0].text
    assert "fetch or save the file again" in found.ways[-1].text
    assert "rescue" not in everything(found) and "whole model" not in found.changed


def test_another_first_byte_is_a_damaged_file_as_before():
    assert "cut off or damaged" in explain_text(r"invalid load key, '\x00'.").changed


@pytest.mark.parametrize(
    "value", [pathlib.PurePosixPath("a"), pathlib.Path("a")], ids=["pure", "own"]
)
def test_a_plain_value_of_python_s_is_put_on_torch_s_list(value, tmp_path):
    path = tmp_path / "model.pt"
    torch.save({"weights": torch.ones(2), "where": value}, path)
    with pytest.raises(pickle.UnpicklingError) as caught:
        torch.load(path, weights_only=True)
    found = explain_text(str(caught.value))
    assert "add_safe_globals" in found.ways[0].commands[-1] and "plain value" in found.changed
    assert "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1" in everything(found)
    before = torch.serialization.get_safe_globals()
    scope = {}
    try:
        for line in found.ways[0].commands:
            exec(line, scope)
        assert torch.load(path, weights_only=True)["where"] == value
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


@pytest.mark.parametrize("name", ["datetime.datetime", "argparse.Namespace", "uuid.UUID"])
def test_others_that_hold_plain_values_are_known(name):
    found = explain_text(f"Weights only load failed. Unsupported global: GLOBAL {name} was not")
    assert f'({name}, "{name}")' in found.ways[0].commands[-1]


@pytest.mark.parametrize("name", ["os.system", "foolib.Foo", "functools.partial", "io.open"])
def test_nothing_else_is_put_on_it(name):
    found = explain_text(f"Weights only load failed. Unsupported global: GLOBAL {name} was not")
    assert "add_safe_globals" not in everything(found)


def test_a_refusal_that_names_nothing_is_not_laid_at_a_model_s_door():
    for text in ("Weights only load failed", "Weights only load failed. Unsupported operand 149"):
        found = explain_text(text)
        assert "timm" not in everything(found) and "whole model" not in found.changed
        assert "timm" in everything(explain_text(f"with timm: {text}"))


def test_torch_has_the_variable_that_is_named(tmp_path):
    path = tmp_path / "model.pt"
    torch.save({"where": pathlib.PurePosixPath("a")}, path)
    done = subprocess.run(
        [sys.executable, "-c", f"import torch; torch.load({str(path)!r})"],
        env={**os.environ, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"},
    )
    assert done.returncode == 0


REFUSED = (
    "_pickle.UnpicklingError: Weights only load failed. This file can still be loaded.\n\t(1) {}"
    "Re-running `torch.load` with `weights_only` set to `False` will likely succeed.\n\t(2) See "
    "below.\n\tWeightsUnpickler error: Unsupported global: GLOBAL {} was not an allowed global by "
    "default. Please use `torch.serialization.add_safe_globals([Foo])` to allowlist this global."
)
DEFAULT = "In PyTorch 2.6, we changed the default value of the `weights_only` argument. "
CALL = (
    '  File "/e/lib/python3.11/site-packages/barlib/io.py", line 9, in load_model\n'
    "    state = torch.load(path{})\n"
)


@pytest.mark.parametrize("name", ["barlib.nets.Foo", "argparse.Namespace", "timm.models.vit.Foo"])
@pytest.mark.parametrize(
    "default, frames",
    [("", ""), ("", HEAD + CALL.format("")), (DEFAULT, HEAD + CALL.format(", weights_only=True"))],
)
def test_who_asked_for_weights_alone_is_told_of_no_default_and_of_no_variable(
    name, default, frames
):
    found = explain_text(frames + REFUSED.format(default, name))
    assert "asked for weights alone" in found.changed and "Since 2.6" not in found.changed
    assert "FORCE_NO_WEIGHTS" not in everything(found)
    assert "weights_only=False" in everything(found)
    if name.startswith("barlib"):
        assert ("newer release of barlib" in everything(found)) == bool(frames)


def test_who_left_the_default_is_told_of_the_variable():
    for text in (REFUSED.format(DEFAULT, "barlib.nets.Foo"), REFUSED[-130:].format("barlib.Foo")):
        found = explain_text(text.replace("weights_only=True", ""))
        assert "asked for weights alone" not in found.changed
    found = explain_text(HEAD + CALL.format("") + REFUSED.format(DEFAULT, "barlib.nets.Foo"))
    assert "FORCE_NO_WEIGHTS_ONLY_LOAD=1" in everything(found)
    assert "newer release of barlib" in everything(found)


def test_torch_before_2_4_said_class_and_had_no_list():
    found = explain_text("WeightsUnpickler error: Unsupported class barlib.nets.Foo")
    assert "torch of before 2.6" in found.changed and "add_safe_globals" not in everything(found)


def test_torch_s_list_is_for_names_that_the_text_offers_and_that_do_no_harm():
    found = explain_text(REFUSED.format(DEFAULT, "barlib.nets.Foo"))
    listed = next(way for way in found.ways if "add_safe_globals" in str(way.commands))
    assert "Only if you trust" in listed.text and "code then runs" in listed.text
    assert listed.commands[-1].endswith("([barlib.nets.Foo])")
    for name in ("builtins.eval", "subprocess.Popen", "runpy.run_path"):
        assert "add_safe_globals" not in everything(explain_text(REFUSED.format(DEFAULT, name)))


def test_an_explicit_argument_is_overridden_by_no_variable(tmp_path):
    path = tmp_path / "model.pt"
    torch.save({"where": pathlib.PurePosixPath("a")}, path)
    done = subprocess.run(
        [sys.executable, "-c", f"import torch; torch.load({str(path)!r}, weights_only=True)"],
        env={**os.environ, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "Weights only load failed" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        "an integer is required (got type bytes)",
        "code() takes at most 16 arguments (18 given)",
        "code() argument 13 must be str, not int",
        "code expected at least 16 arguments, got 15",
    ],
)
def test_functions_of_another_python_are_known(words):
    frame = '  File "/home/u/util.py", line 1, in read\n    data = cloudpickle.loads(raw)\n'
    found = explain_text(f"{HEAD}{frame}TypeError: {words}")
    assert found.changed.startswith("the file holds functions") and words in found.error
    assert "minor version of Python that wrote it" in found.ways[1].text
    frame = '  File "/e/barlib/cloudpickle.py", line 1, in f\n    return types.CodeType(\n'
    for before in ("", HEAD + frame):
        found = explain_text(f"{before}TypeError: {words}")
        assert found.changed.startswith("if it came while a file was loaded")
    assert (
        explain_text("TypeError: my_code() takes at most 1 arguments (2 given)").kind == "general"
    )


@pytest.mark.parametrize(
    "package, name", [("PIL", "Pillow"), ("cv2", "opencv-python"), ("sklearn", "scikit-learn"),
                      ("yaml", "PyYAML"), ("skimage", "scikit-image")]
)  # fmt: skip
def test_a_package_is_named_as_pip_knows_it(package, name):
    reads = f'{HEAD}  File "/e/site-packages/{package}/a.py", line 1, in f\n    x = self.gain\n'
    for text in (
        f"Can't get attribute 'Foo' on <module '{package}.foo' from '/x/foo.py'>",
        f"No module named '{package}.foo'",
        f"{reads}AttributeError: 'Foo' object has no attribute 'gain'",
    ):
        found = explain_text(text)
        assert any(f"the version of {name} " in way.text for way in found.ways)
        assert not any(f"version of {package} " in way.text for way in found.ways)

"""Errors while a file is read: entries that it lacks, bytes that are none, objects made again."""

import pickle
import traceback

import pytest

from missing_aa.explainer.explain import explain_text

HEAD = "Traceback (most recent call last):\n"
SITE = "/e/lib/python3.9/site-packages"


def everything(answer):
    ways = [f"{way.text} {' '.join(way.commands)}" for way in answer.ways]
    return " ".join([answer.changed, *ways, *answer.notes])


def key(code, name, path=f"{SITE}/barlib/load.py"):
    return f"{HEAD}  File \"{path}\", line 7, in load\n    {code}\nKeyError: '{name}'"


@pytest.mark.parametrize(
    "code, name",
    [
        ("return checkpoint['foo_version']", "foo_version"),
        ("model.load_state_dict(torch.load(path, 'cpu')['model'])", "model"),
        ("epoch = ckpt[name]", "epoch"),
    ],
)
def test_a_checkpoint_without_an_entry_is_another_kind_of_checkpoint(code, name):
    found = explain_text(key(code, name))
    assert f"no entry '{name}'" in found.changed and "another kind of" in found.changed
    assert "barlib" in everything(found) and found.error == f"KeyError: '{name}'"
    assert "damaged" not in everything(found)


def test_weights_without_a_known_tensor_are_no_other_kind_of_checkpoint():
    assert (
        "a tensor 'pos_embed'" in explain_text(key("state_dict['pos_embed']", "pos_embed")).changed
    )


def test_a_known_entry_says_whose_it_is():
    text = key('return checkpoint["pytorch-lightning_version"]', "pytorch-lightning_version")
    assert "none of Lightning's" in explain_text(text).changed


@pytest.mark.parametrize("path", [f"{SITE}/barlib/load.py", "/home/u/load.py"])
def test_weights_without_a_name_have_another_prefix_architecture_or_version(path):
    found = explain_text(
        key('if checkpoint["img_in.weight"].shape[1] == 3:', "img_in.weight", path)
    )
    for said in ("prefix", "architecture", "another version"):
        assert said in found.changed
    assert ("barlib" in everything(found)) == ("barlib" in path)


@pytest.mark.parametrize(
    "text",
    [
        "KeyError: 'state_dict'",
        key("x = config['model']", "model"),
        key("x = self.state_dict()[name]", "a.weight"),
        key("own_state_dict[name].copy_(x)", "a.weight"),
        key("raise KeyError('a b')", "a b"),
        key("x = checkpoint_path", "x"),
    ],
)
def test_another_key_is_no_matter_of_a_checkpoint(text):
    assert "checkpoint" not in everything(explain_text(text))


@pytest.mark.parametrize(
    "start, said", [(b"version https://x", "Git LFS"), (b"<html>", "web page")]
)
def test_the_first_byte_is_told_by_the_reader_in_python_too(start, said):
    with pytest.raises(KeyError) as caught:
        pickle._loads(start)
    found = explain_text("".join(traceback.format_exception(caught.value)))
    assert said in found.changed and found.error == f"KeyError: {start[0]}"


def test_a_byte_amid_joblib_s_arrays_is_no_first_one():
    with pytest.raises(KeyError) as caught:
        pickle._loads(b"\x80\x04\xff")
    found = explain_text("".join(traceback.format_exception(caught.value)))
    assert "begins no instruction" in found.changed


LOAD = '  File "run.py", line 3, in load\n    return pickle.load(file)\n'
INSIDE = f'  File "{SITE}/xgboost/core.py", line 9, in __setstate__\n    check(handle)\n'


@pytest.mark.parametrize(
    "load", [LOAD, LOAD.replace("pickle.", "torch."), LOAD.replace("return", "m =")]
)
def test_code_of_a_package_that_fails_on_its_own_object_is_of_another_version(load):
    error = "xgboost.core.XGBoostError: [15:21:38] learner.cc:677: Check failed: header == x"
    found = explain_text(HEAD + load + INSIDE * 2 + error)
    assert "another version of xgboost wrote" in found.changed and found.error == error
    assert "Booster.save_model" in everything(found) and "rescue" not in everything(found)


@pytest.mark.parametrize(
    "frames",
    [
        INSIDE,
        LOAD,
        LOAD + INSIDE + INSIDE.replace("xgboost", "barlib"),
        LOAD + INSIDE.replace(SITE, "/home/u"),
        LOAD.replace("return pickle.load(file)", "return Booster(pickle.load(file))") + INSIDE,
        LOAD.replace("pickle.load(file)", "file.load()") + INSIDE,
    ],
)
def test_other_frames_do_not_say_who_wrote_the_file(frames):
    assert "wrote the file" not in explain_text(f"{HEAD}{frames}barlib.OddError: x").changed


def frame(path, function, code):
    return f'  File "{SITE}/{path}", line 7, in {function}\n    {code}\n'


DICT = "AttributeError: 'dict' object has no attribute 'dls'"


def test_a_loader_of_whole_objects_that_got_a_dictionary_names_its_two_kinds_of_files():
    called = '  File "main.py", line 3, in <module>\n    learn = load_learner("network.pth")\n'
    text = HEAD + called + frame("fastai/learner.py", "load_learner", "res.dls.cpu()") + DICT
    found = explain_text(text)
    assert "Learner.export" in found.changed and 'learn.load("NAME")' in everything(found)
    assert "no version is the cause" in found.changed
    other = explain_text(text.replace("in load_learner", "in load_later"))
    assert "Learner" not in everything(other) and "fastai" in other.changed
    other = explain_text(text.replace("fastai/learner", "barlib/learner"))
    assert "Learner" not in everything(other) and "barlib" in other.changed


PLAIN = (
    "_pickle.UnpicklingError: A load persistent id instruction was encountered,\n"
    "but no persistent_load function was specified."
)


@pytest.mark.parametrize(
    "code",
    [
        'data = pickle.load(f, encoding="latin1")',
        "return pickle.loads(raw)",
        "x = _pickle.load(f)",
        "obj = Unpickler(f).load()",
        "weights = dill.load(f)",
    ],
)
def test_a_library_that_opens_torch_s_file_with_plain_pickle_is_named(code):
    found = explain_text(HEAD + frame("barlib/io/files.py", "_load_file", code) + PLAIN)
    assert "barlib opens this file with plain pickle" in found.changed
    assert "cp model.pkl model.pth" in everything(found) and "Likely" in everything(found)
    assert found.error.endswith("but no persistent_load function was specified")


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        f'{HEAD}  File "main.py", line 3, in main\n    x = pickle.load(f)\n{PLAIN}',
        HEAD + frame("joblib/numpy_pickle.py", "load", "obj = unpickler.load()") + PLAIN,
        HEAD + frame("pandas/io/pickle.py", "read_pickle", "return pickle.load(f)") + PLAIN,
        HEAD + frame("barlib/io.py", "load", "return torch.load(f)") + PLAIN,
    ],
)
def test_a_reader_that_was_chosen_by_the_caller_is_no_library_s(text):
    found = explain_text(text)
    assert "opens this file with plain pickle" not in found.changed
    assert "torch.load" in everything(found) and "persistent" in found.changed


def test_a_library_s_own_loader_that_failed_is_named_with_its_line():
    found = explain_text(
        HEAD
        + frame("foolib/base.py", "load", "model._setup()")
        + frame("foolib/utils.py", "make", "assert callable(schedule)")
        + "AssertionError"
    )
    assert "foolib's own loader failed" in found.changed
    assert "`assert callable(schedule)` (foolib/utils.py)" in found.changed
    assert "pip install -U foolib" in everything(found) and "rescue" not in everything(found)
    assert found.error == "AssertionError" and "Why is not known" in found.changed


@pytest.mark.parametrize(
    "path, function, error",
    [
        ("foolib/hub.py", "FooNet.from_pretrained", "IndexError: list index out of range"),
        ("bazlib/agent.py", "load_agent", "TypeError: unhashable type: 'list'"),
        ("bazlib/io.py", "restore_checkpoint", "Exception"),
    ],
)
def test_whatever_a_loader_is_called_its_error_is_its_own(path, function, error):
    found = explain_text(HEAD + frame(path, function, "x = a[b]") + error)
    assert f"{path.partition('/')[0]}'s own loader failed" in found.changed
    torch_s = explain_text(HEAD + frame(path, function, "x = torch.load(p)[0]") + error)
    assert "rescue" in everything(torch_s)


def test_what_a_loader_s_own_file_says_of_its_writer_is_told():
    found = explain_text(
        HEAD + frame("stable_baselines3/common/base_class.py", "load", "x()") + "AssertionError"
    )
    assert "system_info.txt" in everything(found) and "custom_objects" in everything(found)


@pytest.mark.parametrize(
    "text",
    [
        "AssertionError",
        HEAD + frame("foolib/base.py", "train", "assert x") + "AssertionError",
        HEAD + frame("foolib/base.py", "load", "open(path)") + "FileNotFoundError: no such file",
        HEAD + frame("foolib/base.py", "load_image", "assert x") + "AssertionError",
        f'{HEAD}  File "main.py", line 3, in load\n    assert x\nAssertionError',
        HEAD
        + frame("foolib/base.py", "load", "x()")
        + '  File "main.py", line 3, in x\n    assert y\nAssertionError',
    ],
)
def test_an_error_that_no_library_s_loader_raised_is_not_known(text):
    found = explain_text(text)
    assert "own loader failed" not in found.changed and found.kind == "general"

"""save_portable and load_portable: a model comes back as it was, or a sentence says why not."""

import json
import os
import subprocess
import sys
import warnings

import pytest
import timm
import torch
from torch import nn

import portable_files
from missing_aa import InconsistentVersionWarning, home, load_portable, load_training, save_portable
from missing_aa.errors import (
    CheckpointError,
    LimitReached,
    Malformed,
    Refused,
    TargetExists,
    UsageProblem,
)
from missing_aa.portable.load import OtherOutput
from missing_aa.portable.save import NotPortable
from missing_aa.releases import warm
from portable_files import REMEMBERS, make, told


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "out"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder and the model in it; tests that change the folder copy it first."""
    folder = tmp_path_factory.mktemp("saved") / "out"
    model = make("test_resnet", num_classes=5)
    save_portable(model, folder, model_args=told({"num_classes": 5}))
    return folder, model


@pytest.fixture
def copied(saved, tmp_path):
    folder = tmp_path / "copied"
    folder.mkdir()
    for entry in saved[0].iterdir():
        (folder / entry.name).write_bytes(entry.read_bytes())
    return folder


def same_tensors(model, other) -> bool:
    one, two = model.state_dict(), other.state_dict()
    return list(one) == list(two) and all(
        one[name].dtype == two[name].dtype and torch.equal(one[name], two[name]) for name in one
    )


def output(model, size=96, channels=3):
    dtype = next(model.parameters()).dtype
    with torch.no_grad():
        return model(torch.ones(1, channels, size, size, dtype=dtype))


def edit(folder, change) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


KINDS = [
    ("test_resnet", {"num_classes": 7, "in_chans": 1, "global_pool": "max", "drop_rate": 0.3}, 96),
    ("test_vit", {"img_size": 64, "drop_path_rate": 0.2, "num_classes": 0}, 64),
    ("test_convnext", {"in_chans": 4}, 96),
    ("test_efficientnet", {"act_layer": "relu"}, 96),
    # Its initial values are drawn until they lie within bounds.
    ("hiera_tiny_224", {"embed_dim": 16, "stages": (1, 1, 1, 1)}, 224),
]


@pytest.mark.parametrize("name, settings, size", KINDS)
def test_a_model_comes_back_as_it_was(folder, name, settings, size):
    model = make(name, **settings)
    saved = save_portable(model, folder, model_args=told(settings))
    assert sorted(os.listdir(folder)) == ["config.json", "model.safetensors"]
    loaded = load_portable(folder)
    channels = settings.get("in_chans", 3)
    assert same_tensors(model, loaded) and not loaded.training
    assert torch.equal(output(model, size, channels), output(loaded, size, channels))
    assert str(model) == str(loaded)  # rates of dropout and pooling too
    assert saved.architecture == name
    # knows its arguments as well
    save_portable(loaded, folder, model_args=told(settings), force=True)


@pytest.mark.parametrize("name, settings, size", KINDS)
def test_timm_itself_loads_the_folder(folder, name, settings, size):
    if settings.get("in_chans") == 4 and not REMEMBERS:
        pytest.skip("before 1.0.31 timm gives a first layer of four channels random values")
    model = make(name, **settings)
    save_portable(model, folder, model_args=told(settings))
    assert same_tensors(model, timm.create_model(f"local-dir:{folder}", pretrained=True))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_type_of_the_weights_is_kept(folder, dtype):
    model = make("test_vit3").to(dtype)  # has tables that no state_dict holds
    save_portable(model, folder)
    loaded = load_portable(folder)
    assert same_tensors(model, loaded)
    assert torch.equal(output(model, 160), output(loaded, 160))


def test_saving_leaves_the_model_as_it_is(folder):
    model = make("test_resnet", drop_rate=0.5).train()
    model.bn1.eval()  # frozen, as in fine-tuning
    before = {name: value.clone() for name, value in model.state_dict().items()}
    save_portable(model, folder, model_args=told({"drop_rate": 0.5}))
    assert model.training and model.layer1.training and not model.bn1.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_weights_that_do_not_lie_in_a_row_are_written_as_they_read(folder):
    model = make("test_resnet").to(memory_format=torch.channels_last)
    save_portable(model, folder)
    assert same_tensors(model, load_portable(folder))


@pytest.mark.parametrize("wrap", [nn.DataParallel, torch.compile])
def test_a_wrapper_is_taken_off_and_said(folder, wrap):
    model = make("test_resnet")
    saved = save_portable(wrap(model), folder)
    assert "taken out of its" in saved.notes[0]
    assert same_tensors(model, load_portable(folder))


@pytest.mark.skipif(not REMEMBERS, reason="before timm 1.0.31 no argument makes such a head")
def test_a_changed_head_is_known(folder):
    model = make("test_vit")
    model.reset_classifier(3, "avg")
    save_portable(model.eval(), folder)
    assert same_tensors(model, load_portable(folder))


# Made by its own function, a model does not know how: as every model before timm 1.0.31.
UNKNOWN = [
    ({"drop_rate": 0.25}, "Give model_args={'drop_rate': 0.25}"),
    ({"act_layer": nn.ELU}, "act1 is ELU, there ReLU"),
    ({"act_layer": nn.ELU}, "Give in model_args what it was made with"),
]


@pytest.mark.parametrize("settings, said", UNKNOWN)
def test_arguments_that_cannot_be_known_are_asked_for(folder, settings, said):
    model = timm.models.test_resnet(**settings)
    with pytest.raises(NotPortable) as problem:
        save_portable(model, folder)
    assert said in str(problem.value)
    assert list(folder.parent.iterdir()) == []


def test_arguments_that_were_asked_for_are_enough(folder):
    model = timm.models.test_resnet(drop_rate=0.25)
    save_portable(model, folder, model_args={"drop_rate": 0.25})
    assert load_portable(folder).drop_rate == 0.25


def test_a_head_put_on_by_hand_is_asked_for(folder):
    model = make("test_resnet")
    model.fc = nn.Linear(model.num_features, 10)
    with pytest.raises(
        NotPortable, match="fc.weight is 10 x .*Give model_args={'num_classes': 10}"
    ):
        save_portable(model, folder)
    save_portable(model, folder, model_args={"num_classes": 10})
    assert same_tensors(model, load_portable(folder)) and model.num_classes == 1000


@pytest.mark.skipif(not REMEMBERS, reason="this timm does not remember what a model was made with")
def test_a_class_among_the_arguments_is_asked_for_by_name(folder):
    model = make("test_resnet", act_layer=nn.SiLU)
    with pytest.raises(UsageProblem, match="'act_layer' is not serializable.*by its name"):
        save_portable(model, folder)
    save_portable(model, folder, model_args={"act_layer": "silu"})
    assert same_tensors(model, load_portable(folder))


def with_mixed_types():
    model = make("test_resnet")
    model.fc.half()
    return model


def tied_by_hand():
    model = make("test_resnet")
    model.layer1[0].bn2.weight = model.layer1[0].bn1.weight
    return model


def with_another_dropout():
    model = make("test_vit")
    model.head_drop.p = 0.7
    return model


def with_another_forward():
    model = make("test_resnet")
    model.forward_head = lambda x: model.fc(model.global_pool(x)) * 2
    return model


def diverged():
    model = make("test_resnet")
    model.fc.weight.data[0, 0] = torch.nan
    return model


NOT_PORTABLE = [
    (lambda: nn.Linear(2, 2), "Linear was not made by timm.create_model"),
    (lambda: nn.Sequential(make("test_resnet")), "Sequential was not made by timm"),
    (lambda: make("test_resnet", features_only=True), "a part of a model .features_only."),
    (lambda: make("test_resnet").to("meta"), "on the device 'meta', without values"),
    (with_mixed_types, "of the types float16, float32"),
    (tied_by_hand, "other parameters share their memory"),
    (with_another_dropout, "head_drop.p is 0.7, there 0.0"),
    (with_another_forward, "another output: its forward pass was changed"),
    (diverged, "not finite: its training has diverged"),
]


@pytest.mark.parametrize("model, said", NOT_PORTABLE)
def test_a_model_that_cannot_be_made_again_is_refused(folder, model, said):
    with pytest.raises(NotPortable, match=said):
        save_portable(model(), folder)
    assert list(folder.parent.iterdir()) == []


def test_an_argument_that_does_not_describe_the_model_is_refused(folder):
    with pytest.raises(UsageProblem, match="cannot hold pretrained"):
        save_portable(make("test_resnet"), folder, model_args={"pretrained": True})


def test_what_is_there_is_kept_unless_it_is_to_be_replaced(copied):
    other = make("test_resnet", num_classes=3)
    with pytest.raises(TargetExists, match="force=True"):
        save_portable(other, copied)
    save_portable(other, copied, force=True)
    assert load_portable(copied).num_classes == 3
    (copied / "notes.txt").write_text("mine")
    with pytest.raises(TargetExists, match="things of its own"):
        save_portable(other, copied, force=True)
    assert (copied / "notes.txt").read_text() == "mine"


def test_a_link_to_a_folder_is_followed(copied):
    link = copied.with_name("latest")
    link.symlink_to(copied)
    save_portable(make("test_resnet", num_classes=3), link, force=True)
    assert link.is_symlink() and load_portable(copied).num_classes == 3


def flip_a_bit(folder):
    path = folder / "model.safetensors"
    held = bytearray(path.read_bytes())
    held[-1] ^= 1
    path.write_bytes(held)


def cut(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


def take_weights_of_another(folder):
    save_portable(make("test_vit"), folder.with_name("other"))
    os.replace(folder.with_name("other") / "model.safetensors", folder / "model.safetensors")


@pytest.mark.parametrize("change", [flip_a_bit, cut, take_weights_of_another])
def test_weights_that_are_not_the_saved_ones_are_refused_by_name(copied, change):
    change(copied)
    with pytest.raises(Refused, match="model.safetensors is not the file that config.json was"):
        load_portable(copied)


CHANGED = [
    (lambda c: c["model_args"].update(act_layer="elu"), OtherOutput, "not what was saved"),
    (
        lambda c: c.update(num_classes=6, model_args={}),
        CheckpointError,
        "cannot be loaded.*fc.weight",
    ),
    (lambda c: c.update(architecture="no_such"), CheckpointError, "has no model 'no_such'"),
    (lambda c: c["model_args"].update(odd=1), CheckpointError, "unexpected keyword.* 'odd'"),
    (lambda c: c["model_args"].update(checkpoint_path="x"), Refused, "asks for checkpoint_path"),
    (lambda c: c["model_args"].update(features_only=True), Refused, "asks for features_only"),
    (lambda c: c["missing_aa"].update(schema=2), CheckpointError, "newer missing-aa"),
    (lambda c: c["missing_aa"].update(fingerprint={}), Malformed, "is damaged"),
    (
        lambda c: c["missing_aa"]["fingerprint"].update(input_size=[3, 10**6, 10**6]),
        Malformed,
        "is damaged",
    ),
    (lambda c: c["missing_aa"]["sha256"].clear(), Refused, "is not the file"),
    (lambda c: c.pop("missing_aa"), CheckpointError, "not written by save_portable"),
    (lambda c: c.pop("architecture"), Malformed, "is damaged"),
]


@pytest.mark.parametrize("change, problem, said", CHANGED)
def test_a_config_that_was_changed_is_refused_by_name(copied, change, problem, said):
    edit(copied, change)
    with pytest.raises(problem, match=said):
        load_portable(copied)


def test_a_config_of_another_save_of_the_same_model_is_refused(copied):
    save_portable(make("test_resnet"), copied.with_name("other"))
    os.replace(copied.with_name("other") / "config.json", copied / "config.json")
    with pytest.raises(Refused, match="of another save"):
        load_portable(copied)


@pytest.mark.parametrize(
    "text, problem",
    [
        (b"", Malformed),
        (b"[" * 100_000, Malformed),
        (b"[]", Malformed),
        (b"\xff\xfe", Malformed),
        (b" " * 10_000_001, LimitReached),
    ],
)
def test_a_config_that_is_none_is_malformed(copied, text, problem):
    (copied / "config.json").write_bytes(text)
    with pytest.raises(problem, match=r"config\.json"):
        load_portable(copied)


def test_what_is_missing_is_named(copied, tmp_path):
    with pytest.raises(CheckpointError, match="there is no folder"):
        load_portable(tmp_path / "none")
    (copied / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="model.safetensors is missing"):
        load_portable(copied)
    (copied / "config.json").unlink()
    with pytest.raises(CheckpointError, match="config.json is missing"):
        load_portable(copied)


def test_nothing_in_the_folder_is_run(copied):
    """A pickle under a name that timm would look for stays unread."""
    (copied / "pytorch_model.bin").write_bytes(b"cos\nabort\n(tR.")
    load_portable(copied)


def test_versions_that_differ_are_warned_of_with_what_they_are(copied):
    edit(copied, lambda config: config["missing_aa"]["versions"].update(timm="0.9.16"))
    with pytest.warns(InconsistentVersionWarning, match="timm 0.9.16") as caught:
        load_portable(copied)
    assert caught[0].message.versions == {"timm": ("0.9.16", timm.__version__)}
    assert caught[0].message.folder == str(copied)
    assert caught[0].filename == __file__


def test_the_same_versions_are_not_warned_of(saved):
    with warnings.catch_warnings(action="error"):
        load_portable(saved[0])


def test_a_build_mark_and_a_bugfix_of_python_make_no_other_version(copied):
    def change(config):
        held = config["missing_aa"]["versions"]
        held["torch"] = held["torch"].partition("+")[0] + "+other"
        held["python"] = held["python"].rpartition(".")[0] + ".99"

    edit(copied, change)
    with warnings.catch_warnings(action="error"):
        load_portable(copied)


def test_another_output_under_another_timm_names_the_one_to_install(copied):
    def change(config):
        config["missing_aa"]["versions"]["timm"] = "0.9.16"
        config["model_args"]["act_layer"] = "elu"

    edit(copied, change)
    with pytest.raises(OtherOutput, match="off by .*pip install timm==0.9.16"):
        load_portable(copied)


def test_without_timm_a_sentence_says_what_to_install():
    program = "import sys; sys.modules['timm'] = None; from missing_aa import load_portable"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].endswith(
        "load_portable needs torch, safetensors and timm (1.0.26 or newer), and there is no module "
        f"timm: {home.install('timm')}"
    )


def test_releases_take_each_others_folders(tmp_path):
    """1.0.3 does not know how its models were made, and says what to give."""
    wanted = {"in_chans": 1, "global_pool": "max", "drop_rate": 0.2}
    said = portable_files.save_under("1.0.3", tmp_path / "old", wanted)
    assert f"Give model_args={wanted}" in said
    with pytest.warns(InconsistentVersionWarning):
        loaded = load_portable(tmp_path / "old")
    model = make("regnetx_002", **portable_files.SETTINGS)
    assert same_tensors(model, loaded) and str(model) == str(loaded)
    save_portable(model, tmp_path / "new", model_args=told(portable_files.SETTINGS))
    kinds, tensors = portable_files.load_under("1.0.3", tmp_path / "new")
    assert kinds == ["InconsistentVersionWarning"]
    assert all((value.numpy() == tensors[name]).all() for name, value in model.state_dict().items())


def kill_while_writing(process, folder, file: str) -> None:
    """Once there is a folder, and a saving that replaces it has begun to write that file."""
    while process.is_alive():
        if folder.is_dir() and any(folder.parent.glob(f".{folder.name}.*.partial/{file}")):
            process.kill()
            process.join()
            return
    raise AssertionError("the saving ended by itself")


def test_a_saving_that_is_killed_leaves_a_whole_folder(tmp_path):
    running = []
    for file in ("config.json", "model.safetensors", "training.pt"):
        folder = tmp_path / file.partition(".")[0]
        process = warm.context().Process(
            target=portable_files.save_again_and_again, args=(str(folder),)
        )
        process.start()
        running.append((process, folder, file))
    for process, folder, file in running:
        kill_while_writing(process, folder, file)
        if not folder.is_dir():  # killed between the two renames
            with pytest.raises(CheckpointError, match="rename it back"):
                load_portable(folder)
            next(tmp_path.glob(f".{folder.name}.*.old")).rename(folder)
        number = load_training(folder)["number"]
        assert all((value == number).all() for value in load_portable(folder).parameters())


def test_a_folder_killed_while_it_was_replaced_can_be_found(copied):
    folder = copied.with_name("an [old] name, longer than the hidden one beside it may become")
    copied.rename(folder.with_name(f".{folder.name[:40]}.0123abcd.old"))
    with pytest.raises(CheckpointError, match=r"\.an \[old\].*\.0123abcd\.old.*rename it back"):
        load_portable(folder)


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(CheckpointError, match="there is no folder"):
        save_portable(make("test_resnet"), tmp_path / "none" / "out")


@pytest.mark.parametrize("room, file", [(400_000, "model.safetensors"), (2_500_000, "training.pt")])
def test_a_full_disk_leaves_what_was_there(copied, room, file):
    """As a limit on the length of a file, which a disk's end looks like from here."""
    resource = pytest.importorskip("resource")
    training = {"average": [torch.zeros(1_000_000)]}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.raises(CheckpointError, match=f"{file} cannot be written.*make room"):
            save_portable(make("test_resnet"), copied, training=training, force=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert load_portable(copied).num_classes == 5
    assert [entry.name for entry in copied.parent.iterdir()] == ["copied"]

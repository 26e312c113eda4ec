import pytest
import timm
import torch

import rescue_files
from missing_aa import rescue as find
from missing_aa.cli import main
from missing_aa.rescuer import fit_timm
from missing_aa.tensors import difference, fixed_input

pytestmark = pytest.mark.xdist_group("rescue_timm")  # their files are written once


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """NAME.pt and NAME.output.pt, written by 0.6.13."""
    folder = tmp_path_factory.mktemp("written")
    settings = {"mobilenetv3_small_050": {"num_classes": 7, "in_chans": 1}}
    for name in ("regnetx_002", "sequencer2d_s", "levit_128s", "dpn68"):
        settings[name] = {}
    rescue_files.write_with_outputs(folder, settings)
    return folder


def rescue(*words) -> int:
    return main(["rescue", *map(str, words), "--format", "timm"])


def output_of(folder, channels=3):
    with torch.no_grad():
        return timm.create_model(f"local-dir:{folder}", pretrained=True).eval()(
            fixed_input(224, channels)
        )


FITS = [
    ("regnetx_002", 3, "266 tensors fitted timm's regnetx_002 as they are"),
    ("mobilenetv3_small_050", 1, "fitted timm's mobilenetv3_small_050 as they are"),
    ("sequencer2d_s", 3, "as they are; 476 under another name (such as blocks.0.0.norm1.weight"),
]


@pytest.mark.parametrize("name, channels, said", FITS)
def test_timm_makes_the_writers_model_from_the_folder(
    written, tmp_path, name, channels, said, capsys
):
    assert rescue(written / f"{name}.pt", tmp_path / "out") == 0
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == [
        "config.json",
        "model.safetensors",
    ]
    wanted = torch.load(written / f"{name}.output.pt")
    assert difference(output_of(tmp_path / "out", channels), wanted) < 1e-4
    out = capsys.readouterr().out
    assert said in out
    assert f"timm.create_model('local-dir:{tmp_path}/out', pretrained=True)" in out


def test_what_does_not_fit_is_said_and_nothing_is_left(written, tmp_path, capsys):
    assert rescue(written / "levit_128s.pt", tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert 'Missing key(s) in state_dict: "stem.conv1.linear.weight" and' in error
    assert 'Unexpected key(s) in state_dict: "patch_embed.0.c.weight" and' in error
    assert list(tmp_path.iterdir()) == []


def test_a_state_dict_takes_its_architecture_from_the_command(written, tmp_path, capsys):
    torch.save(find(written / "mobilenetv3_small_050.pt").state_dict, tmp_path / "sd.pt")
    assert rescue(tmp_path / "sd.pt", tmp_path / "out") == 1
    assert "--architecture" in capsys.readouterr().err
    assert rescue(tmp_path / "sd.pt", tmp_path / "out", "--architecture", "mobilenetv3_smal") == 1
    assert "the nearest are mobilenetv3_small_" in capsys.readouterr().err
    words = ["--architecture", "mobilenetv3_small_050"]
    assert rescue(tmp_path / "sd.pt", tmp_path / "out", *words) == 0
    wanted = torch.load(written / "mobilenetv3_small_050.output.pt")
    assert difference(output_of(tmp_path / "out", channels=1), wanted) < 1e-4


def claiming(tmp_path, architecture="regnetx_002", **claims):
    """A small model whose attributes claim other things than its weights say."""
    model = timm.create_model("regnetx_002")
    model.pretrained_cfg = {**model.pretrained_cfg, **claims, "architecture": architecture}
    model.num_classes = claims.get("num_classes", 1000)
    torch.save(model, tmp_path / "model.pt")
    return tmp_path / "model.pt"


def test_a_small_file_cannot_ask_for_the_largest_model(tmp_path, capsys):
    assert rescue(claiming(tmp_path, "eva_giant_patch14_560"), tmp_path / "out") == 1
    assert "it has 4.1 GB of weights, the file 10.8 MB" in capsys.readouterr().err


CLAIMS = [
    {"num_classes": 2**24, "input_size": (3, 2**30, 2**30), "mean": "none"},
    {"input_size": (0, 0, 0), "test_input_size": 5, "std": 7, "crop_pct": (1, 2)},
]


@pytest.mark.parametrize("claims", CLAIMS, ids=str)
def test_what_a_file_claims_of_itself_is_held_against_its_weights(tmp_path, claims):
    assert rescue(claiming(tmp_path, **claims), tmp_path / "out") == 0
    model = timm.create_model(f"local-dir:{tmp_path / 'out'}", pretrained=True)
    assert model.num_classes == 1000
    assert [*model.pretrained_cfg["input_size"]] == [3, 224, 224]


def test_timms_own_table_of_renamed_models_is_followed():
    assert fit_timm.current_name(timm, "convnext_tiny_in22ft1k") == "convnext_tiny"


def test_the_original_confirms_what_was_rescued(written, tmp_path, capsys):
    words = ["--verify-with", "0.6.13", "--trust"]
    source = written / "regnetx_002.pt"
    assert main(["rescue", str(source), str(tmp_path / "out.safetensors"), *words]) == 0
    assert "loaded by timm 0.6.13: tensors equal, largest" in capsys.readouterr().out


def test_the_original_tells_a_silent_change_apart(written, tmp_path, capsys):
    """Every tensor of dpn68 fits, and its output is another: an activation has changed."""
    words = ["--verify-with", "0.6.13", "--trust"]
    assert rescue(written / "dpn68.pt", tmp_path / "out", *words) == 1
    assert "so it is NOT as the original" in capsys.readouterr().out


def test_a_release_that_cannot_load_the_original_is_named(written, tmp_path, capsys):
    words = ["--verify-with", "1.0.3", "--trust"]
    source = written / "regnetx_002.pt"
    assert main(["rescue", str(source), str(tmp_path / "out.safetensors"), *words]) == 1
    error = capsys.readouterr().err
    assert "timm 1.0.3, with the original: ModuleNotFoundError" in error


# Fine-tuned: other classes than timm's own.

TURNED = ("swin_tiny_patch4_window7_224", "poolformer_s12", "sequencer2d_s")


@pytest.fixture(scope="module")
def seven(tmp_path_factory):
    """NAME.pt of seven classes and NAME.output.pt, written by 0.6.13; today their heads move."""
    folder = tmp_path_factory.mktemp("seven")
    rescue_files.write_with_outputs(folder, {name: {"num_classes": 7} for name in TURNED})
    return folder


@pytest.mark.parametrize("name", TURNED)
def test_a_state_dict_says_its_own_number_of_classes(seven, tmp_path, name):
    torch.save(find(seven / f"{name}.pt").state_dict, tmp_path / "sd.pt")
    assert rescue(tmp_path / "sd.pt", tmp_path / "out", "--architecture", name) == 0
    wanted = torch.load(seven / f"{name}.output.pt")
    is_equal = difference(output_of(tmp_path / "out"), wanted) < 1e-4
    assert is_equal == (name != "poolformer_s12"), "timm's filter changes what poolformer computes"


def test_a_replaced_head_counts_and_not_what_the_model_says(tmp_path, capsys):
    rescue_files.write_fine_tuned("0.6.13", "vit_tiny_patch16_224", tmp_path / "ten", 10)
    assert rescue(tmp_path / "ten.pt", tmp_path / "out") == 0
    assert "1000" not in capsys.readouterr().out
    wanted = torch.load(tmp_path / "ten.output.pt")
    assert difference(output_of(tmp_path / "out"), wanted) < 1e-4
    assert find(tmp_path / "ten.pt").report.num_classes is None


def test_what_the_file_does_not_say_can_be_said(tmp_path, capsys):
    model = timm.create_model("resnet10t", num_classes=0, stem_width=16)
    torch.save(model.state_dict(), tmp_path / "sd.pt")
    words = [tmp_path / "sd.pt", tmp_path / "out", "--architecture", "resnet10t"]
    assert rescue(*words, "--num-classes", 0) == 1
    assert "--model-arg NAME=VALUE" in capsys.readouterr().err
    assert rescue(*words, "--num-classes", 0, "--model-arg", "stem_width=16") == 0
    made = timm.create_model(f"local-dir:{tmp_path / 'out'}", pretrained=True)
    assert all(map(torch.equal, made.state_dict().values(), model.state_dict().values()))


def test_a_part_of_a_model_is_a_root(tmp_path, capsys):
    whole = torch.nn.ModuleDict({"encoder": timm.create_model("resnet10t", num_classes=0)})
    torch.save(whole, tmp_path / "whole.pt")
    torch.save(whole.state_dict(), tmp_path / "sd.pt")
    words = ["--architecture", "resnet10t", "--num-classes", 0, "--root"]
    for name in ("whole", "sd"):
        assert rescue(tmp_path / f"{name}.pt", tmp_path / name, *words, "encoder") == 0
        assert rescue(tmp_path / f"{name}.pt", tmp_path / "none", *words, "decoder") == 2
        assert "no module 'decoder'" in capsys.readouterr().err
        made = timm.create_model(f"local-dir:{tmp_path / name}", pretrained=True)
        wanted = whole["encoder"].state_dict()
        assert all(map(torch.equal, made.state_dict().values(), wanted.values()))

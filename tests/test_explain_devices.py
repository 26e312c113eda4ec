"""Tensors for a device that is not there: errors of the installed torch, and reported ones."""

import re
import traceback

import pytest
import torch

from missing_aa.explainer.explain import explain_text

RESTORE = "don't know how to restore data location of torch.FloatStorage (tagged with {})"
HEAD = "Traceback (most recent call last):\n"
CUDA = (
    "RuntimeError: Attempting to deserialize object on a CUDA device but torch.cuda.is_available() "
    "is False. If you are running on a CPU-only machine, please use torch.load with "
    "map_location=torch.device('cpu') to map your storages to the CPU."
)
COUNT = (
    "RuntimeError: Attempting to deserialize object on CUDA device 1 but torch.cuda.device_count() "
    "is 1. Please use torch.load with map_location to map your storages to an existing device."
)


def ways(answer):
    return " ".join(f"{way.text} {' '.join(way.commands)}" for way in answer.ways)


def loaded(tmp_path, map_location, **how):
    """The whole traceback of a load; it has a frame `in persistent_load`."""
    path = tmp_path / "a.pt"
    torch.save({"weight": torch.ones(3)}, path)
    with pytest.raises(RuntimeError) as caught:
        torch.load(path, map_location=map_location, **how)
    text = "".join(traceback.format_exception(caught.value))
    assert "in persistent_load" in text
    return text


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("device", ["gpu", "cpu:0", "xla", "npu"])
def test_the_device_is_named_with_the_ways_to_one_that_is_there(device, weights_only, tmp_path):
    text = loaded(tmp_path, device, weights_only=weights_only)
    for one in (text, text.splitlines()[-1], RESTORE.format(device)):
        found = explain_text(one)
        assert repr(device) in found.changed and found.kind == "other"
        assert "map_location='cpu'" in ways(found) and "'cuda:0'" in ways(found)
        assert "another reader" not in found.changed


def test_a_name_that_torch_writes_into_no_file_is_the_caller_s():
    for device in ("gpu", "gpu:1", "cpu:0"):
        found = explain_text(RESTORE.format(device))
        assert "The file has no part in it" in found.changed and "tensors in the file" not in (
            found.changed
        )
    for device in ("mps", "xla:0", "privateuseone:0", "foo"):
        found = explain_text(RESTORE.format(device))
        assert "the tensors in the file, or the code" in found.changed
        call = f"{HEAD}  File 'a.py', line 3, in f\n    torch.load(p, {{}})\n"
        for asked in (f"map_location='{device}'", f"map_location=torch.device('{device}')"):
            found = explain_text(call.format(asked) + RESTORE.format(device))
            assert "tensors in the file" not in found.changed
        found = explain_text(call.format("map_location='cuda'") + RESTORE.format(device))
        assert "tensors in the file" in found.changed


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("weights_only", [True, False])
def test_a_file_of_another_machine_is_known_from_the_whole_traceback(weights_only, tmp_path):
    text = loaded(tmp_path, "cuda", weights_only=weights_only)
    found = explain_text(text)
    assert found.error.startswith("RuntimeError: Attempting") and "'cuda'" in found.changed
    assert "rescue" not in ways(found)
    assert "rescue" in ways(explain_text(CUDA))  # plain pickle may have written it
    frame = '  File "/e/torch/storage.py", line 9, in _load_from_bytes\n    return torch.load(b)\n'
    by_pickle = text.replace("\nRuntimeError", f"\n{frame}RuntimeError")
    assert "rescue" in ways(explain_text(by_pickle))


def test_a_backend_that_nobody_registered_is_one():
    found = explain_text(
        "RuntimeError: The HPU device module is not registered. If you are running"
    )
    assert "'hpu'" in found.changed and "map_location='cpu'" in ways(found)


def test_devices_are_counted_from_0():
    found = explain_text(COUNT)
    assert "'cuda:1'" in found.changed and "finds 1 of that kind" in found.changed
    assert "map_location='cuda:0'" in ways(found)


@pytest.mark.parametrize("form", ["{}", "Cell In[2], line 1\n----> 1 torch.load(p)\n\n{}", "> {}"])
@pytest.mark.parametrize("error", [CUDA, COUNT, RESTORE.format("mps")])
def test_it_is_read_however_it_was_pasted(error, form):
    expected = explain_text(error).changed
    assert explain_text(form.format(error)).changed == expected
    assert explain_text(re.sub(r"(.{60}\S*) ", r"\1\n", error)).changed == expected

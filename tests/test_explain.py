"""What error texts mean: held against the atlas, paraphrases, reported texts and look-alikes."""

import json

import pytest

from missing_aa.errors import UsageProblem
from missing_aa.explainer.cases import Ledger, Window, again, windows
from missing_aa.explainer.explain import explain_text, index
from missing_aa.explainer.kinds import of_cell
from missing_aa.explainer.pasted import LONGEST
from missing_aa.explainer.remedies import ways
from missing_aa.matrix import atlas
from missing_aa.matrix.summary import Share
from reported_errors import REPORTED

AA = "AttributeError: 'ConvNormAct' object has no attribute 'aa'"
TRACEBACK = """Traceback (most recent call last):
  File "/home/u/run.py", line 7, in <module>
    model(torch.zeros(1, 3, 224, 224))
  File "/home/u/env/lib/python3.11/site-packages/timm/layers/conv_bn_act.py", line 83, in forward
    if self.aa is not None:
  File "/home/u/env/lib/python3.11/site-packages/torch/nn/modules/module.py", line 1931, in __getattr__
    raise AttributeError(
"""  # noqa: E501


@pytest.fixture(scope="module")
def measured():
    """Text of an error -> the cells of the atlas that have it."""
    found = {}
    for cell in atlas.load().cells:
        if cell.outcome.error:
            found.setdefault(cell.outcome.text, []).append(cell)
    return found


def test_the_answer_to_the_error_of_the_course_is_what_was_measured(measured):
    cells = measured[AA.partition(": ")[2]]
    found = explain_text(TRACEBACK + AA)
    assert found.kind == "atlas" and found.error == AA
    assert found.cells == len(cells)
    assert set(found.models) == {cell.model for cell in cells} >= {"regnetx_002"}
    (window,) = found.windows
    assert window.writers.endswith("1.0.3") and window.readers == "1.0.7 to 1.0.11"
    assert (
        "timm.layers.conv_bn_act.ConvNormAct carries `aa` in timm 1.0.7 and later" in found.changed
    )
    assert found.where.startswith("in the forward pass")
    assert not found.notes


def test_it_works_again_in_the_patched_release_for_as_many_files_as_were_measured(measured):
    cells = {cell.key: cell for cell in atlas.load().cells}
    files = {(cell.model, cell.writer) for cell in measured[AA.partition(": ")[2]]}
    again = explain_text(AA).again
    assert again.release == "1.0.12"
    met = [cells.get((m, w, "1.0.12", "whole")) for m, w in files]
    works = sum(cell is not None and cell.outcome.result == "ok" for cell in met)
    assert (again.share.ok, again.share.cells) == (works, len(files))


def test_the_ways_are_in_the_order_in_which_they_work_and_say_how_often(measured):
    cells = {cell.key: cell for cell in atlas.load().cells}
    newest = atlas.load().releases[-1]
    for text, those in list(measured.items())[:40]:
        found = explain_text(f"{those[0].outcome.error}: {text}")
        shares = [round(float(way.share), 2) for way in found.ways if way.share]
        assert shares == sorted(shares, reverse=True), text
        for way in found.ways:
            if way.kind == "rescue" and all(cell.format == "whole" for cell in those):
                files = {(cell.model, cell.writer) for cell in those}
                met = [cells.get((m, w, newest, "rescued")) for m, w in files]
                ok = sum(cell is not None and cell.outcome.result == "ok" for cell in met)
                assert (way.share.ok, way.share.cells) == (ok, len(files))


def test_every_error_of_the_atlas_is_found_by_its_own_text(measured):
    for text, cells in measured.items():
        if not text:  # a bare AssertionError says nothing to be found by
            continue
        kind = cells[0].outcome.error
        said = f"{kind}: {text}"
        found = explain_text(said)
        assert found.kind in ("atlas", "near"), said
        if found.kind == "atlas":
            assert found.cells >= len(cells)
            assert {cell.model for cell in cells} <= set(found.models)


def test_the_index_has_every_error_once(measured):
    entries = list(index())
    assert len({error for error, _ in entries}) == len(entries)
    assert sum(found.cells for _, found in entries) == sum(map(len, measured.values()))
    assert all(found.changed and found.windows and found.where for _, found in entries)


@pytest.mark.parametrize(
    "text, window",
    [
        ("'DepthwiseSeparableConv' object has no attribute 'conv_s2d'", ("1.0.3", "1.0.31")),
        ("'BlurPool2d' object has no attribute 'pad_mode'", ("1.0.3", "1.0.31")),
        ("'Attention' object has no attribute 'gate'", ("1.0.26", "1.0.31")),
        ("No module named 'timm.models.layers.conv_bn_act'", ("0.6.13", "1.0.31")),
        ("No module named 'timm.layers'", ("1.0.31", "0.6.13")),
    ],
)
def test_known_failures_are_placed(text, window):
    found = explain_text(text)
    assert found.kind == "atlas"
    assert (found.windows[0].writers[-6:].strip(), found.windows[0].readers[-6:].strip()) == window
    assert found.again.release is None or window[1] == "0.6.13"


def test_what_moved_is_told_with_its_new_place():
    assert (
        "is in timm.layers.conv_bn_act now"
        in explain_text("No module named 'timm.models.layers.conv_bn_act'").changed
    )
    assert (
        "there is RexNet in its place"
        in explain_text(
            "Can't get attribute 'ReXNetV1' on <module 'timm.models.rexnet' from '/x/rexnet.py'>"
        ).changed
    )


def test_a_way_that_gives_another_output_is_no_way(measured):
    """dpn68 of 0.6 loads everywhere, and computes something else since 0.8."""
    text = "No module named 'timm.models.layers.conv_bn_act'"
    if not any(cell.model == "dpn68" for cell in measured[text]):
        pytest.skip("the atlas has no dpn68")
    assert any("another output" in note and "dpn68" in note for note in explain_text(text).notes)


PARAPHRASES = {
    "the last line": AA,
    "without the class of the error": AA.partition(": ")[2],
    "torch 1.6": AA.replace("AttributeError", "torch.nn.modules.module.ModuleAttributeError"),
    "Python's suggestion": f"{AA}. Did you mean: 'act'?",
    "curly quotes": AA.replace("'C", "‘C").replace("t'", "t’").replace("'aa'", "“aa”"),
    "backticks": AA.replace("'", "`"),
    "double quotes": AA.replace("'", '"'),
    "no quotes at all, as a shell leaves it": AA.replace("'", ""),
    "bold": "**ConvNormAct** object has no attribute **aa**",
    "HTML": AA.replace("'", "&#39;"),
    "wrapped between words": AA.replace(" ", "\n"),
    "wrapped within a word": AA.replace("attribute", "attri\n   bute").replace("Norm", "No\nrm"),
    "quoted in a mail": "> " + AA.replace("has", "has\n>"),
    "coloured": f"\x1b[0;31mAttributeError\x1b[0m: {AA.partition(': ')[2]}\x1b]0;title\x07",
    "a notebook's JSON": r'"\u001b[0;31mAttributeError\u001b[0m: ' + AA.partition(": ")[2] + '"',
    "a log in JSON": json.dumps({"message": "failed", "exc_info": TRACEBACK + AA}),
    "a logger's prefix": f"2024-12-03 10:11:12,345 ERROR [worker 3] predict failed: {AA}",
    "Docker compose": "\n".join(f"web_1  | {line}" for line in (TRACEBACK + AA).splitlines()),
    "repr": f"AttributeError({AA.partition(': ')[2]!r})",
    "a box": f"╭─ Traceback ─╮\n│ ❱ 83 self.aa │\n╰──╯\n{AA[:40]}\n│ {AA[40:]}  │",
    "in a sentence": f"Since the update I get {AA}. What can I do?",
    "what followed": f"{TRACEBACK}{AA}\n\nProcess finished with exit code 1\n",
    "what it led to": f"{TRACEBACK}{AA}\n\nThe above exception was the direct cause of the "
    "following exception:\n\nRuntimeError: prediction failed",
    "Windows": (TRACEBACK + AA).replace("/home/u", "C:\\Users\\u").replace("/", "\\"),
    "\\r\\n": (TRACEBACK + AA).replace("\n", "\r\n"),
}


@pytest.mark.parametrize("text", PARAPHRASES.values(), ids=PARAPHRASES.keys())
def test_paraphrases_are_recognised(text):
    found = explain_text(text)
    assert (found.kind, found.error) == ("atlas", AA)


MINE = {
    "a class of one's own": "'MyNet' object has no attribute 'aa'",
    "None": "AttributeError: 'NoneType' object has no attribute 'aa'",
    "weights taken for a model": "AttributeError: 'collections.OrderedDict' object has no "
    "attribute 'eval'",
    "one's own class of the same name": TRACEBACK.replace(
        "env/lib/python3.11/site-packages/timm/layers", "project"
    )
    + AA,
    "code that reads a fresh model": 'Traceback (most recent call last):\n  File "/home/u/a.py", '
    "line 3, in <module>\n    timm.create_model('efficientnet_b0').act1\n"
    "AttributeError: 'EfficientNet' object has no attribute 'act1'",
    "timm is missing": "ModuleNotFoundError: No module named 'timm'",
    "a module that never was": "ModuleNotFoundError: No module named 'timm.foo'",
    "another package": "ModuleNotFoundError: No module named 'ultralytics'",
    "an import": 'Traceback (most recent call last):\n  File "/home/u/a.py", line 1, in <module>\n'
    "    from timm.models.layers.conv_bn_act import ConvNormAct\n"
    "ModuleNotFoundError: No module named 'timm.models.layers.conv_bn_act'",
    "an import in a cell": "ModuleNotFoundError         Traceback (most recent call last)\n"
    "Cell In[3], line 1\n----> 1 from timm.models.layers.conv_bn_act import ConvNormAct\n\n"
    "ModuleNotFoundError: No module named 'timm.models.layers.conv_bn_act'",
    "an import after a load": "Traceback (most recent call last):\n"
    '  File "/e/site-packages/torch/serialization.py", line 1470, in load\n    raise Unpickling\n'
    "_pickle.UnpicklingError: Weights only load failed.\n\nDuring handling of the above exception"
    ", another exception occurred:\n\nTraceback (most recent call last):\n"
    '  File "/home/u/a.py", line 1, in <module>\n    from timm.models.layers.drop import DropPath\n'
    "ModuleNotFoundError: No module named 'timm.models.layers.drop'",
    "a class of the script": "Can't get attribute 'Net' on <module '__main__' from 'a.py'>",
    "another number of classes": "RuntimeError: Error(s) in loading state_dict for RegNet:\n\t"
    "size mismatch for head.fc.weight: copying a param with shape torch.Size([10, 368]) from "
    "checkpoint, the shape in current model is torch.Size([1000, 368]).\n\tsize mismatch for "
    "head.fc.bias: copying a param with shape torch.Size([10]) from checkpoint, the shape in "
    "current model is torch.Size([1000]).",
    "DataParallel": "RuntimeError: Error(s) in loading state_dict for RegNet:\n\tMissing key(s) in "
    'state_dict: "stem.conv.weight", "stem.bn.weight". \n\tUnexpected key(s) in state_dict: '
    '"module.stem.conv.weight", "module.stem.bn.weight". ',
    "another library's pickle": "_pickle.UnpicklingError: Weights only load failed. "
    "WeightsUnpickler error: Unsupported global: GLOBAL ultralytics.nn.tasks.DetectionModel was "
    "not an allowed global by default.",
}


@pytest.mark.parametrize("text", MINE.values(), ids=MINE.keys())
def test_look_alikes_are_told_for_what_they_are(text):
    found = explain_text(text)
    assert found.kind == "other"
    assert found.changed and found.ways and not found.windows


def test_advice_fits_the_look_alike():
    assert "num_classes=10" in str(explain_text(MINE["another number of classes"]))
    assert "Import from timm.layers.conv_bn_act" in str(explain_text(MINE["an import"]))
    assert "pip install timm" in str(explain_text(MINE["timm is missing"]))
    assert 'removeprefix("module.")' in str(explain_text(MINE["DataParallel"]))


@pytest.mark.parametrize(
    "text, said",
    [
        ("'ConvNormAct' object has no attribute 'drop_block_7'", "aa"),
        ("No module named 'timm.models.layers.activations_me'", "timm.layers.activations"),
        ("No module named 'timm.models.layers'", "timm.layers"),
        ("Attribute aa in ConvNormAct not found", "ConvNormAct"),
        ("'DropPath' object has no attribute 'scale_by_keep'", "0.5.4"),
    ],
)
def test_what_is_near_is_told_as_such(text, said, measured):
    if text in measured:
        pytest.skip("the atlas has met it")
    found = explain_text(text)
    assert found.kind == "near" and said in found.changed
    assert "the nearest" in str(found)


def test_the_files_of_a_traceback_tell_classes_of_one_name_apart():
    error = "AttributeError: 'PatchEmbed' object has no attribute 'strict_img_size'"
    alone = explain_text(error).changed
    assert "timm.layers.patch_embed" in alone and "swin_transformer_v2_cr" in alone
    placed = explain_text(TRACEBACK.replace("conv_bn_act", "patch_embed") + error).changed
    assert "timm.layers.patch_embed" in placed and "swin_transformer_v2_cr" not in placed
    lesson = "File timm 1.0.11/layers/patch_embed.py:83, in PatchEmbed.forward(self, x)\n"
    assert explain_text(f"{lesson}---> 83 if self.strict_img_size:\n{error}").changed == placed


def test_weights_that_do_not_fit_get_no_advice_for_whole_models():
    found = explain_text(
        "RuntimeError: Error(s) in loading state_dict for RegNet:\n\tMissing key(s) in state_dict: "
        '"stem.conv.weight", "s1.b1.conv1.conv.weight". \n\tUnexpected key(s): "conv1.weight". '
    )
    assert found.kind == "general" and "stem.conv.weight" in found.changed
    assert [way.kind for way in found.ways] == ["rescue"]
    assert "--architecture NAME" in found.ways[0].commands[0]


def test_a_subclass_on_which_timm_s_code_fails_gets_the_nearest():
    text = TRACEBACK + AA.replace("ConvNormAct", "MyConv")
    found = explain_text(text)
    assert found.kind == "near" and "inherit from one of ConvNormAct" in found.changed


def test_the_refusal_of_torch_leads_to_the_models_of_that_class():
    text = (
        "_pickle.UnpicklingError: Weights only load failed. This file can still be loaded, to do "
        "so you have two options, \x1b[1mdo those steps only if you trust the source of the "
        "checkpoint\x1b[0m.\nWeightsUnpickler error: Unsupported global: GLOBAL "
        "timm.models.regnet.RegNet was not an allowed global by default. Please use "
        "`torch.serialization.add_safe_globals([timm.models.regnet.RegNet])`"
    )
    found = explain_text(text)
    assert found.kind == "atlas" and found.models == ("regnetx_002",)
    assert "whole model" in found.changed
    assert found.ways[0].kind == "rescue" and found.ways[0].share.ok > 0
    assert explain_text("Weights only load failed").kind == "general"


def test_a_mismatch_as_torch_prints_it_is_found_by_its_class_and_first_names(measured):
    """The atlas keeps the first names; torch prints them all."""
    cells = next(
        (c for text, c in measured.items() if "Missing key(s)" in text and " more" in text), None
    )
    if not cells:
        pytest.skip("the atlas has no such mismatch")
    gist = cells[0].outcome.text
    head, _, rest = gist.partition(" Missing key(s)")
    listed, _, tail = rest.partition(" and ")
    full = f"RuntimeError: {head}\n\tMissing key(s){listed}, " + ", ".join(
        f'"blocks.{n}.attn.some.weight"' for n in range(400)
    )
    if "Unexpected" in tail:
        full += f". \n\tUnexpected{tail.partition('Unexpected')[2].partition(' and ')[0]}, "
        full += '"z.weight". '
    found = explain_text(full)
    assert found.kind == "atlas"
    assert {cell.model for cell in cells} <= set(found.models)


SMALL = """head {}
releases 1 2 3 4 5
error ["forward", "AttributeError", "'A' object has no attribute 'b'"]
error ["forward", "AttributeError", "'C' object has no attribute 'd'"]
model one
 whole 0-1 0-1:ok 2:e0 3:e1 4:ok
 whole 2- 2-:ok
 state_dict 0-1 0-1:ok 2-:d0.5
 rescued 0-1 0-1:ok 2-3:ok 4:d0.5
model two
 whole 0 0:ok 1:e0 2:e1 3-:ok
 state_dict 0 0:ok 1-:ok
 rescued 0 0-:ok
"""
SMALL_ERROR = of_cell("AttributeError", "'A' object has no attribute 'b'")


def test_windows_and_ways_add_up_over_models():
    """By hand: writer 1 fails in 2 (two) and in 3 (one), writer 2 in 3 (one)."""
    ledger = Ledger(SMALL, of_cell)
    cases = ledger.errors[SMALL_ERROR]
    assert windows(cases, ledger.releases) == [Window("1", "2 to 3", 2, 2), Window("2", "3", 1, 1)]
    later = again(cases, ledger)
    assert (later.release, later.share, later.newest_share) == ("4", Share(1, 3), Share(3, 3))
    assert later.instead == "AttributeError: 'C' object has no attribute 'd'"
    found = {way.kind: way for way in ways(SMALL_ERROR, cases, ledger)}
    assert list(found) == ["reader", "rescue", "writer", "patch"]
    assert (found["reader"].release, found["reader"].share) == ("5", Share(3, 3))
    assert (found["rescue"].share, found["rescue"].there) == (Share(1, 3), Share(3, 3))
    assert (found["writer"].share, found["writer"].there) == (Share(1, 3), Share(1, 3))


def test_a_way_that_never_works_is_left_out():
    ledger = Ledger(SMALL, of_cell)
    cases = [case for case in ledger.errors[SMALL_ERROR] if case.model == "one"]
    found = ways(SMALL_ERROR, cases, ledger)
    assert [way.kind for way in found] == ["reader", "patch"]


@pytest.mark.parametrize("text", ["", " \n\t ", "\x1b[0m"])
def test_an_empty_text_is_usage(text):
    with pytest.raises(UsageProblem, match="paste the error"):
        explain_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 3_000_000,
        "'" * 1_000_000,
        "has no attribute " * 60_000,
        "No module named timm." * 40_000 + "x" * 100_000,
        'size mismatch for a: "' * 40_000,
        "Missing key(s) in state_dict: " + '"a.b.weight", ' * 60_000,
        "File 'a.py', line 1, in f\n" * 40_000 + AA,
        " " * 900_000 + AA,
        "\\u001b[" * 100_000,
        "&#39;&lt;" * 100_000,
    ],
    ids=range(10),
)
def test_a_hostile_text_is_answered_all_the_same(text):
    assert explain_text(text).kind


def test_of_a_long_text_the_end_counts():
    assert explain_text("x\n" * LONGEST + AA).kind == "atlas"


def test_nothing_of_the_text_reaches_the_terminal_raw():
    found = explain_text("'Conv\x1b[31mNormAct' object has no attribute 'a\u202ea'\x07 \x9b31m")
    assert str(found).replace("\n", "").isprintable()
    named = explain_text(f"No module named 'timm.{'x' * 5000}'")
    assert len(str(named)) < 3000


@pytest.mark.parametrize("report", REPORTED, ids=lambda report: report.source)
def test_reported_texts_that_were_not_seen_before_are_answered_rightly(report, measured):
    found = explain_text(report.text)
    if report.said is None:
        assert found.kind != "atlas"
    elif any(text.startswith(report.said) for text in measured):
        assert found.kind == "atlas" and report.said in found.error
    else:
        assert found.kind in ("near", "general") and report.said in found.error

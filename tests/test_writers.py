import pytest
from tools import writer_intervals
from tools.class_record.source import Package

import missing_aa
from missing_aa import releases
from missing_aa.provenance import class_record
from missing_aa.provenance.writer import Carried, find_writer
from rescue_files import MODELS, RELEASES


@pytest.mark.parametrize("form", ["pt", "legacy.pt"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("release", RELEASES)
def test_the_release_that_wrote_a_file_lies_inside_its_interval(written, release, model, form):
    writer = missing_aa.inspect(written / f"{release}-{model}.{form}").writer
    assert release in writer.releases
    assert 1 <= len(writer.evidence) <= 2
    assert len(writer.releases) < len(releases.KNOWN) / 2


def test_the_embedded_source_of_a_legacy_file_never_widens_it(written):
    for model in MODELS:
        whole, legacy = (
            len(missing_aa.inspect(written / f"1.0.3-{model}.{form}").writer.releases)
            for form in ("pt", "legacy.pt")
        )
        assert 1 <= legacy <= whole


def test_the_record_knows_every_release():
    assert class_record.releases() == list(releases.KNOWN)


def test_the_record_agrees_with_the_source_of_a_release():
    release = "1.0.3"
    number = class_record.releases().index(release)
    package = Package(releases.locate(release) / "timm")
    classes = package.classes()
    known = class_record.find(classes)
    assert classes.keys() == known.keys()
    for path, traits in classes.items():
        entry = known[path]
        assert number in entry.releases
        if entry.marks:
            assert number in entry.marks[class_record.mark(traits.text)]
        for name, may in entry.may.items():
            can = name in traits.may or traits.open or name in package.given
            assert (number in may) == can, (path, name)
            assert (number in entry.must[name]) == (name in traits.must - package.removed)


CONV = "timm.layers.conv_bn_act.ConvNormAct"


def carried(*names):
    """What objects of ConvNormAct carry in every release, and these names."""
    return {CONV: Carried({"conv", "bn", *names}, {"conv", "bn", *names}, set(names))}


def test_an_attribute_that_is_there_or_not_rules_releases_out():
    without = find_writer([CONV], carried(), {})
    assert (without.releases[0], without.releases[-1]) == ("0.8.2.dev0", "1.0.3")
    assert str(without) == "0.8.2.dev0 to 1.0.3"
    assert f"{CONV} lacks aa: 0.8.2.dev0 to 1.0.3" in without.evidence
    with_aa = find_writer([CONV], carried("aa"), {})
    assert (with_aa.releases[0], with_aa.open) == ("1.0.7", True)
    assert str(with_aa) == "1.0.7 or later"
    assert f"{CONV} carries aa: 1.0.7 and later" in with_aa.evidence


def test_a_class_alone_tells_where_it_exists():
    writer = find_writer(["timm.models.layers.conv_bn_act.ConvNormAct"], {}, {})
    assert str(writer) == "0.6.2.dev0 to 0.8.0.dev0"


def test_objects_of_one_class_that_differ_fit_no_release():
    """Some with `aa`, some without: then only the class itself is believed, and that is said."""
    mixed = {CONV: Carried({"conv", "aa"}, {"conv"}, {"aa"})}
    writer = find_writer([CONV], mixed, {})
    assert str(writer) == "0.8.2.dev0 or later"
    assert "fit no single release" in writer.evidence[-1]


def test_classes_that_never_were_together_fit_no_release():
    writer = find_writer([CONV, "timm.models.layers.conv_bn_act.ConvNormAct"], {}, {})
    assert str(writer) == "none that was published"


def test_a_class_of_timm_that_no_release_has_is_said():
    strange = "timm.models.tomorrow.Net"
    writer = find_writer([strange], {strange: Carried(set(), set(), set())}, {})
    assert writer.releases == ()
    assert strange in writer.evidence[0]


def test_without_timm_there_is_nothing_to_go_by():
    assert find_writer(["torch.nn.modules.conv.Conv2d", "builtins.set"], {}, {}) is None


def test_a_text_that_is_no_releases_own_is_ignored():
    known = find_writer([CONV], carried(), {})
    assert find_writer([CONV], carried(), {CONV: "class ConvNormAct: edited"}) == known


def test_the_table_says_where_the_interval_is_wrong():
    right = find_writer([CONV], carried(), {})
    measured = {
        "1.0.3": dict.fromkeys(writer_intervals.ARCHITECTURES, right),
        "1.0.31": dict.fromkeys(writer_intervals.ARCHITECTURES, right),
    }
    text = writer_intervals.table(measured)
    assert text.count("**wrong**") == len(writer_intervals.ARCHITECTURES)
    assert f"lies inside 1 of 2 intervals; an interval holds {len(right.releases)} of" in text


@pytest.mark.long
def test_the_interval_holds_the_writer_for_every_published_release():
    measured = writer_intervals.measure()
    assert measured.keys() == releases.KNOWN.keys()
    assert "**wrong**" not in writer_intervals.table(measured)

"""The command missing-aa compat: what it takes, what it says, how it ends."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile

import pytest

from compat_versions import module, write
from missing_aa.cli import main
from missing_aa.comparer.compare import compare
from missing_aa.errors import LimitReached

pytestmark = pytest.mark.xdist_group("compat")  # they compare the same releases

OLD = module("self.conv = nn.Conv2d(3, 3, 1)", "return self.conv(x)")
NEW = module("self.conv = nn.Conv2d(3, 3, 1)\nself.aa = x", "return self.aa(self.conv(x))")


@pytest.fixture
def versions(tmp_path, monkeypatch):
    """Folders `old/pack` and `new/pack`, seen from the folder that is worked in."""
    write(tmp_path / "old", {"m": OLD})
    write(tmp_path / "new", {"m": NEW})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys, *words):
    """Exit code, stdout, stderr."""
    code = main(["compat", *map(str, words)])
    return code, *capsys.readouterr()


# The real story


@pytest.fixture(scope="module")
def story():
    """What is found from 1.0.3 on, by the newer release; "Class.attribute" of what is certain."""

    def found(old, new):
        findings = compare(f"timm=={old}", f"timm=={new}").findings
        return {
            f"{each.class_.rpartition('.')[2]}.{each.attribute}"
            for each in findings
            if each.certain
        }

    return {new: found("1.0.3", new) for new in ("1.0.11", "1.0.12", "1.0.31")}


def test_the_break_of_aa_is_found_before_it_ships_and_the_patch_is_seen(story):
    assert "ConvNormAct.aa" in story["1.0.11"]
    assert "ConvNormAct.aa" not in story["1.0.12"]


def test_what_still_breaks_today_is_found(story):
    assert story["1.0.31"] > {
        "DepthwiseSeparableConv.conv_s2d",
        "BlurPool2d.pad_mode",
        "Attention.gate",
        "ReparamLargeKernelConv.se",
    }


def test_classes_that_have_moved_since_the_oldest_release(capsys):
    code, out, _ = told(capsys, "timm==0.6.13", "timm==1.0.31")
    assert code == 1
    assert (
        "timm.models.layers.conv_bn_act: ConvNormAct, ConvNormActAa: now in "
        "timm.layers.conv_bn_act; the module timm.models.layers.conv_bn_act is gone\n"
        "    → keep a module timm.models.layers.conv_bn_act: from timm.layers.conv_bn_act import "
        "ConvNormAct, ConvNormActAa\n"
    ) in out


# What a version may be


def archive(folder, path, top=""):
    """The package of a folder as a wheel or zip, or as a tar."""
    files = sorted((folder / "pack").glob("*.py"))
    if path.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(path, "w") as file:
            for each in files:
                file.write(each, f"{top}pack/{each.name}")
            file.writestr(f"{top}tests/__init__.py", "")
    else:
        with tarfile.open(path, "w:gz") as file:
            for each in files:
                file.add(each, f"{top}pack/{each.name}")
            link = tarfile.TarInfo(f"{top}pack/link.py")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            file.addfile(link)
    return path


@pytest.mark.parametrize(
    "name, top",
    [
        ("pack-2.0-py3-none-any.whl", ""),
        ("pack-2.0.tar.gz", "pack-2.0/"),
        ("pack-2.0.tar.gz", "pack-2.0/src/"),
        ("pack-v2.0.zip", "pack-2.0/"),
        ("pack-2.0.zip", ""),
    ],
)
def test_archives_say_the_same_as_folders(versions, capsys, name, top):
    new = archive(versions / "new", versions / name, top)
    code, out, _ = told(capsys, "--json", "old/pack", new)
    said = json.loads(out)
    (found,) = said["findings"]
    assert (code, said["new"]["version"]) == (1, "2.0")
    assert (found["class"], found["file"]) == ("pack.m.Block", f"{top}pack/m.py")


@pytest.mark.parametrize("old", ["old", "old/pack", "old/pack/", "./old"])
def test_a_folder_may_be_the_package_or_the_one_above(versions, capsys, old):
    assert told(capsys, old, "new/pack")[0] == 1


def test_a_folder_above_with_src_and_tests(versions, capsys):
    (versions / "repository" / "tests").mkdir(parents=True)
    (versions / "repository" / "tests" / "__init__.py").touch()
    (versions / "new").rename(versions / "repository" / "src")
    code, out, _ = told(capsys, "old", "repository")
    assert code == 1 and "repository/src/pack/m.py:10: pack.m.Block lacks aa" in out


def test_files_that_nobody_can_import_are_passed_by(versions, capsys):
    (versions / "old" / "pack" / "a script.py").write_text("class Gone: ...\n")
    (versions / "new" / "pack" / "{{template}}.py").write_text("def f(:\n")
    code, out, err = told(capsys, "old", "new")
    assert (code, err) == (1, "") and "Gone" not in out


def test_links_in_a_circle_are_not_followed(versions, capsys):
    (versions / "new" / "pack" / "again").symlink_to(versions / "new" / "pack")
    assert told(capsys, "old", "new")[0] == 1


# What it says


def test_people_read_the_place_the_attribute_its_readers_and_the_remedy(versions, capsys):
    code, out, err = told(capsys, "old", "new")
    assert (code, err) == (1, "")
    assert out == (
        "new/pack/m.py:10: pack.m.Block lacks aa\n"
        "    read by Block.forward; the old __init__ never sets it\n"
        "    → in __setstate__: if not hasattr(self, 'aa'): self.aa = None\n"
        "old → new: attributes that old objects lack: 1\n"
    )


def test_classes_that_inherit_it_are_named_in_one_finding(versions, capsys):
    for name, text in (("old", OLD), ("new", NEW)):
        write(versions / name, {"m": text + "class Child(Block): ...\n"})
    out = told(capsys, "old", "new")[1]
    assert "    the same in pack.m.Child\n" in out and out.count("lacks") == 1


def test_names_that_went_the_same_way_are_told_together(versions, capsys):
    classes = "class One: ...\nclass Two: ...\n"
    write(versions / "old", {"m": OLD + classes + "class Gone: ...\nclass Lost: ...\n"})
    write(versions / "new", {"m": OLD, "home": classes})
    assert told(capsys, "old", "new")[1] == (
        "pack.m: Gone, Lost: gone, or has another name\n"
        "    → in pack.m: Gone = <its successor>; Lost = <its successor>\n"
        "pack.m: One, Two: now in pack.home\n"
        "    → in pack.m: from pack.home import One, Two\n"
        "old → new: names that are not where they were: 4\n"
    )


def test_nothing_found_is_said_and_fine(versions, capsys):
    code, out, err = told(capsys, "new", "old")
    assert (code, out, err) == (0, "new → old: nothing that breaks old pickles\n", "")


def test_possible_findings_wait_until_they_are_asked_for(versions, capsys):
    new = module("self.conv = x\nself.aa = x", more="def fuse(self):\n    return self.aa")
    write(versions / "new", {"m": new})
    code, out, _ = told(capsys, "old", "new")
    assert code == 0
    assert out.endswith("nothing that breaks old pickles; possible besides: 1 (--possible)\n")
    code, out, _ = told(capsys, "--possible", "old", "new")
    assert code == 1 and "read by Block.fuse, which nothing in the package calls" in out
    code, out, _ = told(capsys, "--json", "old", "new")
    (found,) = json.loads(out)["findings"]
    assert (code, found["certain"]) == (0, False)
    assert told(capsys, "--possible", "--github", "old", "new")[1].startswith("::warning ")


def test_json_says_all_of_it(versions, capsys):
    code, out, _ = told(capsys, "--json", "old", "new")
    said = json.loads(out)
    assert said.pop("findings") == [
        {
            "kind": "missing",
            "class": "pack.m.Block",
            "attribute": "aa",
            "file": "new/pack/m.py",
            "line": 10,
            "message": "read by Block.forward; the old __init__ never sets it",
            "remedy": "in __setstate__: if not hasattr(self, 'aa'): self.aa = None",
            "readers": ["Block.forward"],
            "certain": True,
            "needs": "",
        }
    ]
    side = {"package": "pack", "version": None, "modules": 2, "left_out": []}
    sides = {name: {"named": name, **side} for name in ("old", "new")}
    assert said == {"schema": 1, **sides, "not_done": "", "exit_code": code}


def test_annotations_are_escaped_and_relative(versions, capsys):
    home = versions / "new, 100%: x"
    (versions / "new").rename(home)
    code, out, _ = told(capsys, "--github", "old", home)
    first, summary = out.splitlines()
    assert code == 1
    assert first == (
        "::error file=new%2C 100%25%3A x/pack/m.py,line=10,"
        "title=old pickles%3A pack.m.Block lacks aa::read by Block.forward; the old __init__ never "
        "sets it; in __setstate__: if not hasattr(self, 'aa'): self.aa = None"
    )
    assert not summary.startswith("::")


def test_names_cannot_write_commands_of_their_own(versions, capsys):
    value = "'\\n::error::x\\x1b[31m'"
    new = module("self.aa = y", "return self.aa").replace("x=None", f"y={value}")
    write(versions / "new", {"m": new})
    for form in ([], ["--github"], ["--json"]):
        out = told(capsys, *form, "old", "new")[1]
        assert "\x1b" not in out and "\n::error::x" not in out


def test_modules_only_leaves_out_what_nobody_pickles(versions, capsys):
    for side, attribute in (("old", "a"), ("new", "b")):
        with (versions / side / "pack" / "m.py").open("a") as file:
            file.write(
                "\n\nclass Trainer:\n"
                f"    def __init__(self):\n        self.{attribute} = 1\n\n"
                f"    def fit(self):\n        return self.{attribute}\n"
            )
    assert "Trainer lacks b" in told(capsys, "old", "new")[1]
    code, out, _ = told(capsys, "--modules-only", "old", "new")
    assert (code, "Trainer" in out, "Block lacks aa" in out) == (1, False, True)


def test_a_class_whose_module_was_replaced_is_no_obstacle(versions, capsys):
    """As torch.nn._VF: a class stands in the source, and a file of that name finds none."""
    text = "import sys\n\n\nclass VF:\n    pass\n\n\nsys.modules[__name__] = VF()\n"
    for side in ("old", "new"):
        (versions / side / "pack" / "vf.py").write_text(text)
    assert told(capsys, "old", "new")[0] == 1


def test_what_there_was_no_time_for_is_said(versions, capsys):
    code, out, err = told(capsys, "--max-seconds", "1e-9", "old", "new")
    assert (code, out) == (6, "") and "raise the limit with --max-seconds" in err


def test_classes_that_were_not_compared_are_counted(versions):
    def tick(what, done, total):
        if what == "classes compared":
            raise LimitReached("the time is over")

    comparison = compare("old", "new", tick=tick)
    assert comparison.not_done == "1 of 1 classes were not compared: the time is over"


# What it turns down


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("nowhere", "new", "nowhere: there is no such file or folder"),
        ("old", "old", "OLD and NEW are both old"),
        ("old", "./old/", "OLD and NEW are both old"),
        ("timm==1.0.3", "timm==1.0.3", "OLD and NEW are both timm==1.0.3"),
        ("empty", "new", "empty: not a package"),
        ("", "new", "an empty name: there is no such file or folder"),
        ("pipe", "new", "pipe: neither a folder nor a wheel"),
        ("old/pack/m.py", "new", "neither a folder nor a wheel"),
        ("several", "new", r"several packages (other, pack); name one with --package"),
        ("renamed", "new", "renamed holds other and new holds pack"),
    ],
)
def test_words_that_are_off_are_usage_in_one_line(versions, capsys, old, new, said):
    (versions / "empty").mkdir()
    os.mkfifo(versions / "pipe")
    for folder, package in (("several", "other"), ("several", "pack"), ("renamed", "other")):
        (versions / folder / package).mkdir(parents=True)
        (versions / folder / package / "__init__.py").touch()
    code, out, err = told(capsys, old, new)
    assert (code, out) == (2, "")
    assert err.startswith("missing-aa compat: ") and err.count("\n") == 1 and said in err


def test_one_of_several_packages_can_be_chosen(versions, capsys):
    (versions / "new" / "other").mkdir()
    (versions / "new" / "other" / "__init__.py").touch()
    assert told(capsys, "old", "new")[0] == 2
    assert told(capsys, "--package", "pack", "old", "new")[0] == 1
    code, _, err = told(capsys, "--package", "nope", "old", "new")
    assert code == 2 and "holds no package 'nope'; it holds pack" in err


@pytest.mark.parametrize("content", [b"PK\x03\x04 cut short", b"", b"\x1f\x8b\x08\x00broken"])
def test_a_broken_archive_is_one_line(versions, capsys, content):
    (versions / "new.whl").write_bytes(content)
    code, _, err = told(capsys, "old", "new.whl")
    assert code in (2, 4) and err.count("\n") == 1


def test_an_archive_that_was_damaged_is_malformed(versions, capsys):
    path = archive(versions / "new", versions / "new.zip")
    data = bytearray(path.read_bytes())
    at = data.index(b"class Block")
    data[at : at + 5] = b"CLASS"
    path.write_bytes(data)
    code, _, err = told(capsys, "old", path)
    assert code == 4 and err.count("\n") == 1 and "fetch it again" in err


@pytest.mark.parametrize(
    "text, why",
    [
        (b"def f(:\n", "bad.py is left out, because line 1 is not Python 3.11"),
        (b"\nprint 'hello'\n", "line 2 is not Python 3.11: Missing parentheses"),
        (b"x = '\xff'\n", "is not Python"),
        (b"x = 1\x00\n", "null bytes"),
        (b"x = " + b"(" * 500 + b")" * 500, "too many nested parentheses"),
        (b"x = " + b"-" * 100_000 + b"1", "is left out"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_left_out_and_named(versions, capsys, text, why):
    (versions / "new" / "pack" / "bad.py").write_bytes(text)
    why = why.replace("3.11", ".".join(map(str, sys.version_info[:2])))
    code, out, err = told(capsys, "old", "new")
    assert code == 1 and "lacks aa" in out
    assert err.count("\n") == 1 and "new/pack/bad.py is left out" in err and why in err


def test_a_class_of_a_file_that_cannot_be_parsed_does_not_count_as_gone(versions, capsys):
    (versions / "new" / "pack" / "m.py").write_text("def f(:\n")
    assert told(capsys, "old", "new")[0] == 0


def test_a_package_of_which_nothing_can_be_parsed_is_malformed(versions, capsys):
    for path in (versions / "new" / "pack").iterdir():
        path.write_text("def f(:\n")
    code, out, err = told(capsys, "old", "new")
    assert (code, out) == (4, "") and "none of its modules can be parsed" in err


def test_a_file_of_old_encoding_is_read_as_python_reads_it(versions, capsys):
    text = "# -*- coding: latin-1 -*-\nname = 'é'\n" + NEW
    (versions / "new" / "pack" / "m.py").write_bytes(text.encode("latin-1"))
    assert told(capsys, "old", "new")[2] == ""


@pytest.mark.parametrize(
    "old, new, warned",
    [
        ("1.0.11", "1.0.3", True),
        ("1.0.3", "1.0.11", False),
        ("1.0", "1.0.0", False),
        ("1.0.0", "1.0.0.dev1", True),
        ("1.0rc1", "1.0", False),
        ("1.0.post1", "1.0", True),
        ("unknown", "1.0", False),
    ],
)
def test_the_wrong_way_round_is_told_and_done(versions, capsys, old, new, warned):
    for name, version in (("old", old), ("new", new)):
        (versions / name / "pack" / "__init__.py").write_text(f"__version__ = {version!r}\n")
    code, _, err = told(capsys, "old", "new")
    assert code == 1
    assert ("is newer than NEW" in err) is warned


def test_it_needs_neither_torch_nor_the_package(versions):
    program = (
        "import sys\nfrom missing_aa.cli import main\nmain(['compat', 'old', 'new'])\n"
        "print([m for m in ('torch', 'timm', 'rich', 'pack') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.endswith("\n[]\n"), done.stderr


def test_nothing_of_the_package_is_run(versions, capsys):
    (versions / "new" / "pack" / "__init__.py").write_text("raise SystemExit(9)\n")
    assert told(capsys, "old", "new")[0] == 1

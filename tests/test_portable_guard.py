"""require: the line before a program loads its model."""

import subprocess
import sys
import types

import pytest
import timm
import torch
from packaging.specifiers import SpecifierSet

from missing_aa import releases, require
from missing_aa.errors import UsageProblem
from missing_aa.portable.require import VersionProblem, fits


def test_what_fits_says_nothing():
    require(timm=">=1.0.3", torch=">= 2.10, < 99", packaging="!=1.0")


def test_what_does_not_fit_is_named_with_the_remedy():
    with pytest.raises(VersionProblem) as problem:
        require(timm=">=1.0.3,<1.0.7", torch=">=2.10")
    assert str(problem.value) == (
        f"this program needs timm >=1.0.3,<1.0.7 ({timm.__version__} is installed): "
        "pip install 'timm>=1.0.3,<1.0.7', and start it again"
    )


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(VersionProblem, match=r"timm <1.*no-such-thing.*not installed") as problem:
        require(**{"timm": "<1", "no-such-thing": ">=2"})
    assert "pip install 'timm<1' 'no-such-thing>=2'" in str(problem.value)


def test_a_program_may_ask_for_a_warning():
    with pytest.warns(UserWarning, match="this program needs timm ==0.9.16") as caught:
        require(timm="==0.9.16", warn=True)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("words", ["1.0.3", "", " ", ",", "=1", ">=one"])
def test_terms_that_cannot_be_read_are_told_how(words):
    with pytest.raises(UsageProblem, match="write it like '>=1.0.3,<1.0.7'"):
        require(timm=words)


def test_what_is_loaded_counts_and_not_what_pip_has_put_there_since(monkeypatch):
    older = types.ModuleType("packaging")
    older.__version__ = "1.0"
    monkeypatch.setitem(sys.modules, "packaging", older)
    with pytest.raises(VersionProblem, match=r"1\.0 is loaded, though .* is installed by now"):
        require(packaging=">=20")


def test_a_version_that_packages_do_not_write_fits_nothing(monkeypatch):
    odd = types.ModuleType("odd")
    odd.__version__ = "built on monday"
    monkeypatch.setitem(sys.modules, "odd", odd)
    with pytest.raises(VersionProblem, match="built on monday"):
        require(odd=">=0")


def test_the_mark_of_a_build_is_no_other_version():
    require(torch=f"=={str(torch.__version__).partition('+')[0]}")


ODD = [
    "1.0",
    "1",
    "1.0.0",
    "1!0.9",
    "2.14.1+cpu",
    "1.0a1",
    "1.0b2",
    "1.0rc1",
    "1.0.dev3",
    "1.0.post1",
]


@pytest.mark.parametrize("compare", ["==", "!=", "<=", ">=", "<", ">"])
def test_versions_are_ordered_as_pip_orders_them(compare):
    versions = [*releases.KNOWN, *ODD]
    for limit in (version for version in versions if "+" not in version):
        wanted = compare + limit
        theirs = SpecifierSet(wanted)
        for version in versions:
            expected = theirs.contains(version, prereleases=True)
            assert fits(version, wanted) == expected, (version, wanted)


def test_it_needs_nothing_heavy():
    program = "from missing_aa import require; require(platformdirs='>=1')"
    code = f"{program}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "timm", "rich", "numpy"} & set(done.stdout.split())

"""Kinds of failure that a trial on other libraries found unseen; and what is like them, and runs.

A case is a package in two versions. Its model is written by the old one, and what the new one
really does with the file is found out by running it.
"""

import json
import re
import subprocess
import sys

import pytest

from missing_aa import check
from missing_aa.checker.findings import LOAD, NOTHING, WILL_FAIL
from missing_aa.cli import main

pytestmark = pytest.mark.xdist_group("kinds")  # their files are written once

HEAD = "import types\nimport numpy as np\nimport torch\nfrom torch import nn\n\n"

NET = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
{init}
    def forward(self, x{more}):
        {body}
"""


def net(init: str = "", body: str = "return self.conv(x)", before: str = "", more: str = "") -> str:
    lines = "".join(f"        {line}\n" for line in init.splitlines())
    text = NET.format(init=lines, body=body.replace("\n", "\n        "), more=more)
    return HEAD + before + text


OUTER = """\
class Part:
    pass

class Base{base}:
    pass

class Outer(Base):
    class Inner(nn.Module):
        def forward(self, x):
            return x

"""
EMPTY = OUTER[: OUTER.index("    class Inner")] + "    pass\n\n"
INNER = "class Another(nn.Module):\n    def forward(self, x):\n        return x\n\n"


def nested(outer: str, base: str = "(nn.Module)") -> str:
    return net("self.part = Outer.Inner()", "return self.part(x)", outer.replace("{base}", base))


KEPT = "self.way = types.MethodType(way, self)"
WAY = "def way(self, x):\n    return x\n\n"

NEW_KEEPS = """\
    def __new__(cls, *given):
        made = super().__new__(cls)
        made.__dict__['way'] = way
        return made
"""

SUBSCRIPT = net("self.size = 2", "return x * self.size[0]")
ARRAYS = net(
    "self.sizes = [1, 2]",
    "if isinstance(self.sizes, np.ndarray):\n    return x * self.sizes.dtype\nreturn self.conv(x)",
)
PARAMETERS = net(
    "self.kernels = nn.ParameterList([torch.zeros(1) for _ in range(2)])",
    "for at in range(2):\n    x = x * self.kernels[at]\nreturn self.conv(x)",
)
ORDER = "if labels is None:\n    x = x * self.other\nreturn x * self.scale"
SETSTATE = """\
    def __setstate__(self, state):
        super().__setstate__(state)
        self.early = self.first
"""

CASES: dict[str, tuple[dict[str, str] | str, dict[str, str] | str]] = {
    "a_folder_took_the_place_of_a_module": (
        {"__init__.py": "", "model.py": net()},
        {"__init__.py": "", "model/other.py": ""},
    ),
    "a_folder_gets_the_name": (
        {"__init__.py": "", "model.py": net()},
        {
            "__init__.py": "from . import model as here\nfrom .net import Net\nhere.Net = Net\n",
            "model/other.py": "",
            "net.py": net(),
        },
    ),
    "a_class_in_a_class_is_gone": (nested(OUTER), nested(EMPTY)),
    "a_class_in_a_class_comes_from_a_base": (
        nested(OUTER),
        nested(
            OUTER.replace("class Base{base}:\n    pass", INNER + "class Base:\n    Inner = Another")
            .replace("    class Inner(nn.Module):\n        def forward", "    def forward")
            .replace("    def forward(self, x):\n            return x", "    pass")
        ),
    ),
    "a_class_in_a_class_is_put_there": (
        nested(OUTER),
        nested(EMPTY + INNER + "Outer.Inner = Another\n\n"),
    ),
    "a_class_in_a_class_is_put_there_by_another_name": (
        nested(OUTER),
        nested(
            EMPTY + INNER + "for each in (Outer,):\n    setattr(each, 'In' + 'ner', Another)\n\n"
        ),
    ),
    "a_class_in_a_class_under_an_if": (
        nested(OUTER),
        nested(
            INNER + EMPTY[: -len("    pass\n\n")] + "    if torch:\n        Inner = Another\n\n"
        ),
    ),
    "a_method_is_kept_that_no_class_has": (net(KEPT, before=WAY), net(KEPT, before=WAY)),
    "a_method_is_kept_that_a_getattr_gives": (
        net(KEPT, before=WAY),
        net(KEPT, before=WAY)
        + "    def __getattr__(self, name):\n"
        + "        return way if name == 'way' else super().__getattr__(name)\n",
    ),
    "a_method_is_kept_that_new_gives": (
        net(KEPT, before=WAY),
        net(KEPT, before=WAY) + NEW_KEEPS,
    ),
    "a_number_is_indexed": (SUBSCRIPT, SUBSCRIPT),
    "a_list_is_no_array": (ARRAYS, ARRAYS),
    "parameters_by_number": (PARAMETERS, PARAMETERS),
    "first_at_the_load": (
        net(more=", labels=None"),
        net(body=ORDER, more=", labels=None") + SETSTATE,
    ),
}

FAILS = [
    "a_folder_took_the_place_of_a_module",
    "a_class_in_a_class_is_gone",
    "a_method_is_kept_that_no_class_has",
    "a_number_is_indexed",
    "first_at_the_load",
]
RUNS = [name for name in CASES if name not in FAILS]
NOT_EVEN_POSSIBLE = [
    "a_list_is_no_array",
    "parameters_by_number",
]

WRITE = """
import importlib, sys, torch
folder, *names = sys.argv[1:]
sys.path.insert(0, f"{folder}/old")
for name in names:
    for protocol in (2, 4):
        try:
            module = importlib.import_module(f"{name}.model")
        except ModuleNotFoundError:
            module = importlib.import_module(name)
        torch.save(module.Net(), f"{folder}/{name}-{protocol}.pt", pickle_protocol=protocol)
"""
RUN = """
import json, sys, torch
folder, *names = sys.argv[1:]
sys.path.insert(0, f"{folder}/new")
met = {}
for name in names:
    for protocol in (2, 4):
        try:
            model = torch.load(f"{folder}/{name}-{protocol}.pt", weights_only=False)  # our own
            model.eval()(torch.zeros(1, 3, 4, 4))
            met[f"{name}-{protocol}"] = ""
        except Exception as error:
            met[f"{name}-{protocol}"] = f"{type(error).__name__}: {error}"
print(json.dumps(met))
"""


def place(folder, name: str, files: dict[str, str] | str) -> None:
    for path, text in ({"__init__.py": files} if isinstance(files, str) else files).items():
        (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / path).write_text(text)


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """A folder with all files, and what the new versions really do with them."""
    folder = tmp_path_factory.mktemp("kinds")
    for name, (old, new) in CASES.items():
        place(folder / "old", name, old)
        place(folder / "new", name, new)
    words = [str(folder), *CASES]
    subprocess.run([sys.executable, "-c", WRITE, *words], check=True)
    done = subprocess.run(
        [sys.executable, "-c", RUN, *words], check=True, capture_output=True, text=True
    )
    return folder, json.loads(done.stdout)


def answer(cases, name: str, protocol: int = 2):
    folder, met = cases
    key = f"{name}-{protocol}"
    return check(folder / f"{key}.pt", paths=[folder / "new"]), met[key]


def without_address(text: str) -> str:
    return re.sub(r"0x[0-9a-f…]+", "0x", text)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("name", FAILS)
def test_the_first_error_is_foretold(cases, name, protocol):
    found, met = answer(cases, name, protocol)
    assert found.answer == WILL_FAIL and met
    assert without_address(found.findings[0].text) == without_address(met)


@pytest.mark.parametrize("name", RUNS)
def test_what_runs_is_never_foretold_to_fail(cases, name):
    for protocol in (2, 4):
        found, met = answer(cases, name, protocol)
        assert met == ""
        assert found.answer != WILL_FAIL, [finding.text for finding in found.certain]


@pytest.mark.parametrize("name", NOT_EVEN_POSSIBLE)
def test_what_is_followed_exactly_leaves_no_doubt(cases, name):
    found, _ = answer(cases, name)
    assert found.answer == NOTHING, (found.findings, found.notes)


def test_the_answer_names_the_load_first(cases, capsys):
    folder, _ = cases
    path = folder / "first_at_the_load-2.pt"
    assert main(["check", "--path", str(folder / "new"), str(path)]) == 1
    assert capsys.readouterr().out.splitlines()[0].endswith(f"will fail {LOAD}")


@pytest.mark.parametrize(
    "name", ["a_method_is_kept_that_no_class_has", "a_class_in_a_class_is_gone"]
)
def test_what_is_fetched_by_getattr_is_not_asked_for_by_name(cases, capsys, name):
    folder, _ = cases
    main(["check", "--path", str(folder / "new"), str(folder / f"{name}-2.pt")])
    printed = capsys.readouterr().out
    assert "fetched by getattr" in printed and "asked for by its name" not in printed

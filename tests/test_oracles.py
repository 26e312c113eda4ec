"""What other scanners call dangerous is not called fine here, and honest files raise fewer alarms.

picklescan and fickling, in an environment of each, look at the same files.
"""

import gzip
import json
import pickle
import subprocess
import sysconfig
from pathlib import Path

import numpy
import pytest
import torch

import missing_aa
from missing_aa.scanner.verdict import DANGEROUS, UNJUDGED

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("oracles")]

DATA = Path(__file__).parent / "data"
UV = Path(sysconfig.get_path("scripts"), "uv")

ASK = {
    "picklescan": """
from picklescan.scanner import scan_file_path
def is_bad(path):
    return scan_file_path(path).infected_files > 0
""",
    "fickling": """
import io, zipfile
from fickling.analysis import Severity, check_safety
from fickling.fickle import Pickled
def is_bad(path):
    data = open(path, "rb").read()
    if data.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            data = archive.read(name)
    return check_safety(Pickled.load(io.BytesIO(data))).severity >= Severity.OVERTLY_MALICIOUS
""",
}
ANSWER = """
import contextlib, json, os, sys
bad = []
for path in sys.argv[1:]:
    with contextlib.redirect_stdout(sys.stderr):
        try:
            found = is_bad(path)
        except Exception:
            found = False  # it has no verdict
    bad += [path] if found else []
print(json.dumps(bad))
"""

_PUBLISHED = """
pip.main ensurepip._run_pip idlelib.pyshell.ModifiedInterpreter.runcode cgitb.lookup
numpy.testing._private.utils.runstring numpy.f2py.crackfortran.param_eval uuid._popen
torch.utils.bottleneck.__main__.run_cprofile torch.jit.unsupported_tensor_ops.execWrapper
torch._dynamo.guards.GuardBuilder.get torch.utils.collect_env.run
torch.distributed.rpc.rpc_sync
torch.fx.experimental.symbolic_shapes.ShapeEnv.evaluate_guards_expression
torch.utils._config_module.ConfigModule.load_config
torch.utils.data.datapipes.utils.decoder.basichandlers cProfile.runctx profile.Profile.runctx
trace.Trace.runctx doctest.debug_script pydoc.pipepager code.InteractiveInterpreter.runcode
bdb.Bdb.run timeit.timeit lib2to3.pgen2.pgen.ParserGenerator
asyncio.unix_events._UnixSubprocessTransport._start distutils.file_util.write_file io.FileIO
urllib.request.urlopen ctypes.CDLL _aix_support._read_cmd_output _osx_support._find_build_tool
_pyrepl.pager.pipe_pager imaplib.IMAP4_stream multiprocessing.util.spawnv_passfds venv.create
logging.config.dictConfig types.CodeType sqlite3.connect marshal.loads
linecache.getlines pkgutil.resolve_name builtins.eval posix.system webbrowser.open
runpy.run_path
"""
PUBLISHED = _PUBLISHED.split()
"""Names of published bypasses of pickle scanners, each called with a text."""
KEPT = "operator.methodcaller"
"""Made with a text and called by nobody it is unjudged here, and dangerous for picklescan."""


def called(path: str) -> bytes:
    module, _, name = path.rpartition(".")
    while not module.rpartition(".")[2].lstrip("_")[:1].islower() and "." in module:
        module, _, first = module.rpartition(".")
        name = f"{first}.{name}"
    text = b"".join(b"\x8c%c%s" % (len(part), part.encode()) for part in (module, name, "x"))
    head, arg = text[: -len("x") - 2], text[-len("x") - 2 :]
    return b"\x80\x04" + head + b"\x93" + arg + b"\x85R."


def wrapped(program: bytes) -> bytes:
    """The same as a value beside weights."""
    weights = pickle.dumps({"w": numpy.zeros(3)}, 3)[2:-1]
    return b"\x80\x04" + weights + b"X\x04\x00\x00\x00more" + program[2:-1] + b"s."


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    for path in sorted((DATA / "attacks").iterdir()):
        (folder / path.name).write_bytes(path.read_bytes())
    for name in (*PUBLISHED, KEPT):
        program = called(name)
        (folder / f"{name}.pkl").write_bytes(program)
        (folder / f"{name}.wrapped.pkl").write_bytes(wrapped(program))
    return folder


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """Files of many libraries, and what is saved in training."""
    folder = tmp_path_factory.mktemp("honest")
    for path in sorted((DATA / "foreign").glob("*.gz")):
        (folder / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    optimizer = torch.optim.AdamW(net.parameters())
    training = {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    random = {"torch": torch.get_rng_state(), "numpy": numpy.random.get_state()}
    for name, thing in {"state": net.state_dict(), "training": training | random}.items():
        torch.save(thing, folder / f"{name}.pt")
        torch.save(thing, folder / f"{name}.legacy.pt", _use_new_zipfile_serialization=False)
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(thing))
    return folder


@pytest.fixture(scope="module", params=ASK)
def others(request, tmp_path_factory, hostile, honest):
    """Which of the hostile, and which of the honest files another scanner calls dangerous."""
    python = tmp_path_factory.mktemp(request.param) / "bin" / "python"
    subprocess.run([UV, "venv", "--quiet", python.parents[1]], check=True)
    packages = [request.param, "typing-extensions"]  # fickling forgets to ask for the second
    subprocess.run([UV, "pip", "install", "--quiet", "--python", python, *packages], check=True)
    paths = [*hostile.iterdir(), *honest.iterdir()]
    program = ASK[request.param] + ANSWER
    said = subprocess.run([python, "-c", program, *paths], capture_output=True, check=True).stdout
    bad = {Path(path) for path in json.loads(said)}
    return request.param, bad


def verdicts(folder):
    return {Path(found.path): found.verdict for found in missing_aa.scan([folder]).checkpoints}


def test_nothing_that_another_scanner_calls_dangerous_is_fine_here(others, hostile):
    _, bad = others
    ours = verdicts(hostile)
    found = {path for path in bad if path.parent == hostile}
    assert "builtins.eval.pkl" in {path.name for path in found}, "it can tell"
    missed = {path.name for path in found if ours.get(path) not in (DANGEROUS, "malformed")}
    kept = {name for name in missed if name.startswith(KEPT)}
    assert missed == kept and all(ours[hostile / name] == "unjudged" for name in kept)


def test_every_published_bypass_is_dangerous(hostile):
    ours = verdicts(hostile)
    missed = {p.name for p in hostile.iterdir() if ours.get(p) not in (DANGEROUS, "malformed")}
    assert missed == {f"{KEPT}.pkl", f"{KEPT}.wrapped.pkl"}


BY_VALUE = {"cloudpickle.pkl", "dill.pkl", "fastai_export.pkl"}
"""They carry functions as code, which a load makes and may call."""


def test_honest_files_raise_no_alarm_but_those_that_carry_code(honest):
    bad = (DANGEROUS, UNJUDGED, "malformed")
    assert {path.name for path, word in verdicts(honest).items() if word in bad} <= BY_VALUE


@pytest.mark.parametrize("others", ["picklescan"], indirect=True)
def test_picklescan_raises_more_alarms_over_honest_files(others, honest):
    _, bad = others
    assert len({path for path in bad if path.parent == honest}) > len(BY_VALUE)

import io
import pickle
import sys

import pytest
import torch
from packaging.version import Version

from missing_aa.containers.container import open_checkpoint
from missing_aa.pickles import policy
from missing_aa.pickles.follow import follow_pickle
from missing_aa.pickles.known_names import SAFE
from missing_aa.pickles.program import Global


def verdict(path, module=None):
    """The verdict on a dotted path; its last part is the name unless the module is given."""
    module = module or path.rpartition(".")[0]
    name = path.removeprefix(f"{module}.")
    program = follow_pickle(pickle_of(module, name))
    (judged,) = policy.judge_all(program)
    return judged.verdict, judged.reason


def pickle_of(module, name):
    text = b"".join(b"\x8c" + bytes([len(part)]) + part.encode() for part in (module, name))
    return b"\x80\x04" + text + b"\x93."


def test_the_safe_names_are_those_of_the_installed_torch():
    from torch import _weights_only_unpickler as restricted

    allowed = set(restricted._get_allowed_globals())
    version = Version(torch.__version__)
    assert SAFE - allowed <= ({"torch.bcomplex32"} if version < Version("2.14") else set())
    if version >= Version("2.14"):  # 2.15 took one off its list
        gone = {"torch._utils._rebuild_nested_tensor"} if version < Version("2.15") else set()
        assert allowed - SAFE == gone


@pytest.mark.parametrize("name", ["torch.FloatStorage", "builtins.set", "collections.OrderedDict"])
def test_what_torch_allows_is_safe(name):
    assert verdict(name) == ("fine", "")


KEPT = {
    "fine": """numpy.core.multiarray._reconstruct functools.partial collections.defaultdict
        argparse.Namespace pathlib.PosixPath copyreg._reconstructor math.sqrt numpy.float64""",
    "needs code": """timm.models.regnet.RegNet torch.nn.modules.conv.Conv2d torch.optim.adamw.AdamW
        torchvision.ops.misc.FrozenBatchNorm2d my_project.nets.Net __main__.Net timmy.models._Net
        omegaconf.dictconfig.DictConfig torch._dynamo.eval_frame.OptimizedModule""",
    "unjudged": """torch.nn.functional.relu my_project.run numpy.linalg.norm enum.global_enum
        torch.nn.modules.utils._pair""",
}


@pytest.mark.parametrize(
    "name, expected", [(name, word) for word, names in KEPT.items() for name in names.split()]
)
def test_a_name_that_is_kept_is_fine_only_if_it_is_listed(name, expected):
    assert verdict(name) == (expected, "")


NET = b"cproject.nets\nNet\n"
RUN = b"cproject.tools\nrun\n"
METHOD = b"\x8c\x07project\x8c\x0bTimer.start\x93"
TENSOR = b"ctorch\nSize\n]\x85R"
USES = {
    "made anew": (NET + b")\x81", "needs code"),
    "made anew, in small letters": (b"cproject\nnet\n)\x81", "needs code"),
    "made anew, of Python's own": (b"ccontextlib\nnullcontext\n)\x81", "unjudged"),
    "a function of Python's own": (b"cshlex\nquote\n", "unjudged"),
    "a function of Python's own, called": (b"cshlex\nquote\nN\x85R", "dangerous"),
    "made by protocol 0": (
        b"ccopyreg\n_reconstructor\n" + NET + b"cbuiltins\nobject\nN\x87R",
        "needs code",
    ),
    "made of its base": (
        b"ccopyreg\n_reconstructor\n" + NET + b"cbuiltins\ndict\n}\x87R",
        "needs code",
    ),
    "made by the constructor of another": (
        b"ccopyreg\n_reconstructor\n" + NET + b"cproject\nBase\nN\x87R",
        "unjudged",
    ),
    "called with plain values": (NET + b"K\x01\x85R", "needs code"),
    "called with a tensor": (NET + TENSOR + b"\x85R", "needs code"),
    "called with an object of its own": (NET + NET + b")\x81\x85R", "unjudged"),
    "called with what keeps a function": (
        NET + b"cfunctools\npartial\n" + RUN + b"\x85R\x85R",
        "unjudged",
    ),
    "called twice": (NET + b")R)R", "unjudged"),
    "a function": (RUN, "unjudged"),
    "a function that is called": (RUN + b")R", "unjudged"),
    "a function in a partial": (b"cfunctools\npartial\n" + RUN + b"\x85R", "unjudged"),
    "a method that is kept": (METHOD, "unjudged"),
    "a method in a partial": (b"cfunctools\npartial\n" + METHOD + b"\x85R", "unjudged"),
    "a method that is called": (METHOD + b")R", "dangerous"),
    "a method in a partial that is called": (
        b"cfunctools\npartial\n" + METHOD + b"\x85R)R",
        "dangerous",
    ),
    "a method in what a state gives a partial": (
        b"cfunctools\npartial\n" + RUN + b"\x85R(" + METHOD + b")}NtbN0)R",
        "dangerous",
    ),
    "a method as a key for max": (
        b"cbuiltins\nmax\n" + b"cfunctools\npartial\n" + METHOD + b"\x85R\x85R",
        "dangerous",
    ),
    "a method that append calls": (
        b"ctypes\nSimpleNamespace\n)R}X\x06\x00\x00\x00append" + METHOD + b"sbNa",
        "dangerous",
    ),
    "a method among hooks": (b"ccollections\nOrderedDict\n)RK\x01" + METHOD + b"s", "unjudged"),
    "a name that is given a state": (b"cproject\nsettings\n}b", "dangerous"),
    "a name that is appended to": (b"cproject\nPLUGINS\nNa", "dangerous"),
    "a name that is extended": (b"cproject\nPLUGINS\n(Ne", "dangerous"),
    "a name in which something is set": (b"cproject\nTable\nNNs", "dangerous"),
    "a name in which much is set": (b"ccollections\nTable\n(NNu", "dangerous"),
    "a random generator's own class": (
        b"cnumpy.random._pickle\n__bit_generator_ctor\ncnumpy.random._pcg64\nPCG64\n\x85R",
        "fine",
    ),
    "a random generator of another class": (
        b"cnumpy.random._pickle\n__bit_generator_ctor\n" + NET + b"\x85R",
        "unjudged",
    ),
}


@pytest.mark.parametrize("how", USES)
def test_a_name_is_judged_by_the_use_that_it_is_put_to(how):
    text, expected = USES[how]
    found = policy.judge_all(follow_pickle(b"\x80\x04" + text + b"."))
    words = [judged.verdict for judged in found]
    assert max(words, key=policy.VERDICTS.index) == expected


DANGEROUS = """
os.system os.popen posix.system nt.system os.path.join sys.exit sys.modules
subprocess.Popen subprocess.check_output pty.spawn commands.getoutput popen2.popen3
builtins.eval builtins.exec builtins.compile builtins.open builtins.__import__ builtins.getattr
builtins.setattr builtins.globals builtins.breakpoint __builtin__.eval __builtin__.apply
__builtin__.execfile __builtin__.file __builtin__.reload
psutil.Popen some_project.Popen pylab.memmap torch.distributed.FileStore
torch.cuda.CUDAPluggableAllocator pytest.__main__.Main
importlib.import_module importlib._bootstrap._load runpy.run_path pkgutil.resolve_name
imp.load_source
operator.attrgetter operator.methodcaller _operator.attrgetter functools.reduce
types.FunctionType types.CodeType types.ModuleType code.InteractiveInterpreter
codeop.compile_command
pdb.run bdb.Bdb timeit.timeit cProfile.run profile.run trace.Trace doctest.testmod pydoc.pipepager
ctypes.CDLL _ctypes.dlopen mmap.mmap gc.get_objects inspect.getattr_static marshal.loads
socket.socket _socket.socket ssl.wrap_socket urllib.request.urlopen urllib2.urlopen
http.client.HTTPConnection
webbrowser.open requests.get ftplib.FTP smtplib.SMTP xmlrpc.client.ServerProxy asyncio.run
shutil.rmtree tempfile.mktemp io.open _io.FileIO glob.glob codecs.open linecache.getlines
logging.config.dictConfig logging.handlers.SocketHandler asyncore.dispatcher
torch.from_file torch.UntypedStorage.from_file torch._C.PyTorchFileWriter numpy.savetxt
numpy.ndarray.tofile pandas.DataFrame.to_pickle transformers.AutoModel.from_pretrained
zipfile.ZipFile tarfile.open sqlite3.connect logging.FileHandler
pickle.loads _pickle.loads cPickle.loads dill.loads cloudpickle.loads joblib.load shelve.open
torch.load torch.serialization.load torch.storage._load_from_bytes torch.hub.load torch.jit.load
torch.package.PackageImporter torch.utils.cpp_extension.load_inline
torch.fx.graph_module.reduce_graph_module
torch.ops.load_library torch.utils.model_zoo.load_url torch.distributed.rpc.rpc_sync
torch.multiprocessing.spawn torch.save
numpy.load numpy.fromfile numpy.memmap numpy.save numpy.testing._private.utils.runstring
numpy.f2py.compile pandas.read_pickle pandas.eval sklearn.datasets.fetch_openml
timm.models.helpers.load_checkpoint timm.models.hub.download_cached_file
huggingface_hub.hf_hub_download
multiprocessing.Process threading.Thread _thread.start_new_thread signal.signal atexit.register
pip.main setuptools.setup venv.create site.addsitedir
"""


@pytest.mark.parametrize("name", DANGEROUS.split())
def test_what_reaches_code_files_processes_or_imports_is_dangerous(name):
    judged, reason = verdict(name)
    assert judged == "dangerous"
    assert reason


@pytest.mark.parametrize(
    "module, name",
    [
        ("torch.serialization", "os.system"),
        ("torch.serialization", "os"),
        ("timm.models.helpers", "os.remove"),
        ("torch._utils", "sys.modules"),
        ("torch.nn", "Module.__init__.__globals__"),
        ("collections", "OrderedDict.__reduce__"),
        ("my_project", "subprocess.Popen"),
        ("pathlib", "Path.write_text"),
    ],
)
def test_a_harmless_module_that_leads_to_another_is_dangerous(module, name):
    assert verdict(f"{module}.{name}", module)[0] == "dangerous"


def test_a_name_put_together_while_loading_is_dangerous():
    (judged,) = policy.judge_all(follow_pickle(b"\x82\x01."))
    assert judged.verdict == "dangerous"


def test_the_worse_of_both_names_counts():
    """`urllib.urlopen` exists no more, and what torch's reader would look for is its new name."""
    wanted = Global("harmless", "now", asked=("os", "system"))
    assert policy.danger(wanted)
    wanted = Global("os", "system", asked=("harmless", "once"))
    assert policy.danger(wanted)


def test_a_name_asked_for_in_two_ways_is_judged_once():
    judged = policy.judge_all(follow_pickle(b"c__builtin__\nset\n0cbuiltins\nset\n."))
    assert [(name.name, name.verdict) for name in judged] == [("builtins.set", "fine")]


@pytest.fixture
def bare(tmp_path):
    """The names, judged, of a pickle that torch.save did not write."""

    def judged(data):
        path = tmp_path / "bare.pkl"
        path.write_bytes(data)
        with open_checkpoint(path) as container:
            return {name.name: name.verdict for name in policy.judge_all(container.follow())}

    return judged


def test_a_pickle_within_a_pickle_is_looked_into(bare):
    judged = bare(pickle.dumps({"weight": torch.zeros(3)}))
    assert judged["torch.storage._load_from_bytes"] == "fine"
    assert "dangerous" not in judged.values()


HEAD = [pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {})]
"""What a file begins with that torch before 1.6 wrote: such is the pickle within."""


@pytest.mark.parametrize(
    "inside, harm",
    [
        (b"cos\nsystem\n.", "torch.storage._load_from_bytes"),  # of another kind
        (b"".join(HEAD) + b"cos\nsystem\n." + pickle.dumps([], 2), "os.system"),
        (b"".join(HEAD) + pickle.dumps([], 2) + b"cos\nsystem\n.", "os.system"),
        (b"".join(HEAD) + b"cos\nsystem\n\xff", "os.system"),  # breaks off
        (b"".join(HEAD) + b"]", "torch.storage._load_from_bytes"),
    ],
)
def test_a_hostile_pickle_within_a_pickle_is_found(bare, inside, harm):
    data = b"\x80\x04ctorch.storage\n_load_from_bytes\n" + pickle.dumps((inside,), 4)[2:-1] + b"R."
    assert bare(data)[harm] == "dangerous"


LOADER = b"ctorch.storage\n_load_from_bytes\nq\x010"
HANDED_ON = {
    "to map": b"cbuiltins\nmap\nh\x01]\x86R",
    "in a list of a list": b"cbuiltins\nmap\n]]h\x01aa\x85R",
    "as a state": b"cnobody\nKnows\n)Rh\x01b",
    "as an item": b"cnobody\nKnows\n)Rh\x01a",
    "and thrown away": b"cbuiltins\nmap\nh\x01]\x86R0N",
    "and never called": b"h\x01",
}


@pytest.mark.parametrize("how", HANDED_ON)
def test_a_loader_of_pickles_that_something_else_may_call_is_dangerous(bare, how):
    sound = pickle.dumps(torch.zeros(3), 2)[2:-1] if how != "and never called" else b"N"
    data = b"\x80\x02" + LOADER + sound + b"0" + HANDED_ON[how] + b"."
    assert bare(data)["torch.storage._load_from_bytes"] == "dangerous"


@pytest.mark.parametrize("codec, judged", [("latin1", "fine"), ("utf-7", "dangerous")])
def test_bytes_in_another_encoding_are_not_taken_for_what_they_look_like(bare, codec, judged):
    inside = io.BytesIO()
    torch.save(torch.zeros(3).untyped_storage(), inside, _use_new_zipfile_serialization=False)
    text = pickle.dumps((inside.getvalue().decode("latin-1"), codec), 2)[2:-1]
    encoded = b"c_codecs\nencode\n" + text + b"R"
    data = b"\x80\x02ctorch.storage\n_load_from_bytes\n" + encoded + b"\x85R."
    assert bare(data)["torch.storage._load_from_bytes"] == judged


def test_a_name_of_many_parts_takes_no_time():
    many = Global("a." * 100_000 + "b", "c", asked=("a." * 100_000 + "b", "c"))
    assert not policy.danger(many)


OWN = b"ctimm.models.fasternet\nPartial_conv3\n)\x81q\x01"
TAKE = b"cbuiltins\ngetattr\nq\x02"
TAKEN = TAKE + b"h\x01X\x07\x00\x00\x00forward\x86R"
MEAN = TAKE + b"ctorch._C\n_VariableFunctionsClass\nX\x04\x00\x00\x00mean\x86R"
PARTIAL = b"cfunctools\npartial\n"

ATTRIBUTES = {
    "a method of its own object": (
        OWN + TAKE + b"h\x01X\x07\x00\x00\x00forward\x86R",
        "needs code",
    ),
    "a private one": (OWN + TAKE + b"h\x01X\x08\x00\x00\x00__dict__\x86R", "dangerous"),
    "of a name": (OWN + TAKE + b"ctorch\nhub\nX\x04\x00\x00\x00load\x86R", "dangerous"),
    "of an unknown object": (
        OWN + TAKE + b"cnobody\nKnows\n)\x81X\x03\x00\x00\x00run\x86R",
        "needs code",
    ),
    "of what it took": (
        OWN + TAKE + b"h\x02h\x01X\x01\x00\x00\x00a\x86RX\x01\x00\x00\x00b\x86R",
        "dangerous",
    ),
    "and called": (OWN + TAKE + b"h\x01X\x07\x00\x00\x00forward\x86R)R", "dangerous"),
    "by something else": (OWN + TAKE + b"0cbuiltins\nmap\nh\x02]\x86R", "dangerous"),
    "as a hook": (
        b"ccollections\nOrderedDict\n)RK\x01" + OWN + TAKE + b"h\x01X\x01\x00\x00\x00a\x86Rs",
        "needs code",
    ),
    "a function of torch in a partial": (PARTIAL + MEAN + b"\x85R", "needs code"),
    "a function of torch in a partial that is called": (PARTIAL + MEAN + b"\x85R)R", "dangerous"),
    "a function of torch in a partial that another calls": (
        b"cbuiltins\nmax\n" + PARTIAL + MEAN + b"\x85R\x85R",
        "dangerous",
    ),
    "a method in a partial": (OWN + PARTIAL + TAKEN + b"\x85R", "dangerous"),
    "and given a state": (OWN + TAKE + b"h\x01X\x01\x00\x00\x00a\x86R}b", "dangerous"),
    "with a default": (OWN + TAKE + b"h\x01X\x01\x00\x00\x00aN\x87R", "dangerous"),
}


@pytest.mark.parametrize("how", ATTRIBUTES)
def test_only_a_method_of_the_files_own_object_is_taken_for_harmless(bare, how):
    program, judged = ATTRIBUTES[how]
    assert bare(b"\x80\x02" + program + b".")["builtins.getattr"] == judged


def ordered(calls):
    given = b"(" + b"K\x01" * calls + b"tq\x020"
    return b"ccollections\nOrderedDict\nq\x010" + given + b"h\x01h\x02R0" * calls + b"N."


def made_indirectly(calls):
    given = b"(cproject\nNet\n" + b"K\x01" * calls + b"tq\x020"
    return b"ccopyreg\n__newobj__\nq\x010" + given + b"h\x01h\x02R0" * calls + b"N."


def many_names(count):
    names = (b"cproject\nNet%d_of_%d\n0" % (number, count) for number in range(count))
    return b"".join(names) + b"N."


def lines_run(program):
    """How many lines of Python judging it takes."""
    followed, lines = follow_pickle(program), []
    before = sys.gettrace()

    def count(frame, event, _):
        lines.append(event)
        return count

    sys.settrace(count)
    try:
        policy.judge_all(followed)
    finally:
        sys.settrace(before)
    return len(lines)


@pytest.mark.parametrize("kind", [ordered, made_indirectly, many_names])
def test_judging_takes_steps_in_proportion_to_the_program(kind):
    assert lines_run(kind(400)) < 2.2 * lines_run(kind(200))

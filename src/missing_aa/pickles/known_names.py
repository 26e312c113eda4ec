"""The names behind the verdicts of `policy`: known to be inert, or dangerous.

`SAFE` are those that torch's restricted reader (weights_only=True) allows of itself, recorded from
torch 2.15.0, because judging a file must not need torch; a test compares them with
the installed one.
"""

import cmath
import math

# Modules of which no name has any business in a checkpoint, by what they reach.
MODULES = {
    "starts programs": "os posix nt subprocess _posixsubprocess popen2 commands pty platform "
    "multiprocessing _multiprocessing concurrent asyncio signal webbrowser antigravity "
    "tornado pexpect ptyprocess terminado psutil plumbum",
    "runs code": "code codeop runpy pdb bdb cmd timeit profile cProfile _lsprof trace doctest "
    "unittest test pydoc rlcompleter idlelib lib2to3 sched atexit threading _thread "
    "dummy_threading _dummy_thread _xxsubinterpreters venv ensurepip pip setuptools distutils "
    "pkg_resources cgitb _pyrepl _aix_support _osx_support uuid._popen logging.config "
    "_testcapi _testinternalcapi",
    "makes code that lies in the file": "dill cloudpickle",
    "imports modules": "importlib _frozen_importlib _frozen_importlib_external imp _imp zipimport "
    "pkgutil modulefinder site zipapp",
    "reaches the interpreter": "sys gc inspect ctypes _ctypes cffi _cffi_backend mmap faulthandler "
    "sysconfig marshal ast dis tracemalloc",
    "reads or writes files": "shutil tempfile glob fileinput io _io _pyio posixpath ntpath "
    "genericpath linecache tokenize tarfile zipfile gzip bz2 lzma dbm shelve sqlite3 _sqlite3 "
    "wave sunau aifc scipy.io torch.cuda.gds torch.distributed.elastic configparser netrc "
    "mailbox winreg msvcrt _winapi fcntl termios resource pwd grp "
    "zict diskcache h5py zarr lmdb tinydb sqlitedict",
    "uses the network": "socket _socket socketserver ssl _ssl select selectors http urllib urllib3 "
    "requests httpx aiohttp ftplib smtplib poplib imaplib nntplib telnetlib xmlrpc wsgiref "
    "asyncore asynchat smtpd fsspec filelock huggingface_hub boto3 paramiko",
    "loads another pickle": "pickle _pickle pickletools joblib jsonpickle "
    "torch.utils.data.datapipes torch.package torch.export torch.hub torch.jit "
    "torch._jit_internal",
    "compiles or runs code": "torch.utils.cpp_extension torch._inductor torch._dynamo torch.fx "
    "torch.distributed.rpc torch.multiprocessing torch.utils.bottleneck torch.utils.collect_env "
    "torch.testing torch.ops torch.classes torch._ops torch._classes torch.library numpy.f2py "
    "numpy.distutils numpy.testing numpy.ctypeslib sympy torch.utils._sympy torch.utils.benchmark",
}

# Single names, in modules that hold harmless ones too.
NAMES = {
    "runs code": "builtins.eval builtins.exec builtins.execfile builtins.compile builtins.apply "
    "builtins.breakpoint builtins.help codecs.lookup weakref.finalize functools.reduce",
    "imports modules": "builtins.__import__ builtins.reload",
    "reaches attributes by name": "builtins.getattr builtins.setattr builtins.delattr "
    "builtins.globals builtins.locals builtins.vars builtins.dir builtins.super "
    "operator.attrgetter operator.methodcaller operator.call _operator.attrgetter "
    "_operator.methodcaller _operator.call operator.itemgetter _operator.itemgetter",
    "reads or writes files": "builtins.open builtins.file builtins.input builtins.raw_input "
    "codecs.open logging.basicConfig logging.handlers "
    "numpy.core.memmap numpy._core.memmap "
    "numpy.fromfile numpy.genfromtxt numpy.recfromcsv numpy.recfromtxt",
    "ends the process": "builtins.exit builtins.quit",
    "loads another pickle": "torch.storage._load_from_bytes torch.serialization.load torch.load",
}

# Classes that do harm with nothing but plain values, by whatever module they are asked for: many
# modules import them.
CLASSES = {
    "starts programs": "Popen",
    "reaches attributes by name": "ConfigModule PropModule",
    "runs code": "FunctionType CodeType LambdaType MethodType ModuleType InteractiveConsole "
    "InteractiveInterpreter Pdb CDLL PyDLL SourceFileLoader ExtensionFileLoader "
    "CUDAPluggableAllocator XPUPluggableAllocator",
    "loads another pickle": "Unpickler NpzFile",
    "reads or writes files": "FileIO GzipFile BZ2File LZMAFile ZipFile PyZipFile TarFile "
    "FileHandler RotatingFileHandler TimedRotatingFileHandler WatchedFileHandler FileStore "
    "NamedTemporaryFile TemporaryFile TemporaryDirectory SpooledTemporaryFile memmap DataSource "
    "PyTorchFileReader PyTorchFileWriter FileTimerServer DefaultLogsSpecs _DefaultLogsSpecs "
    "ExecutionTraceObserver",
    "uses the network": "TCPStore HTTPConnection HTTPSConnection",
}

# Classes in these take plain values and work on files, processes or the network with them when
# they are called; objects of them that are only given their state do not.
CONSTRUCTORS = (
    "torchvision.datasets timm.data timm.task timm.utils.model_ema torch.backends torch.profiler "
    "torch.utils.data.dataloader torch.distributed.checkpoint.staging "
    "torch.distributed.checkpoint._async_process_executor "
    "torch.distributed.checkpoint._async_thread_executor "
    "torch.distributed.checkpoint._experimental torch.distributed.debug "
    "torch.distributed.launcher torch.distributed.nn.api torch.distributed._token_switch"
)

# A function of a library whose name is or begins like this works on files, the network or code.
VERBS = (
    "load save download open read write dump exec eval run import compile fetch resume remove "
    "loadtxt savetxt savez fromfile tofile fromregex from_file from_pretrained to_csv to_pickle"
)

# Modules that a path through another module may lead to: `torch.serialization` + `os.system`.
PASSAGES = (
    "os sys posix nt subprocess builtins __builtins__ importlib runpy pty shutil socket ctypes "
    "pickle _pickle marshal pdb timeit multiprocessing threading tempfile urllib requests"
)

SCALARS = (
    "numpy.bool numpy.bool_ numpy.int8 numpy.int16 numpy.int32 numpy.int64 numpy.uint8 "
    "numpy.uint16 numpy.uint32 numpy.uint64 numpy.float16 numpy.float32 numpy.float64 "
    "numpy.longdouble numpy.complex64 numpy.complex128 numpy.str_ numpy.bytes_ "
    "numpy.datetime64 numpy.timedelta64"
)
"""They make numbers of plain values; an object can tell them any address to read from."""
# Inert besides what torch allows: they make plain values of plain values.
DATA = (
    "builtins.object builtins.int builtins.float builtins.str builtins.bytes builtins.bool "
    "builtins.list builtins.dict builtins.tuple builtins.frozenset builtins.slice builtins.range "
    "builtins.Ellipsis builtins.NotImplemented builtins.long builtins.unicode "
    "collections.deque collections.UserDict copyreg._reconstructor copyreg.__newobj__ "
    "pathlib.Path pathlib.PosixPath pathlib.WindowsPath pathlib.PurePath pathlib.PurePosixPath "
    "pathlib.PureWindowsPath pathlib._local.PosixPath pathlib._local.WindowsPath "
    "array.array array._array_reconstructor "
    "decimal.Decimal fractions.Fraction uuid.UUID datetime.datetime datetime.date datetime.time "
    "datetime.timedelta datetime.timezone time.struct_time zoneinfo.ZoneInfo "
    "zoneinfo.ZoneInfo._unpickle "
    "numpy.dtype numpy.ndarray numpy.matrix "
    "numpy.core.multiarray._reconstruct numpy._core.multiarray._reconstruct "
    "numpy.core.multiarray.scalar numpy._core.multiarray.scalar "
    "numpy.core.numeric._frombuffer numpy._core.numeric._frombuffer "
    "numpy.void numpy.ma.core._mareconstruct numpy.ma.core.MaskedArray numpy.ma.MaskedArray "
    f"{SCALARS} "
    "joblib.numpy_pickle.NumpyArrayWrapper"
)
# Inert, but what they make can hold or call what they are given; numpy's random generators.
STANDARD = (
    "builtins.iter builtins.reversed builtins.enumerate builtins.zip builtins.map builtins.filter "
    "builtins.print builtins.len builtins.max builtins.min builtins.sum logging.getLogger "
    "collections.defaultdict copyreg.__newobj_ex__ builtins.type "
    "functools.partial itertools.count itertools.chain itertools.repeat itertools.cycle "
    "operator.getitem _operator.getitem "
    "types.SimpleNamespace argparse.Namespace "
    "numbers.Number numbers.Complex numbers.Real numbers.Rational numbers.Integral "
    "enum.Enum enum.IntEnum random.Random re._compile "
    "inspect.Signature inspect.Parameter inspect._ParameterKind inspect._empty logging.Logger "
    "numpy.random._pickle.__randomstate_ctor numpy.random._pickle.__generator_ctor "
    "numpy.random._pickle.__bit_generator_ctor numpy.random._mt19937.MT19937 "
    "numpy.random._pcg64.PCG64 numpy.random._pcg64.PCG64DXSM numpy.random._philox.Philox "
    "numpy.random._sfc64.SFC64 numpy.random.bit_generator.SeedSequence "
    "numpy.random.bit_generator.__pyx_unpickle_SeedSequence"
)
# What torch.compile leaves in a model that is saved whole: classes that wait for a forward pass.
COMPILED = (
    "torch._dynamo.eval_frame.OptimizedModule torch._dynamo.eval_frame.OptimizeContext "
    "torch._dynamo.convert_frame.CatchErrorsWrapper torch._dynamo.convert_frame.ConvertFrame "
    "torch._dynamo.convert_frame.ConvertFrameAssert torch._dynamo.convert_frame.ConvertFrameBox "
    "torch._dynamo.repro.after_dynamo.WrapBackendDebug torch._dynamo.hooks.Hooks"
)
# Of these, what is only kept is inert; what they give when they are called may be anything.
GETTERS = (
    "operator.attrgetter operator.itemgetter operator.methodcaller "
    "_operator.attrgetter _operator.itemgetter _operator.methodcaller"
)
"""What they give is no harm while nothing calls it."""
_ARRAYS = "numpy.ndarray numpy.matrix numpy.ma.core.MaskedArray numpy.ma.MaskedArray"
ARRAYS = frozenset(_ARRAYS.split())
"""Classes of arrays, which numpy's own functions make: called, they take any bytes for objects."""
KEPT = (
    f"builtins.type operator.getitem _operator.getitem numpy.void {_ARRAYS} "
    "copyreg._reconstructor copyreg.__newobj__ copyreg.__newobj_ex__"
)
"""The last three are judged by the class that they are called with; handed on, they make any."""
TAKES_CLASSES = {
    "numpy.core.multiarray._reconstruct": 1,
    "numpy._core.multiarray._reconstruct": 1,
    "numpy.ma.core._mareconstruct": 2,
}
"""So many classes of arrays these are given first, and call them with no bytes."""
_MEMORY = (
    "ndarray matrix recarray chararray MaskedArray void Tensor TensorBase _TensorBase StorageBase "
    "UntypedStorage TypedStorage"
)
MEMORY = frozenset(_MEMORY.split())
"""Classes that take what they are called with for memory, by whatever module they come."""
_KEYWORDS = (
    "builtins.dict collections.OrderedDict collections.defaultdict collections.Counter "
    "types.SimpleNamespace argparse.Namespace functools.partial torch.nn.parameter.Parameter"
)
WITH_KEYWORDS = frozenset(_KEYWORDS.split())
"""Listed names that may be called with keywords."""
NUMBERS = [f"{module.__name__}.{name}" for module in (math, cmath) for name in dir(module)]
"""Functions and constants of numbers."""
# What one of these gives was not there before, so that only this file knows what is added to it.
FRESH = (
    "builtins.set builtins.list builtins.dict collections.OrderedDict collections.Counter "
    "collections.deque collections.defaultdict collections.UserDict "
    "copyreg._reconstructor copyreg.__newobj__ copyreg.__newobj_ex__ functools.partial "
    "types.SimpleNamespace argparse.Namespace random.Random inspect.Signature inspect.Parameter "
    "itertools.count itertools.chain itertools.repeat itertools.cycle builtins.enumerate "
    "numpy.core.multiarray._reconstruct numpy._core.multiarray._reconstruct numpy.dtype "
    "numpy.ma.core._mareconstruct numpy.random._pickle.__randomstate_ctor "
    "numpy.random._pickle.__generator_ctor numpy.random._pickle.__bit_generator_ctor "
    "numpy.random.bit_generator.__pyx_unpickle_SeedSequence joblib.numpy_pickle.NumpyArrayWrapper"
)
# Classes of Python's own to whose objects a pickle adds items or pairs.
FILLED = (
    "builtins.set builtins.list builtins.dict collections.OrderedDict collections.Counter "
    "collections.deque collections.defaultdict"
)
FROM_BUFFER = frozenset(["numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer"])
"""They look into the memory of what they are given."""
FROM_NUMPY = "torch._utils._rebuild_device_tensor_from_numpy"
"""It looks into the memory of an array."""
# An object of these may have an `items` of the file's choosing.
HOLDERS = "types.SimpleNamespace argparse.Namespace collections.UserDict functools.partial"
_PAIRED = "builtins.dict collections.OrderedDict collections.defaultdict collections.Counter"
DICTIONARIES = frozenset(_PAIRED.split())
"""Classes that hold the pairs which they are called with, and no others."""
# What a call of these gives may be anything that they are given, a pair among it.
GIVERS = (
    "builtins.tuple builtins.list builtins.max builtins.min builtins.sum builtins.iter "
    "builtins.reversed builtins.zip builtins.map builtins.filter builtins.enumerate builtins.type "
    "operator.getitem _operator.getitem builtins.getattr torch.Size collections.deque "
    "numpy.core.multiarray.scalar numpy._core.multiarray.scalar"
)
NOT_FRESH = (
    "builtins.type enum.Enum enum.IntEnum inspect._ParameterKind numpy.dtype "
    "torch._utils._rebuild_device_tensor_from_cpu_tensor"
)
"""Classes whose `__new__`, and a function of torch's that, can give what is there already."""
NEW_TENSORS = "torch._utils._rebuild_"
"""All other functions whose names begin so make a tensor that was not there before."""

# Packages whose classes stand in many checkpoints.
LIBRARIES = (
    "torch torchvision torchaudio torchtext torchmetrics torch_xla timm numpy scipy sklearn pandas "
    "fastai fastcore fastprogress pytorch_lightning lightning lightning_fabric lightning_utilities "
    "transformers tokenizers diffusers accelerate peft sentence_transformers open_clip "
    "segmentation_models_pytorch efficientnet_pytorch pretrainedmodels geffnet antialiased_cnns "
    "ultralytics mmcv mmengine mmcls mmpretrain mmdet mmseg detectron2 fvcore monai kornia einops "
    "ignite skorch catalyst albumentations omegaconf yacs easydict addict apex"
)


_NAMES = """
_codecs.encode builtins.bytearray builtins.complex builtins.set collections.Counter
collections.OrderedDict torch.BFloat16Storage torch.BFloat16Tensor torch.BoolStorage
torch.BoolTensor torch.ByteStorage torch.ByteTensor torch.CharStorage torch.CharTensor
torch.ComplexDoubleStorage torch.ComplexFloatStorage torch.DoubleStorage torch.DoubleTensor
torch.FloatStorage torch.FloatTensor torch.HalfStorage torch.HalfTensor torch.IntStorage
torch.IntTensor torch.LongStorage torch.LongTensor torch.QInt32Storage torch.QInt8Storage
torch.QUInt2x4Storage torch.QUInt4x2Storage torch.QUInt8Storage torch.ShortStorage
torch.ShortTensor torch.Size torch.Tensor torch._tensor._rebuild_from_type_v2
torch._utils._rebuild_device_tensor_from_cpu_tensor
torch._utils._rebuild_device_tensor_from_numpy torch._utils._rebuild_meta_tensor_no_storage
torch._utils._rebuild_parameter
torch._utils._rebuild_parameter_with_state torch._utils._rebuild_qtensor
torch._utils._rebuild_sparse_tensor torch._utils._rebuild_tensor torch._utils._rebuild_tensor_v2
torch._utils._rebuild_tensor_v3 torch._utils._rebuild_wrapper_subclass torch.bcomplex32
torch.bfloat16 torch.bits16 torch.bits1x8 torch.bits2x4 torch.bits4x2 torch.bits8 torch.bool
torch.complex128 torch.complex32 torch.complex64 torch.cuda.BFloat16Storage
torch.cuda.BFloat16Tensor torch.cuda.BoolStorage torch.cuda.BoolTensor torch.cuda.ByteStorage
torch.cuda.ByteTensor torch.cuda.CharStorage torch.cuda.CharTensor
torch.cuda.ComplexDoubleStorage torch.cuda.ComplexFloatStorage torch.cuda.DoubleStorage
torch.cuda.DoubleTensor torch.cuda.FloatStorage torch.cuda.FloatTensor torch.cuda.HalfStorage
torch.cuda.HalfTensor torch.cuda.IntStorage torch.cuda.IntTensor torch.cuda.LongStorage
torch.cuda.LongTensor torch.cuda.ShortStorage torch.cuda.ShortTensor
torch.cuda.sparse.BFloat16Tensor torch.cuda.sparse.ByteTensor torch.cuda.sparse.CharTensor
torch.cuda.sparse.DoubleTensor torch.cuda.sparse.FloatTensor torch.cuda.sparse.HalfTensor
torch.cuda.sparse.IntTensor torch.cuda.sparse.LongTensor torch.cuda.sparse.ShortTensor
torch.device torch.float16 torch.float32 torch.float4_e2m1fn_x2 torch.float64
torch.float8_e4m3fn torch.float8_e4m3fnuz torch.float8_e5m2 torch.float8_e5m2fnuz
torch.float8_e8m0fnu torch.int1 torch.int16 torch.int2 torch.int3 torch.int32 torch.int4
torch.int5 torch.int6 torch.int64 torch.int7 torch.int8 torch.nn.parameter.Parameter
torch.per_channel_affine torch.per_channel_affine_float_qparams torch.per_channel_symmetric
torch.per_tensor_affine torch.per_tensor_symmetric torch.qint32 torch.qint8 torch.quint2x4
torch.quint4x2 torch.quint8 torch.serialization._get_layout torch.sparse.BFloat16Tensor
torch.sparse.ByteTensor torch.sparse.CharTensor torch.sparse.DoubleTensor
torch.sparse.FloatTensor torch.sparse.HalfTensor torch.sparse.IntTensor torch.sparse.LongTensor
torch.sparse.ShortTensor torch.storage.TypedStorage torch.storage.UntypedStorage torch.uint1
torch.uint16 torch.uint2 torch.uint3 torch.uint32 torch.uint4 torch.uint5 torch.uint6
torch.uint64 torch.uint7 torch.uint8
"""
SAFE = frozenset(_NAMES.split())
LISTED = SAFE.union(DATA.split(), STANDARD.split(), NUMBERS)
"""Names known to be inert: they run nothing but what they are given, which is judged as called."""
BARE = frozenset(
    name for name in SAFE if name.startswith("torch.") and name.endswith(("Tensor", "Storage"))
)
"""Classes of tensors and storages: called with more than nothing, they may take any address."""

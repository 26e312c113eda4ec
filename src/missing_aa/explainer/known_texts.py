"""What is known of errors by their words alone, as data; a row is one of them.

A way out is a sentence; the lines below its first are commands.
"""

from missing_aa.explainer.known_files import (
    DAMAGED,
    OF_OTHER_FORMATS,
    UNKNOWN_BYTES,
    WHOLE_FILE_AGAIN,
    ZIPS,
    Known,
)
from missing_aa.explainer.known_libraries import LIBRARIES

RESCUE = "missing-aa rescue model.pt model.safetensors"
PICKLES = r"(?i)pickl|\btorch\.load\b|torch[\\/]serialization\.py"
"""What the text of an error has in which a pickle was read."""
LOADED = r"unpickler\.load\(|(?:_?pickle|pkl|torch|joblib)\.loads?\("
"""What it has in which one was read by these words."""
RAISED = (
    r"Traceback|[a-z]Error\b|\b[Ee]rrors?:|Exception\b|Interrupt\b|StopIteration|\bKilled\b"
    r"|[Ss]egmentation fault|core dumped"
)
"""What the text of a program has that was ended by an error."""


TEXTS = (
    *LIBRARIES,
    Known(
        r"maximum supported version for reading is \d+|kMaxSupportedFileFormatVersion",
        "a newer torch wrote the file than reads it, in a version of its format that the older one "
        "does not know. torch.save writes zips, which have such a version, since 1.6. The file is "
        "whole, as far as this says.",
        (
            "Install a newer torch.\npip install --upgrade torch",
            f"Or, if torch.save wrote it: take the weights out, which needs no torch.\n{RESCUE}",
            "Or save it again where it was written, in the older form.\n"
            "torch.save(weights, path, _use_new_zipfile_serialization=False)",
            "A TorchScript program (torch.jit.save) a newer torch alone reads; or export it again "
            "under the older one.",
        ),
    ),
    Known(
        r"minimum supported version for reading is \d+|kMinSupportedFileFormatVersion",
        "an older torch wrote the file, in a version of its format that the one which reads it "
        "does not know any more.",
        (
            "Read it with the torch that wrote it, or another old one, and save it again there in "
            "the form of today: weights with torch.save, a program with torch.jit.save.",
        ),
    ),
    Known(
        r"failed locating file \S*?constants\.pkl",
        "torch.jit.load reads TorchScript programs and nothing else, and this file has none of "
        "their parts: as a rule it is one that torch.save wrote. Nothing says that it is damaged.",
        (
            "Look what kind of file it is.\nmissing-aa inspect model.pt",
            "If torch.save wrote it: read it with torch.load.",
            "If a TorchScript program is wanted: load the model with torch.load, and export it.\n"
            'torch.jit.save(torch.jit.script(model), "program.pt")',
        ),
    ),
    Known(
        r"failed locating file \S*?bytecode\.pkl",
        "torch's mobile interpreter reads only programs that were saved for it, and this file was "
        "not: it is a TorchScript program of torch.jit.save, or one that torch.save wrote. Nothing "
        "says that it is damaged.",
        (
            "Save the program for it: script_module._save_for_lite_interpreter(path).",
            "Or read a program of torch.jit.save with torch.jit.load.",
        ),
    ),
    *(
        Known(
            DAMAGED,
            f"the text names a file of {format.name}. If that is the file that was read: it is not "
            "a pickle, and torch.load and pickle cannot read it. Nothing says that it is damaged.",
            (
                f"Read it with what is made for it: {format.reader}.",
                "Or give the program the file that it wants, as a rule one in .pt, .pth or .bin.",
            ),
            beside=(PICKLES, rf"(?i)\w(?<!tensorflow)(?<!tf)\.(?:{format.endings})\b(?!\.\w)"),
        )
        for format in OF_OTHER_FORMATS
    ),
    *ZIPS,
    Known(
        DAMAGED,
        "the bytes are not those of a whole checkpoint: a file that was not written to its end, a "
        "download that was cut off or damaged, a page or a pointer of git LFS in its place, or "
        "another kind of file.",
        (
            WHOLE_FILE_AGAIN,
            "If its name ends in .safetensors, .onnx, .h5, .gguf or another of such endings: no "
            "pickle is in it, and it has a reader of its own (safetensors.torch.load_file for "
            ".safetensors).",
        ),
    ),
    Known(
        r"(?i)error while deserializing header.{0,40}"
        r"(?:header\s*too\s*large|invalid|header\s*too\s*small)|HeaderTooLarge|InvalidHeader",
        "a safetensors file begins with the length of its header in eight bytes, and then has the "
        "header. What was read does not begin so. Nearly always it is no safetensors file: a "
        "pointer of Git LFS, a web page, the remains of a cut download, or a file of torch.save "
        "under that name. Rarely, where the error says `too large`, it is a file with hundreds of "
        "thousands of tensors: safetensors reads no header of more than 100 MB.",
        (
            "Open it in a text editor, or look at its size: a file of a few hundred bytes is a "
            "pointer or a page. Then fetch the file itself.\ngit lfs pull",
            "If it came from torch.save under that name: read it with torch.load.",
            "If it truly has so many tensors: write them as several files, or fewer and larger "
            "tensors.",
        ),
    ),
    Known(
        r"(?i)MetadataIncompleteBuffer|incomplete\s+metadata",
        "the header of the safetensors file is whole, and promises more or fewer bytes than the "
        "file has: as a rule a download that was cut off, a disk that was full, or a file that is "
        "still being written.",
        (WHOLE_FILE_AGAIN,),
    ),
    Known(
        r"(?i)file signature not found|truncated file: eof",
        "the HDF5 library (h5py, Keras) does not find a whole HDF5 file: it is a page or a pointer "
        "of Git LFS in the place of the file, a cut download, or another format under that name, "
        "such as a .keras file (a zip) or one of torch's.",
        (
            "Look at its size, and open it in a text editor: a few lines of text are a pointer or "
            "a page. Then fetch the file itself.",
            "If it is of another format: read it with what wrote it.",
        ),
    ),
    Known(
        r"Unable to load weights from pytorch checkpoint file",
        "transformers could not read the file with torch.load, and puts this sentence in the place "
        "of the reason. Most often a pointer of Git LFS or a page stands in the place of the file, "
        "or a download was cut off. What it says of TF 2.0 seldom applies.",
        (
            "Look at the file's size: a few hundred bytes are a pointer or a page. Then fetch the "
            "file itself.",
            "Else ask for the reason, and then ask here with it.\n"
            'torch.load("pytorch_model.bin", map_location="cpu")',
        ),
    ),
    Known(
        r"did not match any variant of untagged enum",
        "the tokenizers library that is installed does not know the form of the tokenizer.json "
        "that it reads: as a rule a newer one wrote it. No weights have a part in it.",
        (
            "Install newer ones, which belong together.\n"
            "pip install --upgrade transformers tokenizers",
            "If it stays: the file was cut off or changed; fetch it again.",
        ),
    ),
    Known(
        r"torch\.jit\.load|TorchScript archive|No module named '?__torch__",
        "the file is a TorchScript program (torch.jit.save), and no pickle of a model.",
        ("Read it with torch.jit.load(path), under a torch that is not older than its writer.",),
    ),
    Known(
        r"A load persistent id instruction was encountered,? but no persistent_load function was "
        r"specified|persistent_load|persistent ids?\b|persistent IDs in protocol 0",
        "the pickle refers to data beside it (persistent ids), as torch's files do: it was read "
        "with another reader than the one that it was written for.",
        (
            "Read the file itself with torch.load, and not the data.pkl out of it; if torch.load "
            "says this of the whole file, it is another program's.",
        ),
    ),
    Known(
        r"codec can't decode byte 0x80 in position 0\b|'(?!ascii|utf-8)[\w-]+' codec can't decode",
        "a pickle, or a file of torch's, was opened as text, and its bytes are none. It is not "
        "damaged, as far as this says.",
        (
            "Open it for its bytes: open(path, 'rb').",
            "If it is torch's file: read it with torch.load(path).",
        ),
        beside=(LOADED,),
    ),
    Known(
        r"'(?:ascii|utf-8)' codec can't decode byte 0x",
        "the file holds byte strings of Python 2, which Python 3 takes for text and cannot read as "
        "such. It is not damaged, as far as this says.",
        (
            "Read them as latin-1, if you trust where the file comes from. (Of torch.load, an old "
            "one does not know `encoding`: install a newer.)\n"
            "torch.load(path, encoding='latin1', weights_only=False)   # torch's file\n"
            "pickle.load(open(path, 'rb'), encoding='latin1')   # a plain pickle",
            f"If it is torch's file: take the weights out, which asks for no encoding.\n{RESCUE}",
            "Then save it anew, under Python 3.",
        ),
        beside=(LOADED,),
        unless=r"codecs\.py",
    ),
    Known(
        r"from the pickle has an incompatible dtype",
        "scikit-learn keeps a tree as arrays, and their layout differs between its versions (1.3 "
        "added `missing_go_to_left`): another version wrote the file than reads it.",
        (
            "Install the version of scikit-learn that wrote the file. A warning above the error "
            "may name it: `Trying to unpickle estimator … from version …`.",
            "Or train it anew under the installed version.",
        ),
    ),
    Known(
        r"unsupported pickle protocol: ?4",
        "a newer Python wrote the file, in pickle's protocol 4, which Python has since 3.4.",
        (
            "Read it with Python 3.4 or newer.",
            "Or write it anew there in a protocol that the older one has: "
            "pickle.dump(…, protocol=2), torch.save(…, pickle_protocol=2).",
        ),
    ),
    Known(
        r"unsupported pickle protocol: ?5",
        "a newer Python wrote the file, in pickle's protocol 5, which Python has since 3.8.",
        (
            "Read it with Python 3.8 or newer.",
            "Or write it anew there in a protocol that the older one has: "
            "pickle.dump(…, protocol=4), joblib.dump(…, protocol=4), "
            "torch.save(…, pickle_protocol=2).",
        ),
    ),
    Known(
        r"is a built-in (?:class|module)\b",
        "a torch of before 1.6 compares the source of the file's classes with that of yours, and "
        "finds no source of a class that is defined in a notebook or at a prompt. The file holds "
        "a whole model.",
        (
            "Define the class in a module of its own, and import it where you load the file.",
            f"Or take the weights out, without that class: {RESCUE}",
        ),
    ),
    Known(
        r"argument of type '(?!NoneType)[A-Z]\w*' is not iterable"
        r"|'(?!NoneType|Tensor)[A-Z]\w*' object (?:is not subscriptable|does not support item)"
        r"|Expected state_dict to be dict-like, got",
        "an object was used as a dictionary. If it came out of a file: the file holds a whole "
        "model, and the code that loads it wants a dictionary of weights.",
        (
            "Where you wrote the file: save model.state_dict().",
            f"Or take the weights out: {RESCUE}",
        ),
    ),
    Known(
        r"'(?:collections\.)?(?:OrderedDict|dict)' object is not callable",
        "a dictionary was called as a model is. If it came out of a file: the file holds weights "
        "and no model.",
        ("Make the model first, and load the weights into it: model.load_state_dict(weights).",),
    ),
    Known(
        r"cannot instantiate '?(?:WindowsPath|PosixPath)",
        "beside the weights the file holds a path object of the other kind of system; pathlib "
        "makes none of those here.",
        (
            f"Take the weights out, which makes no such object: {RESCUE}",
            "Where you wrote the file: save str(path), or the state_dict alone.",
        ),
    ),
    Known(
        r"\bMemoryError\b|out of memory|can't allocate memory|not enough memory",
        "the memory of the graphics card or of the machine does not suffice. If it came while a "
        "file was loaded: the file is not to blame, unless a damaged one names a size that is "
        "none.",
        (
            "If a file is being loaded: load it into the machine's memory, and move to the card "
            "what is needed there: torch.load(path, map_location='cpu').",
            "If the machine's does not suffice either: torch.load(path, map_location='cpu', "
            "mmap=True), which a newer torch has, reads tensors only as they are used.",
        ),
    ),
    Known(
        r"\bShardedTensor\b",
        "the file was saved by one process of several (FSDP, torchrec), and holds a part of each "
        "tensor (ShardedTensor), which torch puts together only in a group of processes. It is no "
        "matter of versions.",
        (
            "Load it as it was saved: under torchrun, with as many processes, after "
            "torch.distributed.init_process_group().",
            "Better where you wrote it: save one full state_dict "
            "(torch.distributed.checkpoint.state_dict.get_model_state_dict with "
            "StateDictOptions(full_state_dict=True)).",
        ),
    ),
    Known(
        r"loaded state dict (?:contains a parameter group that doesn't match|has a different number"
        r" of parameter groups)",
        "the state of an optimizer was loaded into one that was built over other parameters: other "
        "layers were frozen or added, or the groups are others than when it was saved. The weights "
        "of the model have no part in it, and no release.",
        (
            "Build the optimizer as it was when the state was saved: the same parameters in the "
            "same groups and order (add_param_group before load_state_dict).",
            "Or leave the optimizer's state out, and begin it anew; it costs its momentum.",
        ),
    ),
    Known(
        r"__init__\(\) missing \d+ required (?:positional|keyword-only) arguments?:",
        "Lightning makes the model anew before it loads the weights, with the arguments that the "
        "file keeps. If this __init__ is the model's: the file does not have them all, because the "
        "model did not call self.save_hyperparameters(), which newer releases of Lightning want, "
        "or because the class has changed since.",
        (
            "Give them by name: MODEL.load_from_checkpoint(path, NAME=value), for hparams as for "
            "any other.",
            "For the next file: call self.save_hyperparameters() in __init__.",
        ),
        beside=("load_from_checkpoint",),
    ),
    Known(
        r"got an unexpected keyword argument|Unrecognized keyword arguments",
        "a Keras file keeps the settings of each layer, and has one that the Keras which reads it "
        "does not know: another version wrote it, as a rule a newer one; or tf.keras wrote it and "
        "the separate package keras reads it. Keras 2 and 3 often fail on each other's files.",
        (
            "Read it with the TensorFlow and Keras that wrote it; try a newer one first, and "
            "tensorflow.keras in the place of keras.",
            "Where you wrote it: save the weights alone, and make the model by code.",
        ),
        beside=(r"keras", r"load_model|deserializ|from_config"),
    ),
    Known(
        r"no kernel image is available for execution",
        "torch reached the graphics card, and its build has no code for a card of that "
        "architecture: as a rule the card is newer than the torch, or too old for it. No file has "
        "a part in it.",
        (
            "Look what the build has, and what the card is.\n"
            "print(torch.cuda.get_arch_list(), torch.cuda.get_device_capability())",
            "Install a torch that was built for that architecture: for a new card the newest, with "
            "the newest CUDA that torch's page offers.",
            "Meanwhile the processor does it: torch.load(path, map_location='cpu'), and the model "
            "on 'cpu'.",
        ),
    ),
    *UNKNOWN_BYTES,
    Known(
        r"before Module\.__init__\(\) call",
        "a class of your own or of a library sets a layer or a parameter before torch's "
        "Module.__init__ ran. No file has a part in it.",
        ("Call super().__init__() first in the __init__ of that class.",),
    ),
    Known(
        r"(?i)\b(?:created|written|saved|generated|serialized|pickled) "
        r"(?:by|with|in|using|from) an? (?:older|earlier|previous) version",
        "the library says it itself: an older version of it wrote what is read here, which as "
        "a rule the installed one does not take any more.",
        (
            "Install the version of that library that wrote it. There it can be saved anew in a "
            "form that does not depend on the version.",
            "If it was made from other data that you have (a cache, a processed data set): delete "
            "it, and let the installed version make it again.",
        ),
    ),
    Known(
        r"(?i)\b(?:created|written|saved|generated|serialized|pickled) "
        r"(?:by|with|in|using|from) an? (?:newer|later|more recent) version",
        "the library says it itself: a newer version of it wrote what is read here.",
        (
            "Install the version of that library that wrote it, or the newest.",
            "Or save it again where it was written, in a form that the older one knows.",
        ),
    ),
    Known(
        r"(?i)\bnans?\b|(?:different|other|wrong|worse)\s+(?:outputs?|results?|predictions?|accuracy)"
        r"|(?:accuracy|results?|outputs?)\s+(?:drop|chang|differ)",
        "no error, and another output. A library can change what a model computes without "
        "changing its tensors (a default, the activation, the preprocessing, the precision); the "
        "atlas has whole pickles and weights of timm that load and compute something else.",
        (
            "Compare both outputs for one fixed input, under eval() and in float32, in the version "
            "that wrote it and in this one; then the preprocessing.",
            "For a file of timm's: missing-aa explain model.pt says which releases give another "
            "output.",
            "Pin the version whose output is right, until the difference is found.",
        ),
        unless=RAISED,
    ),
)

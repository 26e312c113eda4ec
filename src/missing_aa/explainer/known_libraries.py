"""What libraries say of files that are theirs, by their words, as data; a row is one of them.

A way out is a sentence; the lines below its first are commands.
"""

from missing_aa.explainer.known_files import Known

OWN_CODE = (
    "Only if you trust that repository: look at its code, and let it run.\n"
    "from_pretrained(path, trust_remote_code=True)"
)
NEWER_TRANSFORMERS = "pip install --upgrade transformers"
BY_TORCH = r"torch[\\/]serialization\.py"
A_PART_OF_AN_ARCHIVE = (
    "the pickle names tensors by numbers (persistent ids) that only the archive around it leads "
    "to. As a rule it is the data.pkl of a torch file that was unpacked: torch's files are zips, "
    "and some programs unpack them without being asked, even those named .tar. Nothing says that "
    "it is damaged, and no version is the cause."
)
THE_ARCHIVE = (
    "Give torch.load the archive itself, as it was downloaded, and unpack nothing.",
    "If only the folder is left: zip it again without compression, from the folder above it, so "
    "that data.pkl lies in a folder of the zip.\nzip -0 -r model.pt FOLDER",
    "If the file never was in such a folder: another program wrote a pickle of its own kind; read "
    "it with that.",
)

UNKNOWN_SETTING = (
    "settings have an entry that the class which takes them does not know. If they come from a "
    "file beside the weights (config.json, adapter_config.json): as a rule a newer version of the "
    "library wrote it than reads it. The tensors have no part in it."
)
SETTING = (
    "Install a newer version of the library of that class (for LoraConfig that is peft).",
    "Or take the entry out, in a copy of the settings' file. What it asks for is then not done: "
    "harmless where its value is null, false or empty; else compare an output.",
    "If a line of your own gives it: leave it out.",
)

FIRST = (
    Known(
        r"You can only torch\.load from a file that is seekable",
        "torch.load was given an object that is no file it can read: one of the class that the "
        "error names, or a stream. No version is the cause, and no file was read yet.",
        (
            "If it is a model or a dictionary: it is loaded already, so leave the call out; or the "
            "arguments are swapped. The file comes first.\n"
            'model = torch.load("model.pt", map_location="cpu")',
            "If it is a stream (a download, a member of an archive): read it whole.\n"
            "torch.load(io.BytesIO(f.read()))",
            "If it is None or a list: look where the path comes from, and give one path.",
        ),
    ),
    Known(
        r"unsupported persistent id encountered",
        A_PART_OF_AN_ARCHIVE,
        THE_ARCHIVE,
    ),
    Known(
        r"'str' object has no attribute 'decode'",
        "code that was written for h5py 2 decodes texts that h5py 3 gives as str: the Keras that "
        "reads is older than the h5py. The file is right, as far as this says.",
        (
            "Install the h5py that this Keras was written for.\npip install 'h5py<3'",
            "Or a newer Keras (TensorFlow 2.5 or later), if it knows the model.",
        ),
        frame=r"packages[\\/](?:\w+[\\/])*(?:\w*keras\w*|h5py)[\\/]|\.attrs\[",
    ),
    Known(
        r"'NoneType' object has no attribute",
        "as a rule a newer fairseq wrote the file: its checkpoints keep their settings as `cfg`, "
        "and None where older ones have `args`, which this one reads.",
        (
            "Read it with the fairseq that wrote it, as a rule a newer one.",
            "Or fetch the file in the form for the installed one, if its page has it.",
        ),
        frame=r"fairseq[\\/]checkpoint_utils\.py[\s\S]*args",
    ),
    Known(
        r"has no attribute 'all_tied_weights_keys'",
        "transformers 5 reads it of every model, and its post_init() sets it, which the code of "
        "this class does not call: it was written for transformers 4. The weights have no part in "
        "it.",
        (
            "Read it with transformers 4.\npip install 'transformers<5'",
            "For the author of that class: call self.post_init() at the end of __init__.",
        ),
    ),
    Known(
        r"has no attribute|cannot import name|unexpected keyword argument",
        "the code that fails came with the model, from its repository (trust_remote_code), and "
        "asks for something that the installed transformers does not have: as a rule it was "
        "written for an older one. The weights have no part in it.",
        (
            "If transformers has that architecture of its own now: load it with "
            "trust_remote_code=False.",
            "Else install the version of transformers that the model's page or its config.json "
            "(transformers_version) names; or fetch the repository again, if its code was mended "
            "since.",
        ),
        unless=r"'(?:NoneType|str|int|dict|list|Tensor)' object has no",
        frame=r"transformers_modules[\\/]",
    ),
)
"""Looked for before the error is read in any other way."""

LIBRARIES = (
    *FIRST,
    Known(
        r"(?:CUDA|HIP) error:[^\n]{0,60}busy or unavailable",
        "the graphics card cannot be used now: another process has it for itself, it is in a mode "
        "that lets one process in, or it hangs. No file and no version has a part in it.",
        (
            "Look what runs on the card (nvidia-smi), and end it; or take another card "
            "(CUDA_VISIBLE_DEVICES=1).",
            "Meanwhile the processor does it: torch.load(path, map_location='cpu'), and the model "
            "on 'cpu'.",
        ),
    ),
    Known(
        r"A load persistent id instruction was encountered,? but no persistent_load function was "
        r"specified",
        A_PART_OF_AN_ARCHIVE,
        THE_ARCHIVE,
        beside=(BY_TORCH,),
    ),
    Known(
        r"[Uu]nsupported model IR version: ?\d+(?:, max supported IR version: ?\d+)?",
        "a newer onnx wrote the model, in a version of the format (IR) that the runtime does not "
        "know yet. The file is right.",
        (
            "Install a newer runtime.\npip install --upgrade onnxruntime",
            "Or write the model with an older onnx; as a rule it is enough to lower the number: "
            "model.ir_version = 9, then onnx.save.",
        ),
    ),
    Known(
        r"Unsupported ONNX opset version",
        "the exporter does not write this version of ONNX's operators: as a rule it is newer than "
        "the exporter.",
        ("Ask for a lower opset_version.", "Or install a newer torch, which exports it."),
    ),
    Known(
        r"official support for domain \S+ is till opset \d+",
        "the model uses a newer version of ONNX's operators (opset) than the runtime knows.",
        (
            "Install a newer runtime.\npip install --upgrade onnxruntime",
            "Or export the model with a lower opset_version.",
        ),
    ),
    Known(
        r"unknown model architecture: ?'[\w.-]+'",
        "the program that reads the GGUF file does not know the model's architecture: as a rule "
        "its llama.cpp is older than the architecture. The file is not damaged, as far as this "
        "says.",
        (
            "Install a newer llama.cpp, or what brings it.\npip install --upgrade llama-cpp-python",
            "If it is no language model (a projector such as clip, a model of pictures): give it "
            "to the program that it was made for.",
        ),
    ),
    Known(
        r"really a GGML file|\(magic, version\) combination"
        r"|gguf\w*: invalid magic|invalid magic characters|\(bad magic\)",
        "the file does not begin as the llama.cpp that reads it wants. As a rule the one is of the "
        "old GGML format and the other of GGUF, which took its place in 2023; or a pointer of Git "
        "LFS or a page stands in the place of the file.",
        (
            "Fetch the model as GGUF, or convert it with the script of llama.cpp; then read it "
            "with a newer llama.cpp.\npip install --upgrade llama-cpp-python",
            "If only the old file is there: a llama.cpp of its time (llama-cpp-python up to "
            "0.1.78).",
            "If the file has only a few hundred bytes: fetch the file itself.",
        ),
    ),
    Known(
        r"Tokenizer class TokenizersBackend does not exist",
        "transformers 5 wrote the tokenizer's settings, and an older one reads them. No weights "
        "have a part in it.",
        (
            "Install transformers 5 or newer.\npip install 'transformers>=5'",
            "Or, in a copy of tokenizer_config.json, set tokenizer_class to "
            "PreTrainedTokenizerFast; then look that it gives the tokens that you expect.",
        ),
    ),
    Known(
        r"Tokenizer class \w+ does not exist or is not currently imported",
        "the tokenizer's settings name a class that the installed transformers does not have: as a "
        "rule it is in code of the model's own repository, or a newer transformers has it. No "
        "weights have a part in it.",
        (
            "If the repository has a file of code for it (tokenization_….py), and you trust it: "
            "let that run.\nfrom_pretrained(path, trust_remote_code=True)",
            f"Else install a newer one.\n{NEWER_TRANSFORMERS}",
        ),
    ),
    Known(
        r"option `?trust_remote_code ?= ?True|custom code which must be executed"
        r"|requires you to execute the \w+ file in that repo",
        "the model's class is code of its own repository, and transformers runs that only if it is "
        "told to.",
        (
            OWN_CODE,
            "Or, if a newer transformers has that architecture of its own: install that.\n"
            + NEWER_TRANSFORMERS,
        ),
        beside=(r"(?i)transformers|trust_remote_code",),
    ),
    Known(
        r"[Cc]onfig\w{0,60}\.__init__\(\) got an unexpected keyword argument '\w+'",
        UNKNOWN_SETTING,
        SETTING,
        unless=r"(?i)\bkeras",
    ),
    Known(
        r"__init__\(\) got an unexpected keyword argument '\w+'",
        UNKNOWN_SETTING,
        SETTING,
        unless=r"(?i)\bkeras",
        frame=r"\w[Cc]onfig(?:_class)?\(|config\w*\.py\n[\s\S]*cls\(\w+\)",
    ),
    Known(
        r"Transformers does not recognize this architecture",
        "the model's config.json names a type that the installed transformers does not have: as a "
        "rule it is older than the model; or the type is code of the model's own repository.",
        (f"Install a newer one.\n{NEWER_TRANSFORMERS}", OWN_CODE),
    ),
    Known(
        r"Key '[^'\n]*' (?:is )?not in (?:struct|'\w+')",
        "the hyperparameters that the file keeps are an OmegaConf dictionary which takes no new "
        "keys, and the call gives one that is not among them. The weights have no part in it.",
        (
            "Leave that keyword out of load_from_checkpoint.",
            "Or make the model by code, and load the weights into it.\n"
            'weights = torch.load(path, map_location="cpu")["state_dict"]\n'
            "model.load_state_dict(weights)",
        ),
        beside=(r"load_from_checkpoint",),
    ),
    Known(
        r"Key '[^'\n]*' (?:is )?not in (?:struct|'\w+')",
        "settings have a key that the code which reads them does not know. If they came out of a "
        "checkpoint: as a rule another version of the library wrote it. The tensors have no part "
        "in it.",
        (
            "Install the version of the library that wrote the file.",
            "Or take that key out of the settings before they are used: of a checkpoint, load it, "
            "drop the key (fairseq keeps such keys in cfg['task'] and cfg['model']), and save it "
            "anew.",
        ),
        beside=(r"(?i)omegaconf|hydra|fairseq",),
    ),
    Known(
        r"Argument 'placement' has incorrect type",
        "an older pandas pickled the table, as a rule one up to 1.3, and pandas since 2.1 does not "
        "read all such pickles. It holds no weights of a model, as far as this says.",
        (
            "Read it with an older pandas.\npip install 'pandas<2.1'",
            "Then save it in a form that does not depend on the version: to_parquet, to_csv.",
        ),
        beside=("pandas",),
    ),
    Known(
        r"__(?:generator|randomstate)_ctor\(\) takes [^\n]{0,60}? but \d (?:was|were) given",
        "the file holds a random generator of numpy's that a newer numpy pickled: since 1.24 it "
        "says more of it than an older one takes. Where this is a warning, the error below it "
        "follows from it.",
        (
            "Read it with the numpy that wrote it, or a newer one.\npip install 'numpy>=1.24'",
            "If the code that loads lets you give the object yourself (stable-baselines3: "
            "custom_objects={'action_space': …, 'observation_space': …}): do that, and the one in "
            "the file is not read.",
        ),
    ),
    Known(
        r"Could not deserialize object \w+",
        "stable-baselines3 keeps parts of its file as pickles, and one of them could not be read "
        "here: as a rule another Python, numpy or gym(nasium) wrote it. It goes on without that "
        "part, and an error below the warning can follow from it.",
        (
            "Read it with the versions that wrote it: system_info.txt in the file (a zip) names "
            "them, and the line `Exception: …` says what failed.",
            "Or give that object yourself: load(path, custom_objects={NAME: …}).",
        ),
        beside=(r"custom_objects|stable_baselines",),
    ),
    Known(
        r"device [\w:]+ is invalid",
        "safetensors was asked to put the tensors on a device that it does not take. Nothing says "
        "that the file is damaged; why it refuses that device, the text does not say.",
        (
            "Load to the processor, and move the model afterwards: safetensors.torch.load_file("
            "path, device='cpu'), from_pretrained without device_map, then model.to(device).",
            "As a rule a newer safetensors knows more devices.\npip install --upgrade safetensors",
        ),
        beside=("safetensors",),
    ),
)

"""What is known of breaks outside timm, as data; a row is one break."""

TORCH_ATTRIBUTES = {
    "AvgPool2d.divisor_override": ("None", "1.2"),
    "AvgPool3d.divisor_override": ("None", "1.2"),
    "BatchNorm1d.track_running_stats": ("True", ""),
    "BatchNorm2d.track_running_stats": ("True", ""),
    "BatchNorm3d.track_running_stats": ("True", ""),
    "Conv1d.padding_mode": ("'zeros'", "1.1"),
    "Conv2d.padding_mode": ("'zeros'", "1.1"),
    "Conv3d.padding_mode": ("'zeros'", "1.1"),
    "CrossEntropyLoss.label_smoothing": ("0.0", "1.10"),
    "EmbeddingBag.include_last_offset": ("False", "1.5"),
    "EmbeddingBag.padding_idx": ("None", "1.9"),
    "GELU.approximate": ("'none'", "1.12"),
    "GRU.proj_size": ("0", "1.8"),
    "Hardsigmoid.inplace": ("False", "1.7"),
    "Hardswish.inplace": ("False", "1.7"),
    "KLDivLoss.log_target": ("False", "1.6"),
    "LSTM.proj_size": ("0", "1.8"),
    "MultiheadAttention.batch_first": ("False", "1.9"),
    "SmoothL1Loss.beta": ("1.0", "1.7"),
    "TransformerDecoderLayer.norm_first": ("False", "1.10"),
    "TransformerEncoderLayer.norm_first": ("False", "1.10"),
    "Upsample.recompute_scale_factor": ("None", "1.11"),
    "UpsamplingBilinear2d.recompute_scale_factor": ("None", "1.11"),
    "UpsamplingNearest2d.recompute_scale_factor": ("None", "1.11"),
}
"""Class and attribute of torch's -> what its constructor sets by default, in torch 2.14.1, and the
release that began to read it ("" for one before 1.0): docs/measured/torch_breaks.md."""

_TORCH_CLASSES = """
    AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveLogSoftmaxWithLoss
    AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d AlphaDropout AvgPool1d AvgPool2d
    AvgPool3d BCELoss BCEWithLogitsLoss BatchNorm1d BatchNorm2d BatchNorm3d Bilinear CELU
    CTCLoss ChannelShuffle CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d
    ConstantPad3d Container Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d
    CosineEmbeddingLoss CosineSimilarity CrossEntropyLoss CrossMapLRN2d Dropout Dropout1d
    Dropout2d Dropout3d ELU Embedding EmbeddingBag FeatureAlphaDropout Flatten Fold
    FractionalMaxPool2d FractionalMaxPool3d GELU GLU GRU GRUCell GaussianNLLLoss GroupNorm
    Hardshrink Hardsigmoid Hardswish Hardtanh HingeEmbeddingLoss HuberLoss Identity
    InstanceNorm1d InstanceNorm2d InstanceNorm3d KLDivLoss L1Loss LPPool1d LPPool2d LPPool3d
    LSTM LSTMCell LayerNorm LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyConv1d
    LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d
    LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d LazyLinear LeakyReLU Linear
    LinearCrossEntropyLoss LinearCrossEntropyOptions LocalResponseNorm LogSigmoid LogSoftmax
    MSELoss MarginRankingLoss MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d
    Mish Module ModuleDict ModuleList MultiLabelMarginLoss MultiLabelSoftMarginLoss
    MultiMarginLoss MultiheadAttention NLLLoss NLLLoss2d PReLU PairwiseDistance ParameterDict
    ParameterList PixelShuffle PixelUnshuffle PoissonNLLLoss RMSNorm RNN RNNBase RNNCell
    RNNCellBase RReLU ReLU ReLU6 ReflectionPad1d ReflectionPad2d ReflectionPad3d
    ReplicationPad1d ReplicationPad2d ReplicationPad3d SELU Sequential SiLU Sigmoid SmoothL1Loss
    SoftMarginLoss Softmax Softmax2d Softmin Softplus Softshrink Softsign SyncBatchNorm Tanh
    Tanhshrink Threshold Transformer TransformerDecoder TransformerDecoderLayer
    TransformerEncoder TransformerEncoderLayer TripletMarginLoss TripletMarginWithDistanceLoss
    Unflatten Unfold Upsample UpsamplingBilinear2d UpsamplingNearest2d ZeroPad1d ZeroPad2d
    ZeroPad3d
"""
TORCH_CLASSES = frozenset(_TORCH_CLASSES.split())
"""The classes of torch.nn, in torch 2.14.1."""

MODULE_ATTRIBUTES = {
    "_backward_pre_hooks": "collections.OrderedDict()",
    "_forward_hooks_always_called": "collections.OrderedDict()",
    "_forward_hooks_with_kwargs": "collections.OrderedDict()",
    "_forward_pre_hooks": "collections.OrderedDict()",
    "_forward_pre_hooks_with_kwargs": "collections.OrderedDict()",
    "_is_full_backward_hook": "None",
    "_load_state_dict_post_hooks": "collections.OrderedDict()",
    "_load_state_dict_pre_hooks": "collections.OrderedDict()",
    "_non_persistent_buffers_set": "set()",
    "_state_dict_hooks": "collections.OrderedDict()",
    "_state_dict_pre_hooks": "collections.OrderedDict()",
}
"""What `nn.Module.__setstate__` gives to every module of an older torch, in torch 2.14.1."""

MODULES = {
    "numpy._core": "numpy 2 has numpy._core, numpy 1 has numpy.core: the file was written under 2.",
    "numpy.core._multiarray_umath": "numpy has it since 1.16: the file was written under that or "
    "a newer one.",
}
"""Beginning of a module's name -> what is known of it."""

DISTRIBUTIONS = {
    "Bio": "biopython",
    "Crypto": "pycryptodome",
    "PIL": "Pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "ignite": "pytorch-ignite",
    "open_clip": "open_clip_torch",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
    "yaml": "PyYAML",
}
"""Packages that pip knows under another name."""

WITHOUT_TENSORS = {"sklearn", "joblib", "xgboost", "lightgbm", "catboost", "pandas", "scipy"}
"""Packages whose objects hold no tensors of torch's, so that no weights can be taken out."""

WEIGHTLESS = (
    "Tokenizer",
    "TokenizerFast",
    "Processor",
    "ProcessorFast",
    "FeatureExtractor",
    "Transform",
    "Transforms",
    "Compose",
    "Dataset",
    "DataLoader",
    "Sampler",
)
"""Ends of the names of classes whose objects hold no weights, unless they are modules."""

BUFFERS = ("relative_position_index", "relative_coords_table", "attn_mask", "position_ids")
"""Last names of buffers that constructors compute, and that libraries ceased to save."""

FETCH_AGAIN = (
    "Fetch or save the file again, and compare its size or sha256 with the published one. "
    "What is cut off cannot be taken out."
)
EDITOR = "Open it in a text editor: it is a few lines of plain text"

FIRST_BYTES: dict[str, tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "v": (
        "Nearly always that is a pointer of Git LFS in the place of the file: a small text that "
        "begins with `version https://git-lfs.github.com/spec/v1`.",
        (
            (
                f"{EDITOR} if it is that. Then fetch the file itself, in the repository:",
                ("git lfs install", "git lfs pull"),
            ),
            (
                "Or download the file itself from the page where it lies, with its own button for "
                "that.",
                (),
            ),
        ),
    ),
    "<": (
        "Nearly always that is a web page (HTML) that was saved in the place of the file: one that "
        "asks for a login or a click, or says that there is no such file.",
        (
            (
                f"{EDITOR} if it is that, and says why. Then download the file itself, by the link "
                "that leads to it and not to its page.",
                (),
            ),
        ),
    ),
    "{": (
        "Most often that is JSON: settings, an index of several files, or a server's message in "
        "the place of the file.",
        (
            (
                f"{EDITOR} if it is that. Then read it as JSON, or fetch the weights' own file.",
                (),
            ),
        ),
    ),
    "\x1f": (
        "Most often that is a file that was compressed with gzip.",
        (
            (
                "Unpack it, or open it with gzip.open, and read what is in it.",
                (),
            ),
        ),
    ),
}
"""First byte of a file that begins as no pickle does -> what it most often is, and the ways."""

LOSSES = {
    "loss",
    "losses",
    "criterion",
    "criteria",
    "criterions",
    "metric",
    "metrics",
    "lpips",
    "ssim",
    "psnr",
    "fid",
}
"""Words in the name of a module that is a loss or a metric, and no part of the network."""

TEXTS = (
    (
        r"failed finding central directory|PytorchStreamReader failed (?:reading|locating)"
        r"|pickle data was truncated|Ran out of input|unexpected EOF|invalid load key"
        r"|not a ZIP archive|Expected hasRecord|\bEOFError\b"
        r"|file in archive is not in a subdirectory|BadZipFile",
        "the bytes are not those of a whole checkpoint: a file that was not written to its end, a "
        "download that was cut off or damaged, a page or a pointer of git LFS in its place, or "
        "another kind of file.",
        (FETCH_AGAIN,),
    ),
    (
        r"torch\.jit\.load|TorchScript archive|constants\.pkl|No module named '?__torch__",
        "the file is a TorchScript program (torch.jit.save), and no pickle of a model.",
        ("Read it with torch.jit.load(path), under a torch that is not older than its writer.",),
    ),
    (
        r"persistent_load|persistent ids?\b",
        "the pickle refers to data beside it (persistent ids), as torch's files do: it was read "
        "with another reader than the one that it was written for.",
        (
            "Read the file, not a pickle out of it, with torch.load; if torch.load says this, the "
            "file is another program's.",
        ),
    ),
    (
        r"is a built-in (?:class|module)\b",
        "a torch of before 1.6 compares the source of the file's classes with that of yours, and "
        "finds no source of a class that is defined in a notebook or at a prompt. The file holds "
        "a whole model.",
        (
            "Define the class in a module of its own, and import it where you load the file.",
            "Or take the weights out, without that class: "
            "missing-aa rescue model.pt model.safetensors",
        ),
    ),
    (
        r"argument of type '(?!NoneType)[A-Z]\w*' is not iterable"
        r"|'(?!NoneType|Tensor)[A-Z]\w*' object (?:is not subscriptable|does not support item)"
        r"|Expected state_dict to be dict-like, got",
        "an object was used as a dictionary. If it came out of a file: the file holds a whole "
        "model, and the code that loads it wants a dictionary of weights.",
        (
            "Where you wrote the file: save model.state_dict().",
            "Or take the weights out: missing-aa rescue model.pt model.safetensors",
        ),
    ),
    (
        r"'(?:collections\.)?(?:OrderedDict|dict)' object is not callable",
        "a dictionary was called as a model is. If it came out of a file: the file holds weights "
        "and no model.",
        ("Make the model first, and load the weights into it: model.load_state_dict(weights).",),
    ),
    (
        r"Attempting to deserialize object on",
        "the tensors were saved on a device that the torch here cannot use: the machine has none, "
        "or this torch was built without it. No release is to blame, and the file is whole.",
        (
            "Read them onto another: torch.load(path, map_location='cpu').",
            "Where the traceback names _load_from_bytes, plain pickle wrote the file, and "
            "map_location does not reach its tensors; take them out: "
            "missing-aa rescue model.pt model.safetensors",
        ),
    ),
    (
        r"cannot instantiate '?(?:WindowsPath|PosixPath)",
        "beside the weights the file holds a path object of the other kind of system; pathlib "
        "makes none of those here.",
        (
            "Take the weights out, which makes no such object: "
            "missing-aa rescue model.pt model.safetensors",
            "Where you wrote the file: save str(path), or the state_dict alone.",
        ),
    ),
    (
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
    ),
)
"""Pattern of a text, what it means, what to do."""

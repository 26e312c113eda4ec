"""What is known of breaks outside timm, as data; a row is one break."""

import re
from typing import NamedTuple

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

SUPPLIED = {"padding_mode": "1.2", "proj_size": "1.9", "recompute_scale_factor": "2.1"}
"""Attributes of that table -> the torch from which `__setstate__` gives them to older objects."""

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

MODULE_BASES = ("_backward_hooks", "_buffers", "_forward_hooks", "_modules", "_parameters")
"""What `nn.Module.__init__` sets and `__setstate__` never had to add to an older object."""

_RENAMED = """
    cluster.affinity_propagation_ cluster.bicluster cluster.birch cluster.dbscan_
    cluster.hierarchical cluster.k_means_ cluster.mean_shift_ cluster.optics_ cluster.spectral
    covariance.elliptic_envelope covariance.empirical_covariance_ covariance.graph_lasso_
    covariance.robust_covariance covariance.shrunk_covariance_ cross_decomposition.cca_
    cross_decomposition.pls_ datasets.base datasets.california_housing datasets.covtype
    datasets.kddcup99 datasets.lfw datasets.olivetti_faces datasets.openml datasets.rcv1
    datasets.samples_generator datasets.species_distributions datasets.svmlight_format
    datasets.twenty_newsgroups decomposition.base decomposition.cdnmf_fast
    decomposition.dict_learning decomposition.factor_analysis decomposition.fastica_
    decomposition.incremental_pca decomposition.kernel_pca decomposition.nmf
    decomposition.online_lda decomposition.online_lda_fast decomposition.pca
    decomposition.sparse_pca decomposition.truncated_svd ensemble.bagging ensemble.base
    ensemble.forest ensemble.gradient_boosting ensemble.iforest ensemble.voting
    ensemble.weight_boosting feature_extraction.dict_vectorizer feature_extraction.hashing
    feature_extraction.stop_words feature_selection.base feature_selection.from_model
    feature_selection.mutual_info feature_selection.rfe feature_selection.univariate_selection
    feature_selection.variance_threshold gaussian_process.gpc gaussian_process.gpr
    inspection.partial_dependence linear_model.base linear_model.bayes linear_model.cd_fast
    linear_model.coordinate_descent linear_model.huber linear_model.least_angle
    linear_model.logistic linear_model.omp linear_model.passive_aggressive linear_model.perceptron
    linear_model.ransac linear_model.ridge linear_model.sag linear_model.sag_fast
    linear_model.sgd_fast linear_model.stochastic_gradient linear_model.theil_sen manifold.isomap
    manifold.locally_linear manifold.mds manifold.spectral_embedding_ manifold.t_sne metrics.base
    metrics.classification metrics.cluster.bicluster metrics.cluster.expected_mutual_info_fast
    metrics.cluster.supervised metrics.cluster.unsupervised metrics.pairwise_fast metrics.ranking
    metrics.regression metrics.scorer mixture.base mixture.bayesian_mixture
    mixture.gaussian_mixture neighbors.ball_tree neighbors.base neighbors.classification
    neighbors.dist_metrics neighbors.graph neighbors.kd_tree neighbors.kde neighbors.lof
    neighbors.nca neighbors.nearest_centroid neighbors.quad_tree neighbors.regression
    neighbors.typedefs neighbors.unsupervised neural_network.multilayer_perceptron
    neural_network.rbm preprocessing.data preprocessing.label semi_supervised.label_propagation
    svm.base svm.bounds svm.classes svm.liblinear svm.libsvm svm.libsvm_sparse tree.export
    tree.tree utils.fast_dict utils.mocking utils.seq_dataset utils.testing utils.weight_vector
"""
_PRIVATE = "|".join(map(re.escape, _RENAMED.split()))


class Moved(NamedTuple):
    """A module that a release took away: its name, what is known, and what pip has to be asked for.

    Without a `need` the file is of a newer release than the one that does not find it. `mend` is a
    line that gives the old name to what took its place.
    """

    name: str
    what: str
    need: str = ""
    mend: str = ""


MODULES = (
    Moved(
        r"numpy\._core(\.|$)",
        "numpy 2 has numpy._core, numpy 1 has numpy.core: the file was written under 2.",
    ),
    Moved(
        r"numpy\.core\._multiarray_umath$",
        "numpy has it since 1.16: the file was written under that or a newer one.",
    ),
    Moved(
        r"numpy\.random\._pickle$",
        "numpy has it since 1.17: the file was written under that or a newer one.",
    ),
    Moved(
        r"pandas\.core\.indexes\.numeric$",
        "pandas has it up to 1.5 and no longer since 2.0: what asks for it is older. "
        "pandas' own read_pickle (not pickle.load) finds its classes at their new place.",
        "pandas<2",
    ),
    Moved(
        r"pandas\.core\.index$",
        "pandas has it up to 1.5 and no longer since 2.0: what asks for it is older.",
        "pandas<2",
    ),
    Moved(
        rf"sklearn\.(?:{_PRIVATE})$",
        "scikit-learn 0.22 made that module private, under a name with an underscore, and 0.24 "
        "took the old name away: what asks for it is of before 0.22.",
        "scikit-learn<0.24",
    ),
    Moved(
        r"sklearn\.externals\.(?:joblib|six)(\.|$)",
        "scikit-learn brought it up to 0.22 and no longer since 0.23: what asks for it is older.",
        "scikit-learn<0.23",
    ),
    Moved(
        r"transformers\.(?:configuration|modeling|tokenization)_(?!(?:flax_|tf_)?(?:utils|outputs)"
        r"|tf_pytorch_utils|utils_)\w+$",
        "transformers 4.0 moved that module into a folder below transformers.models: what asks "
        "for it is older.",
        "transformers<4",
    ),
    Moved(
        r"ultralytics\.yolo(\.|$)",
        "ultralytics has it up to 8.0.186 (from 8.0.136 on as names of the new modules alone) and "
        "no longer since 8.0.187: what asks for it is older. ultralytics' own reader, YOLO(path), "
        "finds its utils, v8 and data under their new names.",
        "ultralytics<8.0.136",
    ),
    Moved(
        r"torch\.nn\.modules\.linear\._LinearWithBias$",
        "torch 1.8 has that class, in its MultiheadAttention, and no longer since 1.9: "
        "NonDynamicallyQuantizableLinear took its place. The file is older.",
        "torch<1.9",
        "torch.nn.modules.linear._LinearWithBias = "
        "torch.nn.modules.linear.NonDynamicallyQuantizableLinear",
    ),
)
"""Modules and names that came and went; each number was looked up in published packages, that of
_LinearWithBias in torch's report 60165."""

BECAME_PACKAGES = {"ultralytics.nn.modules": ("8.0.97", "8.0.98")}
"""Modules of one file -> the last release in which each is that, and the first in which it is a
package; looked up in published packages."""

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

PROJECTS = {"config", "core", "lib", "model", "models", "modules", "nets", "networks"}
PROJECTS |= {"layers", "net", "network", "nn", "scripts", "src", "tools", "util", "utils"}
"""What people call a folder of their project: no package is to be installed because of it."""

WITHOUT_TENSORS = {"sklearn", "joblib", "xgboost", "lightgbm", "catboost", "pandas", "scipy"}
WITHOUT_TENSORS |= {"gensim", "keras", "ktrain", "tensorflow"}
"""Packages whose objects hold no tensors of torch's, so that no weights can be taken out."""

OWN_FORMS = {
    "catboost": "CatBoost.save_model",
    "lightgbm": "Booster.save_model",
    "xgboost": "Booster.save_model",
}
"""Packages -> what saves their objects in a form that other versions read."""

BESIDE_WEIGHTS = {"torchtext"}
"""Packages whose objects are no models, and lie in files of torch's beside one or alone."""

ESTIMATORS = re.compile(
    r"(?:AdaBoost|Bagging|DecisionTree|Dummy|ExtraTrees?|GaussianProcess|(?:Hist)?GradientBoosting"
    r"|KNeighbors|MLP|MultiOutput|PassiveAggressive|RadiusNeighbors|RandomForest|SGD|Stacking"
    r"|Voting)(?:Classifier|Regressor)|(?:OneVsOne|OneVsRest|Ridge)Classifier"
    r"|(?:Gamma|Huber|Isotonic|Poisson|Quantile|RANSAC|TheilSen|TransformedTarget|Tweedie)Regressor"
    r"|(?:ARD|Linear|Logistic|PLS)Regression|(?:Linear|Nu)?SV[CR]|OneClassSVM"
    r"|(?:Bernoulli|Categorical|Complement|Gaussian|Multinomial)NB|(?:Standard|MinMax|MaxAbs|Robust)"
    r"Scaler|(?:Power|Quantile|Column|Function|Tfidf)Transformer|(?:Count|Dict|Hashing|Tfidf)"
    r"Vectorizer|(?:Incremental|Kernel|Sparse)?PCA|TruncatedSVD|FastICA|NMF|TSNE"
    r"|(?:OneHot|Ordinal|Label)Encoder|(?:MultiLabel|Label)Binarizer|(?:KNN|Simple)Imputer"
    r"|(?:MiniBatch|Bisecting)?KMeans|H?DBSCAN|Birch|(?:Bayesian)?GaussianMixture|NearestNeighbors"
    r"|IsolationForest|LocalOutlierFactor|(?:Grid|Randomized)SearchCV|CalibratedClassifierCV"
    r"|(?:Lasso|Ridge|ElasticNet|LogisticRegression)CV|ElasticNet|Lasso|(?:Bayesian|Kernel)Ridge"
    r"|PolynomialFeatures|KBinsDiscretizer|SelectKBest|LatentDirichletAllocation"
)
"""Names of scikit-learn's estimators that few other classes have."""

SETTINGS = r"(?:\w+_)?(?:hparams|args|cfg|config|opts?|hps)"
"""What code calls the settings that it is given."""

SELDOM_TENSORS = {"", "builtins", "numpy", "cloudpickle", "dill"}
"""Packages whose objects hold such tensors only where torch has a part; "" is Python's own."""

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

BUFFERS = (
    "relative_position_index",
    "relative_coords_table",
    "attn_mask",
    "position_ids",
    "inv_freq",
    "masked_bias",
)
"""Last names of buffers that constructors compute, and that libraries ceased to save. A `bias` that
has a `masked_bias` beside it is the causal mask of GPT-2's attention, and such a buffer too."""

COUNTERS = {
    "num_batches_tracked": "`num_batches_tracked` counts the batches that a BatchNorm was trained "
    "on. torch has it since 0.4.1, and the model's layer has none: as a rule the torch that reads "
    "is older than that, or the layer is a library's own. What the model predicts does not depend "
    "on it."
}
"""Last names of buffers on which the output does not depend -> what they are."""


class Renamed(NamedTuple):
    """Tensors of torch's that have two names: by what, since which torch, and both endings.

    `names` are pairs of an old and a new one; {} is the tensor's own name.
    """

    by: str
    since: str
    names: tuple[tuple[str, str], ...]


RENAMED = (
    Renamed(
        "weight_norm",
        "2.1",
        (
            ("{}_g", "parametrizations.{}.original0"),
            ("{}_v", "parametrizations.{}.original1"),
        ),
    ),
    Renamed(
        "spectral_norm",
        "",
        (
            ("{}_orig", "parametrizations.{}.original"),
            ("{}_u", "parametrizations.{}.0._u"),
            ("{}_v", "parametrizations.{}.0._v"),
        ),
    ),
)
"""torch.nn.utils.X -> torch.nn.utils.parametrizations.X; the names were read off torch 2.14.1."""

KEYS = {
    "pytorch-lightning_version": "Lightning writes it into each of its checkpoints, and a newer "
    "Lightning asks for it: so the file is none of Lightning's, as a rule weights alone.",
}
"""Entries of checkpoints -> what it means that one is missing."""

WRAPPERS = {
    "DataParallel": "module",
    "DistributedDataParallel": "module",
    "FullyShardedDataParallel": "module",
    "OptimizedModule": "_orig_mod",
}
"""Torch's wrappers of a model -> the attribute under which they keep it."""

GROWING = ("torch", "ultralytics", "lightning", "PIL")
"""Packages in which, as a rule, a name that a file asks for is newer than the one installed."""

SELDOM_FORKED = {"torch", "numpy", "PIL", "torchtext", "lightning", "pytorch_lightning"}
"""Packages of models, or beside them, of which a branch or a fork seldom wrote a file."""

HEADS = {"box_predictor", "classifier", "cls_head", "fc", "fc_cls", "head", "head_dist", "heads"}
HEADS |= {"last_layer", "last_linear", "mask_fcn_logits", "out_proj", "score", "segmentation_head"}
"""Layers that libraries call so and that have an output for each class."""

NEW_HEADS = {"classification_head", "logits_proj", "pooler", "pre_classifier", "qa_outputs"}
NEW_HEADS |= {"cls", "lm_loss", "mlm", "nsp", "pred_layer", "projector", "seq_relationship"}
NEW_HEADS |= {"sequence_summary", "vocab_layer_norm", "vocab_projector", "vocab_transform"}
NEW_HEADS |= {"discriminator_predictions", "generator_predictions"}
"""Layers that libraries put on a body for one task, that of the pretraining or another."""

COPIES = r"(?:^|[._])ema(?:_model)?[._]"
"""Where a name has it: a moving average of the weights, which training keeps beside them."""

FIRST_LAYERS = (
    r"(?:features?\.)?(?:0\.|conv(?:0|1|_?stem)[._]|conv1_1[._]|(?:patch_)?stem[._]|patch_embed"
    r"|embeddings?\.|embed_tokens\.|cls_token$|pos_embed$|downsample_layers\.0\.)"
)
"""How the first layers of models are called, from the beginning of a tensor's name on."""

QUANTISED = ("qweight", "qzeros", "scales", "g_idx", "SCB", "absmax", "quant_map", "weight_format")
"""Last names of tensors that quantised layers keep (GPTQ, AWQ, bitsandbytes)."""

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

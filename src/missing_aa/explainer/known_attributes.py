"""Attributes by which a library is known, where a class's name alone says little, as data.

A way out is a sentence; the lines below its first are commands.
"""

from typing import NamedTuple


class Fingerprint(NamedTuple):
    """Attributes of classes, by patterns: whose they are, what it means, what to do.

    `whole`, where it is told by an object that came whole out of a file.
    """

    classes: str
    attributes: str
    package: str
    what: str
    ways: tuple[str, ...]
    whole: bool = False


LAYERS = r"Linear|Embedding|Conv[123]d|LayerNorm|MultiheadAttention"
QUANTISED_ANEW = (
    "Load the weights before the model is quantised, or give from_pretrained the settings with "
    "which the file was quantised (quantization_config); put no weight into a quantised layer "
    "afterwards.",
    "Install versions that belong together.\n"
    "pip install --upgrade bitsandbytes accelerate transformers",
)

FINGERPRINTS = (
    Fingerprint(
        "Linear",
        "_lazy_load_hook",
        "torch_geometric",
        "torch's own Linear has no such method (its lazy layers have), and torch_geometric's "
        "Linear (torch_geometric.nn.dense) has it up to 2.3.1, and not from 2.4 on. An object that "
        "was pickled whole keeps it as a hook, which is looked up by its name when the file is "
        "read: so as a rule a torch_geometric before 2.4 wrote the file, and a newer one reads it.",
        (
            "Read the file with the torch_geometric that wrote it, and save the weights alone "
            "there.\npip install 'torch_geometric<2.4'",
        ),
        whole=True,
    ),
    Fingerprint(
        r"\w+",
        r"_(?:fused_|edge_)?user_args",
        "torch_geometric",
        "torch_geometric's layers of message passing set it since 2.3; until 2.2 it was called "
        "`__{bare}__`. So as a rule an older torch_geometric wrote the object whole, and a newer "
        "one runs it; else a layer of your own does not call super().__init__() first.",
        (
            "Read the file with the torch_geometric that wrote it, and save the weights alone "
            "there.\npip install 'torch_geometric<2.3'",
        ),
        whole=True,
    ),
    Fingerprint(
        r"\w+",
        r"__(?:fused_|edge_)?user_args__",
        "torch_geometric",
        "torch_geometric's layers of message passing set it up to 2.2; since 2.3 it is called "
        "`_{bare}`. So the torch_geometric that runs is one up to 2.2, and another one, from "
        "before it was set or from 2.3 on, wrote the object whole; else a layer of your own does "
        "not call super().__init__() first.",
        (
            "Read the file with the torch_geometric that wrote it, and save the weights alone "
            "there.",
        ),
        whole=True,
    ),
    Fingerprint(
        LAYERS,
        r"base_layer|lora_(?:A|B|E|alpha|bias|dropout|embedding_[AB]|magnitude_vector)"
        r"|active_adapters?|disable_adapters|modules_to_save",
        "peft",
        "no layer of torch's has it. PEFT puts a wrapper around a layer, keeps the layer in it as "
        "`base_layer`, and has the adapter's tensors (`lora_A`, `lora_B`) and `active_adapter` "
        "beside it; other code for adapters has some of these names too. Here code asks a plain "
        "layer for it: either the file was saved while the wrappers were on, so that its names "
        "have `.base_layer.` in them, and the model has none; or code expects an adapter on a "
        "layer that has none. No release of torch has a part in it.",
        (
            "Look whether the file's names have `.base_layer.` or `lora_` in them.\n"
            "missing-aa inspect model.pt",
            "If they have, and it can be written again: take the adapters off first, then save. "
            "After fuse_lora() of diffusers the wrappers stay on until they are unloaded.\n"
            "pipe.unload_lora_weights()   # diffusers, after pipe.fuse_lora()\n"
            "model = model.merge_and_unload()   # PEFT",
            "If only that file is left: rename its keys, without `.base_layer`, and leave those "
            "with `lora_` out. That is right only if the adapter was fused before; else its effect "
            "is lost.",
            "If you want the adapter on: put it on the model before that code runs.\n"
            "model = PeftModel.from_pretrained(model, ADAPTER)",
        ),
    ),
    Fingerprint(
        "Linear|Conv2d",
        "set_lora_layer|lora_layer",
        "diffusers",
        "no layer of torch's has it. The layers of older diffusers have it "
        "(LoRACompatibleLinear, LoRACompatibleConv). Since 0.22 diffusers makes plain layers where "
        "PEFT is installed, and since 0.27 always. So as a rule the code that asks is older than "
        "the diffusers that made the model, and no file has a part in it.",
        (
            "Take that code in a newer version, if there is one: newer scripts add the adapter "
            "with PEFT (add_adapter).",
            "Or an older diffusers, and no PEFT beside it; the code's requirements may name it.\n"
            "pip install 'diffusers<0.27'\npip uninstall peft",
        ),
    ),
    Fingerprint(
        "Parameter|Tensor",
        "S?CB",
        "bitsandbytes",
        "no tensor of torch's has it. The 8-bit layer of bitsandbytes keeps it on its own kind of "
        "weight (Int8Params), and a plain one stands in its place: it was put there after the "
        "layer was made, or something on the way (a copy, another process, a wrapper) made a plain "
        "one of it. Nothing says that the file is damaged.",
        QUANTISED_ANEW,
    ),
    Fingerprint(
        "Parameter|Tensor",
        "quant_state|compress_statistics|quant_storage|bnb_quantized",
        "bitsandbytes",
        "no tensor of torch's has it. The 4-bit layer of bitsandbytes keeps it on its own kind of "
        "weight (Params4bit), and a plain one stands in its place: it was put there after the "
        "layer was made, or something on the way (a copy, another process, a wrapper) made a plain "
        "one of it. Nothing says that the file is damaged.",
        QUANTISED_ANEW,
    ),
    Fingerprint(
        r"XGB\w+",
        "enable_categorical",
        "xgboost",
        "xgboost's models set it since 1.5, and newer code reads it. So as a rule an older xgboost "
        "pickled the object, and a newer one runs it.",
        (
            "Read it with the xgboost that wrote it, there save it in xgboost's own form "
            "(save_model with a name in .json), and read that with the installed one.\n"
            "pip install 'xgboost<1.5'",
        ),
    ),
    Fingerprint(
        r"XGB\w+",
        "use_label_encoder",
        "xgboost",
        "xgboost's classifier sets it since 1.3; later ones took it away again. So as a rule "
        "another xgboost pickled the object than runs it: one before 1.3, if the installed one is "
        "of 1.3 or later.",
        (
            "Read it with the xgboost that wrote it, there save it in xgboost's own form "
            "(save_model with a name in .json), and read that with the installed one.",
        ),
    ),
)
"""Each was read off the source: where a row tells a change, of releases on both sides of it."""

"""Write models of a library whole, or load such files and run them. Runs in any Python since 3.6.

    python use_models.py write LIBRARY FOLDER
    python use_models.py read LIBRARY FOLDER

It needs nothing but torch and the library, for it is run where this project is not installed.
Prints a line of JSON for each model: its name, and the error that came, or null.
"""

import json
import logging
import os
import sys
import warnings

import torch

TORCHVISION = """alexnet vgg11_bn resnet18 wide_resnet50_2 squeezenet1_1 densenet121 googlenet
inception_v3 shufflenet_v2_x0_5 mobilenet_v2 mobilenet_v3_small mnasnet0_5 efficientnet_b0
efficientnet_v2_s regnet_y_400mf convnext_tiny vit_b_32 swin_t segmentation.fcn_resnet50
segmentation.deeplabv3_mobilenet_v3_large segmentation.lraspp_mobilenet_v3_large video.r3d_18
detection.fasterrcnn_resnet50_fpn detection.retinanet_resnet50_fpn mobilenet_v3_large
detection.maskrcnn_resnet50_fpn detection.keypointrcnn_resnet50_fpn
detection.fasterrcnn_mobilenet_v3_large_fpn detection.ssdlite320_mobilenet_v3_large"""

DECODERS = "Unet UnetPlusPlus MAnet Linknet FPN PSPNet DeepLabV3 DeepLabV3Plus PAN"
ENCODERS = """resnet18 efficientnet-b0 mobilenet_v2 timm-mobilenetv3_small_100 timm-efficientnet-b0
vgg11_bn densenet121 se_resnet50 dpn68 xception timm-resnest14d timm-regnetx_002 timm-gernet_s
mobileone_s0 mit_b0 tu-resnet18"""

YOLO = """yolov8n yolov8n-seg yolov8n-cls yolov8n-pose yolov8n-p2 yolov8n-obb yolov5n yolov3-tiny
yolov6n yolov9t yolov10n yolo11n yolo11n-seg rtdetr-resnet50"""

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
WIDE = dict(SMALL, intermediate_size=40)
PICTURES = dict(WIDE, image_size=32, patch_size=8)
TRANSFORMERS = {
    "Bert": WIDE,
    "Roberta": WIDE,
    "XLMRoberta": WIDE,
    "Electra": dict(WIDE, embedding_size=32),
    "Albert": dict(WIDE, embedding_size=16),
    "MPNet": WIDE,
    "DebertaV2": WIDE,
    "DistilBert": {"dim": 32, "hidden_dim": 40, "n_layers": 2, "n_heads": 2},
    "GPT2": {"n_embd": 32, "n_layer": 2, "n_head": 2},
    "GPTNeoX": WIDE,
    "OPT": dict(SMALL, ffn_dim=40, word_embed_proj_dim=32),
    "Llama": WIDE,
    "Bart": {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2},
    "ViT": PICTURES,
    "DeiT": PICTURES,
    "Beit": PICTURES,
    "ViTMAE": PICTURES,
    "Swin": {"embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "image_size": 64},
    "ConvNext": {"hidden_sizes": [8, 16, 16, 16], "depths": [1, 1, 1, 1]},
    "Segformer": {},
    "ResNet": {"embedding_size": 8, "hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 1, 1]},
    "CLIPVision": PICTURES,
    "Dinov2": dict(SMALL, image_size=32, patch_size=8),
}


def names(library):
    """The models of a library that are tried; a release writes those that it has."""
    if library == "segmentation_models_pytorch":
        decoders = DECODERS.split()
        chosen = [(decoders[n % 9], encoder) for n, encoder in enumerate(ENCODERS.split())]
        chosen += [(decoder, "resnet18") for decoder in decoders[1:]]
        return ["{}:{}".format(*pair) for pair in chosen]
    if library == "transformers":
        return list(TRANSFORMERS)
    return {"torchvision": TORCHVISION, "ultralytics": YOLO}[library].split()


def build(library, name):
    """A fresh model."""
    if library == "torchvision":
        import torchvision

        where, _, last = name.rpartition(".")
        module = getattr(torchvision.models, where) if where else torchvision.models
        settings = {"pretrained_backbone": False} if where in ("segmentation", "detection") else {}
        return getattr(module, last)(**settings)
    if library == "segmentation_models_pytorch":
        import segmentation_models_pytorch

        decoder, _, encoder = name.partition(":")
        return getattr(segmentation_models_pytorch, decoder)(encoder, encoder_weights=None)
    if library == "ultralytics":
        import ultralytics

        kind = ultralytics.RTDETR if name.startswith("rtdetr") else ultralytics.YOLO
        return kind(name + ".yaml").model
    import transformers

    config = getattr(transformers, name + "Config")(**TRANSFORMERS[name])
    return getattr(transformers, name + "Model")(config)


def picture(library, name, model):
    """The argument of a forward pass."""
    if library == "transformers":
        if not hasattr(model.config, "num_channels"):
            return torch.ones(1, 8, dtype=torch.long)
        size = getattr(model.config, "image_size", 64)
    else:
        size = 224 if library == "torchvision" else 256
    if name.startswith("detection."):
        return [torch.zeros(3, size, size)]
    return (
        torch.zeros(1, 3, 8, 64, 64) if name.startswith("video.") else torch.zeros(1, 3, size, size)
    )


def write(library, name, file):
    torch.manual_seed(0)
    model = build(library, name).eval()
    run(library, name, model)
    model.zero_grad()
    torch.save(model, file)


def read(library, name, file):
    try:
        model = torch.load(file, weights_only=False)  # written by this measuring: trusted
    except TypeError:  # of a torch that has no such setting
        model = torch.load(file)
    run(library, name, model.eval())


def run(library, name, model):
    with torch.no_grad():
        model(picture(library, name, model))


def main(task, library, folder):
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    for name in names(library):
        file = os.path.join(folder, name.replace(":", "+") + ".pt")
        if task == "read" and not os.path.exists(file):
            continue
        try:
            (write if task == "write" else read)(library, name, file)
            met = None
        except Exception as error:
            text = str(error)
            for entry in sorted(filter(None, sys.path), key=len, reverse=True):
                text = text.replace(entry + os.sep, "")
            met = [type(error).__name__, text]
        print("\n" + json.dumps({"model": name, "met": met}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The forward pass of `helpers.layers.ConvNormAct` against timm's, with the same weights."""

import warnings

import torch

from bench import alternate, tell
from helpers.layers import BlurPool2d, ConvNormAct


def main() -> None:
    warnings.simplefilter("ignore")
    from timm.layers import ConvNormAct as Published

    x = torch.randn(8, 64, 56, 56)
    for name, stride, ours, theirs in [
        ("stride 1", 1, None, None),
        ("stride 2", 2, None, None),
        ("stride 2, blur", 2, BlurPool2d, "blur"),
    ]:
        mine = ConvNormAct(64, 128, 3, stride, aa_layer=ours).eval()
        published = Published(64, 128, 3, stride, aa_layer=theirs).eval()
        published.load_state_dict(mine.state_dict())
        with torch.inference_mode():
            a, b = alternate(lambda m=mine: m(x), lambda m=published: m(x), rounds=100)
        tell(f"ConvNormAct forward, {name}, ours / timm's", a / b, 1.05)

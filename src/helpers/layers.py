"""The two layers that lessons 01 and 02 arrive at, with the same state_dict keys as timm's."""

from collections.abc import Callable
from functools import partial
from math import comb

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RELU = partial(nn.ReLU, inplace=True)
"""In place, as in timm: nobody else needs the norm's output, and a map is written once less."""


def same_size_padding(kernel_size: int, stride: int = 1, dilation: int = 1) -> int:
    """Padding on each side that keeps a map's size at stride 1 and halves it at stride 2.

    That is for odd kernels; larger strides leave one sample more than size / stride here and there.
    Source: (stride - 1 + dilation * (kernel_size - 1)) // 2, timm's symmetric default.
    """
    return (stride - 1 + dilation * (kernel_size - 1)) // 2


class BlurPool2d(nn.Module):
    """Blur each channel with a binomial kernel, then keep every `stride`-th sample.

    Shapes: (N, channels, H, W) -> (N, channels, ceil(H / stride), ceil(W / stride)) for odd
    kernels and strides 1 and 2. The kernel is the outer product of a row of Pascal's triangle with
    itself, divided by its sum; the border is reflected. It is a buffer that the state_dict leaves
    out, as in timm: it follows from the arguments. Raises ValueError for a kernel smaller than 2.

    Source: R. Zhang, Making Convolutional Networks Shift-Invariant Again, arXiv:1904.11486, sec. 3.
    """

    kernel: Tensor

    def __init__(self, channels: int, kernel_size: int = 3, stride: int = 2):
        super().__init__()
        if kernel_size < 2:
            raise ValueError(f"a blur needs a kernel of at least 2 samples, not {kernel_size}")
        self.channels = channels
        self.stride = stride
        self.padding = same_size_padding(kernel_size, stride)
        row = torch.tensor([comb(kernel_size - 1, k) for k in range(kernel_size)]).float()
        row /= row.sum()
        kernel = torch.outer(row, row).repeat(channels, 1, 1, 1)
        self.register_buffer("kernel", kernel, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, [self.padding] * 4, mode="reflect")
        return F.conv2d(x, self.kernel, stride=self.stride, groups=self.channels)


class ConvNormAct(nn.Module):
    """Convolution, norm, activation and, where it strides, an optional anti-aliasing layer.

    Shapes: (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)) for odd
    kernels, the default padding and strides 1 and 2. `aa_layer` is called with `channels` and
    `stride`; given one, the convolution runs at stride 1 and that layer downsamples. At stride 1
    it is ignored. Without the norm there is no activation either, as in timm. Raises what torch's
    Conv2d raises.

    Source: timm's class of this name, whose keys (`conv`, and `bn` for any norm) it shares.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        stride: int = 1,
        padding: int | None = None,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = False,
        apply_norm: bool = True,
        apply_act: bool = True,
        norm_layer: Callable[[int], nn.Module] = nn.BatchNorm2d,
        act_layer: Callable[[], nn.Module] = RELU,
        aa_layer: Callable[..., nn.Module] | None = None,
    ):
        super().__init__()
        use_aa = aa_layer is not None and stride > 1
        conv_stride = 1 if use_aa else stride
        if padding is None:
            padding = same_size_padding(kernel_size, conv_stride, dilation)
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, conv_stride, padding, dilation, groups, bias
        )
        self.bn = norm_layer(out_channels) if apply_norm else nn.Identity()
        self.act = act_layer() if apply_norm and apply_act else nn.Identity()
        self.aa = aa_layer(channels=out_channels, stride=stride) if use_aa else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.bn(self.conv(x)))
        return x if self.aa is None else self.aa(x)

"""The figures of lesson 01: feature maps, one channel through a block, the blocks of a model.

Each function returns a figure and its text alternative, made from what is drawn.
"""

from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from torch import Tensor, nn

from helpers.plots import BLACK, BLUE, figure, style
from helpers.plots import shapes as draw


def feature_maps(photo: Tensor, maps: dict[str, Tensor]) -> tuple[Figure, str]:
    """A photo, shape (3, H, W), and beside it named feature maps, each of shape (H, W)."""
    fig = figure(2.2 * (len(maps) + 1), 3.2)
    with style():
        panels = fig.subplots(1, len(maps) + 1, sharey=True)
        panels[0].imshow(photo.permute(1, 2, 0).numpy())
        panels[0].set(title="photo", ylabel="row (pixels)")
        for panel, (name, values) in zip(panels[1:], maps.items(), strict=True):
            # The strongest hundredth would leave the rest in the dark.
            panel.imshow(values.numpy(), vmin=0, vmax=values.quantile(0.99).item())
            panel.set_title(name)
        for panel in panels:
            panel.set_xlabel("column (pixels)")
        fig.suptitle("One photo, a map for each filter: bright where the filter answers")
    zeros = ", ".join(f"{name} {_share_of_zeros(values):.0%}" for name, values in maps.items())
    return fig, f"A photo and {len(maps)} feature maps of it. Share of zeros in each map: {zeros}."


def _share_of_zeros(values: Tensor) -> float:
    return (values == 0).float().mean().item()


def steps(values: dict[str, Tensor]) -> tuple[Figure, str]:
    """One channel, shape (H, W), after each named step: the map above, its histogram below."""
    fig = figure(9, 5)
    limit = max(step.abs().max().item() for step in values.values())
    notes = []
    with style():
        upper, lower = fig.subplots(
            2, len(values), height_ratios=[2, 1], sharex="row", sharey="row"
        )
        for top, bottom, (name, step) in zip(upper, lower, values.items(), strict=True):
            image = top.imshow(step.numpy(), cmap="PuOr", vmin=-limit, vmax=limit)
            top.set(title=f"after {name}", xlabel="column (pixels)")
            bottom.hist(step.flatten().numpy(), bins=50, range=(-limit, limit), color=BLUE)
            bottom.axvline(0, color=BLACK, linewidth=1)
            bottom.set(xlabel="value", yscale="log")
            notes.append(
                f"after {name} from {step.min():.1f} to {step.max():.1f}, "
                f"mean {step.mean().item():z.2f}"
            )
        upper[0].set_ylabel("row (pixels)")
        lower[0].set_ylabel("number of pixels")
        fig.colorbar(image, ax=upper, label="value")
        fig.suptitle("One channel on its way through the block")
    return fig, f"One channel as maps and histograms: {'; '.join(notes)}."


def model_blocks(blocks: list[tuple[str, int]]) -> tuple[Figure, str]:
    """A bar for each block of a model, input first: its kind and how many numbers it learns."""
    fig = figure(8.5, 3.2)
    kinds = sorted({kind for kind, _ in blocks})
    with style():
        axes = fig.subplots()
        for kind in kinds:
            here = [(place, size) for place, (of, size) in enumerate(blocks, 1) if of == kind]
            axes.bar(*zip(*here, strict=True), width=0.8, label=f"{kind}: {len(here)}")
        axes.set(xlabel="block, from input to output", ylabel="parameters", yscale="log")
        axes.set_title(f"{len(blocks)} ConvNormAct in one model, and what each learns")
        axes.legend(title="conv", loc="upper left", bbox_to_anchor=(1, 1))
    counts = "; ".join(f"{sum(of == kind for of, _ in blocks)} of {kind}" for kind in kinds)
    sizes = [size for _, size in blocks]
    return fig, (
        f"Bars for {len(blocks)} ConvNormAct blocks in the order of the model: {counts}. "
        f"The smallest learns {min(sizes):,} numbers, the largest {max(sizes):,}."
    )


@dataclass(frozen=True)
class Stage:
    """A part of a block that ran: its map of one channel, (H, W), and its multiply–adds."""

    title: str
    values: Tensor
    work: int


def run_through(block: nn.Module, picture: Tensor, channel: int) -> list[Stage]:
    """What each part of a block makes of a picture, (1, C, H, W), in the order in which they run.

    Multiply–adds are counted for convolutions, a blur among them: output samples x inputs of each.
    """
    stages: list[Stage] = []
    names = {id(part): name for name, part in block.named_children()}

    def note(part: nn.Module, _, output: Tensor) -> None:
        kernel = getattr(part, "weight", None)
        stride = getattr(part, "stride", None)
        weighs = isinstance(part, nn.Conv2d)
        work = output.numel() * kernel[0].numel() if weighs else 0
        stride = stride[0] if isinstance(stride, tuple) else stride
        title = TITLES.get(names[id(part)], names[id(part)])
        title += f" stride {stride}" if stride else ""
        stages.append(Stage(title, output[0, channel].clone(), work))

    hooks = [
        part.register_forward_hook(note)
        for part in block.children()
        if not isinstance(part, nn.Identity)
    ]
    try:
        with torch.inference_mode():
            block(picture)
    finally:
        for hook in hooks:
            hook.remove()
    return stages


TITLES = {"bn": "norm"}
"""What a part is called in the figures, where its name is another for old weights' sake."""


def through_the_block(
    picture: Tensor, smooth: nn.Module, plain: nn.Module, channel: int = 0
) -> tuple[Figure, str]:
    """A picture, (1, 3, H, W), on its way through a block with anti-aliasing and one without.

    Maps of one channel stand between the parts, each as large as it is.
    """
    rows = {"with aa": run_through(smooth, picture, channel)}
    rows["plain"] = run_through(plain, picture, channel)
    whole = picture.shape[-1]
    times = rows["with aa"][0].work / rows["plain"][0].work
    with style():
        fig, axes = draw.canvas(6.0)
        for top, (name, stages) in zip((0.1, 3.2), rows.items(), strict=True):
            draw.words(axes, 0.1, top + 0.2, name, draw.LARGE, weight="bold")
            _row(axes, top + 0.8, picture[0], stages)
        look = {"ha": "center", "weight": "bold", "color": draw.RED}
        draw.words(axes, FIRST + COLUMN, 2.93, f"×{times:.3g} work", **look)
    told = "; ".join(
        f"{name}: {', '.join(f'{s.title} {_size(s.values)}' for s in stages)}"
        for name, stages in rows.items()
    )
    return fig, (
        f"A picture of {whole}×{whole} on its way through two blocks, with the map of one channel "
        f"after each part. {told}. The convolution with aa takes {times:.3g} times as "
        "many multiply–adds."
    )


FIRST, COLUMN, FULL = 0.6, 1.18, 1.08
"""Inches: the middle of the first picture, from one to the next, and how large the largest is."""


def _row(axes: Axes, y: float, photo: Tensor, stages: list[Stage]) -> None:
    """A row of boxes at `y`, joined by arrows, with the pictures that come in and go out below."""
    below, whole = y + 0.95, photo.shape[-1]
    pictures = [photo.permute(1, 2, 0), *(stage.values for stage in stages)]
    axes.plot([FIRST, FIRST], [below - FULL / 2, y], color=BLACK, linewidth=2)
    for at, values in enumerate(pictures):
        x, size = FIRST + COLUMN * at, FULL * values.shape[0] / whole
        _print(axes, values, x, below, size)
        draw.words(axes, x, below + 0.7, _size(values), draw.SMALL, ha="center")
        if at:
            before = x - COLUMN + (0.48 if at > 1 else 0)
            draw.arrow(axes, (before, y), (x - 0.46, y), mutation_scale=14)
            axes.plot([x, x], [y, below - size / 2], color=BLACK, linewidth=1, linestyle=":")
            _box(axes, x, y, stages[at - 1].title)


def _size(values: Tensor) -> str:
    return f"{values.shape[1]}×{values.shape[0]}"


def _print(axes: Axes, values: Tensor, x: float, y: float, size: float) -> None:
    """A map or a photo, its middle at (x, y), `size` inches wide; the brightest is the highest."""
    half = size / 2
    look = {"interpolation": "nearest", "aspect": "auto", "zorder": 3, "cmap": "gray"}
    # The outermost hundredths, at the border, would leave the rest without contrast.
    low, high = (values.quantile(share).item() for share in (0.01, 0.99))
    axes.imshow(
        values.numpy(), extent=(x - half, x + half, y + half, y - half), vmin=low, vmax=high, **look
    )


def _box(axes: Axes, x: float, y: float, title: str) -> None:
    rounded = "round,pad=0,rounding_size=0.1"
    colour = "#bfe6d8" if title.startswith("aa") else draw.CODE
    look = {"facecolor": colour, "edgecolor": BLACK, "linewidth": 1.5, "zorder": 4}
    axes.add_patch(FancyBboxPatch((x - 0.46, y - 0.27), 0.92, 0.54, rounded, **look))
    draw.words(axes, x, y, title.replace(" ", "\n", 1), draw.SMALL, ha="center")

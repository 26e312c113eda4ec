"""The figures of lesson 01: feature maps, one channel through a block, the blocks of a model.

Each function returns a figure and its text alternative, made from what is drawn.
"""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from torch import Tensor, nn

from helpers.plots import BLACK, BLUE, figure, style
from helpers.plots import shapes as draw


def feature_maps(photo: Tensor, maps: dict[str, Tensor]) -> tuple[Figure, str]:
    """A photo, shape (3, H, W), and with it named feature maps, each of shape (H, W)."""
    rows = (len(maps) + 3) // 3
    fig = figure(6, 2.35 * rows + 0.5)
    with style():
        panels = fig.subplots(rows, 3, sharex=True, sharey=True, squeeze=False)
        first, *others = panels.flat
        first.imshow(photo.permute(1, 2, 0).numpy())
        first.set_title("photo")
        for panel, (name, values) in zip(others, maps.items(), strict=False):
            # The strongest hundredth would leave the rest in the dark.
            panel.imshow(values.numpy(), cmap="gray", vmin=0, vmax=values.quantile(0.99).item())
            panel.set_title(draw.wrapped(name, 12))
        for panel in others[len(maps) :]:
            panel.set_axis_off()
        _pixels(panels)
        fig.suptitle("Bright where the filter answers")
    zeros = ", ".join(f"{name} {_share_of_zeros(values):.0%}" for name, values in maps.items())
    return fig, f"A photo and {len(maps)} feature maps of it. Share of zeros in each map: {zeros}."


def _pixels(panels: np.ndarray) -> None:
    """Label a grid of pictures: rows at its left, columns below, few numbers."""
    for panel in panels.flat:
        panel.locator_params(nbins=3)
    for panel in panels[:, 0]:
        panel.set_ylabel("row (pixels)")
    for panel in panels[-1]:
        panel.set_xlabel("column (pixels)")


def _share_of_zeros(values: Tensor) -> float:
    return (values == 0).float().mean().item()


def steps(values: dict[str, Tensor]) -> tuple[Figure, str]:
    """One channel, shape (H, W), after each named step: the map above, its histogram below.

    All maps share one scale, on which high is bright.
    """
    fig = figure(6, 4.6)
    low = min(step.min().item() for step in values.values())
    high = max(step.max().item() for step in values.values())
    notes = []
    with style():
        panels = fig.subplots(2, len(values), height_ratios=[3, 2], sharex="row", sharey="row")
        for top, bottom, (name, step) in zip(*panels, values.items(), strict=True):
            image = top.imshow(step.numpy(), cmap="gray", vmin=low, vmax=high)
            top.set_title(f"after {name}")
            share = 100 / step.numel()
            weights = [share] * step.numel()
            bins = {"bins": 40, "range": (low, high), "weights": weights}
            bottom.hist(step.flatten().numpy(), color=BLUE, **bins)
            bottom.axvline(0, color=BLACK, linewidth=1)
            bottom.set(xlabel="value")
            notes.append(
                f"after {name} from {step.min():.1f} to {step.max():.1f}, "
                f"mean {step.mean().item():z.2f}, {_share_of_zeros(step):.0%} zeros"
            )
        _pixels(panels[:1])
        panels[1, 0].set_ylabel("pixels (%)")
        fig.colorbar(image, ax=panels[0].tolist(), label="value", fraction=0.05)
    return fig, f"One channel as maps and histograms: {'; '.join(notes)}."


def model_blocks(model: nn.Module, kind: type[nn.Module]) -> tuple[Figure, str]:
    """A model as a row of boxes for each of its parts: those of a kind coloured, others grey.

    Beside each row stands the part's share of the parameters.
    """
    total = sum(p.numel() for p in model.parameters())
    rows = {name: _boxes(part, kind) for name, part in model.named_children()}
    rows = {name: boxes for name, boxes in rows.items() if boxes}
    count = sum(ours for boxes in rows.values() for ours, _ in boxes)
    inside = sum(size for boxes in rows.values() for ours, size in boxes if ours) / total
    notes = []
    with style():
        fig, axes = draw.canvas(1.35 + sum(0.3 + 0.34 * _lines(boxes) for boxes in rows.values()))
        draw.headline(axes, f"{count} {kind.__name__}: {inside:.0%} of the model")
        draw.words(axes, draw.WIDTH - 0.15, 0.78, "parameters", draw.SMALL, ha="right")
        y = 1.15
        for name, boxes in rows.items():
            size = sum(size for _, size in boxes)
            share = f"{size / total:.0%}" if size / total >= 0.005 else "< 1%"
            draw.words(axes, 0.15, y, name, draw.SMALL, family=draw.MONO)
            for at, (ours, _) in enumerate(boxes):
                corner = 1.15 + 0.3 * (at % LINE), y - 0.14 + 0.34 * (at // LINE)
                colour = BLUE if ours else draw.PALE
                axes.add_patch(Rectangle(corner, 0.25, 0.28, facecolor=colour, edgecolor=BLACK))
            draw.words(axes, draw.WIDTH - 0.15, y, share, draw.SMALL, ha="right", weight="bold")
            notes.append(f"{name} {sum(ours for ours, _ in boxes)} of {len(boxes)}, {share}")
            y += 0.3 + 0.34 * _lines(boxes)
    return fig, (
        f"A model as a row of boxes for each of its parts: {count} {kind.__name__} blocks hold "
        f"{inside:.0%} of its {total:,} parameters. Blocks of this kind among all boxes, and share "
        f"of the parameters: {'; '.join(notes)}."
    )


LINE = 13
"""Boxes in a line; a part with more has several lines."""


def _lines(boxes: list) -> int:
    return -(-len(boxes) // LINE)


def _boxes(part: nn.Module, kind: type[nn.Module]) -> list[tuple[bool, int]]:
    """The blocks of a kind in a part of a model, and whatever else in it holds parameters itself.

    Of each whether it is of the kind, and how many parameters it has.
    """
    if isinstance(part, kind):
        return [(True, sum(p.numel() for p in part.parameters()))]
    own = sum(p.numel() for p in part.parameters(recurse=False))
    return [(False, own)] * bool(own) + [
        box for child in part.children() for box in _boxes(child, kind)
    ]


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
    described = "; ".join(
        f"{name}: {', '.join(f'{s.title} {_size(s.values)}' for s in stages)}"
        for name, stages in rows.items()
    )
    return fig, (
        f"A picture of {whole}×{whole} on its way through two blocks, with the map of one channel "
        f"after each part. {described}. The convolution with aa takes {times:.3g} times as "
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

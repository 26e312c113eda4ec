"""The figures of lesson 01: feature maps, one channel through a block, the blocks of a model.

Each function returns a figure and its text alternative, made from what is drawn.
"""

from matplotlib.figure import Figure
from torch import Tensor

from helpers.plots import BLACK, BLUE, figure, style


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

"""The figures of lesson 02: an aliased sine, subsampled pictures, a blur's response, trained nets.

Each function returns a figure and its text alternative, made from what is drawn.
"""

import math
from collections.abc import Callable, Sequence

import torch
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from torch import Tensor, nn

from helpers.layers import BlurPool2d
from helpers.plots import BLACK, BLUE, SKY, VERMILION, figure, style
from helpers.plots import shapes as draw
from helpers.shift import around_the_border, fractional_shift, shift_error
from helpers.training import Run

Layer = Callable[[Tensor], Tensor]


def crossings(samples: Tensor) -> int:
    """How often a wave changes its sign."""
    signs = samples[samples.abs() > 1e-6].sign()
    return int((signs[1:] != signs[:-1]).sum())


def between(wave: Tensor, finer: int) -> Tensor:
    """The smooth curve through a periodic wave, (N,) -> (N * finer,): its Fourier series."""
    length = len(wave)
    return torch.fft.irfft(torch.fft.rfft(wave), n=length * finer) * finer


def aliased_sine(wave: Tensor, step: int) -> tuple[Figure, str]:
    """A wave, shape (N,), and what is left of it when only every `step`-th sample is kept."""
    fig = figure(6, 4.2)
    kept = wave[::step]
    finer = 40
    places = torch.arange(len(wave) * finer) / finer
    with style():
        axes = fig.subplots()
        axes.plot(places, between(wave, finer), color=SKY, linewidth=1, label="the wave")
        axes.plot(range(len(wave)), wave.numpy(), "o", color=BLUE, ms=4, label="all samples")
        slow = between(kept, finer * step)
        axes.plot(places, slow, color=VERMILION, label="the wave through them")
        nth = {2: "2nd", 3: "3rd"}.get(step, f"{step}th")
        axes.plot(
            range(0, len(wave), step), kept.numpy(), "o", color=VERMILION, label=f"every {nth}"
        )
        axes.set(
            title="Fewer samples show another wave", xlabel="position (samples)", ylabel="value"
        )
        axes.set(xlim=(-0.5, len(wave) - 0.5))
        handles, labels = axes.get_legend_handles_labels()
        order = (0, 1, 3, 2)
        fig.legend(
            [handles[at] for at in order],
            [labels[at] for at in order],
            ncols=2,
            loc="outside lower center",
        )
    return fig, (
        f"A sine over {len(wave)} samples that changes its sign {crossings(wave)} times. "
        f"Of every {step} samples one is kept: the wave through those changes its sign "
        f"{crossings(kept)} times."
    )


def pictures(named: dict[str, Tensor], title: str) -> tuple[Figure, str]:
    """Named pictures, each of shape (H, W) or (3, H, W) with values 0 to 1, two in a row.

    Of an odd number the first has a row of its own.
    """
    odd = len(named) % 2
    rows = (len(named) + odd) // 2
    fig = figure(6, 3.1 * rows + 0.5)
    places = ([(0, slice(1, 3))] if odd else []) + [
        (row, slice(*half)) for row in range(odd, rows) for half in ((0, 2), (2, 4))
    ]
    notes = []
    with style():
        grid = fig.add_gridspec(rows, 4)
        for place, (name, picture) in zip(places, named.items(), strict=True):
            panel = fig.add_subplot(grid[place])
            shown = picture.permute(1, 2, 0) if picture.ndim == 3 else picture
            panel.imshow(shown.clamp(0, 1).numpy(), cmap="gray", vmin=0, vmax=1)
            panel.set(title=name, xlabel="column (pixels)", ylabel="row (pixels)")
            panel.locator_params(nbins=4)
            notes.append(
                f"{name}, {picture.shape[-1]} pixels wide, contrast {picture.std().item():.2f}"
            )
        fig.suptitle(draw.wrapped(title, 42))
    return fig, f"{title}. In reading order: {'; '.join(notes)} (standard deviation)."


def responses(frequencies: Tensor, curves: dict[str, Tensor]) -> tuple[Figure, str]:
    """How much of each frequency a blur lets through: (F,) in cycles per pixel, and 0 to 1."""
    fig = figure(6, 3.6)
    with style():
        axes = fig.subplots()
        for (name, curve), line in zip(curves.items(), ("-", "--", ":"), strict=False):
            axes.plot(frequencies.numpy(), curve.numpy(), line, label=name)
        axes.axvspan(0.25, 0.5, color=BLACK, alpha=0.08)
        axes.text(0.375, 0.88, "too fast\nfor stride 2", ha="center", va="center", size=13)
        axes.set(
            title="A blur removes what a stride cannot carry",
            xlabel="frequency (cycles per pixel)",
            ylabel="share let through",
            xlim=(0, 0.5),
        )
        axes.legend(loc="lower left")
    middle = len(frequencies) // 2
    notes = "; ".join(f"{name}: {curve[middle]:.2f}" for name, curve in curves.items())
    return fig, (
        "Share of each frequency that a blur lets through, falling from 1 at frequency 0. "
        f"At {frequencies[middle]:.2f} cycles per pixel, the limit for stride 2: {notes}."
    )


def moved(picture: Tensor, layers: dict[str, Layer], shift: int) -> tuple[Figure, str]:
    """A picture moved to the right, and where the map of each layer, moved back, is another one.

    Shape of the picture: (1, 3, H, W). It goes on around its border, as for `shift_error`. All maps
    share one scale, which ends at an eighth of what the first layer gives at most; a layer that
    does not mind the move stays dark.
    """
    fig = figure(6, 5.4)
    notes, brightest = [], None
    with style(), torch.inference_mode():
        grid = fig.add_gridspec(2, 4)
        there = picture.roll(shift, dims=-1)
        first = fig.add_subplot(grid[0, 1:3])
        first.imshow(there[0].permute(1, 2, 0).numpy())
        first.set(title=f"moved by {shift}", ylabel="row (pixels)")
        panels = [fig.add_subplot(grid[1, :2]), fig.add_subplot(grid[1, 2:])]
        for axes, (name, layer) in zip(panels, layers.items(), strict=True):
            still, maps = around_the_border(layer, picture), around_the_border(layer, there)
            back = fractional_shift(maps, -shift * maps.shape[-1] / picture.shape[-1])
            brightest = brightest or still.norm(dim=1).max().item() / 8
            change = (back - still)[0].norm(dim=0)
            image = axes.imshow(change.numpy(), vmin=0, vmax=brightest)
            error = shift_error(layer, picture, shift)
            axes.set(title=name, xlabel=f"shift error {error:.3f}", ylabel="row (samples)")
            notes.append(f"{name} {error:.3f}")
        for axes in (first, *panels):
            axes.locator_params(nbins=4)
        fig.colorbar(image, ax=panels, label="change")
        fig.suptitle("The picture moves. Where do the maps change?")
    return fig, (
        f"A picture moved to the right by {shift} pixel{'s' * (shift != 1)}, and what that changes "
        f"in the map of each layer, moved back by as much. Shift error: {'; '.join(notes)}."
    )


def blurred(picture: Tensor, taps: Sequence[int]) -> tuple[Figure, str]:
    """A picture, shape (H, W), at half its size after binomial blurs of an even number of lengths.

    One tap is no blur.
    """
    named, notes = {}, []
    for count in taps:
        blur = BlurPool2d(1, count, stride=1) if count > 1 else nn.Identity()
        half = blur(picture[None, None])[0, 0, ::2, ::2]
        # A row of Pascal's triangle is 1 1, blurred with itself again and again.
        limit, slow = (math.cos(math.pi * f) ** (count - 1) for f in (0.25, 0.125))
        named[f"{count} taps: {slow:.0%} left" if count > 1 else "no blur"] = half
        notes.append(f"{count}: contrast {half.std().item():.2f}, {limit:.2f}, {slow:.2f}")
    fig, _ = pictures(named, "The price: what is left of waves that a stride could carry")
    return fig, (
        "Every second pixel of a picture after blurs of several taps. Contrast (standard "
        "deviation), and what is let through at 0.25 cycles per pixel, the limit for stride 2, and "
        f"at 0.125: {'; '.join(notes)}."
    )


def trained(runs: list[Run]) -> tuple[Figure, str]:
    """Consistency and accuracy of every trained net, of one kind and as many epochs in a column.

    A line joins the nets of one seed; the number is the mean of a column.
    """
    fig = figure(6, 3.9)
    groups: dict[tuple[bool, int], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.blurred, run.epochs), []).append(run)
    names = [f"{'blur' if blurred else 'plain'}, {epochs} epochs" for blurred, epochs in groups]
    lowest = min(min(run.consistency, run.accuracy) for run in runs)
    notes = []
    with style():
        panels = fig.subplots(1, 2, sharey=True)
        for axes, measure in zip(panels, ("consistency", "accuracy"), strict=True):
            for seed in {run.seed for run in runs}:
                line = [
                    (place, getattr(run, measure))
                    for place, members in enumerate(groups.values())
                    for run in members
                    if run.seed == seed
                ]
                axes.plot(*zip(*line, strict=True), color=draw.GREY, linewidth=1, zorder=1)
            halo = [withStroke(linewidth=4, foreground="white")]
            above = {"ha": "center", "weight": "bold", "path_effects": halo}
            for place, ((blurred, _), members) in enumerate(groups.items()):
                values = [getattr(run, measure) for run in members]
                colour = VERMILION if blurred else BLUE
                axes.scatter([place] * len(values), values, s=60, color=colour, zorder=2)
                mean = sum(values) / len(values)
                axes.text(place, max(values) + 0.025, f"{mean:.2f}", **above)
                notes.append(f"{measure}, {names[place]}: {min(values):.2f} to {max(values):.2f}")
            axes.set(title=measure.capitalize(), xlim=(-0.5, len(groups) - 0.5))
            axes.set(xlabel="kind of net", ylim=(lowest - 0.04, 1.06))
            labels = [name.replace(", ", "\n").replace(" epochs", " ep.") for name in names]
            axes.set_xticks(range(len(groups)), labels)
        panels[0].set_ylabel("share")
        fig.suptitle("A dot for every net, a line for every seed")
    return fig, f"A dot for each of {len(runs)} trained nets. {'; '.join(notes)}."

"""The figures of lesson 02: an aliased sine, subsampled pictures, a blur's response, trained nets.

Each function returns a figure and its text alternative, made from what is drawn.
"""

from collections.abc import Callable

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from helpers.layers import BlurPool2d
from helpers.plots import BLACK, BLUE, VERMILION, figure, style
from helpers.shift import fractional_shift, shift_error
from helpers.training import Run

Layer = Callable[[Tensor], Tensor]

EDGE = 3
"""Samples at a map's border, where a convolution has met zeros: another story than the stride's."""


def crossings(samples: Tensor) -> int:
    """How often a wave changes its sign."""
    signs = samples[samples.abs() > 1e-6].sign()
    return int((signs[1:] != signs[:-1]).sum())


def aliased_sine(wave: Tensor, step: int) -> tuple[Figure, str]:
    """A wave, shape (N,), and what is left of it when only every `step`-th sample is kept."""
    fig = figure(8, 3)
    kept = wave[::step]
    with style():
        axes = fig.subplots()
        axes.plot(wave.numpy(), ".-", color=BLUE, linewidth=1, label="all samples")
        axes.plot(
            range(0, len(wave), step), kept.numpy(), "o-", color=VERMILION, label=f"every {step}nd"
        )
        axes.set(
            title="Fewer samples show another wave", xlabel="position (samples)", ylabel="value"
        )
        axes.set_ylim(-1.15, 1.6)
        axes.legend(ncols=2, loc="upper right")
    return fig, (
        f"A sine over {len(wave)} samples that changes its sign {crossings(wave)} times. "
        f"Of every {step} samples one is kept: the wave through those changes its sign "
        f"{crossings(kept)} times."
    )


def pictures(named: dict[str, Tensor], title: str) -> tuple[Figure, str]:
    """Named pictures side by side, each of shape (H, W) or (3, H, W) with values 0 to 1."""
    fig = figure(2.9 * len(named), 3.5)
    notes = []
    with style():
        panels = fig.subplots(1, len(named))
        for panel, (name, picture) in zip(panels, named.items(), strict=True):
            shown = picture.permute(1, 2, 0) if picture.ndim == 3 else picture
            panel.imshow(shown.clamp(0, 1).numpy(), cmap="gray", vmin=0, vmax=1)
            panel.set(title=name, xlabel="column (pixels)")
            notes.append(
                f"{name}, {picture.shape[-1]} pixels wide, contrast {picture.std().item():.2f}"
            )
        panels[0].set_ylabel("row (pixels)")
        fig.suptitle(title)
    return fig, f"{title}. From left to right: {'; '.join(notes)} (standard deviation)."


def responses(frequencies: Tensor, curves: dict[str, Tensor]) -> tuple[Figure, str]:
    """How much of each frequency a blur lets through: (F,) in cycles per pixel, and 0 to 1."""
    fig = figure(7, 3.2)
    with style():
        axes = fig.subplots()
        for (name, curve), line in zip(curves.items(), ("-", "--", ":"), strict=False):
            axes.plot(frequencies.numpy(), curve.numpy(), line, label=name)
        axes.axvspan(0.25, 0.5, color=BLACK, alpha=0.08)
        axes.text(0.375, 0.9, "too fast\nfor stride 2", ha="center", va="center")
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

    Shape of the picture: (1, 3, H, W). The brightest is an eighth of what the first layer gives at
    most; a layer that does not mind the move stays dark.
    """
    fig = figure(3.1 * (1 + len(layers)), 3.5)
    notes, brightest = [], None
    with style(), torch.inference_mode():
        first, *panels = fig.subplots(1, 1 + len(layers))
        there = picture.roll(shift, dims=-1)
        first.imshow(there[0].permute(1, 2, 0).numpy())
        first.set(title=f"moved by {shift}", xlabel="column (pixels)", ylabel="row (pixels)")
        for axes, (name, layer) in zip(panels, layers.items(), strict=True):
            still, maps = layer(picture), layer(there)
            back = fractional_shift(maps, -shift * maps.shape[-1] / picture.shape[-1])
            brightest = brightest or still.norm(dim=1).max().item() / 8
            change = (back - still)[0].norm(dim=0)[EDGE:-EDGE, EDGE:-EDGE]
            axes.imshow(change.numpy(), vmin=0, vmax=brightest)
            error = shift_error(layer, picture, shift)
            axes.set(title=name, xlabel=f"column (samples)\nshift error {error:.3f}")
            notes.append(f"{name} {error:.3f}")
        fig.suptitle("The picture moves. Where do the maps, moved back, change?")
    return fig, (
        f"A picture moved to the right by {shift} pixel{'s' * (shift != 1)}, and what that changes "
        f"in the map of each layer, moved back by as much. Shift error: {'; '.join(notes)}."
    )


def blurred(picture: Tensor, taps: int) -> tuple[Figure, str]:
    """A picture, shape (H, W), at half its size after a binomial blur, and what that lets through.

    One tap is no blur.
    """
    blur = BlurPool2d(1, taps, stride=1) if taps > 1 else nn.Identity()
    half = blur(picture[None, None])[0, 0, ::2, ::2]
    frequencies = torch.linspace(0, 0.5, 101)
    # A row of Pascal's triangle is 1 1, blurred with itself again and again.
    share = torch.cos(torch.pi * frequencies) ** (taps - 1)
    fig = figure(8, 3.6)
    with style():
        left, right = fig.subplots(1, 2)
        left.imshow(half.clamp(0, 1).numpy(), cmap="gray", vmin=0, vmax=1)
        left.set(title="every 2nd pixel", xlabel="column (pixels)", ylabel="row (pixels)")
        right.plot(frequencies.numpy(), share.numpy(), color=BLUE)
        right.axvspan(0.25, 0.5, color=BLACK, alpha=0.08)
        right.text(0.375, 0.9, "too fast\nfor stride 2", ha="center", va="center")
        right.set(title="what is let through", xlabel="frequency (cycles per pixel)")
        right.set(ylabel="share let through", xlim=(0, 0.5), ylim=(0, 1.05))
        fig.suptitle(f"A blur of {taps} taps before the stride" if taps > 1 else "No blur")
    return fig, (
        f"Every second pixel of a picture after a blur of {taps} tap{'s' * (taps != 1)}: "
        f"contrast {half.std().item():.2f} (standard deviation). Let through at 0.25 cycles per "
        f"pixel, the limit for stride 2: {share[50]:.2f}; at 0.125: {share[25]:.2f}."
    )


def trained(runs: list[Run]) -> tuple[Figure, str]:
    """Consistency and accuracy of every trained net, in groups of one kind and as many epochs."""
    fig = figure(8, 3.4)
    groups: dict[tuple[bool, int], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.blurred, run.epochs), []).append(run)
    names = [f"{'blur' if blurred else 'plain'}, {epochs} epochs" for blurred, epochs in groups]
    notes = []
    with style():
        for axes, measure in zip(fig.subplots(1, 2), ("consistency", "accuracy"), strict=True):
            for place, ((blurred, _), members) in enumerate(groups.items()):
                values = [getattr(run, measure) for run in members]
                colour = VERMILION if blurred else BLUE
                axes.plot([place] * len(values), values, "o", color=colour, ms=9, alpha=0.7)
                notes.append(f"{measure}, {names[place]}: {min(values):.2f} to {max(values):.2f}")
            axes.set(
                title=measure.capitalize(),
                xlabel="kind of net",
                ylabel=f"{measure} (share)",
                xlim=(-0.5, len(groups) - 0.5),
                ylim=(0.5, 1.02),
            )
            axes.set_xticks(range(len(groups)), [name.replace(", ", "\n") for name in names])
        fig.suptitle("A dot for every trained net")
    return fig, f"A dot for each of {len(runs)} trained nets. {'; '.join(notes)}."

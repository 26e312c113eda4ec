"""The figures of lesson 02: an aliased sine, subsampled pictures, a blur's response, trained nets.

Each function returns a figure and its text alternative, made from what is drawn.
"""

from matplotlib.figure import Figure
from torch import Tensor

from helpers.plots import BLACK, BLUE, VERMILION, figure, style
from helpers.training import Run


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

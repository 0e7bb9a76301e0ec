"""Target and match: spectrograms of both, and the parameters of the match."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure

from flowsynth.data.features import Mel
from flowsynth.figures.style import display_name, headline, plot_parameters, plot_spectrogram, styled


@styled
def plot(
    target: Float[np.ndarray, " samples"],
    match: Float[np.ndarray, " samples"],
    sample_rate: int,
    values: Float[np.ndarray, " parameters"],
    names: Sequence[str],
    title: str,
) -> Figure:
    """Plot both spectrograms and the parameters.

    Args:
        target: Target audio.
        match: Rendered audio of the match.
        sample_rate: Sample rate of both in Hz.
        values: Parameters of the match, in [0, 1].
        names: Names of the parameters.
        title: Title of the figure.
    """
    figure, axes = plt.subplots(1, 3, figsize=(8, 2.6), width_ratios=(1, 1, 1.4), layout="constrained")
    power = Mel(sample_rate)(torch.from_numpy(np.stack([target, match]))).numpy()
    for axis, mel, label in zip(axes, power, ("target", "match"), strict=False):
        plot_spectrogram(axis, mel)
        axis.set_title(label)
    plot_parameters(axes[2], values)
    axes[2].set_title("parameters")
    axes[2].set_xticks(range(len(names)), [display_name(name) for name in names], rotation=90, fontsize=6)
    headline(figure, title)
    return figure

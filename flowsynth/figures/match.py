"""Match: a sound that was heard, what was found for it, and the parameters of that."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure

from flowsynth.data.features import Mel
from flowsynth.figures.style import bars, headline, readable, spectrogram, styled


@styled
def draw(
    heard: Float[np.ndarray, " samples"],
    found: Float[np.ndarray, " samples"],
    sample_rate: int,
    values: Float[np.ndarray, " parameters"],
    names: Sequence[str],
    title: str,
) -> Figure:
    """Draw both spectrograms and the parameters.

    Args:
        heard: The sound that was heard.
        found: The sound that was found.
        sample_rate: Hz.
        values: The parameters of what was found, in [0, 1].
        names: Of the parameters.
        title: Of the figure.
    """
    figure, axes = plt.subplots(1, 3, figsize=(8, 2.6), width_ratios=(1, 1, 1.4), layout="constrained")
    power = Mel(sample_rate)(torch.from_numpy(np.stack([heard, found]))).numpy()
    for axis, sound, label in zip(axes, power, ("heard", "found"), strict=False):
        spectrogram(axis, sound)
        axis.set_title(label)
    bars(axes[2], values)
    axes[2].set_title("parameters")
    axes[2].set_xticks(range(len(names)), [readable(name) for name in names], rotation=90, fontsize=6)
    headline(figure, title)
    return figure

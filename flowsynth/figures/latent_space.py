"""The latent space: what the sounds are like that lie beside each other."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from scipy.stats import rankdata

from flowsynth.data.semantics import SEMANTIC_PAIRS
from flowsynth.figures.pca_map import Map
from flowsynth.figures.style import headline, styled


@styled
def draw(latent: Float[np.ndarray, "items latent"], mel: Float[np.ndarray, "items mels frames"], title: str) -> Figure:
    """Draw a map of the sounds for each semantic pair, coloured by its descriptor: yellow is most of the first word.

    Args:
        latent: Of the sounds.
        mel: Their log-mel spectrograms, not standardised.
        title: Of the figure.
    """
    figure, axes = plt.subplots(1, len(SEMANTIC_PAIRS), figsize=(2.5 * len(SEMANTIC_PAIRS), 2.9), layout="constrained")
    plane = Map(latent)
    x, y = plane.place(latent).T
    for axis, pair in zip(axes.flat, SEMANTIC_PAIRS.values(), strict=True):
        rank = rankdata(pair.descriptor(torch.from_numpy(mel)).numpy())
        axis.scatter(x, y, c=rank, s=6, cmap="viridis", linewidth=0)
        axis.set_title(f"violet {pair.second}, yellow {pair.first}", fontsize=8)
        plane.label(axis)
        axis.grid(visible=False)
    headline(figure, title)
    return figure

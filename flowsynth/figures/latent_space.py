"""Maps of the latent space, coloured by audio descriptors."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from scipy.stats import rankdata

from flowsynth.core.hdf5 import ids, names, reading
from flowsynth.data.dataset import Items
from flowsynth.data.semantics import SEMANTIC_PAIRS
from flowsynth.figures.pca_map import PCAMap
from flowsynth.figures.style import headline, styled


@styled
def plot(latent: Float[np.ndarray, "items latent"], mel: Float[np.ndarray, "items mels frames"], title: str) -> Figure:
    """Plot one map per semantic pair, coloured by the rank of its descriptor; yellow is the first word.

    Args:
        latent: Latents of the sounds.
        mel: Log-mel spectrograms of the sounds, not standardised.
        title: Title of the figure.
    """
    figure, axes = plt.subplots(1, len(SEMANTIC_PAIRS), figsize=(2.5 * len(SEMANTIC_PAIRS), 2.9), layout="constrained")
    pca_map = PCAMap(latent)
    x, y = pca_map.project(latent).T
    for axis, pair in zip(axes.flat, SEMANTIC_PAIRS.values(), strict=True):
        ranks = rankdata(pair.descriptor(torch.from_numpy(mel)).numpy())
        axis.scatter(x, y, c=ranks, s=6, cmap="viridis", linewidth=0)
        axis.set_title(f"violet {pair.second}, yellow {pair.first}", fontsize=8)
        pca_map.label_axes(axis)
        axis.grid(visible=False)
    headline(figure, title)
    return figure


def draw_latent_space(space: Path, features: Sequence[Path], model: str, dataset: str, budget: str) -> Figure:
    """Draw the figure from the latents of the test set and the features of the data set."""
    with reading(space) as file:
        latent, items = file["latent"][:, 0], Items(features, ids(file).tolist(), names(file))
    title = (
        f"{model}, {dataset}, budget {budget}: latent space, test set of fold 0. Colour: rank of the audio descriptor."
    )
    return plot(latent, items.all().mel.numpy(), title)

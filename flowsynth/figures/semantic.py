"""The semantic dimension: a latent space with and without a dimension for a pair of words, and what it does."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import mannwhitneyu, spearmanr
from sklearn.decomposition import PCA

from flowsynth.data.semantics import SemanticPair
from flowsynth.figures.macro_controls import lines
from flowsynth.figures.style import COLOURS, bare, headline, spectrogram, styled
from flowsynth.latent_space.rendered import RenderedTraversals
from flowsynth.metrics.spectral import FLOOR

PARAMETERS = 6  # shown
Latent = Float[np.ndarray, "items latent"]
Tags = Float[np.ndarray, " items"]


def parted(values: Float[np.ndarray, " items"], tags: Tags) -> float:
    """Share of pairs, one sound of each word, of which that of the first word has the higher value: 0.5 if by chance."""
    first, second = values[tags > 0], values[tags < 0]
    if not len(first) or not len(second):
        return float("nan")
    return float(mannwhitneyu(first, second).statistic / (len(first) * len(second)))


def best(latent: Latent, tags: Tags) -> int:
    """The dimension that parts the words best, in whichever direction."""
    return int(np.argmax([abs(parted(column, tags) - 0.5) for column in latent.T]))


@styled
def draw(
    before: tuple[str, Latent],
    after: tuple[str, Latent],
    tags: Tags,
    pair: SemanticPair,
    heard: RenderedTraversals,
    title: str,
) -> Figure:
    """Draw where the sounds of the two words are in both models, and what is heard along the dimension of the second.

    Args:
        before: Name of a model without a semantic dimension, and the latents of the test part in it; shown is the dimension
            that parts the words best there.
        after: The same of a model whose first dimension is the semantic one.
        tags: Of the sounds: 1 for the first word of the pair, -1 for the second, 0 for unknown.
        pair: The words.
        heard: The exploration ``semantic`` of the second model.
        title: Of the figure; what is shown is added to it.
    """
    place = heard.latent[0, :, 0]
    figure, axes = plt.subplot_mosaic(
        [
            ["before", *(f"s{step}" for step in range(len(place)))],
            ["after", *["p"] * len(place)],
        ],
        figsize=(10, 4.6), width_ratios=[3] + [1] * len(place), height_ratios=[1, 1], layout="constrained",
    )  # fmt: skip
    _scatter(axes["before"], *before, best(before[1], tags), tags, pair)
    _scatter(axes["after"], *after, 0, tags, pair)
    axes["after"].legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, handletextpad=0.1)
    for step, value in enumerate(place):
        spectrogram(axes[f"s{step}"], heard.mel[0, step])
        axes[f"s{step}"].set_title(f"{value:+.1f}", loc="center")
    lines(axes["p"], place, heard.estimates[0], heard.names, PARAMETERS)
    axes["p"].set_xlabel(f"z0 of {after[0]}, the other dimensions 0")
    along = spearmanr(place, pair.descriptor(torch.from_numpy(np.log(heard.mel[0] + FLOOR))).numpy()).statistic
    headline(
        figure,
        f"{title} Left: test part; parted is the share of pairs, {pair.first} and {pair.second}, in the right order.\n"
        f"Right: along z0 of {after[0]}, {pair.second} to {pair.first}; rank correlation of what is heard and z0 {along:.2f}.",
    )
    return figure


def _scatter(axis: Axes, model: str, latent: Latent, dimension: int, tags: Tags, pair: SemanticPair) -> None:
    others = np.delete(latent, dimension, axis=1).astype(np.float64)
    across = PCA(n_components=1, svd_solver="full").fit_transform(others)[:, 0]
    share = parted(latent[:, dimension], tags)
    # the first word is always on the right
    along, sign = (-latent[:, dimension], "-") if share < 0.5 else (latent[:, dimension], "")
    colours = ((0, "0.8", "unknown"), (1, COLOURS["other"], pair.first), (-1, COLOURS["model"], pair.second))
    for tag, colour, word in colours:
        rows = tags == tag
        axis.scatter(along[rows], across[rows], s=6, color=colour, linewidth=0, label=word)
    bare(axis)
    axis.set_title(f"{model}: {sign}z{dimension}, parted {max(share, 1 - share):.2f}")
    axis.set_xlabel(f"{sign}z{dimension}", fontsize=7)
    axis.set_ylabel("1st component of the others", fontsize=7)

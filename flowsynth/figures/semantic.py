"""Semantic dimension: latent spaces with and without a dimension for a pair of words, and its effect on the sound."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import mannwhitneyu, spearmanr
from sklearn.decomposition import PCA

from flowsynth.core.hdf5 import ids, names, reading
from flowsynth.core.readers import read_csv
from flowsynth.data.dataset import Items
from flowsynth.data.semantics import SEMANTIC_PAIRS, SemanticPair
from flowsynth.figures.macro_controls import plot_trajectories
from flowsynth.figures.style import COLOURS, headline, hide_frame, plot_spectrogram, styled
from flowsynth.latent_space.rendered import RenderedTraversals, read_rendered
from flowsynth.metrics.spectral import FLOOR
from flowsynth.models.base import find

SHOWN_PARAMETERS = 6  # number of parameters shown
Latent = Float[np.ndarray, "items latent"]
Tags = Float[np.ndarray, " items"]


def auc(values: Float[np.ndarray, " items"], tags: Tags) -> float:
    """Compute the area under the ROC curve of a latent dimension as a score for the first word.

    Args:
        values: Position of each sound on the dimension.
        tags: 1 for the first word, -1 for the second, 0 for unknown.

    Returns:
        Probability that a sound of the first word has a higher value than one of the second: 0.5 by chance, NaN if
        a word has no sound.
    """
    first, second = values[tags > 0], values[tags < 0]
    if not len(first) or not len(second):
        return float("nan")
    return float(mannwhitneyu(first, second).statistic / (len(first) * len(second)))


def most_separating(latent: Latent, tags: Tags) -> int:
    """Return the dimension that separates the words best, in either direction."""
    return int(np.argmax([abs(auc(column, tags) - 0.5) for column in latent.T]))


@styled
def plot(
    plain: tuple[str, Latent],
    semantic: tuple[str, Latent],
    tags: Tags,
    pair: SemanticPair,
    traversal: RenderedTraversals,
    title: str,
) -> Figure:
    """Plot the sounds of both words in the latent spaces of two models, and a traversal of the semantic dimension.

    Args:
        plain: Name of a model without a semantic dimension and its latents of the test set; the dimension that
            separates the words best is plotted.
        semantic: The same for a model whose first dimension is the semantic one.
        tags: Word of each sound: 1 for the first word of the pair, -1 for the second, 0 for unknown.
        pair: Pair of words.
        traversal: Rendered traversal ``semantic`` of the second model.
        title: Start of the title; a description is appended.
    """
    positions = traversal.latent[0, :, 0]
    figure, axes = plt.subplot_mosaic(
        [
            ["plain", *(f"s{step}" for step in range(len(positions)))],
            ["semantic", *["p"] * len(positions)],
        ],
        figsize=(10, 4.6), width_ratios=[3] + [1] * len(positions), height_ratios=[1, 1], layout="constrained",
    )  # fmt: skip
    _scatter(axes["plain"], *plain, most_separating(plain[1], tags), tags, pair)
    _scatter(axes["semantic"], *semantic, 0, tags, pair)
    axes["semantic"].legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, handletextpad=0.1)
    for step, value in enumerate(positions):
        plot_spectrogram(axes[f"s{step}"], traversal.mel[0, step])
        axes[f"s{step}"].set_title(f"{value:+.1f}", loc="center")
    plot_trajectories(axes["p"], positions, traversal.estimates[0], traversal.names, SHOWN_PARAMETERS)
    axes["p"].set_xlabel(f"z0 of {semantic[0]}, other dimensions 0")
    descriptor = pair.descriptor(torch.from_numpy(np.log(traversal.mel[0] + FLOOR))).numpy()
    correlation = spearmanr(positions, descriptor).statistic
    headline(
        figure,
        f"{title} Left: test set, with the AUC of {pair.first} against {pair.second} along the dimension.\n"
        f"Right: z0 of {semantic[0]} from {pair.second} to {pair.first}; rank correlation of descriptor and z0 "
        f"{correlation:.2f}.",
    )
    return figure


def _scatter(axis: Axes, model: str, latent: Latent, dimension: int, tags: Tags, pair: SemanticPair) -> None:
    others = np.delete(latent, dimension, axis=1).astype(np.float64)
    y = PCA(n_components=1, svd_solver="full").fit_transform(others)[:, 0]
    area = auc(latent[:, dimension], tags)
    # mirrored if necessary, so that the first word is on the right
    x, sign = (-latent[:, dimension], "-") if area < 0.5 else (latent[:, dimension], "")
    colours = ((0, "0.8", "unknown"), (1, COLOURS["other"], pair.first), (-1, COLOURS["model"], pair.second))
    for tag, colour, word in colours:
        rows = tags == tag
        axis.scatter(x[rows], y[rows], s=6, color=colour, linewidth=0, label=word)
    hide_frame(axis)
    axis.set_title(f"{model}: {sign}z{dimension}, AUC {max(area, 1 - area):.2f}")
    axis.set_xlabel(f"{sign}z{dimension}", fontsize=7)
    axis.set_ylabel("1st component of the others", fontsize=7)


def draw_semantic(
    before: Path,
    after: Path,
    vectors: Path,
    audio: Path,
    features: Sequence[Path],
    thresholds: Path,
    models: Sequence[str],
    dataset: str,
    budget: str,
) -> Figure:
    """Draw the figure from the latents of the test set in both models and the rendered traversal of the second."""
    plain, semantic = models
    latents = {}
    for model, path in ((plain, before), (semantic, after)):
        with reading(path) as file:
            latents[model], items = file["latent"][:, 0], Items(features, ids(file).tolist(), names(file))
    key = find(semantic).pair  # type: ignore[attr-defined]
    table = read_csv(thresholds).set_index("pair").loc[key]
    limits = torch.tensor(table[["lower", "upper"]].iloc[0].to_numpy(), dtype=torch.float32)
    tags = SEMANTIC_PAIRS[key].tags(items.all().mel, limits).numpy()
    pairs = ((model, latents[model]) for model in (plain, semantic))
    return plot(*pairs, tags, SEMANTIC_PAIRS[key], read_rendered(vectors, audio), f"{dataset}, budget {budget}.")

"""Where the scores of a model vary: between folds, between trainings with other seeds, between sounds.

Each score is taken as a mean, plus what its fold adds, plus what its training adds, plus what its sound adds, plus what is
left: how a training does on a sound in particular. All are random; the variance of each is estimated by the method of
moments, and one that comes out below zero is zero. Sounds belong to a fold, as do trainings; within a fold every training
answers to every sound.

References:
    Searle, Casella and McCulloch 1992, "Variance components": the analysis of variance of nested and crossed random effects.
    Bouthillier et al. 2021, "Accounting for variance in machine learning benchmarks".
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from flowsynth.evaluation.statistics import paired
from flowsynth.evaluation.summary import number
from flowsynth.metrics import JUDGE, registry
from flowsynth.models.registry import last_step

SOURCES = ("fold", "seed", "item", "rest")
SAID = {
    "item": "is the sound's",
    "rest": "how a training does on a sound in particular, with the chance of its draw if it draws",
    "seed": "the seed's",
    "fold": "the fold's",
}
COLUMNS = ["model", "metric", "folds", "seeds", "items", "mean", *SOURCES, "sd_of_a_training"]


def trainings(systems: Sequence[str]) -> dict[str, list[str]]:
    """Models that were trained with several seeds, and the names of their trainings, the first seed first."""
    found: dict[str, list[str]] = {}
    for system in systems:
        step = last_step(system)
        if step is not None and step.method == "seed" and step.base in systems:
            found.setdefault(step.base, [step.base]).append(system)
    return found


def components(folds: Sequence[Float[np.ndarray, "items seeds"]]) -> Mapping[str, float]:
    """Estimate the variances.

    Args:
        folds: Scores of each fold, one row a sound and one column a training.

    Returns:
        The variance that comes from each of `SOURCES`; that from folds is NaN where there is one fold.
    """
    seeds = folds[0].shape[1]
    counts = np.array([len(values) for values in folds])
    rests, between_seeds, between_items = [], [], []
    for values in folds:
        items = len(values)
        of_items, of_seeds = values.mean(axis=1, keepdims=True), values.mean(axis=0, keepdims=True)
        rest = ((values - of_items - of_seeds + values.mean()) ** 2).sum() / ((items - 1) * (seeds - 1))
        rests.append(rest)
        between_seeds.append(of_seeds.var(ddof=1) - rest / items)
        between_items.append(of_items.var(ddof=1) - rest / seeds)
    rest, seed, item = (max(0.0, float(np.mean(found))) for found in (rests, between_seeds, between_items))
    fold = np.nan
    if len(folds) > 1:
        means = np.array([values.mean() for values in folds])
        by_chance = seed / seeds + np.mean(item / counts + rest / (counts * seeds))
        fold = max(0.0, float(means.var(ddof=1) - by_chance))
    return dict(zip(SOURCES, (fold, seed, item, rest), strict=True))


def variance(scores: pd.DataFrame, systems: Sequence[str]) -> pd.DataFrame:
    """Split the variance of each metric of each model that was trained with several seeds.

    Args:
        scores: Of all items, as made by `flowsynth.evaluation.summary.gather`.
        systems: Whose scores these are.

    Returns:
        The columns of `COLUMNS`: shares of fold, seed, item and rest in the variance of a single score, and the standard
        deviation that the mean over a fold has from one training to the next (sd_of_a_training).
    """
    rows = []
    for model, names in trainings(systems).items():
        for metric in dict.fromkeys(scores["metric"]):
            values = paired(scores[scores["model"].isin(names)], metric)
            if values.shape[1] < len(names) or values.empty:
                continue
            folds = [part.to_numpy() for _, part in values.groupby(level="fold")]
            found = components(folds)
            whole = np.nansum(list(found.values()))
            shares = [found[source] / whole if whole else np.nan for source in SOURCES]
            noise = float(np.sqrt(found["seed"] + np.mean([found["rest"] / len(part) for part in folds])))
            counted = (len(folds), len(names), sum(map(len, folds)))
            rows.append((model, metric, *counted, float(values.to_numpy().mean()), *shares, noise))
    return pd.DataFrame(rows, columns=COLUMNS)


def finding(table: pd.DataFrame) -> str:
    """Say how much of a score is luck, a line a model, by the metric that judges."""
    lines = []
    for row in table[table["metric"] == JUDGE].itertuples():
        shares = ", ".join(f"{_share(getattr(row, source))} {said}" for source, said in SAID.items())
        lines.append(
            f"- `{row.model}`, trained {row.seeds} times in each of {row.folds} folds: {registry()[JUDGE].label} "
            f"{number(row.mean)}; its mean over the sounds of a fold has a standard deviation of "
            f"{number(row.sd_of_a_training)} from training to training. Of the variance of a single score, {shares}."
        )
    return "\n".join(lines) + "\n"


def _share(share: float) -> str:
    return "below 1%" if 0 < share < 0.005 else f"{share:.0%}"

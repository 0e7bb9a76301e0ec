"""Which decision rule suits which density: distances of rendered decisions for validation sounds.

A rule may be chosen by these numbers, since no test item is read. The table also has the expectation over draws: the mean
distance of several rendered draws, which is what a single draw has on average.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from flowsynth.core.mel_filters import log_mel_distance
from flowsynth.core.progress import track
from flowsynth.core.seeding import derive_seed
from flowsynth.data.dataset import Items
from flowsynth.evaluation.statistics import bootstrap_means, interval
from flowsynth.evaluation.summary import number, to_markdown
from flowsynth.inference.decision_rules import decision
from flowsynth.inference.predict import predict
from flowsynth.inference.search_task import RenderContext, log_mel_extractor
from flowsynth.models.base import HasDensity, Model
from flowsynth.models.surrogates.base import Surrogate
from flowsynth.models.systems import SURROGATE_RULES
from flowsynth.training.checkpoints import load

DRAW = "draw"  # name of the expectation over draws, beside those of rules
RENDERED_DRAWS = 8
COLUMNS = ["fold", "model", "rule", "draws", "item", "log_mel_l1"]


def rule_distances(
    context: RenderContext,
    checkpoints: Mapping[str, Path],
    items: Items,
    draws: Mapping[str, int],
    fold: int,
    seed: int,
    surrogate: Surrogate | None = None,
) -> pd.DataFrame:
    """Render the decisions of every rule for items, and measure their log-mel L1.

    Args:
        context: How decisions are rendered and analysed.
        checkpoints: Checkpoint of each model.
        items: Validation items.
        draws: Number of draws of each rule; a rule that a model or the run can't apply is left out.
        fold: Number of the fold.
        seed: Seed of the draws.
        surrogate: The surrogate that ranks draws; None without that rule.

    Returns:
        Table with the columns of `COLUMNS`; of `DRAW`, the mean over `RENDERED_DRAWS` draws.
    """
    render = context.renderer(items.names)
    log_mel = log_mel_extractor(context.note.sample_rate, context.features)
    batch = items.all()
    rows = []
    for name, checkpoint in checkpoints.items():
        model = load(checkpoint).model
        rules = applicable_rules(model, draws, surrogate)
        for index in track(range(len(items.ids)), len(items.ids), f"decide {name}"):
            item, mel = items.ids[index], batch.mel[index : index + 1]
            distance = partial(_distance, lambda values: log_mel(render(values)), mel[0].numpy())
            torch.manual_seed(derive_seed(seed, "decide", item))
            with torch.no_grad():
                predictions = predict(model, mel, None, max(draws.values()))
                decisions = {rule: apply(model, mel, predictions[: draws[rule]])[0] for rule, apply in rules.items()}
            mean = float(np.mean([distance(values) for values in predictions[:RENDERED_DRAWS, 0]]))
            rows.append((fold, name, DRAW, RENDERED_DRAWS, item, mean))
            rows += [(fold, name, rule, draws[rule], item, distance(values)) for rule, values in decisions.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def applicable_rules(
    model: Model, rules: Sequence[str] | Mapping[str, int], surrogate: Surrogate | None
) -> dict[str, Callable]:
    """Return the functions of the rules that suit a model."""
    possible = [
        rule
        for rule in rules
        if (rule != "mode" or isinstance(model, HasDensity)) and (rule not in SURROGATE_RULES or surrogate is not None)
    ]
    return {rule: decision(rule, surrogate) for rule in possible}


def _distance(
    log_mel: Callable[[np.ndarray], np.ndarray], target: Float[np.ndarray, "mels frames"], values: np.ndarray
) -> float:
    return float(log_mel_distance(log_mel(values), target))


def summarise(distances: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Summarise the distances of all folds.

    Returns:
        One row per model and rule, models and rules in the order of the distances: columns model, rule, draws, items,
        mean, low and high (95 % interval over folds and items), and best: the rule with the lowest mean that makes one
        preset, so without `DRAW`.
    """
    rows = []
    for model, table in distances.groupby("model", sort=False):
        values = table.pivot_table(index=["fold", "item"], columns="rule", values="log_mel_l1")
        draws = table.drop_duplicates("rule").set_index("rule")["draws"]
        resamples = pd.DataFrame(bootstrap_means(values, derive_seed(seed, "decisions", model)), columns=values.columns)
        means = values.groupby(level="fold").mean().mean()
        best = means.drop(DRAW).idxmin()
        for rule in draws.index:
            limits = interval(resamples[rule])
            rows.append((model, rule, draws[rule], len(values), means[rule], *limits, rule == best))
    return pd.DataFrame(rows, columns=["model", "rule", "draws", "items", "mean", "low", "high", "best"])


def markdown(summary: pd.DataFrame) -> str:
    """Format a summary: one row per model, one column per rule, the best rule that makes one preset in bold."""
    cells = [
        f"{'**' if row.best else ''}{number(row.mean)}{'**' if row.best else ''} ({number(row.low)} to {number(row.high)})"
        for row in summary.itertuples()
    ]
    labels = [f"{rule}, {draws} draws" for rule, draws in zip(summary["rule"], summary["draws"], strict=True)]
    table = pd.DataFrame({"Model": summary["model"], "rule": labels, "cell": cells})
    wide = table.pivot(index="Model", columns="rule", values="cell")
    return to_markdown(wide.loc[summary["model"].unique(), list(dict.fromkeys(labels))].fillna("").reset_index())

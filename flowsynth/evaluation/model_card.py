"""Model cards: data, training, scores with intervals, and limits of a model.

References:
    Mitchell et al. 2019, "Model cards for model reporting".
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from flowsynth.evaluation.score_tables import systems
from flowsynth.evaluation.statistics import bootstrap_means, interval, paired_scores
from flowsynth.evaluation.summary import heading, number, to_markdown
from flowsynth.metrics import registry

CONTROLS = ("nearest", "mean")
METRICS = ("log_mel_l1", "spectral_convergence", "mel_mse", "parameter_mse")
LIMITS = (
    "The model knows one synthesizer, one note and one length. Other sounds are trimmed, shifted in pitch and set to the "
    "level of the training sounds first.",
    "It predicts the parameters of its data set; all others keep the values of the base patch.",
    "The test presets come from the same banks as the training presets, though near-duplicates are in one partition. "
    "Sounds that the synthesizer did not make are matched less closely.",
)


def model_card(
    scores: pd.DataFrame, model: str, items: Mapping[str, int], maker: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """Describe a model.

    Args:
        scores: Scores of all systems on the test part of one fold, see `flowsynth.evaluation.summary.gather`.
        model: Name of the model.
        items: Number of presets by part: ``train``, ``synthetic``, ``test``.
        maker: Provenance of the checkpoint: versions, commit and training settings.
        seed: Seed of the bootstrap.

    Returns:
        Plain values: ``model``, ``dataset``, ``budget``, ``split``, ``items``, ``maker``, ``limits``, and ``scores``:
        for the model, the systems that are built on it, and controls, by metric, the mean over test items and the
        limits of its 95 % interval, ``mean``, ``low`` and ``high``.
    """
    (labels,) = scores[["dataset", "budget", "split"]].drop_duplicates().to_dict("records")
    described = systems(scores)
    names = [model, *(name for name in described.index[described["base_model"] == model] if name != model), *CONTROLS]
    table: dict[str, dict[str, dict[str, float]]] = {name: {} for name in names if name in described.index}
    for metric in METRICS:
        values = paired_scores(scores, metric)
        draws = pd.DataFrame(bootstrap_means(values, seed), columns=values.columns)
        for name, row in table.items():
            low, high = interval(draws[name])
            row[metric] = {"mean": float(values[name].mean()), "low": low, "high": high}
    return {
        "model": model,
        **labels,
        "items": dict(items),
        "maker": dict(maker),
        "limits": list(LIMITS),
        "scores": table,
    }


def markdown(card: Mapping[str, Any]) -> str:
    """Format a model card."""
    rows = [
        {
            "System": name,
            **{
                heading(registry()[metric]): f"{number(row['mean'])} ({number(row['low'])} to {number(row['high'])})"
                for metric, row in scores.items()
            },
        }
        for name, scores in card["scores"].items()
    ]
    items, maker = card["items"], card["maker"]
    return "\n".join(
        [
            f"# {card['model']}, {card['dataset']}",
            "",
            f"* Data: {items['train']:,} presets made by musicians and {items['synthetic']:,} synthetic ones for training; "
            f"{items['test']:,} presets for the scores below, which were not trained on. Split `{card['split']}`.",
            f"* Training: budget `{card['budget']}`, commit `{maker['commit']}`, "
            f"{', '.join(f'{name} {version}' for name, version in maker['versions'].items())}.",
            "",
            "Mean over the test sounds, and its 95 % interval. `_best16` and `_corrected16` render 16 candidates per sound, "
            "the others none.",
            "",
            to_markdown(pd.DataFrame(rows)),
            "Limits:",
            "",
            *(f"* {limit}" for limit in card["limits"]),
            "",
        ]
    )

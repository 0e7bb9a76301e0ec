"""Smoothness of controls: latent dimensions compared with the synthesizer's parameters.

A control is moved through its range in equal steps, and the perceptual distance of each step is measured. Two measures are
independent of the unit of the distance: `unevenness`, the largest over the mean step, and `straightness`, the distance of
the two ends over the length of the path (not its inverse, which is infinite for a control that returns to its start). Both
are 1 for a control that acts evenly and in one direction. A path through unrelated sounds can be even but is not straight, so
neither measure is sufficient alone.

Controls are matched in two ways. ``whole``: each control covers its whole range, a latent dimension from -3 to 3 and a
parameter from 0 to 1. ``path``: each latent dimension is compared with the parameter of the same sound whose path length is
nearest, and excluded if no parameter is within a factor of `CALIPER`, because a control with a longer path can be more
uneven. Barely audible controls are excluded from both; the table contains their paths.

Differences are averaged and resampled over sounds; dimensions and parameters are exhaustive, for one model.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.stats import bootstrap, wilcoxon

from flowsynth.core.progress import track
from flowsynth.core.seeding import derive_seed
from flowsynth.latent_space.rendered import RenderedTraversals
from flowsynth.metrics import Metric, registry

# a metric that depends on level and one that does not, with the path length below which a control is barely audible; both
# satisfy the triangle inequality: no path is shorter than the distance of its ends
METRICS = {"log_mel_l1": 0.1, "sot": 0.005}
MEASURES = ("unevenness", "straightness")
CALIPER = 1.25
CONFIDENCE_LEVEL = 0.95


def step_distances(
    metric: Metric, rendered: RenderedTraversals
) -> tuple[Float[np.ndarray, "lines steps_less_1"], Float[np.ndarray, " lines"]]:
    """Compute the distance of each step of each line, and the distance of its two ends."""
    steps, ends = [], []
    for line in track(range(len(rendered.ids)), len(rendered.ids), f"smoothness {metric.name}"):
        if metric.domain == "audio":
            sounds = rendered.audio[line]
            line_steps = metric.function(sounds[:-1], sounds[1:], rendered.sample_rate)
            line_ends = metric.function(sounds[:1], sounds[-1:], rendered.sample_rate)
        else:
            line_steps = metric.function(rendered.mel[line, :-1], rendered.mel[line, 1:])
            line_ends = metric.function(rendered.mel[line, :1], rendered.mel[line, -1:])
        steps.append(line_steps)
        ends.append(line_ends[0])
    return np.stack(steps), np.array(ends)


def measure_lines(
    steps: Float[np.ndarray, "lines steps"], ends: Float[np.ndarray, " lines"]
) -> dict[str, Float[np.ndarray, " lines"]]:
    """Compute the measures of lines.

    Args:
        steps: Distance of each step of each line.
        ends: Distance of the two ends of each line.

    Returns:
        path (length), ends, largest (step), unevenness (1 to the number of steps), straightness (0 to 1); the last two are
        NaN for a path of length 0.
    """
    path, largest = steps.sum(axis=1), steps.max(axis=1)

    def over_path(values: np.ndarray) -> np.ndarray:
        return np.divide(values, path, out=np.full_like(path, np.nan), where=path > 0)

    return {
        "path": path,
        "ends": ends,
        "largest": largest,
        "unevenness": over_path(largest * steps.shape[1]),
        "straightness": over_path(ends),
    }


def measure_controls(latent: RenderedTraversals, native: RenderedTraversals) -> pd.DataFrame:
    """Measure latent dimensions and parameters for the same sounds.

    Args:
        latent: The traversals ``smoothness_latent``, lines named ``ITEM/zN``.
        native: The traversals ``smoothness_native`` of the same model, lines named ``ITEM/PARAMETER``.

    Returns:
        One row per line and metric: item, kind (``latent`` or ``native``), control, metric, path, ends, largest, unevenness,
        straightness, audible, partner (for a latent dimension, the parameter matched by path length).
    """
    metrics, parts = registry(), []
    for kind, rendered in (("latent", latent), ("native", native)):
        items, controls = zip(*(name.rsplit("/", 1) for name in rendered.ids), strict=True)
        for name in METRICS:
            measures = measure_lines(*step_distances(metrics[name], rendered))
            parts.append(pd.DataFrame({"item": items, "kind": kind, "control": controls, "metric": name, **measures}))
    rows = pd.concat(parts, ignore_index=True)
    rows["audible"] = rows["path"] >= rows["metric"].map(METRICS)
    rows["partner"] = ""
    for _, group in rows[rows["audible"]].groupby(["item", "metric"]):
        latent_rows, native_rows = (group[group["kind"] == kind] for kind in ("latent", "native"))
        rows.loc[latent_rows.index, "partner"] = match_paths(
            latent_rows["path"].to_numpy(), native_rows["path"].to_numpy(), native_rows["control"].tolist()
        )
    return rows


def match_paths(
    latent: Float[np.ndarray, " latent"], native: Float[np.ndarray, " native"], names: Sequence[str]
) -> list[str]:
    """Match each latent dimension with the parameter of the nearest path length.

    Args:
        latent: Path lengths of latent dimensions.
        native: Path lengths of parameters.
        names: Names of the parameters.

    Returns:
        Name of the matched parameter of each latent dimension; empty if none is within a factor of `CALIPER`.
    """
    if not len(native):
        return [""] * len(latent)
    log_ratio = np.abs(np.log(latent[:, None] / native[None]))
    nearest = log_ratio.argmin(axis=1)
    within_caliper = log_ratio.min(axis=1) <= np.log(CALIPER)
    return [names[column] if matched else "" for column, matched in zip(nearest, within_caliper, strict=True)]


def summarise(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Compare latent dimensions with parameters, paired by sound.

    Args:
        rows: Table of `measure_controls`.
        seed: Seed of the bootstrap.

    Returns:
        One row per metric, measure and matching: metric, measure, matching, sounds, latent_lines and native_lines (number of
        lines compared), latent and native (means over sounds of the mean per sound), difference (latent minus native), low
        and high (95 % confidence interval of the difference, bootstrap over sounds), p (Wilcoxon signed-rank test over
        sounds).
    """
    summaries = []
    for metric in METRICS:
        audible = rows[(rows["metric"] == metric) & rows["audible"]]
        for matching, lines in (("whole", audible), ("path", _matched(audible))):
            for measure in MEASURES:
                by_sound = lines.groupby(["item", "kind"])[measure].mean().unstack().dropna()
                counts = lines[lines["item"].isin(by_sound.index)]["kind"].value_counts()
                summaries.append(
                    {
                        "metric": metric,
                        "measure": measure,
                        "matching": matching,
                        "sounds": len(by_sound),
                        **{f"{kind}_lines": int(counts.get(kind, 0)) for kind in ("latent", "native")},
                        **_compare(by_sound, derive_seed(seed, "smoothness", metric, measure, matching)),
                    }
                )
    return pd.DataFrame(summaries)


def _matched(lines: pd.DataFrame) -> pd.DataFrame:
    """Select the latent dimensions with a matched parameter, and that parameter for each of them."""
    latent = lines[(lines["kind"] == "latent") & (lines["partner"] != "")]
    native = lines[lines["kind"] == "native"].drop(columns="partner").rename(columns={"control": "partner"})
    matched = latent[["item", "partner"]].merge(native, on=["item", "partner"])
    return pd.concat([latent, matched], ignore_index=True)


def _compare(by_sound: pd.DataFrame, seed: int) -> dict[str, float]:
    if by_sound.empty:
        return dict.fromkeys(("latent", "native", "difference", "low", "high", "p"), float("nan"))
    difference = (by_sound["latent"] - by_sound["native"]).to_numpy()
    low = high = p = float("nan")
    if len(difference) > 1 and np.ptp(difference) > 0:
        rng = np.random.default_rng(seed)
        result = bootstrap((difference,), np.mean, confidence_level=CONFIDENCE_LEVEL, method="percentile", rng=rng)
        low, high = result.confidence_interval
        p = wilcoxon(difference).pvalue
    means = by_sound.mean()
    return {
        "latent": float(means["latent"]),
        "native": float(means["native"]),
        "difference": float(difference.mean()),
        "low": float(low),
        "high": float(high),
        "p": float(p),
    }

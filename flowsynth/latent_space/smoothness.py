"""How evenly a control acts on the sound: latent dimensions against the synthesizer's own parameters.

A control is moved from one end to the other in equal steps, and the distance in sound of each step is measured. Of these
come two numbers that do not depend on the unit of the distance: `unevenness`, the largest step over the mean step, and
`straightness`, the distance of the two ends over the length of the path (the inverse of the path's length over it, which is
infinite for a control that comes back to where it began). Of a control that acts evenly and in one direction both are 1. A
path from one sound to another that has nothing to do with it is even, too, but not straight: neither number stands alone.

Ranges are matched in two ways. ``whole``: each control has its whole range, a latent dimension from -3 to 3 and a parameter
from 0 to 1. ``path``: each latent dimension is compared with the parameter of the same sound whose path is as long, or
nearest to that, and left out where there is none within a factor of `CALIPER`: a control that does more has more to do it
unevenly with. Controls that are hardly heard are left out of both; how far they move it is in the table.

Sounds are what differences are averaged over and resampled: dimensions and parameters are all there are, of one model.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.stats import bootstrap, wilcoxon

from flowsynth.core.progress import track
from flowsynth.core.seeding import derive_seed
from flowsynth.latent_space.rendered import Heard
from flowsynth.metrics import Metric, registry

# one that hears levels and one that does not, with the length of path below which a control is hardly heard by it; both
# are distances: no path is shorter than that between its ends
METRICS = {"log_mel_l1": 0.1, "sot": 0.005}
MEASURES = ("unevenness", "straightness")
CALIPER = 1.25
LEVEL = 0.95  # of confidence


def steps_of(
    metric: Metric, heard: Heard
) -> tuple[Float[np.ndarray, "lines steps_less_1"], Float[np.ndarray, " lines"]]:
    """Measure each step of each line, and the distance of its two ends."""
    steps, ends = [], []
    for line in track(range(len(heard.ids)), len(heard.ids), f"smoothness {metric.name}"):
        # the last pair is that of the ends
        if metric.domain == "audio":
            sound = heard.audio[line]
            values = metric.function(sound[:-1], sound[1:], heard.sample_rate)
            whole = metric.function(sound[:1], sound[-1:], heard.sample_rate)
        else:
            values = metric.function(heard.mel[line, :-1], heard.mel[line, 1:])
            whole = metric.function(heard.mel[line, :1], heard.mel[line, -1:])
        steps.append(values)
        ends.append(whole[0])
    return np.stack(steps), np.array(ends)


def measure(
    steps: Float[np.ndarray, "lines steps"], ends: Float[np.ndarray, " lines"]
) -> dict[str, Float[np.ndarray, " lines"]]:
    """Sum up the steps of lines.

    Args:
        steps: Distance of each step of each line.
        ends: Distance of the two ends of each line.

    Returns:
        path (its length), ends, largest (step), unevenness (1 to the number of steps), straightness (0 to 1); the last two
        are NaN for a line without any length.
    """
    path, largest = steps.sum(axis=1), steps.max(axis=1)

    def share(part: np.ndarray) -> np.ndarray:
        return np.divide(part, path, out=np.full_like(path, np.nan), where=path > 0)

    return {
        "path": path,
        "ends": ends,
        "largest": largest,
        "unevenness": share(largest * steps.shape[1]),
        "straightness": share(ends),
    }


def table(latent: Heard, native: Heard) -> pd.DataFrame:
    """Measure latent dimensions and parameters on the same sounds.

    Args:
        latent: The exploration ``smoothness_latent``, lines named ``ITEM/zN``.
        native: The exploration ``smoothness_native`` of the same model, lines named ``ITEM/PARAMETER``.

    Returns:
        One row a line and metric: item, kind (``latent`` or ``native``), control, metric, path, ends, largest, unevenness,
        straightness, audible, partner (of a latent dimension: the parameter with which it is compared at equal path).
    """
    metrics, parts = registry(), []
    for kind, heard in (("latent", latent), ("native", native)):
        items, controls = zip(*(name.rsplit("/", 1) for name in heard.ids), strict=True)
        for name in METRICS:
            found = measure(*steps_of(metrics[name], heard))
            parts.append(pd.DataFrame({"item": items, "kind": kind, "control": controls, "metric": name, **found}))
    rows = pd.concat(parts, ignore_index=True)
    rows["audible"] = rows["path"] >= rows["metric"].map(METRICS)
    rows["partner"] = ""
    for _, group in rows[rows["audible"]].groupby(["item", "metric"]):
        ours, theirs = (group[group["kind"] == kind] for kind in ("latent", "native"))
        rows.loc[ours.index, "partner"] = partners(
            ours["path"].to_numpy(), theirs["path"].to_numpy(), theirs["control"].tolist()
        )
    return rows


def partners(
    ours: Float[np.ndarray, " latent"], theirs: Float[np.ndarray, " native"], names: Sequence[str]
) -> list[str]:
    """Name, for each path, the one of the others whose length is nearest to it; empty where none is within `CALIPER`."""
    if not len(theirs):
        return [""] * len(ours)
    factor = np.abs(np.log(ours[:, None] / theirs[None]))
    nearest = factor.argmin(axis=1)
    within = factor.min(axis=1) <= np.log(CALIPER)
    return [names[place] if near else "" for place, near in zip(nearest, within, strict=True)]


def summarise(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Compare latent dimensions with parameters, sound by sound.

    Args:
        rows: As made by `table`.
        seed: Of the bootstrap.

    Returns:
        One row a metric, measure and way of matching: metric, measure, matching, sounds, latent_lines and native_lines
        (compared), latent and native (means over sounds of a sound's mean), difference (latent minus native), low and high
        (limits of its 95 % confidence interval, by bootstrap over sounds), p (Wilcoxon's signed-rank test over sounds).
    """
    summaries = []
    for metric in METRICS:
        heard = rows[(rows["metric"] == metric) & rows["audible"]]
        for matching, pairs in (("whole", heard), ("path", _matched(heard))):
            for measured in MEASURES:
                by_sound = pairs.groupby(["item", "kind"])[measured].mean().unstack().dropna()
                counts = pairs[pairs["item"].isin(by_sound.index)]["kind"].value_counts()
                summaries.append(
                    {
                        "metric": metric,
                        "measure": measured,
                        "matching": matching,
                        "sounds": len(by_sound),
                        **{f"{kind}_lines": int(counts.get(kind, 0)) for kind in ("latent", "native")},
                        **_compare(by_sound, derive_seed(seed, "smoothness", metric, measured, matching)),
                    }
                )
    return pd.DataFrame(summaries)


def _matched(heard: pd.DataFrame) -> pd.DataFrame:
    """Latent dimensions that have a partner, and for each of them its partner."""
    ours = heard[(heard["kind"] == "latent") & (heard["partner"] != "")]
    theirs = heard[heard["kind"] == "native"].drop(columns="partner").rename(columns={"control": "partner"})
    partner = ours[["item", "partner"]].merge(theirs, on=["item", "partner"])
    return pd.concat([ours, partner], ignore_index=True)


def _compare(by_sound: pd.DataFrame, seed: int) -> dict[str, float]:
    if by_sound.empty:
        return dict.fromkeys(("latent", "native", "difference", "low", "high", "p"), float("nan"))
    difference = (by_sound["latent"] - by_sound["native"]).to_numpy()
    low = high = p = float("nan")
    if len(difference) > 1 and np.ptp(difference) > 0:
        rng = np.random.default_rng(seed)
        found = bootstrap((difference,), np.mean, confidence_level=LEVEL, method="percentile", rng=rng)
        low, high = found.confidence_interval
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

"""Rescoring of frozen predictions: check that this code reproduces the scores of the baselines.

Baselines hold the ground truth and all predictions; other parameters are at the base patch, so nothing else is needed.
Metrics of parameters are computed on all items of a fold, since some take a mean over them; metrics of sounds treat
items independently, so a sample of the items suffices. Equal predictions for an item are rendered and scored once.
Results are cached per item, for the same code, plugin and packages, so that an interrupted run resumes.

Frozen scores have six digits. A new score may differ by `TOLERANCE` plus half a unit of the last digit, the rounding
error, which for most scores exceeds the tolerance. MSS and wMFCC are computed from decibels in float32, whose spacing
at -100 dB is 8e-6 dB, and another processor's logarithm may be one step off: frozen scores differed by up to 3e-6
although all sounds were bit-identical. Hence the additional `DECIBEL_TOLERANCE` for these two.
"""

import hashlib
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from flowsynth.core.progress import track
from flowsynth.core.provenance import maker
from flowsynth.core.seeding import uniform_by_id
from flowsynth.data.presets import collect
from flowsynth.evaluation.scoring_fingerprint import fingerprint
from flowsynth.leaderboard.baselines import FROZEN_KEY, SCORE_DIGITS, read_fold, read_frozen, write_manifest
from flowsynth.leaderboard.data_hashes import require_commit
from flowsynth.leaderboard.manifest import frozen_folds, read_manifest
from flowsynth.leaderboard.rescoring_jobs import Task, hash_sound, pool, score_item
from flowsynth.metrics import Metric, registry
from flowsynth.synths.spec import dataset

TOLERANCE = 1e-6  # relative, beyond the rounding error
DECIBEL_TOLERANCE = {"mss": 1e-5, "wmfcc": 1e-5}  # absolute, in the metric's unit
MIN_SCALE = 1e-9  # smallest magnitude that differences are relative to

Scores = Float[np.ndarray, " scores"]
Values = Float[np.ndarray, "items parameters"]


def rescore(folder: Path, cache: Path, sample: int | None, seed: int, jobs: int) -> pd.DataFrame:
    """Render and score frozen predictions again.

    Args:
        folder: Folder of the baselines, named after the data set.
        cache: Folder of cached results.
        sample: Number of items per fold whose sounds are rendered; all if None.
        seed: Seed of their selection.
        jobs: Number of processes.

    Returns:
        Columns fold, model, item, metric, value (frozen), now, and those of `distances`.

    Raises:
        FileNotFoundError: If the plugin is missing.
        ValueError: If it is another plugin, or the frozen ground truth differs from the presets.
    """
    _require_truth(folder)
    rows, rendered = [], []
    predictions: dict[str, dict[bytes, None]] = {}  # distinct ones by item, the ground truth first
    for fold in frozen_folds(folder):
        items, truth, systems = read_fold(folder, fold)
        rows += _parameter_scores(fold, items, truth, systems)
        chosen = pd.Series(uniform_by_id(items, seed, "rescore", fold)).nsmallest(
            len(items) if sample is None else sample
        )
        for row in sorted(chosen.index):
            by_system = {system: [values.tobytes() for values in vectors[row]] for system, vectors in systems.items()}
            distinct = predictions.setdefault(items[row], {truth[row].tobytes(): None})
            distinct.update(dict.fromkeys(chain.from_iterable(by_system.values())))
            rendered += [(fold, system, items[row], samples) for system, samples in by_system.items()]
    render = _maker(folder)["render"]
    tasks = [Task(cache / f"{item}.json", folder.name, render, tuple(keys)) for item, keys in predictions.items()]
    with pool(jobs) as processes:
        results = track(processes.map(score_item, tasks), len(tasks), f"rescore {folder.name}, items")
        scores = dict(zip(predictions, results, strict=True))
    for fold, system, item, samples in rendered:
        for metric in scores[item][samples[0]]:
            value = float(np.mean([scores[item][prediction][metric] for prediction in samples]))
            rows.append((fold, system, item, metric, value))
    frozen = read_frozen(folder)[[*FROZEN_KEY, "value"]]
    sampled = pd.MultiIndex.from_frame(frozen[["fold", "item"]]).isin({(fold, item) for fold, _, item, _ in rendered})
    table = frozen[sampled | frozen["metric"].isin([metric.name for metric in _parameter_metrics()])]
    table = table.merge(pd.DataFrame(rows, columns=[*FROZEN_KEY, "now"]), "left", on=FROZEN_KEY)
    tolerance = table["metric"].map(DECIBEL_TOLERANCE).fillna(0.0).to_numpy()
    return table.join(distances(table["value"].to_numpy(), table["now"].to_numpy(), tolerance))


def distances(frozen: Scores, now: Scores, tolerance: Scores) -> pd.DataFrame:
    """Measure the distances of new scores from frozen ones.

    Args:
        frozen: Frozen scores, six digits.
        now: New scores.
        tolerance: Absolute tolerance of each score, in addition to `TOLERANCE`.

    Returns:
        Columns distance, relative to the frozen score; difference, the part of it that rounding does not explain; and
        agrees. A score that is defined on one side only is at an infinite distance.
    """
    size = np.abs(frozen)
    half_unit = np.where(
        size > 0, 0.5 * 10.0 ** (np.floor(np.log10(np.where(size > 0, size, 1))) - SCORE_DIGITS + 1), 0
    )
    distance = np.where(np.isnan(frozen) & np.isnan(now), 0, np.nan_to_num(np.abs(now - frozen), nan=np.inf))
    scale = np.nan_to_num(np.maximum(size, MIN_SCALE), nan=1)
    # slightly more than half a unit, which is rounded itself
    excess = np.maximum(distance - half_unit * (1 + 1e-6), 0)
    return pd.DataFrame(
        {"distance": distance / scale, "difference": excess / scale, "agrees": excess <= TOLERANCE * scale + tolerance}
    )


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Select the worst score of each metric.

    Args:
        table: Table as returned by `rescore`.

    Returns:
        Columns metric, scores (their number), wrong (the number that disagree), and the other columns of the table.
    """
    worst = table.sort_values(["difference", "distance"], kind="stable").groupby("metric").tail(1)
    agrees = table.groupby("metric")["agrees"].agg(["size", "sum"])
    counts = {"scores": agrees["size"], "wrong": agrees["size"] - agrees["sum"]}
    worst = worst.assign(**{name: worst["metric"].map(count) for name, count in counts.items()})
    return worst.set_index(["metric", "scores", "wrong"]).sort_index().reset_index()


def same_sounds(folder: Path, jobs: int) -> bool:
    """Render all presets of a data set, and return whether their sounds are bit-identical to those of the baselines."""
    render, (synth, _) = _maker(folder)["render"], dataset(folder.name)
    presets = _presets(folder)
    tasks = [(folder.name, render, row) for row in presets[list(synth.names)].to_numpy(dtype=np.float32)]
    with pool(jobs) as processes:
        hashes = track(processes.map(hash_sound, tasks, chunksize=8), len(tasks), f"render {folder.name}, presets")
        sounds = dict(zip(presets["id"], hashes, strict=True))
    text = "\n".join(f"{name} {sounds[name]}" for name in sorted(sounds))
    return hashlib.sha256(text.encode()).hexdigest() == read_manifest(folder)["data"]["audio"]


def stamp(folder: Path, table: pd.DataFrame, sample: int | None, seed: int) -> None:
    """Store the current fingerprint of scoring in the manifest, with how it was checked; leave the rest as it is.

    Args:
        folder: Folder of the baselines.
        table: Table as returned by `rescore`.
        sample: Number of items per fold whose sounds were rendered; all if None.
        seed: Seed of their selection.

    Raises:
        ValueError: If a score differs, or the code is not committed.
    """
    require_commit()
    if not table["agrees"].all():
        raise ValueError(f"{folder}: scores differ from the frozen ones, so the fingerprint can't be stored")
    manifest, worst = read_manifest(folder), summarise(table)
    manifest["data"].pop("scoring", None)  # hash of the code, in older baselines
    check = {
        "items": "all" if sample is None else {"of_each_fold": sample, "seed": seed},
        "largest_difference": dict(zip(worst["metric"], worst["difference"].tolist(), strict=True)),
    }
    write_manifest(folder, manifest | {"scoring": fingerprint(), "stamped": maker(**check)})


def _parameter_scores(
    fold: int, items: list[str], truth: Values, systems: Mapping[str, Float[np.ndarray, "items samples parameters"]]
) -> list[tuple[int, str, str, str, float]]:
    """Compute the metrics of parameters for all predictions of a fold."""
    rows = []
    for metric in _parameter_metrics():
        for system, vectors in systems.items():
            values = np.mean([metric.function(truth, sample) for sample in vectors.swapaxes(0, 1)], axis=0).tolist()
            rows += [(fold, system, item, metric.name, value) for item, value in zip(items, values, strict=True)]
    return rows


def _parameter_metrics() -> list[Metric]:
    return [metric for metric in registry().values() if metric.domain == "parameters"]


def _require_truth(folder: Path) -> None:
    """Require that the frozen ground truth equals the presets, which are read again."""
    presets, (synth, names) = _presets(folder), dataset(folder.name)
    digest = hashlib.sha256(presets.to_csv(index=False).encode()).hexdigest()
    expected = read_manifest(folder)["data"]["presets"]
    if digest != expected:
        raise ValueError(
            f"the presets of {folder.name} ({digest:.12}) are not those of the baselines ({expected:.12}): install the "
            f"version of {synth.name} that the baselines were made with. {synth.install}"
        )
    values = presets.set_index("id")[list(names)].astype(np.float32)
    for fold in frozen_folds(folder):
        items, truth, _ = read_fold(folder, fold)
        wrong = np.flatnonzero((values.reindex(items).to_numpy() != truth).any(axis=1))
        if wrong.size:
            raise ValueError(
                f"{folder / 'predictions.h5'}: fold {fold}, item {items[wrong[0]]}: the ground truth is not its "
                f"preset: restore the committed file: git checkout -- {folder}"
            )


def _presets(folder: Path) -> pd.DataFrame:
    settings, (synth, names) = _maker(folder), dataset(folder.name)
    limit = None if settings["presets"] == "all" else settings["presets"]
    return collect(synth, names, limit, settings["seed"])[0]


def _maker(folder: Path) -> dict[str, Any]:
    return read_manifest(folder)["maker"]

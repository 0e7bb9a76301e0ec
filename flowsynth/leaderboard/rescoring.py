"""Frozen answers rendered and scored again: whether this code still gives the scores that baselines keep.

Baselines have the truth and all answers, and all other parameters are at the base patch: nothing else is needed. Metrics of
parameters are applied to all items of a fold, as some take a mean over them; metrics of sounds take each item on its own, so
that a sample of the items will do. Equal answers to an item are rendered and scored once. What was found is kept by item, for
the same code, plugin and packages, so that what was stopped goes on.

Scores are frozen with six digits. A new one may be half a unit of the last of them further away than `TOLERANCE`, as that is
what rounding took away: for most scores more than the tolerance itself. MSS and wMFCC are made of decibels in float32, whose
step at -100 dB is 8e-6 dB, and another processor's logarithm may be a step away: frozen scores were found up to 3e-6 away
although all sounds were the same to the bit. So these two may be `DECIBELS` further away.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from flowsynth.core.progress import track
from flowsynth.core.provenance import maker
from flowsynth.core.seeding import uniform_by_id
from flowsynth.data.presets import collect
from flowsynth.evaluation.fingerprint import fingerprint
from flowsynth.leaderboard.baselines import DIGITS, KEPT, SCORES, read_fold, write_manifest
from flowsynth.leaderboard.data_hashes import require_commit
from flowsynth.leaderboard.manifest import MANIFEST, frozen_folds
from flowsynth.leaderboard.replay import Task, heard, pool, scored
from flowsynth.metrics import Metric, registry
from flowsynth.synths.spec import dataset

TOLERANCE = 1e-6  # of a score, beyond what its rounding took away
DECIBELS = {"mss": 1e-5, "wmfcc": 1e-5}  # in the metric's unit
NOTHING = 1e-9  # a score that is frozen as 0 is compared with this

Scores = Float[np.ndarray, " scores"]
Values = Float[np.ndarray, "items parameters"]


def rescore(folder: Path, kept: Path, sample: int | None, seed: int, jobs: int) -> pd.DataFrame:
    """Score frozen answers again.

    Args:
        folder: Of the baselines; its name is that of the data set.
        kept: Folder for what is found, to go on from.
        sample: Items of each fold whose sounds are made; all, if None.
        seed: Of their choice.
        jobs: Processes.

    Returns:
        Columns fold, model, item, metric, value (the frozen one), now, and those of `distances`.

    Raises:
        FileNotFoundError: If the plugin is missing.
        ValueError: If it is another plugin, or the frozen truth is not that of the presets.
    """
    _require_truth(folder)
    now, asked = [], []
    answers: dict[str, dict[bytes, None]] = {}  # distinct ones by item, the truth first
    for fold in frozen_folds(folder):
        items, truth, systems = read_fold(folder, fold)
        now += _of_parameters(fold, items, truth, systems)
        chosen = pd.Series(uniform_by_id(items, seed, "rescore", fold)).nsmallest(
            len(items) if sample is None else sample
        )
        for row in sorted(chosen.index):
            given = {system: vectors[row].tobytes() for system, vectors in systems.items()}
            answers.setdefault(items[row], {truth[row].tobytes(): None}).update(dict.fromkeys(given.values()))
            asked += [(fold, system, items[row], answer) for system, answer in given.items()]
    render = _maker(folder)["render"]
    tasks = [Task(kept / f"{item}.json", folder.name, render, tuple(given)) for item, given in answers.items()]
    with pool(jobs) as processes:
        done = track(processes.map(scored, tasks), len(tasks), f"rescore {folder.name}, items")
        scores = dict(zip(answers, done, strict=True))
    for fold, system, item, answer in asked:
        now += [(fold, system, item, metric, value) for metric, value in scores[item][answer].items()]
    frozen = pd.read_csv(folder / SCORES, dtype={"item": str})[KEPT]
    wanted = pd.MultiIndex.from_frame(frozen[["fold", "item"]]).isin({(fold, item) for fold, _, item, _ in asked})
    table = frozen[wanted | frozen["metric"].isin([metric.name for metric in _metrics_of_parameters()])]
    table = table.merge(pd.DataFrame(now, columns=[*KEPT[:-1], "now"]), "left", on=KEPT[:-1])
    allowed = table["metric"].map(DECIBELS).fillna(0.0).to_numpy()
    return table.join(distances(table["value"].to_numpy(), table["now"].to_numpy(), allowed))


def distances(frozen: Scores, now: Scores, allowed: Scores) -> pd.DataFrame:
    """How far scores are from frozen ones.

    Args:
        frozen: Scores with six digits.
        now: The same, made now.
        allowed: By how much a score may be further away than `TOLERANCE`, in its unit.

    Returns:
        Columns distance, in parts of the frozen score; difference, the same beyond half a unit of the last digit that is
        kept, so that 0 is what rounding explains; and agrees. What is defined in one of the two only is at infinity.
    """
    size = np.abs(frozen)
    half = np.where(size > 0, 0.5 * 10.0 ** (np.floor(np.log10(np.where(size > 0, size, 1))) - DIGITS + 1), 0)
    apart = np.where(np.isnan(frozen) & np.isnan(now), 0, np.nan_to_num(np.abs(now - frozen), nan=np.inf))
    unit = np.nan_to_num(np.maximum(size, NOTHING), nan=1)
    # a little more than half a unit, which itself is rounded
    beyond = np.maximum(apart - half * (1 + 1e-6), 0)
    return pd.DataFrame(
        {"distance": apart / unit, "difference": beyond / unit, "agrees": beyond <= TOLERANCE * unit + allowed}
    )


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """The worst score of each metric.

    Args:
        table: As made by `rescore`.

    Returns:
        Columns metric, scores (how many), wrong (how many of them don't agree), and the others of the table.
    """
    worst = table.sort_values(["difference", "distance"], kind="stable").groupby("metric").tail(1)
    agrees = table.groupby("metric")["agrees"].agg(["size", "sum"])
    counts = {"scores": agrees["size"], "wrong": agrees["size"] - agrees["sum"]}
    worst = worst.assign(**{name: worst["metric"].map(count) for name, count in counts.items()})
    return worst.set_index(["metric", "scores", "wrong"]).sort_index().reset_index()


def same_sounds(folder: Path, jobs: int) -> bool:
    """Render all presets of a data set: whether their sounds are those that the baselines are of, to the bit."""
    made, (synth, _) = _maker(folder), dataset(folder.name)
    presets = _presets(folder)
    tasks = [(folder.name, made["render"], row) for row in presets[list(synth.names)].to_numpy(dtype=np.float32)]
    with pool(jobs) as processes:
        done = track(processes.map(heard, tasks, chunksize=8), len(tasks), f"render {folder.name}, presets")
        sounds = dict(zip(presets["id"], done, strict=True))
    text = "\n".join(f"{name} {sounds[name]}" for name in sorted(sounds))
    return hashlib.sha256(text.encode()).hexdigest() == _manifest(folder)["data"]["audio"]


def stamp(folder: Path, table: pd.DataFrame, sample: int | None, seed: int) -> None:
    """Have baselines say that scoring does now what it did then, and what found this; all else in them stays.

    Args:
        folder: Of the baselines.
        table: As made by `rescore`.
        sample: Items of each fold whose sounds were made; all, if None.
        seed: Of their choice.

    Raises:
        ValueError: If a score differs, or this code is no commit.
    """
    require_commit()
    if not table["agrees"].all():
        raise ValueError(f"{folder}: scores differ from the frozen ones, so that scoring can't be said to do the same")
    manifest, worst = _manifest(folder), summarise(table)
    manifest["data"].pop("scoring", None)  # a hash of code, of older baselines
    found = {
        "items": "all" if sample is None else {"of_each_fold": sample, "seed": seed},
        "largest_difference": dict(zip(worst["metric"], worst["difference"].tolist(), strict=True)),
    }
    write_manifest(folder, manifest | {"scoring": fingerprint(), "stamped": maker(**found)})


def _of_parameters(
    fold: int, items: list[str], truth: Values, systems: Mapping[str, Values]
) -> list[tuple[int, str, str, str, float]]:
    """Metrics of parameters of all answers to a fold."""
    rows = []
    for metric in _metrics_of_parameters():
        for system, vectors in systems.items():
            values = metric.function(truth, vectors).tolist()
            rows += [(fold, system, item, metric.name, value) for item, value in zip(items, values, strict=True)]
    return rows


def _metrics_of_parameters() -> list[Metric]:
    return [metric for metric in registry().values() if metric.domain == "parameters"]


def _require_truth(folder: Path) -> None:
    """See that the frozen truth is that of the presets that the baselines are of, which are read anew."""
    presets, (synth, names) = _presets(folder), dataset(folder.name)
    digest, expected = (
        hashlib.sha256(presets.to_csv(index=False).encode()).hexdigest(),
        _manifest(folder)["data"]["presets"],
    )
    if digest != expected:
        raise ValueError(
            f"the presets of {folder.name} are others ({digest:.12}) than those of the baselines ({expected:.12}): install "
            f"the version of {synth.name} that they are of. {synth.install}"
        )
    values = presets.set_index("id")[list(names)].astype(np.float32)
    for fold in frozen_folds(folder):
        items, truth, _ = read_fold(folder, fold)
        wrong = np.flatnonzero((values.reindex(items).to_numpy() != truth).any(axis=1))
        if wrong.size:
            raise ValueError(
                f"{folder / 'predictions.h5'}: fold {fold}, item {items[wrong[0]]}: the truth is not what its preset has: "
                f"take the file that was committed: git checkout -- {folder}"
            )


def _presets(folder: Path) -> pd.DataFrame:
    made, (synth, names) = _maker(folder), dataset(folder.name)
    return collect(synth, names, None if made["presets"] == "all" else made["presets"], made["seed"])[0]


def _manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / MANIFEST).read_text())


def _maker(folder: Path) -> dict[str, Any]:
    return _manifest(folder)["maker"]
